/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-race.h"

#define NEVER G_MAXINT64
#define NO_TARGET G_MAXUINT
/* Half a round trip apart is the middle of what a round trip can mean when the way there and the way back
 * differ. The controlling host shifts the later rounds by these shares of it, so that one of them meets. */
static const double shifts[ICS_TCP_RACE_ROUNDS] = { 0, 0.25, -0.25, 0.5, -0.5 };

typedef enum
{
  CONN_CONNECTING,
  CONN_OPEN, /* a check is under way, or, if it came in, waits for the peer's */
  CONN_VALID /* the check was answered */
} ConnState;

typedef struct
{
  guint number;
  guint target; /* NO_TARGET: it came in */
  ConnState state;
  gboolean expected;
  gboolean checked;
  gboolean authentic; /* what comes over it is the peer's */
  gboolean nominated; /* by the peer */
  gint64 deadline;
} Conn;

struct _IcsTcpRace
{
  gboolean controlling;
  gint64 signal_rtt;
  gint64 period;
  guint n_targets;
  GPtrArray *conns; /* Conn, oldest first */
  guint last_number;
  GQueue actions; /* IcsTcpRaceAction */
  gint64 started_at;
  guint n_rounds; /* that have begun */
  gint64 round_at;
  gint64 give_up_at; /* whatever is under way then */
  guint nominee;     /* the controlling host's */
  guint selected;
  gboolean over;
};

IcsTcpRace *
ics_tcp_race_new (gboolean controlling, gint64 signal_rtt)
{
  IcsTcpRace *self = g_new0 (IcsTcpRace, 1);

  self->controlling = controlling;
  self->signal_rtt = signal_rtt;
  self->period = MAX (ICS_TCP_RACE_PERIOD, 3 * signal_rtt);
  self->conns = g_ptr_array_new_with_free_func (g_free);
  self->round_at = self->give_up_at = NEVER;
  return self;
}

void
ics_tcp_race_free (IcsTcpRace *self)
{
  g_queue_clear_full (&self->actions, g_free);
  g_ptr_array_unref (self->conns);
  g_free (self);
}

static void
act (IcsTcpRace *self, IcsTcpRaceAction action)
{
  g_queue_push_tail (&self->actions, g_memdup2 (&action, sizeof action));
}

static Conn *
find (const IcsTcpRace *self, guint number)
{
  for (guint i = 0; i < self->conns->len; i++)
    if (((Conn *)self->conns->pdata[i])->number == number)
      return self->conns->pdata[i];
  return NULL;
}

static Conn *
add (IcsTcpRace *self, guint target)
{
  Conn *conn = g_new0 (Conn, 1);

  conn->number = ++self->last_number;
  conn->target = target;
  conn->deadline = NEVER;
  g_ptr_array_add (self->conns, conn);
  return conn;
}

static void
drop (IcsTcpRace *self, Conn *conn)
{
  act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CLOSE, .conn = conn->number });
  g_ptr_array_remove (self->conns, conn);
}

static void
fail (IcsTcpRace *self)
{
  if (self->over)
    return;
  self->over = TRUE;
  self->round_at = self->give_up_at = NEVER;
  while (self->conns->len > 0)
    drop (self, self->conns->pdata[0]);
  act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_FAILED });
}

/* A stranger does not keep the search going. */
static gboolean
has_hope (const IcsTcpRace *self)
{
  for (guint i = 0; i < self->conns->len; i++)
    {
      const Conn *conn = self->conns->pdata[i];

      if (conn->target != NO_TARGET || conn->expected || conn->authentic)
        return TRUE;
    }
  return FALSE;
}

static void
consider_failure (IcsTcpRace *self, gint64 now)
{
  gboolean rounds_over = self->n_rounds == ICS_TCP_RACE_ROUNDS && self->round_at == NEVER;

  if (self->selected == 0 && ((rounds_over && !has_hope (self)) || now >= self->give_up_at))
    fail (self);
}

/* --- rounds --- */

static gint64
time_of_round (const IcsTcpRace *self, guint round)
{
  gint64 at = self->started_at + round * self->period;

  if (self->controlling && round < ICS_TCP_RACE_ROUNDS)
    at += self->signal_rtt / 2 + (gint64)(shifts[round] * (double)self->signal_rtt);
  return at;
}

static Conn *
find_target (const IcsTcpRace *self, guint target)
{
  for (guint i = 0; i < self->conns->len; i++)
    if (((Conn *)self->conns->pdata[i])->target == target)
      return self->conns->pdata[i];
  return NULL;
}

/* A SYN that was not answered is sent anew from a fresh socket: the system's own repetitions are not those of
 * the peer. */
static void
connect_to (IcsTcpRace *self, guint target)
{
  Conn *conn = find_target (self, target);

  if (conn != NULL && conn->state != CONN_CONNECTING)
    return;
  if (conn != NULL)
    drop (self, conn);
  conn = add (self, target);
  act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CONNECT, .conn = conn->number, .target = target });
}

static void
end_rounds (IcsTcpRace *self)
{
  self->round_at = NEVER;
  for (guint i = self->conns->len; i > 0; i--)
    if (((Conn *)self->conns->pdata[i - 1])->state == CONN_CONNECTING)
      drop (self, self->conns->pdata[i - 1]);
}

