/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path-world.h"
#include "packet-heap.h"

#define TICK (10 * MS)
#define IDLE_TICK (100 * MS)
#define CHALLENGES 3
#define ALL_KINDS ((1u << ICS_N_PATH_KINDS) - 1)

static gboolean
is_lost (World *world, WorldPath *path, int from)
{
  if (path->burst_left == 0 && path->burst_rate > 0 && g_rand_double (world->rand) < path->burst_rate)
    path->burst_left = (guint)g_rand_int_range (world->rand, 3, 12);
  if (path->burst_left > 0)
    {
      path->burst_left--;
      if (g_rand_double (world->rand) < 0.8)
        return TRUE;
    }
  return path->cut[from] || g_rand_double (world->rand) < path->loss;
}

static void
transmit (World *world, int from, int index, PacketType type, guint64 value)
{
  WorldPath *path = &world->paths[index];
  Packet out = { .type = type, .to = 1 - from, .path = index, .path_id = path->id[1 - from], .value = value };
  double jitter = path->jitter > 0 ? g_rand_double (world->rand) * (double)path->jitter : 0;

  if (!path->present || is_lost (world, path, from))
    return;
  out.at = world->now + path->delay + (gint64)jitter;
  out.order = world->n_packets++;
  packet_heap_push (world->packets, &out);
}

static void
send_data (World *world, int from, PacketType type)
{
  WorldHost *host = &world->hosts[from];

  transmit (world, from, host->transport, type, ++world->n_data);
  ics_path_engine_on_sent (host->engine, world->now, world->paths[host->transport].id[from], 1200);
}

int
world_index (World *world, int host, guint id)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    if (world->paths[i].present && world->paths[i].id[host] == id)
      return i;
  return -1;
}

static void
move_done (World *world)
{
  int target = world->target;

  world->target = -1;
  world->hosts[0].transport = target;
  world->moved_at = world->now;
  ics_path_engine_on_moved (world->hosts[0].engine, world->now, world->paths[target].id[0]);
  send_data (world, 0, PACKET_DATA);
}

static void
move_failed (World *world)
{
  int target = world->target;

  world->target = -1;
  ics_path_engine_on_move_failed (world->hosts[0].engine, world->now, world->paths[target].id[0]);
}

static void
challenge (World *world)
{
  gint64 rtt = 2 * (world->paths[world->target].delay + world->paths[world->target].jitter);

  if (world->challenges++ == CHALLENGES)
    {
      move_failed (world);
      return;
    }
  transmit (world, 0, world->target, PACKET_CHALLENGE, world->asked_at);
  world->challenge_at = world->now + MAX (rtt * 3 / 2, 20 * MS);
}

static void
begin_move (World *world, const IcsPathAction *action)
{
  if (world->on_move != NULL)
    world->on_move (world, action);
  world->moves++;
  world->last_move = *action;
  world->target = world_index (world, 0, action->path);
  ck_assert_int_ge (world->target, 0);
  world->immediate = action->immediate;
  world->asked_at = world->now;
  world->challenges = 0;
  world->challenge_at = G_MAXINT64;
  if (g_rand_double (world->rand) < world->move_unreported)
    return;
  if (g_rand_double (world->rand) < world->move_fails)
    move_failed (world);
  else if (action->immediate)
    move_done (world);
  else
    challenge (world);
}

static void
do_action (World *world, int host, const IcsPathAction *action)
{
  WorldHost *self = &world->hosts[host];

  self->actions++;
  switch (action->type)
    {
    case ICS_PATH_ACTION_PROBE:
      self->probes++;
      world_require (world_index (world, host, action->path) >= 0, "a probe on no path");
      transmit (world, host, world_index (world, host, action->path),
                action->in_doubt ? PACKET_PING_IN_DOUBT : PACKET_PING, action->seq);
      break;
    case ICS_PATH_ACTION_MOVE:
      ck_assert_int_eq (host, 0);
      begin_move (world, action);
      break;
    case ICS_PATH_ACTION_STATE:
      self->state_changes++;
      self->deaths += action->to == ICS_PATH_STATE_DEAD;
      world_require (action->from != action->to, "a change of state to the same state");
      break;
    }
}

