/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/udp-endpoint-private.h"

/* A socket that is not in use is kept as long as a peer that uses it would be heard on it: two consent checks
 * (RFC 7675 §5.1) and the time that one may take. */
#define SURPLUS_US (15 * G_USEC_PER_SEC)

typedef struct
{
  GSource parent;
  IcsUdpEndpoint *endpoint;
} EndpointSource;

void
ics_udp_endpoint_note (IcsUdpEndpoint *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  self->hooks.note (line, self->user_data);
}

static void
rearm (IcsUdpEndpoint *self)
{
  gint64 next = MIN (ics_consent_next_timeout (&self->consent), ics_flow_table_next_timeout (&self->flows));

  for (guint i = 0; i < self->n_slots; i++)
    if (self->slots[i].socket != NULL && i != self->flows.current.socket)
      next = MIN (next, self->slots[i].heard_at + SURPLUS_US);
  g_source_set_ready_time (self->source, next == G_MAXINT64 ? -1 : next);
}

/* --- out --- */

static void
set_down (IcsUdpEndpoint *self, gboolean down)
{
  if (self->down == down)
    return;
  self->down = down;
  self->hooks.down (down, self->user_data);
}

static void
note_fallback (IcsUdpEndpoint *self, IcsUdpSocket *socket)
{
  if (!self->segmenting || ics_udp_socket_has_gso (socket))
    return;
  self->segmenting = FALSE;
  ics_udp_endpoint_note (self,
                         "the system does not cut batches for this socket: sending datagrams one by one");
}

IcsSendResult
ics_udp_endpoint_send (IcsUdpEndpoint *self, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  IcsUdpSlot *slot = &self->slots[self->flows.current.socket];
  IcsUdpResult result;

  *taken = len;
  if (self->started && !ics_consent_is_given (&self->consent))
    return ICS_SEND_FAILED;
  result = ics_udp_socket_send (slot->socket, &self->flows.current, data, len, segment, taken);
  note_fallback (self, slot->socket);
  switch (result)
    {
    case ICS_UDP_SENT:
      set_down (self, FALSE);
      return ICS_SEND_OK;
    case ICS_UDP_BLOCKED:
      self->blocked = TRUE;
      g_source_modify_unix_fd (self->source, slot->tag, self->started ? G_IO_IN | G_IO_OUT : G_IO_OUT);
      return ICS_SEND_BLOCKED;
    case ICS_UDP_DOWN:
      set_down (self, TRUE);
      return ICS_SEND_FAILED;
    }
  return ICS_SEND_FAILED;
}

gboolean
ics_udp_endpoint_send_stun (IcsUdpEndpoint *self, const IcsFlow *to, const guint8 *data, gsize len)
{
  gsize taken;

  return len > 0
         && ics_udp_socket_send (self->slots[to->socket].socket, to, data, len, len, &taken) == ICS_UDP_SENT;
}

static void
ask_for_consent (IcsUdpEndpoint *self)
{
  guint8 check[ICS_STUN_MESSAGE_MAX], id[ICS_STUN_ID_LEN];
  gsize len = ics_stun_peer_write_check (self->stun, TRUE, check, id);

  ics_udp_endpoint_send_stun (self, &self->flows.current, check, len);
}

/* Without a nomination: whether traffic goes there is decided when the answer is in. */
static void
ask_candidates (IcsUdpEndpoint *self, gint64 now)
{
  guint8 check[ICS_STUN_MESSAGE_MAX];
  IcsFlowCandidate *candidate;

  while ((candidate = ics_flow_table_poll (&self->flows, now)) != NULL)
    if (self->slots[candidate->flow.socket].socket != NULL)
      {
        gsize len = ics_stun_peer_write_check (self->stun, FALSE, check, candidate->id);

        ics_udp_endpoint_send_stun (self, &candidate->flow, check, len);
      }
}

/* --- time --- */

static void
close_socket (IcsUdpEndpoint *self, guint i)
{
  if (self->hooks.closing != NULL)
    self->hooks.closing (i, self->user_data);
  g_source_remove_unix_fd (self->source, self->slots[i].tag);
  g_clear_pointer (&self->slots[i].socket, ics_udp_socket_free);
}

static void
close_surplus (IcsUdpEndpoint *self, gint64 now)
{
  for (guint i = 0; i < self->n_slots; i++)
    if (self->slots[i].socket != NULL && i != self->flows.current.socket
        && now - self->slots[i].heard_at >= SURPLUS_US)
      close_socket (self, i);
}

static void
handle_timeout (IcsUdpEndpoint *self, gint64 now)
{
  ask_candidates (self, now);
  close_surplus (self, now);
  switch (ics_consent_handle_timeout (&self->consent, now))
    {
    case ICS_CONSENT_WAIT:
      break;
    case ICS_CONSENT_CHECK:
      ask_for_consent (self);
      break;
    case ICS_CONSENT_LOST:
      ics_udp_endpoint_note (self, "the peer has not answered for %d s: it no longer consents",
                             (int)(ICS_CONSENT_EXPIRY_US / G_USEC_PER_SEC));
      self->hooks.lost (self->user_data);
      break;
    }
}