static void
start_round (IcsTcpRace *self)
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
  if (self->over || self->n_rounds > 0 || self->round_at != NEVER || self->selected != 0)
    return;
  self->started_at = now;
  self->round_at = time_of_round (self, 0);
  self->give_up_at = time_of_round (self, ICS_TCP_RACE_ROUNDS) + 2 * ICS_TCP_RACE_CHECK_TIMEOUT;
  ics_tcp_race_handle_timeout (self, now);
}

/* --- the choice --- */

static void
check (IcsTcpRace *self, gint64 now, Conn *conn, gboolean nominate)
{
  conn->checked = TRUE;
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_CHECK, .conn = conn->number, .nominate = nominate });
}

static void
select_conn (IcsTcpRace *self, Conn *conn)
{
  self->selected = conn->number;
  self->round_at = self->give_up_at = NEVER;
  conn->deadline = NEVER;
  for (guint i = self->conns->len; i > 0; i--)
    if (self->conns->pdata[i - 1] != conn)
      drop (self, self->conns->pdata[i - 1]);
  act (self, (IcsTcpRaceAction){ .type = ICS_TCP_RACE_SELECTED, .conn = conn->number });
}

/* One at a time: two that are nominated at once could be taken by one host each. */
static void
nominate (IcsTcpRace *self, gint64 now)
{
  if (!self->controlling || self->nominee != 0 || self->selected != 0)
    return;
  for (guint i = 0; i < self->conns->len; i++)
    {
      Conn *conn = self->conns->pdata[i];

      if (conn->state != CONN_VALID)
        continue;
      self->nominee = conn->number;
      check (self, now, conn, TRUE);
      return;
    }
}

/* RFC 8445 §7.3.1.5: the nomination counts when the own check has been answered as well. */
static void
consider_nomination (IcsTcpRace *self, Conn *conn)
{
  if (!self->controlling && self->selected == 0 && conn->nominated && conn->state == CONN_VALID)
    select_conn (self, conn);
}

void
ics_tcp_race_answered (IcsTcpRace *self, gint64 now, guint number, gboolean nominating)
{
  Conn *conn = find (self, number);

  if (conn == NULL || self->selected != 0)
    return;
  conn->authentic = TRUE;
  if (nominating && number == self->nominee)
    {
      select_conn (self, conn);
      return;
    }
  if (conn->state != CONN_OPEN)
    return;
  conn->state = CONN_VALID;
  /* The controlled host waits for a nomination; the others for theirs, should this one come to nothing. */
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  nominate (self, now);
  consider_nomination (self, conn);
}

void
ics_tcp_race_asked (IcsTcpRace *self, gint64 now, guint number, gboolean nominated)
{
  Conn *conn = find (self, number);

  if (conn == NULL || self->selected != 0)
    return;
  conn->authentic = TRUE;
  conn->nominated = conn->nominated || nominated;
  /* RFC 8445 §7.3.1.4. Who has shown nothing is told nothing: he would learn the names of the two. */
  if (!conn->checked && conn->state == CONN_OPEN)
    check (self, now, conn, FALSE);
  consider_nomination (self, conn);
}

/* --- connections --- */

static guint
count_incoming (const IcsTcpRace *self, gboolean expected, Conn **oldest)
{
  guint n = 0;

  *oldest = NULL;
  for (guint i = 0; i < self->conns->len; i++)
    {
      Conn *conn = self->conns->pdata[i];

      if (conn->target != NO_TARGET || conn->authentic || conn->expected != expected)
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
  Conn *oldest;

  if (count_incoming (self, expected, &oldest)
      >= (expected ? ICS_TCP_RACE_TARGETS_MAX : ICS_TCP_RACE_STRANGERS_MAX))
    drop (self, oldest);
}

guint
ics_tcp_race_accepted (IcsTcpRace *self, gint64 now, gboolean expected)
{
  Conn *conn;

  if (self->over || self->selected != 0)
    return 0;
  make_room (self, expected);
  conn = add (self, NO_TARGET);
  conn->expected = expected;
  conn->state = CONN_OPEN;
  conn->deadline = now + ICS_TCP_RACE_CHECK_TIMEOUT;
  return conn->number;
}

void
ics_tcp_race_opened (IcsTcpRace *self, gint64 now, guint number)
{
  Conn *conn = find (self, number);

  if (conn == NULL || conn->state != CONN_CONNECTING)
    return;
  conn->state = CONN_OPEN;
  check (self, now, conn, FALSE);
}

void
ics_tcp_race_closed (IcsTcpRace *self, gint64 now, guint number)
{
  Conn *conn = find (self, number);

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
      Conn *conn = self->conns->pdata[i - 1];

      if (now < conn->deadline)
        continue;
      if (conn->number == self->nominee)
        self->nominee = 0;
      drop (self, conn);
    }
  nominate (self, now);
}

void
ics_tcp_race_handle_timeout (IcsTcpRace *self, gint64 now)
{
  if (self->over)
    return;
  if (now >= self->round_at)
    start_round (self);
  end_late (self, now);
  consider_failure (self, now);
}

gint64
ics_tcp_race_next_timeout (const IcsTcpRace *self)
{
  gint64 next = MIN (self->round_at, self->give_up_at);

  for (guint i = 0; i < self->conns->len; i++)
    next = MIN (next, ((Conn *)self->conns->pdata[i])->deadline);
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