void
world_drain (World *world, int host)
{
  IcsPathAction action;
  guint n = 0;

  while (ics_path_engine_poll (world->hosts[host].engine, world->now, &action))
    {
      do_action (world, host, &action);
      world_require (n++ < 200, "poll() does not come to an end");
    }
}

static void
on_packet (World *world, const Packet *in)
{
  WorldHost *host = &world->hosts[in->to];

  switch (in->type)
    {
    case PACKET_PING:
    case PACKET_PING_IN_DOUBT:
      if (!ics_path_engine_on_ping (host->engine, world->now, in->path_id, in->value))
        return;
      if (in->type == PACKET_PING_IN_DOUBT)
        ics_path_engine_on_doubt (host->engine, world->now);
      transmit (world, in->to, in->path, PACKET_PONG, in->value);
      return;
    case PACKET_PONG:
      ics_path_engine_on_probe_reply (host->engine, world->now, in->path_id, in->value);
      return;
    case PACKET_CHALLENGE:
      transmit (world, in->to, in->path, PACKET_RESPONSE, in->value);
      break;
    case PACKET_RESPONSE:
      if (world->target == in->path && !world->immediate && world->asked_at == (gint64)in->value)
        move_done (world);
      break;
    case PACKET_DATA:
    case PACKET_ACK:
      if (in->to == 1 && in->value > host->newest && host->transport != in->path)
        {
          host->transport = in->path;
          ics_path_engine_on_moved (host->engine, world->now, in->path_id);
        }
      host->newest = MAX (host->newest, in->value);
      if (in->type == PACKET_DATA)
        send_data (world, in->to, PACKET_ACK);
      break;
    }
  ics_path_engine_on_received (host->engine, world->now, in->path_id, 1200);
}

static void
deliver (World *world)
{
  Packet in = packet_heap_pop (world->packets);
  WorldHost *host = &world->hosts[in.to];

  if (host->asleep_until > world->now)
    {
      /* It waits in the socket; timers come first when the host wakes. */
      in.at = host->asleep_until + 1;
      in.order = world->n_packets++;
      packet_heap_push (world->packets, &in);
      return;
    }
  if (world->paths[in.path].present && world->paths[in.path].id[in.to] == in.path_id)
    on_packet (world, &in);
}

static gint64
host_timeout (World *world, int host)
{
  return MAX (ics_path_engine_next_timeout (world->hosts[host].engine), world->hosts[host].asleep_until);
}

static gint64
next_event (World *world)
{
  gint64 next = MIN (world->next_tick, packet_heap_next (world->packets));

  for (int i = 0; i < 2; i++)
    next = MIN (next, host_timeout (world, i));
  return world->target >= 0 ? MIN (next, world->challenge_at) : next;
}

/* Data of the application, and what QUIC repeats until the peer has followed a move. */
static void
tick (World *world)
{
  world->next_tick = world->now + (world->sends[0] || world->sends[1] ? TICK : IDLE_TICK);
  for (int i = 0; i < 2; i++)
    if (world->hosts[i].asleep_until <= world->now
        && (world->sends[i] || (i == 0 && world->hosts[0].transport != world->hosts[1].transport)))
      send_data (world, i, PACKET_DATA);
}

/* A move may make a probe due at once, but never again and again in the same instant. */
static void
note_progress (World *world, int host)
{
  WorldHost *self = &world->hosts[host];

  world_require (ics_path_engine_next_timeout (self->engine) >= world->now, "a timer in the past");
  self->repeats = world->now == self->last_timeout ? self->repeats + 1 : 0;
  self->last_timeout = world->now;
  world_require (self->repeats < WORLD_PATHS, "the timer does not progress");
}

