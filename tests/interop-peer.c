/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One direct ICE attempt that is driven over stdio, for tests with other implementations:
 *
 *     interop-peer controlling|controlled 4|6
 *
 * Lines out: "credentials UFRAG PWD", "candidate LINE", "end", "state NAME", "received TEXT", "note TEXT".
 * In: the first three, and "send TEXT", "graduate", "quit". */
#include "agent/ice-attempt.h"
#include <gio/gunixinputstream.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What graduation waits for is four of them; on one machine it is less. */
#define RTT_US 1000

typedef struct
{
  IcsTraversal *attempt;
  GMainLoop *loop;
  GDataInputStream *input;
} Peer;

G_GNUC_PRINTF (1, 2)
static void
say (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
  putchar ('\n');
  fflush (stdout);
}

static void
on_candidate (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, G_GNUC_UNUSED gpointer user_data)
{
  say ("candidate %s", line);
}

static void
on_gathered (G_GNUC_UNUSED IcsTraversal *attempt, G_GNUC_UNUSED gpointer user_data)
{
  say ("end");
}

static void
on_state (G_GNUC_UNUSED IcsTraversal *attempt, IcsIceState state, G_GNUC_UNUSED gpointer user_data)
{
  say ("state %s", ics_ice_state_to_string (state));
}

static void
on_received (G_GNUC_UNUSED IcsTraversal *attempt, const guint8 *data, gsize len, gsize segment,
             G_GNUC_UNUSED gpointer user_data)
{
  for (gsize at = 0; at < len; at += segment)
    say ("received %.*s", (int)MIN (segment, len - at), (const char *)data + at);
}

static void
on_writable (G_GNUC_UNUSED IcsTraversal *attempt, G_GNUC_UNUSED gpointer user_data)
{
}

static void
on_note (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, G_GNUC_UNUSED gpointer user_data)
{
  say ("note %s", line);
}

static void
obey (Peer *self, const char *verb, const char *rest)
{
  g_auto (GStrv) words = g_strsplit (rest, " ", 2);

  if (strcmp (verb, "credentials") == 0 && g_strv_length (words) == 2)
    ics_traversal_set_remote_credentials (self->attempt, words[0], words[1]);
  else if (strcmp (verb, "candidate") == 0)
    say ("note %s: %s", ics_traversal_add_remote_candidate (self->attempt, rest) ? "taken" : "refused", rest);
  else if (strcmp (verb, "end") == 0)
    ics_traversal_end_of_candidates (self->attempt);
  else if (strcmp (verb, "send") == 0)
    ics_traversal_send (self->attempt, (const guint8 *)rest, strlen (rest));
  else if (strcmp (verb, "graduate") == 0)
    ics_traversal_graduate (self->attempt, RTT_US);
  else
    g_main_loop_quit (self->loop);
}

static void
on_line (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Peer *self = user_data;
  g_autofree char *line
      = g_data_input_stream_read_line_finish (G_DATA_INPUT_STREAM (source), result, NULL, NULL);
  char *rest;

  if (line == NULL)
    {
      g_main_loop_quit (self->loop);
      return;
    }
  rest = strchr (line, ' ');
  if (rest != NULL)
    *rest++ = '\0';
  obey (self, line, rest != NULL ? rest : "");
  g_data_input_stream_read_line_async (self->input, G_PRIORITY_DEFAULT, NULL, on_line, self);
}

static void
on_closed (gpointer user_data)
{
  g_main_loop_quit (((Peer *)user_data)->loop);
}

static void
run (Peer *self)
{
  g_autoptr (GInputStream) raw = g_unix_input_stream_new (STDIN_FILENO, FALSE);
  const char *ufrag, *pwd;

  self->input = g_data_input_stream_new (raw);
  ics_traversal_get_credentials (self->attempt, &ufrag, &pwd);
  say ("credentials %s %s", ufrag, pwd);
  g_data_input_stream_read_line_async (self->input, G_PRIORITY_DEFAULT, NULL, on_line, self);
  g_main_loop_run (self->loop);
  ics_traversal_free (self->attempt, on_closed, self);
  g_main_loop_run (self->loop);
  g_object_unref (self->input);
}

int
main (int argc, char **argv)
{
  static const IcsIceCallbacks callbacks = { .candidate = on_candidate,
                                             .gathered = on_gathered,
                                             .state = on_state,
                                             .received = on_received,
                                             .writable = on_writable,
                                             .note = on_note };
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error = NULL;
  IcsIceConfig config = { .context = g_main_context_default () };
  Peer self = { .loop = loop };

  if (argc != 3)
    {
      fprintf (stderr, "usage: %s controlling|controlled 4|6\n", argv[0]);
      return 2;
    }
  config.controlling = strcmp (argv[1], "controlling") == 0;
  config.family = atoi (argv[2]);
  self.attempt = ics_ice_attempt_new (&config, &callbacks, &self);
  if (!ics_traversal_start (self.attempt, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return 1;
    }
  run (&self);
  return 0;
}
