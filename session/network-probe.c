/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include "agent/nat-prober.h"
#include "agent/server-lookup.h"
#include "base/ics-error.h"
#include "session/network-report-private.h"
#include "session/relay-trial.h"
#include "session/server-way.h"
#include "signaling/ws-channel.h"
#include "signaling/ws-dial.h"

/* One after the other: the proxy, whether the rendezvous server answers, what it hands out; then, at a time,
 * the NAT and the relays. */

#define DIAL_MS 10000
#define LOOKUP_MS 3000
/* For what has limits of its own, all of which are shorter. */
#define LONGEST_S 45
#define RELAYS_MAX 3
/* Servers to compare what they see; one of them may have no second address. */
#define STUN_SERVERS_MAX 2

typedef struct
{
  GTask *task; /* NULL once it has returned */
  IcsNetworkReport *report;
  GMainContext *context;
  int family;
  GCancellable *cancellable; /* of what is under way */
  GSource *outer_source;     /* the caller's cancellable */
  GSource *limit;
  GUri *uri;
  char *server_uri;
  IcsWsChannel *channel;
  gint64 asked_at;
  GPtrArray *servers; /* IcsTurnServer */
  gboolean no_server_turn;
  guint looked_up;
  GPtrArray *addresses; /* GInetSocketAddress of STUN servers */
  IcsServerLookup *lookup;
  IcsNatProber *prober;
  IcsNatBehavior nat;
  gboolean nat_done;
  GPtrArray *trials; /* IcsRelayTrial, NULL where it is done */
  guint trials_left;
} Probe;

static void
clear (gpointer data)
{
  Probe *self = data;

  g_clear_pointer (&self->report, ics_network_report_unref);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self->server_uri);
  g_ptr_array_unref (self->servers);
  g_ptr_array_unref (self->addresses);
  g_ptr_array_unref (self->trials);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
}

static void
unref (gpointer self)
{
  g_rc_box_release_full (self, clear);
}

/* --- the end --- */

static void
stop_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
close_channel (Probe *self)
{
  if (self->channel == NULL)
    return;
  g_signal_handlers_disconnect_by_data (self->channel, self);
  ics_channel_close (ICS_CHANNEL (self->channel));
  g_clear_object (&self->channel);
}

static void
stop (Probe *self)
{
  g_cancellable_cancel (self->cancellable);
  stop_source (&self->outer_source);
  stop_source (&self->limit);
  close_channel (self);
  if (self->lookup != NULL)
    ics_server_lookup_cancel (g_steal_pointer (&self->lookup));
  g_clear_pointer (&self->prober, ics_nat_prober_free);
  for (guint i = 0; i < self->trials->len; i++)
    if (self->trials->pdata[i] != NULL)
      ics_relay_trial_free (g_steal_pointer (&self->trials->pdata[i]), unref, g_rc_box_acquire (self));
}

/* With the report, or with @error. */
static void
finish (Probe *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  stop (self);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    {
      ics_network_report_seal (self->report, &self->nat);
      g_task_return_pointer (task, g_steal_pointer (&self->report), (GDestroyNotify)ics_network_report_unref);
    }
  unref (self);
}

static void
finish_if_done (Probe *self)
{
  if (self->nat_done && self->trials_left == 0)
    finish (self, NULL);
}

static gboolean
on_limit (gpointer user_data)
{
  finish (user_data, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_outer_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer user_data)
{
  finish (user_data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "the probe was cancelled"));
  return G_SOURCE_REMOVE;
}

/* --- the NAT --- */

static void
on_behavior (const IcsNatBehavior *behavior, gpointer user_data)
{
  Probe *self = user_data;

  self->nat = *behavior;
  self->nat_done = TRUE;
  g_clear_pointer (&self->prober, ics_nat_prober_free);
  finish_if_done (self);
}

/* Where the TURN server answers on its next port as well, that is another destination. */
static void
add_next_port (Probe *self)
{
  GInetSocketAddress *first = self->addresses->pdata[0];
  guint16 port = g_inet_socket_address_get_port (first);

  if (port < G_MAXUINT16)
    g_ptr_array_add (self->addresses,
                     g_inet_socket_address_new (g_inet_socket_address_get_address (first), port + 1));
}

