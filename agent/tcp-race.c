/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-race-private.h"

IcsTcpRace *
ics_tcp_race_new (gboolean controlling, gint64 signal_rtt)
{
  IcsTcpRace *self = g_new0 (IcsTcpRace, 1);

  self->controlling = controlling;
  self->signal_rtt = signal_rtt;
  self->period = MAX (ICS_TCP_RACE_PERIOD, 3 * signal_rtt);
  self->conns = g_ptr_array_new_with_free_func (g_free);
  self->round_at = self->give_up_at = G_MAXINT64;
  return self;
}

void
ics_tcp_race_free (IcsTcpRace *self)
{
  g_queue_clear_full (&self->actions, g_free);
  g_ptr_array_unref (self->conns);
  g_free (self);
}

void
ics_tcp_race_act (IcsTcpRace *self, IcsTcpRaceAction action)
{
  g_queue_push_tail (&self->actions, g_memdup2 (&action, sizeof action));
}

static IcsTcpRaceConn *
find (const IcsTcpRace *self, guint number)
{
  for (guint i = 0; i < self->conns->len; i++)
    if (((IcsTcpRaceConn *)self->conns->pdata[i])->number == number)
      return self->conns->pdata[i];
  return NULL;
}

IcsTcpRaceConn *
ics_tcp_race_add (IcsTcpRace *self, guint target)
{
  IcsTcpRaceConn *conn = g_new0 (IcsTcpRaceConn, 1);

  conn->number = ++self->last_number;
  conn->target = target;
  conn->deadline = G_MAXINT64;
  g_ptr_array_add (self->conns, conn);
  return conn;
}

void
ics_tcp_race_drop (IcsTcpRace *self, IcsTcpRaceConn *conn)
{
  ics_tcp_race_act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CLOSE, .conn = conn->number });
  g_ptr_array_remove (self->conns, conn);
}

static void
fail (IcsTcpRace *self)
{
  if (self->over)
    return;
  self->over = TRUE;
  self->round_at = self->give_up_at = G_MAXINT64;
  while (self->conns->len > 0)
    ics_tcp_race_drop (self, self->conns->pdata[0]);
  ics_tcp_race_act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_FAILED });
}

/* A stranger does not keep the search going. */
static gboolean
has_hope (const IcsTcpRace *self)
{
  for (guint i = 0; i < self->conns->len; i++)
    {
      const IcsTcpRaceConn *conn = self->conns->pdata[i];

      if (conn->target != ICS_TCP_RACE_NO_TARGET || conn->expected || conn->authentic)
        return TRUE;
    }
  return FALSE;
}

static void
consider_failure (IcsTcpRace *self, gint64 now)
{
  gboolean rounds_over = self->n_rounds == ICS_TCP_RACE_ROUNDS && self->round_at == G_MAXINT64;

  if (self->selected == 0 && ((rounds_over && !has_hope (self)) || now >= self->give_up_at))
    fail (self);
}

/* --- the choice --- */

static void
check (IcsTcpRace *self, gint64 now, IcsTcpRaceConn *conn, gboolean nominate)
{
  conn->checked = TRUE;
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  ics_tcp_race_act (
      self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CHECK, .conn = conn->number, .nominate = nominate });
}

static void
select_conn (IcsTcpRace *self, IcsTcpRaceConn *conn)
{
  self->selected = conn->number;
  self->round_at = self->give_up_at = G_MAXINT64;
  conn->deadline = G_MAXINT64;
  for (guint i = self->conns->len; i > 0; i--)
    if (self->conns->pdata[i - 1] != conn)
      ics_tcp_race_drop (self, self->conns->pdata[i - 1]);
  ics_tcp_race_act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_SELECTED, .conn = conn->number });
}

/* One at a time: two that are nominated at once could be taken by one host each. */
static void
nominate (IcsTcpRace *self, gint64 now)
{
  if (!self->controlling || self->nominee != 0 || self->selected != 0)
    return;
  for (guint i = 0; i < self->conns->len; i++)
    {
      IcsTcpRaceConn *conn = self->conns->pdata[i];

      if (conn->state != ICS_TCP_CONN_VALID)
        continue;
      self->nominee = conn->number;
      check (self, now, conn, TRUE);
      return;
    }
}

/* RFC 8445 §7.3.1.5: the nomination counts when the own check has been answered as well. */
static void
consider_nomination (IcsTcpRace *self, IcsTcpRaceConn *conn)
{
  if (!self->controlling && self->selected == 0 && conn->nominated && conn->state == ICS_TCP_CONN_VALID)
    select_conn (self, conn);
}

