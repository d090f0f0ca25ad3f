/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/tcp-world.h"
#include <check.h>

#define LIMIT (60 * G_TIME_SPAN_SECOND)
/* The system's first repetition of a SYN (RFC 6298 §2.1). */
#define SYN_RTO G_TIME_SPAN_SECOND
#define SYN_TRIES 3

typedef enum
{
  SYN,
  SYN_ACK,
  ACK,
  RST,
  FIN,
  CHECK,
  ANSWER
} Kind;

typedef enum
{
  START,   /* the signal */
  SEGMENT, /* arrives at the NAT of @host */
  REPEAT,  /* of a SYN of @host */
  EXPIRY,  /* the core's timer */
  REFUSED  /* a connection that the system did not let it open */
} EventType;

typedef struct
{
  gint64 at;
  guint64 order;
  EventType type;
  guint host, way;
  Kind kind;
  guint from, to; /* ports outside */
  guint life, of; /* the sender's incarnation; the one that is answered, 0 = none */
  gboolean flag;  /* nominate, nominating */
  guint conn, tries;
} Event;

typedef enum
{
  SENT,     /* SYN */
  RECEIVED, /* SYN, and one's own is not acknowledged */
  OPEN
} State;

typedef struct
{
  guint way, port; /* the remote one, as it is seen here */
  State state;
  guint conn; /* 0: it came in, and the core does not know it yet */
  guint life, peer_life;
  gboolean nominating; /* the check that is under way */
} Socket;

typedef struct
{
  guint inside, outside, remote;
} Mapping;

typedef struct
{
  IcsTcpRace *race;
  GPtrArray *sockets;           /* Socket */
  GArray *mappings[WORLD_WAYS]; /* Mapping */
  GHashTable *strangers;        /* conn of the core */
  guint port;                   /* inside */
  guint signalled[WORLD_WAYS];  /* the outside one that the server saw */
  guint selected;
  gboolean failed;
  guint most;
} Host;

struct _World
{
  WorldConfig config;
  GRand *random;
  Host hosts[2];
  GPtrArray *events; /* Event */
  gint64 now, began, ended;
  guint64 order;
  guint lives;
  guint told_strangers;
};

static Event *
plan (World *self, gint64 at, Event event)
{
  Event *copy = g_memdup2 (&event, sizeof event);

  copy->at = at;
  copy->order = ++self->order;
  g_ptr_array_add (self->events, copy);
  return copy;
}

/* --- NATs --- */

static guint
map_out (World *self, guint host, guint way, guint remote)
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
  event.from = map_out (self, host, event.way, event.to);
  event.host = other;
  if (!data && g_rand_double (self->random) < self->config.loss)
    return;
  plan (self, self->now + self->config.delay[host][event.way], event);
}

static void
send_from (World *self, guint host, const Socket *socket, Kind kind, gboolean flag)
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

static Socket *
find (Host *host, guint way, guint port)
{
  for (guint i = 0; i < host->sockets->len; i++)
    {
      Socket *socket = host->sockets->pdata[i];

      if (socket->way == way && socket->port == port)
        return socket;
    }
  return NULL;
}

static Socket *
find_conn (Host *host, guint conn)
{
  for (guint i = 0; i < host->sockets->len; i++)
    if (((Socket *)host->sockets->pdata[i])->conn == conn)
      return host->sockets->pdata[i];
  return NULL;
}

static Socket *
add_socket (World *self, Host *host, guint way, guint port)
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
          send_from (self, host, socket, FIN, FALSE);
          g_ptr_array_remove (self_host->sockets, socket);
        }
    }
}

static void
forget (World *self, guint host, Socket *socket)
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
      socket = add_socket (self, &self->hosts[host], event->way, event->from);
      socket->state = RECEIVED;
    }
  else if (socket->state == OPEN)
    return;
  socket->state = RECEIVED;
  socket->peer_life = event->life;
  send_from (self, host, socket, SYN_ACK, FALSE);
}

static void
on_data (World *self, guint host, Socket *socket, const Event *event)
{
  if (event->kind == CHECK)
    {
      send_from (self, host, socket, ANSWER, event->flag);
      ics_tcp_race_asked (self->hosts[host].race, self->now, socket->conn, event->flag);
    }
  else
    ics_tcp_race_answered (self->hosts[host].race, self->now, socket->conn, event->flag);
}