static void
start_prober (Probe *self)
{
  IcsNatProberConfig config = { .servers = self->addresses, .context = self->context };

  if (self->addresses->len > 0)
    {
      add_next_port (self);
      self->prober = ics_nat_prober_start (&config, on_behavior, self);
    }
  self->nat_done = self->prober == NULL;
  finish_if_done (self);
}

static void look_up_next (Probe *self);

static void
on_server (GInetSocketAddress *server, G_GNUC_UNUSED GInetAddress *source, G_GNUC_UNUSED const char *reason,
           gpointer user_data)
{
  Probe *self = user_data;
  GInetSocketAddress *first = self->addresses->len > 0 ? self->addresses->pdata[0] : NULL;

  self->lookup = NULL;
  if (server != NULL
      && (first == NULL
          || g_socket_address_get_family (G_SOCKET_ADDRESS (first))
                 == g_socket_address_get_family (G_SOCKET_ADDRESS (server))))
    g_ptr_array_add (self->addresses, g_object_ref (server));
  look_up_next (self);
}

static void
look_up_next (Probe *self)
{
  while (self->looked_up < self->servers->len && self->addresses->len < STUN_SERVERS_MAX)
    {
      const IcsTurnServer *server = self->servers->pdata[self->looked_up++];
      IcsServerLookupConfig config = { .host = server->host,
                                       .port = server->port,
                                       .family = self->family,
                                       .context = self->context,
                                       .timeout_ms = LOOKUP_MS };

      if (server->transport != ICS_TURN_UDP)
        continue;
      self->lookup = ics_server_lookup_start (&config, on_server, self);
      return;
    }
  start_prober (self);
}

/* --- the relays --- */

static void
on_trial (IcsRelayTrial *trial, const char *address, double setup_ms, gpointer user_data)
{
  Probe *self = user_data;
  g_autofree char *uri = ics_turn_server_to_uri (ics_relay_trial_get_server (trial));
  guint i;

  ics_network_report_add_relay (self->report, uri, address, setup_ms);
  if (g_ptr_array_find (self->trials, trial, &i))
    self->trials->pdata[i] = NULL;
  ics_relay_trial_free (trial, unref, g_rc_box_acquire (self));
  self->trials_left--;
  finish_if_done (self);
}

/* TURN is spoken over UDP only, and to no server of a family that this host has not. */
static void
start_trials (Probe *self)
{
  for (guint i = 0; i < self->servers->len && self->trials->len < RELAYS_MAX; i++)
    {
      const IcsTurnServer *server = self->servers->pdata[i];

      if (server->transport == ICS_TURN_UDP && !server->is_stun && server->username != NULL
          && ics_server_way (server, self->family) != ICS_WAY_NONE)
        g_ptr_array_add (self->trials,
                         ics_relay_trial_start (server, self->family, self->context, on_trial, self));
    }
  self->trials_left = self->trials->len;
}

static void
start_measuring (Probe *self)
{
  close_channel (self);
  start_trials (self);
  look_up_next (self);
}

/* --- the rendezvous server --- */

static void
set_server (Probe *self, IcsServerState state, const char *error)
{
  self->report->server_state = state;
  g_free (self->report->server_error);
  self->report->server_error = g_strdup (error);
}

/* First with the place in a room, then as the answer to the question. */
static void
on_turn_servers (IcsWsChannel *channel, Probe *self)
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
  start_measuring (self);
}

static void
on_channel_state (IcsChannel *channel, IcsChannelState state, Probe *self)
{
  g_autoptr (GError) error = NULL;

  if (state != ICS_CHANNEL_CLOSED)
    return;
  error = g_error_copy (ics_channel_get_error (channel));
  set_server (self,
              g_error_matches (error, ICS_ERROR, ICS_ERROR_SERVER_REFUSED) ? ICS_SERVER_REFUSING
                                                                           : ICS_SERVER_UNREACHABLE,
              error->message);
  start_measuring (self);
}

