/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/tcp-race.h"

G_BEGIN_DECLS

/* When which connection is opened (tcp-race-rounds.c), and what becomes of them (tcp-race.c). */

#define ICS_TCP_RACE_NO_TARGET G_MAXUINT

typedef enum
{
  ICS_TCP_CONN_CONNECTING,
  ICS_TCP_CONN_OPEN, /* a check is under way, or, if it came in, waits for the peer's */
  ICS_TCP_CONN_VALID /* the check was answered */
} IcsTcpConnState;

typedef struct
{
  guint number;
  guint target; /* ICS_TCP_RACE_NO_TARGET: it came in */
  IcsTcpConnState state;
  gboolean expected;
  gboolean checked;
  gboolean authentic; /* what comes over it is the peer's */
  gboolean nominated; /* by the peer */
  gint64 deadline;
} IcsTcpRaceConn;

struct _IcsTcpRace
{
  gboolean controlling;
  gint64 signal_rtt;
  gint64 period;
  guint n_targets;
  GPtrArray *conns; /* IcsTcpRaceConn, oldest first */
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

/* tcp-race.c */
void ics_tcp_race_act (IcsTcpRace *self, IcsTcpRaceAction action);
IcsTcpRaceConn *ics_tcp_race_add (IcsTcpRace *self, guint target);
void ics_tcp_race_drop (IcsTcpRace *self, IcsTcpRaceConn *conn);

/* tcp-race-rounds.c */
/* The next one, or the end of them. */
void ics_tcp_race_start_round (IcsTcpRace *self);

G_END_DECLS
