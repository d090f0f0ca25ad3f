/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/narrator.h"
#include "cli/human.h"

void
cli_narrator_init (CliNarrator *self, CliContext *context)
{
  g_autoptr (GUri) uri = g_uri_parse (context->settings->server, G_URI_FLAGS_NONE, NULL);

  *self = (CliNarrator){ .context = context };
  self->host = g_strdup (uri != NULL ? g_uri_get_host (uri) : context->settings->server);
}

void
cli_narrator_clear (CliNarrator *self)
{
  g_clear_pointer (&self->host, g_free);
  g_clear_pointer (&self->path_text, g_free);
}

void
cli_narrator_code (CliNarrator *self, const char *code, const char *hint)
{
  const CliSettings *settings = self->context->settings;
  JsonObject *event = cli_event_new ("code");
  g_auto (GStrv) parts = g_strsplit (hint, "%s", 2);
  g_autofree char *command = g_strjoinv (code, parts);

  json_object_set_string_member (event, "code", code);
  cli_events_emit (self->context->events, event);
  if (!settings->quiet)
    cli_term_say (self->context->term, "code: %s    on the other host run: %s", code, command);
  else if (!settings->json && settings->events_fd < 0 && settings->code_file == NULL)
    cli_term_must_say (self->context->term, "%s", code);
}

static char *
rtt_text (IcsPathInfo *path)
{
  double rtt = ics_path_info_get_rtt_ms (path);

  return rtt > 0 ? g_strdup_printf (", %.0f ms", rtt) : g_strdup ("");
}

/* "relayed via HOST, 84 ms", "turn: udp A <-> B, 40 ms", "direct: udp A <-> B, 21 ms" */
static char *
describe (CliNarrator *self, IcsPathInfo *path)
{
  IcsPathKind kind = ics_path_info_get_kind (path);
  g_autofree char *rtt = rtt_text (path);

  if (kind == ICS_PATH_CHANNEL)
    return g_strdup_printf ("relayed via %s%s", self->host, rtt);
  return g_strdup_printf ("%s: %s %s <-> %s%s", ics_path_kind_to_string (kind),
                          ics_path_info_get_transport (path), ics_path_info_get_local (path),
                          ics_path_info_get_remote (path), rtt);
}

void
cli_narrator_connected (CliNarrator *self, const char *fingerprint, IcsPathInfo *path)
{
  gboolean looking = self->context->settings->policy == ICS_PATH_POLICY_AUTO
                     && (path == NULL || ics_path_info_get_kind (path) != ICS_PATH_DIRECT);
  JsonObject *event = cli_event_new ("connected");
  g_autofree char *text = path != NULL ? describe (self, path) : NULL;

  self->connected_us = g_get_monotonic_time ();
  json_object_set_string_member (event, "peer", fingerprint != NULL ? fingerprint : "");
  cli_events_emit (self->context->events, event);
  cli_term_say (self->context->term, "connected%s%s%s", text != NULL ? ", " : "", text != NULL ? text : "",
                looking ? "; looking for a direct path" : "");
}

static void
emit_path (CliNarrator *self, IcsPathInfo *path)
{
  JsonObject *event = cli_event_new ("path");

  json_object_set_string_member (event, "kind", ics_path_kind_to_string (ics_path_info_get_kind (path)));
  json_object_set_string_member (event, "transport", ics_path_info_get_transport (path));
  json_object_set_string_member (event, "local", ics_path_info_get_local (path));
  json_object_set_string_member (event, "local_type", ics_path_info_get_local_type (path));
  json_object_set_string_member (event, "remote", ics_path_info_get_remote (path));
  json_object_set_string_member (event, "remote_type", ics_path_info_get_remote_type (path));
  json_object_set_double_member (event, "rtt_ms", ics_path_info_get_rtt_ms (path));
  json_object_set_string_member (event, "reason",
                                 ics_path_reason_to_string (ics_path_info_get_reason (path)));
  cli_events_emit (self->context->events, event);
}

void
cli_narrator_path (CliNarrator *self, IcsPathInfo *path)
{
  g_autofree char *text = describe (self, path);
  gboolean back = ics_path_info_get_reason (path) == ICS_PATH_REASON_LOST;

  self->kind = ics_path_info_get_kind (path);
  emit_path (self, path);
  /* The first path is told with "connected". */
  if (self->connected_us == 0 || ics_path_info_get_reason (path) == ICS_PATH_REASON_FIRST)
    return;
  if (back)
    cli_term_say (self->context->term, "the path is lost; back to %s", text);
  else
    cli_term_say (self->context->term, "%s (after %.1f s)", text,
                  (double)(g_get_monotonic_time () - self->connected_us) / G_USEC_PER_SEC);
}

void
cli_narrator_stall (CliNarrator *self, guint ms)
{
  JsonObject *event = cli_event_new ("stall");

  json_object_set_int_member (event, "ms", ms);
  cli_events_emit (self->context->events, event);
  if (self->context->settings->verbose)
    cli_term_say (self->context->term, "the shift held up the data for %u ms", ms);
}

void
cli_narrator_record (CliNarrator *self, const char *line)
{
  JsonObject *event;

  if (!self->context->settings->verbose)
    return;
  event = cli_event_new ("record");
  json_object_set_string_member (event, "line", line);
  cli_events_emit (self->context->events, event);
  cli_term_say (self->context->term, "  %s", line);
}

void
cli_narrator_why_not_direct (CliNarrator *self, const char *why)
{
  JsonObject *event = cli_event_new ("why_not_direct");

  json_object_set_string_member (event, "why", why);
  cli_events_emit (self->context->events, event);
}

void
cli_narrator_progress (CliNarrator *self, CliProgress *progress, gboolean last)
{
  const char *file;
  guint64 bytes;
  guint64 total;
  JsonObject *event;
  g_autofree char *line = NULL;

  if (!cli_progress_get (progress, &file, &bytes, &total))
    return;
  event = cli_event_new ("progress");
  json_object_set_string_member (event, "file", file);
  json_object_set_int_member (event, "bytes", (gint64)bytes);
  json_object_set_int_member (event, "total", (gint64)total);
  cli_events_emit (self->context->events, event);
  if (!last)
    line = cli_human_progress (file, bytes, total, g_get_monotonic_time () - progress->start_us,
                               ics_path_kind_to_string (self->kind));
  cli_term_progress (self->context->term, line);
}

JsonObject *
cli_narrator_new_done (guint64 bytes, const char *sha256, const guint64 by_kind[ICS_N_PATH_KINDS])
{
  static const char *const names[ICS_N_PATH_KINDS] = {
    [ICS_PATH_CHANNEL] = "channel_bytes", [ICS_PATH_TURN] = "turn_bytes", [ICS_PATH_DIRECT] = "direct_bytes"
  };
  JsonObject *event = cli_event_new ("done");

  json_object_set_int_member (event, "bytes", (gint64)bytes);
  if (sha256 != NULL)
    json_object_set_string_member (event, "sha256", sha256);
  else
    json_object_set_null_member (event, "sha256");
  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    json_object_set_int_member (event, names[kind], (gint64)by_kind[kind]);
  return event;
}

char *
cli_narrator_share (const guint64 by_kind[ICS_N_PATH_KINDS])
{
  guint64 total = by_kind[ICS_PATH_CHANNEL] + by_kind[ICS_PATH_TURN] + by_kind[ICS_PATH_DIRECT];
  double share = total > 0 ? (double)by_kind[ICS_PATH_DIRECT] / (double)total : 0;

  return g_strdup_printf ("%d%% direct", (int)(share * 100));
}
