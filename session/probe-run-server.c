/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "session/probe-run.h"
#include "signaling/ws-dial.h"

/* Whether the rendezvous server answers, through which proxy, and which STUN and TURN servers it names. */

#define DIAL_MS 10000

void
ics_probe_run_close_channel (IcsProbeRun *self)
{
  if (self->channel == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->channel, self);
  ics_channel_close (ICS_CHANNEL (self->channel));
  g_clear_object (&self->channel);
}

static void
set_server (IcsProbeRun *self, IcsServerState state, const char *error)
{
  self->report->server_state = state;
  g_free (self->report->server_error);
  self->report->server_error = g_strdup (error);
}

/* First with the place in a room, then as the answer to the question. */
static void
on_turn_servers (IcsWsChannel *channel, IcsProbeRun *self)
{
  GPtrArray *servers = ics_ws_channel_get_turn_servers (channel);

  if (self->asked_at == 0)
    {
      self->asked_at = g_get_monotonic_time ();
      ics_ws_channel_refresh_turn_servers (channel);
      return;
    }
  self->report->server_rtt_ms = (double)(g_get_monotonic_time () - self->asked_at) / G_TIME_SPAN_MILLISECOND;
  for (guint i = 0; i < servers->len && !self->no_server_turn; i++)
    g_ptr_array_add (self->servers, ics_turn_server_copy (servers->pdata[i]));
  ics_probe_run_measure (self);
}

static void
on_channel_state (IcsChannel *channel, IcsChannelState state, IcsProbeRun *self)
{
  g_autoptr (GError) error = NULL;

  if (state != ICS_CHANNEL_CLOSED)
    return;
  error = ics_channel_get_error (channel);
  set_server (self,
              g_error_matches (error, ICS_ERROR, ICS_ERROR_SERVER_REFUSED) ? ICS_SERVER_REFUSING
                                                                           : ICS_SERVER_UNREACHABLE,
              error->message);
  ics_probe_run_measure (self);
}

static void
join_server (IcsProbeRun *self)
{
  IcsWsChannelConfig config
      = { .server_uri = self->server_uri, .family = self->family, .connect_timeout_ms = DIAL_MS };

  set_server (self, ICS_SERVER_REACHABLE, NULL);
  self->channel = ics_ws_channel_new (&config);
  g_signal_connect (self->channel, "turn-servers", G_CALLBACK (on_turn_servers), self);
  g_signal_connect (self->channel, "state-changed", G_CALLBACK (on_channel_state), self);
  ics_channel_start (ICS_CHANNEL (self->channel));
}

/* Our server says no with few statuses (docs/protocol.md, "Connection"). */
static IcsServerState
state_from_error (const GError *error, guint status)
{
  static const guint ours[] = { 404, 405, 413, 426, 503 };

  if (error->domain != ICS_ERROR || error->code == ICS_ERROR_SERVER_UNREACHABLE)
    return ICS_SERVER_UNREACHABLE;
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    if (status == ours[i])
      return ICS_SERVER_REFUSING;
  return ICS_SERVER_CAPTIVE;
}

static void
on_dialed (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  IcsProbeRun *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupWebsocketConnection) connection = ics_ws_dial_finish (result, &error);

  if (connection != NULL)
    soup_websocket_connection_close (connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  if (!self->ending && connection != NULL)
    join_server (self);
  else if (!self->ending)
    {
      set_server (self, state_from_error (error, ics_ws_dial_get_status (result)), error->message);
      ics_probe_run_measure (self);
    }
  ics_probe_run_release (self);
}

static void
dial (IcsProbeRun *self)
{
  IcsWsDial dial = { .uri = self->uri, .family = self->family, .timeout_ms = DIAL_MS };

  ics_ws_dial_async (&dial, self->cancellable, on_dialed, ics_probe_run_hold (self));
}

static void
on_proxies (GObject *source, GAsyncResult *result, gpointer user_data)
{
  IcsProbeRun *self = user_data;
  g_auto (GStrv) proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source), result, NULL);

  if (!self->ending)
    {
      if (proxies != NULL && proxies[0] != NULL && !g_str_equal (proxies[0], "direct://"))
        self->report->proxy = g_strdup (proxies[0]);
      dial (self);
    }
  ics_probe_run_release (self);
}

void
ics_probe_run_ask_server (IcsProbeRun *self)
{
  g_autofree char *uri = g_uri_to_string (self->uri);

  g_proxy_resolver_lookup_async (g_proxy_resolver_get_default (), uri, self->cancellable, on_proxies,
                                 ics_probe_run_hold (self));
}
