/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/tcp-world-private.h"
#include <check.h>

#define LIMIT (60 * G_TIME_SPAN_SECOND)

Event *
world_plan (World *self, gint64 at, Event event)
{
  Event *copy = g_memdup2 (&event, sizeof event);

  copy->at = at;
  copy->order = ++self->order;
  g_ptr_array_add (self->events, copy);
  return copy;
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
  if (world_find (&self->hosts[host], action->target, port) != NULL)
    {
      world_plan (self, self->now, (Event){ .type = REFUSED, .host = host, .conn = action->conn });
      return;
    }
  socket = world_add_socket (self, &self->hosts[host], action->target, port);
  socket->conn = action->conn;
  world_send_syn (self, host, socket, 0);
}

static void
close_conn (World *self, guint host, guint conn)
{
  Socket *socket = world_find_conn (&self->hosts[host], conn);

  g_hash_table_remove (self->hosts[host].strangers, GUINT_TO_POINTER (conn));
  if (socket == NULL)
    return;
  if (socket->state == OPEN)
    world_send_from (self, host, socket, FIN, FALSE);
  g_ptr_array_remove (self->hosts[host].sockets, socket);
}

static void
check (World *self, guint host, const IcsTcpRaceAction *action)
{
  Socket *socket = world_find_conn (&self->hosts[host], action->conn);

  if (g_hash_table_contains (self->hosts[host].strangers, GUINT_TO_POINTER (action->conn)))
    self->told_strangers++;
  else if (socket != NULL)
    world_send_from (self, host, socket, CHECK, action->nominate);
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
      world_on_segment (self, event);
      break;
    case REPEAT:
      world_repeat (self, event);
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
    world_plan (self, MAX (self->now, next + self->config.lag[host]),
                (Event){ .type = EXPIRY, .host = host });
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
  world_plan (self, self->now, (Event){ .type = START, .host = 0 });
  world_plan (self, self->now + self->config.signal_delay[0], (Event){ .type = START, .host = 1 });
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
          of->signalled[way] = world_map_out (self, host, way, WORLD_NOBODY);
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
  Socket *socket = world_find_conn (&self->hosts[host], self->hosts[host].selected);

  ck_assert_ptr_nonnull (socket);
  world_send_from (self, host, socket, RST, FALSE);
  world_forget (self, host, socket);
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
  Socket *a = world_find_conn (&self->hosts[0], self->hosts[0].selected);
  Socket *b = world_find_conn (&self->hosts[1], self->hosts[1].selected);

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