static void
unblock (IcsUdpEndpoint *self, guint socket)
{
  g_source_modify_unix_fd (self->source, self->slots[socket].tag, self->started ? G_IO_IN : 0);
  if (!self->blocked)
    return;
  self->blocked = FALSE;
  self->hooks.writable (self->user_data);
}

/* The one that was full may be closed before it has room again. */
void
ics_udp_endpoint_follow_blocked (IcsUdpEndpoint *self)
{
  if (self->blocked)
    g_source_modify_unix_fd (self->source, self->slots[self->flows.current.socket].tag, G_IO_IN | G_IO_OUT);
}

static void
clear (gpointer data)
{
  IcsUdpEndpoint *self = data;

  for (guint i = 0; i < self->n_slots; i++)
    g_clear_pointer (&self->slots[i].socket, ics_udp_socket_free);
  ics_udp_batch_free (self->batch);
  ics_stun_peer_free (self->stun);
  g_rand_free (self->random);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsUdpEndpoint *self = g_rc_box_acquire (((EndpointSource *)source)->endpoint);
  gint64 now = g_source_get_time (source);

  for (guint i = 0; i < self->n_slots && !self->stopped; i++)
    {
      GIOCondition ready
          = self->slots[i].socket == NULL ? 0 : g_source_query_unix_fd (source, self->slots[i].tag);

      if ((ready & G_IO_OUT) != 0)
        unblock (self, i);
      if ((ready & (G_IO_IN | G_IO_ERR)) != 0 && self->started && !self->stopped)
        ics_udp_endpoint_receive (self, now, i);
    }
  if (!self->stopped && self->started)
    handle_timeout (self, now);
  if (!self->stopped && self->started)
    rearm (self);
  g_rc_box_release_full (self, clear);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* --- from birth to death --- */

static void
add_sockets (IcsUdpEndpoint *self, const IcsUdpEndpointConfig *config, gint64 now)
{
  self->n_slots = MIN (config->fds->len, ICS_UDP_ENDPOINT_SOCKETS_MAX);
  for (guint i = 0; i < self->n_slots; i++)
    {
      int fd = g_array_index (config->fds, int, i);

      self->slots[i].socket = ics_udp_socket_new (fd, config->plain);
      self->slots[i].tag = g_source_add_unix_fd (self->source, fd, 0);
      self->slots[i].heard_at = now;
    }
}

IcsUdpEndpoint *
ics_udp_endpoint_new (const IcsUdpEndpointConfig *config, const IcsUdpEndpointHooks *hooks,
                      gpointer user_data)
{
  IcsUdpEndpoint *self = g_rc_box_new0 (IcsUdpEndpoint);
  gint64 now = g_get_monotonic_time ();

  self->hooks = *hooks;
  self->user_data = user_data;
  self->source = g_source_new (&source_funcs, sizeof (EndpointSource));
  g_source_set_static_name (self->source, "udp-endpoint");
  ((EndpointSource *)self->source)->endpoint = self;
  add_sockets (self, config, now);
  self->batch = ics_udp_batch_new ();
  self->stun = ics_stun_peer_new (&config->credentials, config->controlling);
  self->random = g_rand_new ();
  ics_flow_table_init (&self->flows, &config->flow, now);
  self->segmenting = TRUE;
  g_source_attach (self->source, config->context);
  return self;
}

void
ics_udp_endpoint_free (IcsUdpEndpoint *self)
{
  self->stopped = TRUE;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_rc_box_release_full (self, clear);
}

void
ics_udp_endpoint_start (IcsUdpEndpoint *self)
{
  IcsUdpSocket *current = self->slots[self->flows.current.socket].socket;
  gint64 now = g_get_monotonic_time ();

  self->started = TRUE;
  ics_consent_init (&self->consent, now, self->random);
  for (guint i = 0; i < self->n_slots; i++)
    {
      ics_udp_socket_start_receiving (self->slots[i].socket);
      g_source_modify_unix_fd (self->source, self->slots[i].tag,
                               self->blocked ? G_IO_IN | G_IO_OUT : G_IO_IN);
    }
  note_fallback (self, current);
  ics_udp_endpoint_note (self, "the socket is out of libnice's hands: %s",
                         !ics_udp_socket_has_gro (current)
                             ? "the system does not join datagrams for it"
                             : (ics_udp_socket_has_gso (current) ? "batches both ways" : "batches in only"));
  rearm (self);
}

void
ics_udp_endpoint_confirm_consent (IcsUdpEndpoint *self, gint64 asked_at)
{
  if (self->started)
    ics_consent_answered (&self->consent, asked_at);
}

char *
ics_udp_endpoint_get_local (IcsUdpEndpoint *self, guint socket)
{
  return ics_udp_socket_get_local (self->slots[socket].socket);
}

GInetAddress *
ics_udp_endpoint_get_base (IcsUdpEndpoint *self)
{
  return ics_udp_socket_get_address (self->slots[self->flows.current.socket].socket);
}

guint64
ics_udp_endpoint_get_dropped (IcsUdpEndpoint *self)
{
  return self->dropped;
}
