/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From zero to a direct path: run it on one host; then on another, with ICE_SESSION_CODE set to that code. */
#include <session/ice-session.h>

static void
on_code (IcsLink *link G_GNUC_UNUSED, const char *code)
{
  g_print ("code: %s\n", code);
}

static void
on_path (IcsLink *link, IcsPathInfo *path)
{
  g_print ("path: %s\n", ics_path_kind_to_string (ics_path_info_get_kind (path)));
  /* The joiner moves first: when the host that made the code has moved too, both are there. */
  if (ics_path_info_get_kind (path) == ICS_PATH_DIRECT && ics_link_get_code (link) != NULL)
    ics_link_close_async (link, 0, NULL, NULL, NULL, NULL);
}

static void
on_ended (GObject *link, GAsyncResult *result, gpointer loop)
{
  ics_link_close_finish (ICS_LINK (link), result, NULL);
  g_main_loop_quit (loop);
}

static void
on_closed (IcsLink *link, const GError *error, GMainLoop *loop)
{
  g_print ("closed: %s\n", error != NULL ? error->message : "all is well");
  ics_link_close_async (link, 0, NULL, NULL, on_ended, loop); /* waits until everything is given back */
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (IcsLink) link = ics_link_new (g_getenv ("ICE_SESSION_SERVER"), "direct/1");

  g_signal_connect (link, "code", G_CALLBACK (on_code), NULL);
  g_signal_connect (link, "path-changed", G_CALLBACK (on_path), NULL);
  g_signal_connect (link, "closed", G_CALLBACK (on_closed), loop);
  ics_link_connect_async (link, g_getenv ("ICE_SESSION_CODE"), NULL, NULL, NULL);
  g_main_loop_run (loop);
  return 0;
}