static void
step (World *world)
{
  gint64 next = next_event (world);

  world_require (next >= world->now, "a timer in the past");
  world->now = next;
  for (int i = 0; i < 2; i++)
    if (host_timeout (world, i) <= world->now)
      {
        world->hosts[i].timeouts++;
        ics_path_engine_handle_timeout (world->hosts[i].engine, world->now);
        world_drain (world, i);
        note_progress (world, i);
      }
  while (packet_heap_next (world->packets) <= world->now)
    deliver (world);
  if (world->next_tick <= world->now)
    tick (world);
  if (world->target >= 0 && world->challenge_at <= world->now && world->hosts[0].asleep_until <= world->now)
    challenge (world);
  else if (world->challenge_at <= world->now)
    world->challenge_at = world->hosts[0].asleep_until + 1;
  for (int i = 0; i < 2; i++)
    if (world->hosts[i].asleep_until <= world->now)
      world_drain (world, i);
  if (world->on_step != NULL)
    world->on_step (world);
}

void
world_run (World *world, gint64 until)
{
  while (next_event (world) < until)
    step (world);
  world->now = until;
}

World *
world_new (guint32 seed)
{
  World *world = g_new0 (World, 1);

  world->rand = g_rand_new_with_seed (seed);
  world->now = 1000 * SEC;
  world->next_tick = world->now;
  world->packets = packet_heap_new ();
  world->target = -1;
  world->challenge_at = G_MAXINT64;
  world->allowed = ALL_KINDS;
  for (int i = 0; i < 2; i++)
    {
      IcsPathEngineConfig config = { .decider = i == 0, .allowed = ALL_KINDS };

      world->hosts[i].engine = ics_path_engine_new (&config);
    }
  return world;
}

void
world_free (World *world)
{
  ics_path_engine_free (world->hosts[0].engine);
  ics_path_engine_free (world->hosts[1].engine);
  g_array_free (world->packets, TRUE);
  g_rand_free (world->rand);
  g_free (world);
}

int
world_add (World *world, IcsPathKind kind, gint64 delay)
{
  for (int i = 0; i < WORLD_PATHS; i++)
    {
      WorldPath *path = &world->paths[i];

      if (path->present)
        continue;
      *path = (WorldPath){ .present = TRUE, .kind = kind, .delay = delay };
      for (int host = 0; host < 2; host++)
        {
          path->id[host] = ics_path_engine_add (world->hosts[host].engine, world->now, kind);
          ck_assert_uint_gt (path->id[host], 0);
        }
      world_drain (world, 0);
      world_drain (world, 1);
      return i;
    }
  return -1;
}

void
world_remove (World *world, int index)
{
  WorldPath *path = &world->paths[index];

  path->present = FALSE;
  if (world->target == index)
    world->target = -1;
  for (int host = 0; host < 2; host++)
    {
      ics_path_engine_remove (world->hosts[host].engine, world->now, path->id[host]);
      world_drain (world, host);
    }
}

void
world_start (World *world, int path)
{
  for (int host = 0; host < 2; host++)
    {
      world->hosts[host].transport = path;
      ics_path_engine_set_active (world->hosts[host].engine, world->now, world->paths[path].id[host]);
      world_drain (world, host);
    }
}

gboolean
world_works (World *world, int path)
{
  return world->paths[path].present && !world->paths[path].cut[0] && !world->paths[path].cut[1];
}

IcsPathStatus
world_info (World *world, int host, int path)
{
  IcsPathStatus info = { 0 };

  ics_path_engine_get_info (world->hosts[host].engine, world->paths[path].id[host], &info);
  return info;
}

void
world_set_sends (World *world, int host, gboolean sends)
{
  world->sends[host] = sends;
  world->next_tick = world->now;
}

void
world_set_allowed (World *world, guint allowed)
{
  world->allowed = allowed;
  for (int host = 0; host < 2; host++)
    {
      ics_path_engine_set_allowed (world->hosts[host].engine, world->now, allowed);
      world_drain (world, host);
    }
}
