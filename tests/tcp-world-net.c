/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/tcp-world-private.h"

/* The system's first repetition of a SYN (RFC 6298 §2.1). */
#define SYN_RTO G_TIME_SPAN_SECOND
#define SYN_TRIES 3

/* --- NATs --- */

guint
world_map_out (World *self, guint host, guint way, guint remote)
{
  GArray *mappings = self->hosts[host].mappings[way];
  Mapping mapping = { .inside = self->hosts[host].port, .outside = self->hosts[host].port, .remote = remote };

  for (guint i = 0; i < mappings->len; i++)
    if (g_array_index (mappings, Mapping, i).remote == remote)
      return g_array_index (mappings, Mapping, i).outside;
  if (self->config.nats[host][way].moves_ports)
    mapping.outside = (guint)g_rand_int_range (self->random, 1024, 65536);
  g_array_append_val (mappings, mapping);
  return mapping.outside;
}

static gboolean
lets_in (World *self, guint host, guint way, const Event *event)
{
  GArray *mappings = self->hosts[host].mappings[way];

  for (guint i = 0; i < mappings->len; i++)
    {
      const Mapping *mapping = &g_array_index (mappings, Mapping, i);

      if (mapping->outside == event->to && mapping->remote == event->from)
        return TRUE;
    }
  return self->config.nats[host][way].filter == WORLD_OPEN && event->to == self->hosts[host].port;
}

static void
send (World *self, guint host, Event event)
{
  guint other = 1 - host;
  gboolean data = event.kind == CHECK || event.kind == ANSWER || event.kind == FIN;

  event.type = SEGMENT;
  event.from = world_map_out (self, host, event.way, event.to);
  event.host = other;
  if (!data && g_rand_double (self->random) < self->config.loss)
    return;
  world_plan (self, self->now + self->config.delay[host][event.way], event);
}

void
world_send_from (World *self, guint host, const Socket *socket, Kind kind, gboolean flag)
{
  send (self, host,
        (Event){ .way = socket->way,
                 .kind = kind,
                 .to = socket->port,
                 .life = socket->life,
                 .of = socket->peer_life,
                 .flag = flag });
}

/* A NAT of the kind that answers with RST takes one for the end of the mapping, too. */
static void
unmap (World *self, const Event *event)
{
  GArray *mappings = self->hosts[event->host].mappings[event->way];

  if (self->config.nats[event->host][event->way].filter != WORLD_RESETS)
    return;
  for (guint i = 0; i < mappings->len; i++)
    if (g_array_index (mappings, Mapping, i).remote == event->from)
      {
        g_array_remove_index (mappings, i);
        return;
      }
}

/* --- a host's TCP --- */

Socket *
world_find (Host *host, guint way, guint port)
{
  for (guint i = 0; i < host->sockets->len; i++)
    {
      Socket *socket = host->sockets->pdata[i];

      if (socket->way == way && socket->port == port)
        return socket;
    }
  return NULL;
}

Socket *
world_find_conn (Host *host, guint conn)
{
  for (guint i = 0; i < host->sockets->len; i++)
    if (((Socket *)host->sockets->pdata[i])->conn == conn)
      return host->sockets->pdata[i];
  return NULL;
}

Socket *
world_add_socket (World *self, Host *host, guint way, guint port)
{
  Socket *socket = g_new0 (Socket, 1);

  socket->way = way;
  socket->port = port;
  socket->life = ++self->lives;
  g_ptr_array_add (host->sockets, socket);
  return socket;
}

static gboolean
is_expected (World *self, guint host, guint way, guint port)
{
  return self->hosts[1 - host].signalled[way] == port;
}

