/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/deadline.h"
#include "cli/frame.h"
#include <string.h>

#define REASON_MAX 500

JsonObject *
cli_control_new_hello (const char *role)
{
  JsonObject *hello = cli_frame_new ("hello");

  json_object_set_int_member (hello, "version", 1);
  json_object_set_string_member (hello, "role", role);
  return hello;
}

GIOStream *
cli_control_start (CliPeer *peer, JsonObject *hello, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) control = NULL;
  CliStreamKind kind = CLI_STREAM_CONTROL;
  guint8 index = 0;

  if (peer->initiator)
    control = cli_peer_open (peer, CLI_STREAM_CONTROL, 0, cancellable, error);
  else
    control = cli_peer_accept (peer, &kind, &index, cancellable, error);
  if (control != NULL && kind != CLI_STREAM_CONTROL)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL,
                   "the other side did not begin with the control stream");
      g_clear_object (&control);
    }
  if (control == NULL)
    json_object_unref (hello);
  else if (cli_frame_write (control, hello, cancellable, error))
    return g_steal_pointer (&control);
  return NULL;
}

JsonObject *
cli_control_read_hello (GIOStream *control, const char *role, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonObject) hello = cli_frame_expect (control, "hello", cancellable, error);
  const char *got = hello != NULL ? cli_json_string (hello, "role") : NULL;

  if (hello == NULL || g_strcmp0 (got, role) == 0)
    return g_steal_pointer (&hello);
  g_set_error (error, ICS_ERROR, ICS_ERROR_REFUSED, "the other side runs \"%.40s\"; it must run \"%s\"",
               got != NULL ? got : "?", role);
  return NULL;
}

void
cli_control_abort (GIOStream *control, const GError *error)
{
  g_autoptr (CliDeadline) deadline = cli_deadline_new (NULL, CLI_FAREWELL_TIMEOUT_MS);
  g_autofree char *utf8 = g_utf8_make_valid (error->message, -1);
  g_autofree char *brief = g_utf8_substring (utf8, 0, MIN (g_utf8_strlen (utf8, -1), REASON_MAX));
  JsonObject *frame = cli_frame_new ("abort");

  json_object_set_string_member (frame, "reason", brief);
  if (g_error_matches (error, ICS_ERROR, ICS_ERROR_INTEGRITY))
    json_object_set_string_member (frame, "code", "integrity");
  cli_frame_write (control, frame, cli_deadline_get_cancellable (deadline), NULL);
}

/* The peer may have said on the control stream why its data streams broke. */
static void
explain (GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliDeadline) deadline = cli_deadline_new (cancellable, CLI_FAREWELL_TIMEOUT_MS);
  g_autoptr (GError) told = NULL;
  g_autoptr (JsonObject) frame = NULL;

  cli_peer_half_close (control, NULL);
  /* Nothing but "abort" is of interest: any other frame is an error here too. */
  frame = cli_frame_expect (control, "", cli_deadline_get_cancellable (deadline), &told);
  if (!g_error_matches (told, ICS_ERROR, ICS_ERROR_REFUSED)
      && !g_error_matches (told, ICS_ERROR, ICS_ERROR_INTEGRITY))
    return;
  g_clear_error (error);
  *error = g_steal_pointer (&told);
}

void
cli_control_fail (GIOStream *control, GCancellable *cancellable, GError **error)
{
  gboolean from_peer = g_error_matches (*error, ICS_ERROR, ICS_ERROR_LINK_LOST)
                       || g_error_matches (*error, ICS_ERROR, ICS_ERROR_CLOSED)
                       || g_error_matches (*error, ICS_ERROR, ICS_ERROR_REFUSED);

  if (g_cancellable_is_cancelled (cancellable))
    return;
  if (from_peer)
    {
      explain (control, cancellable, error);
      return;
    }
  cli_control_abort (control, *error);
  cli_control_farewell (control, cancellable);
}

void
cli_control_farewell (GIOStream *control, GCancellable *cancellable)
{
  g_autoptr (CliDeadline) deadline = cli_deadline_new (cancellable, CLI_FAREWELL_TIMEOUT_MS);
  char rest[64];
  gboolean more = cli_peer_half_close (control, NULL);

  while (more)
    more = g_input_stream_read (g_io_stream_get_input_stream (control), rest, sizeof rest,
                                cli_deadline_get_cancellable (deadline), NULL)
           > 0;
}