static void
join_server (Probe *self)
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
  Probe *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SoupWebsocketConnection) connection = ics_ws_dial_finish (result, &error);

  if (connection != NULL)
    soup_websocket_connection_close (connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
  if (self->task != NULL && connection != NULL)
    join_server (self);
  else if (self->task != NULL)
    {
      set_server (self, state_from_error (error, ics_ws_dial_get_status (result)), error->message);
      start_measuring (self);
    }
  unref (self);
}

static void
dial (Probe *self)
{
  IcsWsDial dial = { .uri = self->uri, .family = self->family, .timeout_ms = DIAL_MS };

  ics_ws_dial_async (&dial, self->cancellable, on_dialed, g_rc_box_acquire (self));
}

static void
on_proxies (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Probe *self = user_data;
  g_auto (GStrv) proxies = g_proxy_resolver_lookup_finish (G_PROXY_RESOLVER (source), result, NULL);

  if (self->task != NULL)
    {
      if (proxies != NULL && proxies[0] != NULL && !g_str_equal (proxies[0], "direct://"))
        self->report->proxy = g_strdup (proxies[0]);
      dial (self);
    }
  unref (self);
}

/* --- the start --- */

static char **
list_local (int family)
{
  g_autoptr (GPtrArray) addresses = ics_local_addresses_get (family);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < addresses->len; i++)
    {
      g_autofree char *text = g_inet_address_to_string (addresses->pdata[i]);

      g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

/* FALSE if one does not parse. */
static gboolean
add_own_servers (Probe *self, const char *const *uris, GError **error)
{
  for (guint i = 0; uris != NULL && uris[i] != NULL; i++)
    {
      IcsTurnServer *server = NULL;

      if (g_str_equal (uris[i], "none"))
        self->no_server_turn = TRUE;
      else if ((server = ics_turn_server_parse (uris[i], error)) == NULL)
        return FALSE;
      else
        g_ptr_array_add (self->servers, server);
    }
  return TRUE;
}

static Probe *
probe_new (const char *server_uri, int family)
{
  Probe *self = g_rc_box_new0 (Probe);

  self->report = ics_network_report_new ();
  self->context = g_main_context_ref_thread_default ();
  self->family = family;
  self->cancellable = g_cancellable_new ();
  self->server_uri = g_strdup (server_uri);
  self->uri = ics_ws_dial_parse_uri (server_uri);
  self->servers = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  self->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  self->trials = g_ptr_array_new ();
  ics_nat_behavior_init (&self->nat);
  g_strfreev (self->report->local_addresses);
  self->report->local_addresses = list_local (family);
  return self;
}

static void
start (Probe *self, GCancellable *outer)
{
  g_autofree char *uri = g_uri_to_string (self->uri);

  self->limit = g_timeout_source_new_seconds (LONGEST_S);
  g_source_set_callback (self->limit, on_limit, self, NULL);
  g_source_attach (self->limit, self->context);
  if (outer != NULL)
    {
      self->outer_source = g_cancellable_source_new (outer);
      g_source_set_callback (self->outer_source, G_SOURCE_FUNC (on_outer_cancelled), self, NULL);
      g_source_attach (self->outer_source, self->context);
    }
  g_proxy_resolver_lookup_async (g_proxy_resolver_get_default (), uri, self->cancellable, on_proxies,
                                 g_rc_box_acquire (self));
}

void
ics_probe_network_async (const char *server_uri, const char *const *turn_uris, int family,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Probe *self = probe_new (server_uri, family);
  GError *error = NULL;

  self->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, ics_probe_network_async);
  g_task_set_check_cancellable (self->task, FALSE);
  if (self->uri == NULL)
    g_set_error (&error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no server: say wss://HOST",
                 server_uri);
  if (error != NULL || !add_own_servers (self, turn_uris, &error))
    finish (self, error);
  else
    start (self, cancellable);
}

IcsNetworkReport *
ics_probe_network_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