static void
opened (World *self, guint host, Socket *socket)
{
  Host *self_host = &self->hosts[host];

  socket->state = OPEN;
  if (socket->conn != 0)
    ics_tcp_race_opened (self_host->race, self->now, socket->conn);
  else
    {
      socket->conn = ics_tcp_race_accepted (self_host->race, self->now,
                                            is_expected (self, host, socket->way, socket->port));
      if (socket->conn == 0)
        {
          world_send_from (self, host, socket, FIN, FALSE);
          g_ptr_array_remove (self_host->sockets, socket);
        }
    }
}

void
world_forget (World *self, guint host, Socket *socket)
{
  guint conn = socket->conn;

  g_ptr_array_remove (self->hosts[host].sockets, socket);
  if (conn != 0)
    ics_tcp_race_closed (self->hosts[host].race, self->now, conn);
}

static void
on_syn (World *self, guint host, Socket *socket, const Event *event)
{
  if (socket == NULL)
    {
      socket = world_add_socket (self, &self->hosts[host], event->way, event->from);
      socket->state = RECEIVED;
    }
  else if (socket->state == OPEN)
    return;
  socket->state = RECEIVED;
  socket->peer_life = event->life;
  world_send_from (self, host, socket, SYN_ACK, FALSE);
}

static void
on_data (World *self, guint host, Socket *socket, const Event *event)
{
  if (event->kind == CHECK)
    {
      world_send_from (self, host, socket, ANSWER, event->flag);
      ics_tcp_race_asked (self->hosts[host].race, self->now, socket->conn, event->flag);
    }
  else
    ics_tcp_race_answered (self->hosts[host].race, self->now, socket->conn, event->flag);
}

/* RFC 9293 §3.10.7, as far as it matters here. An incarnation stands for the initial sequence number. */
void
world_on_segment (World *self, const Event *event)
{
  guint host = event->host;
  Socket *socket;

  if (self->config.nats[host][event->way].deaf)
    return;
  if (!lets_in (self, host, event->way, event))
    {
      if (self->config.nats[host][event->way].filter == WORLD_RESETS && event->kind == SYN)
        world_plan (self, self->now + self->config.delay[host][event->way],
                    (Event){ .type = SEGMENT,
                             .host = 1 - host,
                             .way = event->way,
                             .kind = RST,
                             .from = event->to,
                             .to = event->from,
                             .of = event->life });
      return;
    }
  if (event->kind == RST)
    unmap (self, event);
  socket = world_find (&self->hosts[host], event->way, event->from);
  if (event->kind == SYN)
    {
      on_syn (self, host, socket, event);
      return;
    }
  if (socket == NULL || event->of != socket->life)
    {
      if (event->kind != RST)
        send (self, host, (Event){ .way = event->way, .kind = RST, .to = event->from, .of = event->life });
      return;
    }
  if (event->kind == RST || event->kind == FIN)
    {
      world_forget (self, host, socket);
      return;
    }
  if (event->kind == SYN_ACK)
    {
      socket->peer_life = event->life;
      world_send_from (self, host, socket, ACK, FALSE);
    }
  if (socket->state != OPEN)
    opened (self, host, socket);
  socket = world_find (&self->hosts[host], event->way, event->from);
  if (socket != NULL && (event->kind == CHECK || event->kind == ANSWER))
    on_data (self, host, socket, event);
}

void
world_send_syn (World *self, guint host, Socket *socket, guint tries)
{
  world_send_from (self, host, socket, socket->state == RECEIVED ? SYN_ACK : SYN, FALSE);
  if (tries < SYN_TRIES)
    world_plan (self, self->now + (SYN_RTO << tries),
                (Event){ .type = REPEAT, .host = host, .life = socket->life, .tries = tries + 1 });
}

void
world_repeat (World *self, const Event *event)
{
  GPtrArray *sockets = self->hosts[event->host].sockets;

  for (guint i = 0; i < sockets->len; i++)
    {
      Socket *socket = sockets->pdata[i];

      if (socket->life == event->life && socket->state != OPEN)
        world_send_syn (self, event->host, socket, event->tries);
    }
}
