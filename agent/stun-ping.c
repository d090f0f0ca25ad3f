/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/stun-ping.h"
#include "agent/server-lookup.h"
#include "agent/stun-transaction.h"
#include "base/timeout.h"

#define LOOKUP_MS 3000
/* Not a transaction that repeats itself: which sending was answered nobody could tell. */
#define TRY_MS 1000
#define TRIES_MAX 3
#define DATAGRAM_MAX 1500

struct _IcsStunPing
{
  GMainContext *context;
  IcsServerLookup *lookup;
  GSocket *socket;
  GSource *incoming, *timer;
  StunAgent agent;
  IcsStunTransaction transaction;
  IcsSockaddr server;
  guint n_tries;
  IcsStunPingFunc done;
  gpointer user_data;
};

void
ics_stun_ping_cancel (IcsStunPing *self)
{
  if (self->lookup != NULL)
    ics_server_lookup_cancel (self->lookup);
  ics_timeout_clear (&self->incoming);
  ics_timeout_clear (&self->timer);
  g_clear_object (&self->socket);
  g_main_context_unref (self->context);
  g_free (self);
}

static void
finish (IcsStunPing *self, gint64 rtt)
{
  IcsStunPingFunc done = self->done;
  gpointer user_data = self->user_data;

  ics_stun_ping_cancel (self);
  done (rtt, user_data);
}

/* What cannot be sent is not answered. */
static void
ask (IcsStunPing *self)
{
  IcsStunQuestion question = { .to = self->server, .from = self->server, .rto = ICS_STUN_RTO };
  gint64 now = g_get_monotonic_time ();

  self->n_tries++;
  ics_stun_transaction_cancel (&self->transaction, &self->agent);
  ics_stun_transaction_start (&self->transaction, &self->agent, &question, now);
  if (ics_stun_transaction_poll (&self->transaction, now))
    g_socket_send (self->socket, (const char *)self->transaction.data, self->transaction.len, NULL, NULL);
}

static gboolean
on_timer (gpointer user_data)
{
  IcsStunPing *self = user_data;

  if (self->n_tries < TRIES_MAX)
    {
      ask (self);
      return G_SOURCE_CONTINUE;
    }
  finish (self, -1);
  return G_SOURCE_REMOVE;
}

static gboolean
on_incoming (GSocket *socket, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
  IcsStunPing *self = user_data;
  guint8 data[DATAGRAM_MAX];
  gssize len = g_socket_receive (socket, (char *)data, sizeof data, NULL, NULL);
  gint64 now = g_get_monotonic_time ();
  IcsStunReply reply;

  if (len <= 0
      || !ics_stun_transaction_read (&self->transaction, &self->agent, data, (gsize)len, &self->server,
                                     &reply))
    return G_SOURCE_CONTINUE;
  finish (self, now - self->transaction.sent_at);
  return G_SOURCE_REMOVE;
}

static gboolean
open_socket (IcsStunPing *self, GSocketAddress *server)
{
  IcsSockaddr native;

  if (!g_socket_address_to_native (server, &native, sizeof native, NULL)
      || !ics_sockaddr_set (&self->server, &native.any))
    return FALSE;
  self->socket = g_socket_new (g_socket_address_get_family (server), G_SOCKET_TYPE_DATAGRAM,
                               G_SOCKET_PROTOCOL_UDP, NULL);
  if (self->socket == NULL || !g_socket_connect (self->socket, server, NULL, NULL))
    return FALSE;
  g_socket_set_blocking (self->socket, FALSE);
  self->incoming = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_callback (self->incoming, G_SOURCE_FUNC (on_incoming), self, NULL);
  g_source_attach (self->incoming, self->context);
  return TRUE;
}

static void
on_found (const IcsServerFound *found, gpointer user_data)
{
  IcsStunPing *self = user_data;

  self->lookup = NULL;
  if (found->server == NULL || !open_socket (self, G_SOCKET_ADDRESS (found->server)))
    {
      finish (self, -1);
      return;
    }
  self->timer = g_timeout_source_new (TRY_MS);
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  ask (self);
}

IcsStunPing *
ics_stun_ping_start (const char *host, guint16 port, int family, GMainContext *context, IcsStunPingFunc done,
                     gpointer user_data)
{
  IcsServerLookupConfig config
      = { .host = host, .port = port, .family = family, .context = context, .timeout_ms = LOOKUP_MS };
  IcsStunPing *self = g_new0 (IcsStunPing, 1);

  self->context = g_main_context_ref (context);
  self->done = done;
  self->user_data = user_data;
  ics_stun_transaction_init_agent (&self->agent);
  self->lookup = ics_server_lookup_start (&config, on_found, self);
  return self;
}
