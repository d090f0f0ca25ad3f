/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How two hosts come to one TCP connection (RFC 6544): when which connections are opened, which of them are
 * checked, nominated and closed. Both hosts connect to all of the other's candidates in a few rounds, at the
 * same time, so that the SYNs cross and each NAT sees the way out first; and both listen. Sans-IO: time
 * (monotonic µs, G_MAXINT64 = never) comes in as an argument, what to do comes out of ics_tcp_race_poll().
 * What is authentic is the caller's business: it answers the peer's checks and tells of those that it could
 * verify. */

typedef struct _IcsTcpRace IcsTcpRace;

/* Of the peer's candidates no more are connected to. */
#define ICS_TCP_RACE_TARGETS_MAX 32
/* Connections from addresses that the peer has not named: those that have shown nothing yet. */
#define ICS_TCP_RACE_STRANGERS_MAX 8

#define ICS_TCP_RACE_ROUNDS 5
/* The least time from one round to the next; it is three round trips of the signals when that is more. */
#define ICS_TCP_RACE_PERIOD G_TIME_SPAN_SECOND
/* A connection that is open but has not answered a check by then is of no use. */
#define ICS_TCP_RACE_CHECK_TIMEOUT (5 * G_TIME_SPAN_SECOND)

typedef enum
{
  ICS_TCP_RACE_CONNECT,  /* open connection @conn to @target */
  ICS_TCP_RACE_CHECK,    /* send a check on @conn, which nominates it if @nominate */
  ICS_TCP_RACE_CLOSE,    /* @conn, open or not; nothing more is said of it */
  ICS_TCP_RACE_SELECTED, /* @conn is the path; said once */
  ICS_TCP_RACE_FAILED    /* there is none, or it is closed; said once, last */
} IcsTcpRaceActionType;

typedef struct
{
  IcsTcpRaceActionType type;
  guint conn; /* from 1, never reused */
  guint target;
  gboolean nominate;
} IcsTcpRaceAction;

/* @signal_rtt: round-trip time of what carries the signals. */
IcsTcpRace *ics_tcp_race_new (gboolean controlling, gint64 signal_rtt);
void ics_tcp_race_free (IcsTcpRace *self);

/* A candidate of the peer that can be connected to. FALSE: there are enough. The first is target 0. */
gboolean ics_tcp_race_add_target (IcsTcpRace *self);

/* The signal to start was sent now (by the controlling host) or has come now (to the other one). Once. */
void ics_tcp_race_start (IcsTcpRace *self, gint64 now);

/* What happens. A connection came in; @expected: from an address that the peer has named. Returns its number,
 * 0: close it. */
guint ics_tcp_race_accepted (IcsTcpRace *self, gint64 now, gboolean expected);
/* An ICS_TCP_RACE_CONNECT has come to something. */
void ics_tcp_race_opened (IcsTcpRace *self, gint64 now, guint conn);
/* It is gone: refused, reset, closed by the peer, or what came over it was no good. */
void ics_tcp_race_closed (IcsTcpRace *self, gint64 now, guint conn);
/* The peer's authentic check came in; @nominated: the controlling host chooses this connection. */
void ics_tcp_race_asked (IcsTcpRace *self, gint64 now, guint conn, gboolean nominated);
/* The peer has answered a check; @nominating: one that had @nominate. */
void ics_tcp_race_answered (IcsTcpRace *self, gint64 now, guint conn, gboolean nominating);

void ics_tcp_race_handle_timeout (IcsTcpRace *self, gint64 now);
gint64 ics_tcp_race_next_timeout (const IcsTcpRace *self);
gboolean ics_tcp_race_poll (IcsTcpRace *self, IcsTcpRaceAction *action);

/* The number of connections that are known, for tests of bounds. */
guint ics_tcp_race_count (const IcsTcpRace *self);

G_END_DECLS