void
ics_tcp_race_answered (IcsTcpRace *self, gint64 now, guint number, gboolean nominating)
{
  IcsTcpRaceConn *conn = find (self, number);

  if (conn == NULL || self->selected != 0)
    return;
  conn->authentic = TRUE;
  if (nominating && number == self->nominee)
    {
      select_conn (self, conn);
      return;
    }
  if (conn->state != ICS_TCP_CONN_OPEN)
    return;
  conn->state = ICS_TCP_CONN_VALID;
  /* The controlled host waits for a nomination; the others for theirs, should this one come to nothing. */
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  nominate (self, now);
  consider_nomination (self, conn);
}

void
ics_tcp_race_asked (IcsTcpRace *self, gint64 now, guint number, gboolean nominated)
{
  IcsTcpRaceConn *conn = find (self, number);

  if (conn == NULL || self->selected != 0)
    return;
  conn->authentic = TRUE;
  conn->nominated = conn->nominated || nominated;
  /* RFC 8445 §7.3.1.4. Who has shown nothing is told nothing: he would learn the names of the two. */
  if (!conn->checked && conn->state == ICS_TCP_CONN_OPEN)
    check (self, now, conn, FALSE);
  consider_nomination (self, conn);
}

/* --- connections --- */

static guint
count_incoming (const IcsTcpRace *self, gboolean expected, IcsTcpRaceConn **oldest)
{
  guint n = 0;

  *oldest = NULL;
  for (guint i = 0; i < self->conns->len; i++)
    {
      IcsTcpRaceConn *conn = self->conns->pdata[i];

      if (conn->target != ICS_TCP_RACE_NO_TARGET || conn->authentic || conn->expected != expected)
        continue;
      *oldest = *oldest == NULL ? conn : *oldest;
      n++;
    }
  return n;
}

/* The newest stays, so that the peer is heard for as long as it takes others to knock so often again. */
static void
make_room (IcsTcpRace *self, gboolean expected)
{
  IcsTcpRaceConn *oldest;

  if (count_incoming (self, expected, &oldest)
      >= (expected ? ICS_TCP_RACE_TARGETS_MAX : ICS_TCP_RACE_STRANGERS_MAX))
    ics_tcp_race_drop (self, oldest);
}

guint
ics_tcp_race_accepted (IcsTcpRace *self, gint64 now, gboolean expected)
{
  IcsTcpRaceConn *conn;

  if (self->over || self->selected != 0)
    return 0;
  make_room (self, expected);
  conn = ics_tcp_race_add (self, ICS_TCP_RACE_NO_TARGET);
  conn->expected = expected;
  conn->state = ICS_TCP_CONN_OPEN;
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  return conn->number;
}

void
ics_tcp_race_opened (IcsTcpRace *self, gint64 now, guint number)
{
  IcsTcpRaceConn *conn = find (self, number);

  if (conn == NULL || conn->state != ICS_TCP_CONN_CONNECTING)
    return;
  conn->state = ICS_TCP_CONN_OPEN;
  check (self, now, conn, FALSE);
}

void
ics_tcp_race_closed (IcsTcpRace *self, gint64 now, guint number)
{
  IcsTcpRaceConn *conn = find (self, number);

  if (conn == NULL)
    return;
  g_ptr_array_remove (self->conns, conn);
  if (number == self->selected)
    {
      fail (self);
      return;
    }
  if (number == self->nominee)
    {
      self->nominee = 0;
      nominate (self, now);
    }
  consider_failure (self, now);
}

/* --- time --- */

static void
end_late (IcsTcpRace *self, gint64 now)
{
  for (guint i = self->conns->len; i > 0; i--)
    {
      IcsTcpRaceConn *conn = self->conns->pdata[i - 1];

      if (now < conn->deadline)
        continue;
      if (conn->number == self->nominee)
        self->nominee = 0;
      ics_tcp_race_drop (self, conn);
    }
  nominate (self, now);
}

void
ics_tcp_race_handle_timeout (IcsTcpRace *self, gint64 now)
{
  if (self->over)
    return;
  if (now >= self->round_at)
    ics_tcp_race_start_round (self);
  end_late (self, now);
  consider_failure (self, now);
}

gint64
ics_tcp_race_next_timeout (const IcsTcpRace *self)
{
  gint64 next = MIN (self->round_at, self->give_up_at);

  for (guint i = 0; i < self->conns->len; i++)
    next = MIN (next, ((IcsTcpRaceConn *)self->conns->pdata[i])->deadline);
  return next;
}

gboolean
ics_tcp_race_poll (IcsTcpRace *self, IcsTcpRaceAction *action)
{
  g_autofree IcsTcpRaceAction *next = g_queue_pop_head (&self->actions);

  if (next != NULL)
    *action = *next;
  return next != NULL;
}

guint
ics_tcp_race_count (const IcsTcpRace *self)
{
  return self->conns->len;
}