/* RFC 9293 §3.10.7, as far as it matters here. An incarnation stands for the initial sequence number. */
static void
on_segment (World *self, const Event *event)
{
  guint host = event->host;
  Socket *socket;

  if (self->config.nats[host][event->way].deaf)
    return;
  if (!lets_in (self, host, event->way, event))
    {
      if (self->config.nats[host][event->way].filter == WORLD_RESETS && event->kind == SYN)
        plan (self, self->now + self->config.delay[host][event->way],
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
  socket = find (&self->hosts[host], event->way, event->from);
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
      forget (self, host, socket);
      return;
    }
  if (event->kind == SYN_ACK)
    {
      socket->peer_life = event->life;
      send_from (self, host, socket, ACK, FALSE);
    }
  if (socket->state != OPEN)
    opened (self, host, socket);
  socket = find (&self->hosts[host], event->way, event->from);
  if (socket != NULL && (event->kind == CHECK || event->kind == ANSWER))
    on_data (self, host, socket, event);
}

static void
send_syn (World *self, guint host, Socket *socket, guint tries)
{
  send_from (self, host, socket, socket->state == RECEIVED ? SYN_ACK : SYN, FALSE);
  if (tries < SYN_TRIES)
    plan (self, self->now + (SYN_RTO << tries),
          (Event){ .type = REPEAT, .host = host, .life = socket->life, .tries = tries + 1 });
}

static void
repeat (World *self, const Event *event)
{
  GPtrArray *sockets = self->hosts[event->host].sockets;

  for (guint i = 0; i < sockets->len; i++)
    {
      Socket *socket = sockets->pdata[i];

      if (socket->life == event->life && socket->state != OPEN)
        send_syn (self, event->host, socket, event->tries);
    }
}

/* --- what the cores say --- */

static void
connect_to (World *self, guint host, const IcsTcpRaceAction *action)
{
  guint port;
  Socket *socket;

  if (action->target >= WORLD_WAYS)
    return; /* nowhere: no answer ever */
  port = self->hosts[1 - host].signalled[action->target];
  if (find (&self->hosts[host], action->target, port) != NULL)
    {
      plan (self, self->now, (Event){ .type = REFUSED, .host = host, .conn = action->conn });
      return;
    }
  socket = add_socket (self, &self->hosts[host], action->target, port);
  socket->conn = action->conn;
  send_syn (self, host, socket, 0);
}

static void
close_conn (World *self, guint host, guint conn)
{
  Socket *socket = find_conn (&self->hosts[host], conn);

  g_hash_table_remove (self->hosts[host].strangers, GUINT_TO_POINTER (conn));
  if (socket == NULL)
    return;
  if (socket->state == OPEN)
    send_from (self, host, socket, FIN, FALSE);
  g_ptr_array_remove (self->hosts[host].sockets, socket);
}

static void
check (World *self, guint host, const IcsTcpRaceAction *action)
{
  Socket *socket = find_conn (&self->hosts[host], action->conn);

  if (g_hash_table_contains (self->hosts[host].strangers, GUINT_TO_POINTER (action->conn)))
    self->told_strangers++;
  else if (socket != NULL)
    send_from (self, host, socket, CHECK, action->nominate);
}

static void
drain (World *self, guint host)
{
  Host *of = &self->hosts[host];
  IcsTcpRaceAction action;

  of->most = MAX (of->most, ics_tcp_race_count (of->race));
  while (ics_tcp_race_poll (of->race, &action))
    switch (action.type)
      {
      case ICS_TCP_RACE_CONNECT:
        connect_to (self, host, &action);
        break;
      case ICS_TCP_RACE_CHECK:
        check (self, host, &action);
        break;
      case ICS_TCP_RACE_CLOSE:
        close_conn (self, host, action.conn);
        break;
      case ICS_TCP_RACE_SELECTED:
        ck_assert_uint_eq (of->selected, 0);
        of->selected = action.conn;
        break;
      case ICS_TCP_RACE_FAILED:
        ck_assert (!of->failed);
        of->failed = TRUE;
        break;
      }
}

/* --- the clock --- */

static Event *
next_event (World *self)
{
  Event *first = NULL;

  for (guint i = 0; i < self->events->len; i++)
    {
      Event *event = self->events->pdata[i];

      if (first == NULL || event->at < first->at || (event->at == first->at && event->order < first->order))
        first = event;
    }
  return first;
}

static void
carry_out (World *self, const Event *event)
{
  switch (event->type)
    {
    case START:
      ics_tcp_race_start (self->hosts[event->host].race, self->now);
      break;
    case SEGMENT:
      on_segment (self, event);
      break;
    case REPEAT:
      repeat (self, event);
      break;
    case EXPIRY:
      ics_tcp_race_handle_timeout (self->hosts[event->host].race, self->now);
      break;
    case REFUSED:
      ics_tcp_race_closed (self->hosts[event->host].race, self->now, event->conn);
      break;
    }
}

static void
arm (World *self, guint host)
{
  gint64 next = ics_tcp_race_next_timeout (self->hosts[host].race);

  for (guint i = self->events->len; i > 0; i--)
    {
      Event *event = self->events->pdata[i - 1];

      if (event->type == EXPIRY && event->host == host)
        g_ptr_array_remove_index (self->events, i - 1);
    }
  if (next != G_MAXINT64)
    plan (self, MAX (self->now, next + self->config.lag[host]), (Event){ .type = EXPIRY, .host = host });
}

static gboolean
has_ended (World *self, guint host)
{
  return self->hosts[host].selected != 0 || self->hosts[host].failed;
}

static gboolean
step (World *self, gint64 limit)
{
  Event *event = next_event (self);
  Event copy;

  if (event == NULL || event->at > limit)
    return FALSE;
  copy = *event;
  g_ptr_array_remove (self->events, event);
  self->now = MAX (self->now, copy.at);
  carry_out (self, &copy);
  for (guint host = 0; host < 2; host++)
    {
      drain (self, host);
      arm (self, host);
    }
  if (self->ended == 0 && self->hosts[0].selected != 0 && self->hosts[1].selected != 0)
    self->ended = self->now;
  return TRUE;
}

void
world_run_for (World *self, gint64 time)
{
  gint64 limit = self->now + time;

  while (step (self, limit))
    ;
  self->now = limit;
}

void
world_start (World *self)
{
  self->began = self->now;
  plan (self, self->now, (Event){ .type = START, .host = 0 });
  plan (self, self->now + self->config.signal_delay[0], (Event){ .type = START, .host = 1 });
}

void
world_run (World *self)
{
  world_start (self);
  while (!(has_ended (self, 0) && has_ended (self, 1)) && step (self, self->began + LIMIT))
    ;
}

World *
world_new (const WorldConfig *config, guint32 seed)
{
  World *self = g_new0 (World, 1);
  gint64 rtt = config->signal_delay[0] + config->signal_delay[1];

  self->config = *config;
  self->random = g_rand_new_with_seed (seed);
  self->events = g_ptr_array_new_with_free_func (g_free);
  self->now = 1000 * G_TIME_SPAN_SECOND;
  for (guint host = 0; host < 2; host++)
    {
      Host *of = &self->hosts[host];

      of->race = ics_tcp_race_new (host == 0, rtt);
      of->port = 40000 + host;
      of->sockets = g_ptr_array_new_with_free_func (g_free);
      of->strangers = g_hash_table_new (NULL, NULL);
      for (guint way = 0; way < WORLD_WAYS; way++)
        {
          of->mappings[way] = g_array_new (FALSE, FALSE, sizeof (Mapping));
          of->signalled[way] = map_out (self, host, way, WORLD_NOBODY);
        }
      for (guint i = 0; i < WORLD_WAYS + 1; i++)
        ck_assert (ics_tcp_race_add_target (of->race));
    }
  return self;
}

void
world_free (World *self)
{
  for (guint host = 0; host < 2; host++)
    {
      ics_tcp_race_free (self->hosts[host].race);
      g_ptr_array_unref (self->hosts[host].sockets);
      g_hash_table_unref (self->hosts[host].strangers);
      for (guint way = 0; way < WORLD_WAYS; way++)
        g_array_unref (self->hosts[host].mappings[way]);
    }
  g_ptr_array_unref (self->events);
  g_rand_free (self->random);
  g_free (self);
}

/* --- others --- */

void
world_stranger (World *self, guint host)
{
  guint conn = ics_tcp_race_accepted (self->hosts[host].race, self->now, FALSE);

  if (conn != 0)
    g_hash_table_add (self->hosts[host].strangers, GUINT_TO_POINTER (conn));
  drain (self, host);
  arm (self, host);
}

void
world_cut (World *self, guint host)
{
  Socket *socket = find_conn (&self->hosts[host], self->hosts[host].selected);

  ck_assert_ptr_nonnull (socket);
  send_from (self, host, socket, RST, FALSE);
  forget (self, host, socket);
  drain (self, host);
  arm (self, host);
}

/* --- questions --- */

gboolean
world_has_selected (World *self, guint host)
{
  return self->hosts[host].selected != 0;
}

gboolean
world_has_failed (World *self, guint host)
{
  return self->hosts[host].failed;
}

gboolean
world_agrees (World *self)
{
  Socket *a = find_conn (&self->hosts[0], self->hosts[0].selected);
  Socket *b = find_conn (&self->hosts[1], self->hosts[1].selected);

  return a != NULL && b != NULL && a->state == OPEN && b->state == OPEN && a->peer_life == b->life
         && b->peer_life == a->life;
}

gint64
world_time_taken (World *self)
{
  return self->ended - self->began;
}

guint
world_open_connections (World *self, guint host)
{
  return self->hosts[host].sockets->len;
}

guint
world_most_known (World *self, guint host)
{
  return self->hosts[host].most;
}

guint
world_told_strangers (World *self)
{
  return self->told_strangers;
}
