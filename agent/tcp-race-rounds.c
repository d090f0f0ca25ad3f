/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-race-private.h"

/* Half a round trip apart is the middle of what a round trip can mean when the way there and the way back
 * differ. The controlling host shifts the later rounds by these shares of it, so that one of them meets. */
static const double shifts[ICS_TCP_RACE_ROUNDS] = { 0, 0.25, -0.25, 0.5, -0.5 };

static gint64
time_of_round (const IcsTcpRace *self, guint round)
{
  gint64 at = self->started_at + round * self->period;

  if (self->controlling && round < ICS_TCP_RACE_ROUNDS)
    at += self->signal_rtt / 2 + (gint64)(shifts[round] * (double)self->signal_rtt);
  return at;
}

static IcsTcpRaceConn *
find_target (const IcsTcpRace *self, guint target)
{
  for (guint i = 0; i < self->conns->len; i++)
    if (((IcsTcpRaceConn *)self->conns->pdata[i])->target == target)
      return self->conns->pdata[i];
  return NULL;
}

/* A SYN that was not answered is sent anew from a fresh socket: the system's own repetitions are not those of
 * the peer. */
static void
connect_to (IcsTcpRace *self, guint target)
{
  IcsTcpRaceConn *conn = find_target (self, target);

  if (conn != NULL && conn->state != ICS_TCP_CONN_CONNECTING)
    return;
  if (conn != NULL)
    ics_tcp_race_drop (self, conn);
  conn = ics_tcp_race_add (self, target);
  ics_tcp_race_act (
      self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CONNECT, .conn = conn->number, .target = target });
}

static void
end_rounds (IcsTcpRace *self)
{
  self->round_at = G_MAXINT64;
  for (guint i = self->conns->len; i > 0; i--)
    if (((IcsTcpRaceConn *)self->conns->pdata[i - 1])->state == ICS_TCP_CONN_CONNECTING)
      ics_tcp_race_drop (self, self->conns->pdata[i - 1]);
}

void
ics_tcp_race_start_round (IcsTcpRace *self)
{
  if (self->n_rounds == ICS_TCP_RACE_ROUNDS)
    {
      end_rounds (self);
      return;
    }
  for (guint i = 0; i < self->n_targets; i++)
    connect_to (self, i);
  self->n_rounds++;
  self->round_at = time_of_round (self, self->n_rounds);
}

gboolean
ics_tcp_race_add_target (IcsTcpRace *self)
{
  if (self->n_targets == ICS_TCP_RACE_TARGETS_MAX)
    return FALSE;
  self->n_targets++;
  return TRUE;
}

void
ics_tcp_race_start (IcsTcpRace *self, gint64 now)
{
  if (self->over || self->n_rounds > 0 || self->round_at != G_MAXINT64 || self->selected != 0)
    return;
  self->started_at = now;
  self->round_at = time_of_round (self, 0);
  self->give_up_at = time_of_round (self, ICS_TCP_RACE_ROUNDS) + 2 * ICS_TCP_RACE_CHECK_TIMEOUT;
  ics_tcp_race_handle_timeout (self, now);
}
