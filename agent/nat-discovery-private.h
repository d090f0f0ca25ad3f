/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-discovery.h"
#include "agent/stun-transaction.h"

G_BEGIN_DECLS

/* Between nat-discovery.c, which is told what happens, and nat-discovery-steps.c, which asks. */

/* What is asked. The first ones are the servers in their order, from the mapping socket. */
typedef enum
{
  ICS_NAT_ASK_SERVER = 0,
  ICS_NAT_ASK_FILTERING = ICS_NAT_SERVERS_MAX, /* RFC 5780 §4.4 test I */
  ICS_NAT_ASK_HAIRPIN,                         /* which mapping that socket has */
  ICS_NAT_ASK_OTHER_ADDRESS,                   /* §4.3 test II */
  ICS_NAT_ASK_OTHER_BOTH,                      /* §4.3 test III */
  ICS_NAT_ASK_OTHER_PORT,                      /* is that port alive: it answers ICS_NAT_ASK_CHANGE_PORT */
  ICS_NAT_ASK_CHANGE_BOTH,                     /* §4.4 test II */
  ICS_NAT_ASK_CHANGE_PORT,                     /* §4.4 test III */
  ICS_NAT_ASK_SELF,                            /* §3.4: from the hairpin socket to the mapping socket */
  ICS_NAT_ASK_SELF_BACK, /* the other way: opens the NAT's filter for ICS_NAT_ASK_SELF */
  ICS_NAT_N_ASKS
} IcsNatAsk;

typedef enum
{
  ICS_NAT_STEP_SERVERS, /* who answers, and has another address */
  ICS_NAT_STEP_SOCKETS, /* one after the other: the order of their ports counts */
  ICS_NAT_STEP_TESTS, /* mapping, filtering and hairpin at a time: from sockets that do not disturb each other
                       */
  ICS_NAT_STEP_DONE
} IcsNatStep;

struct _IcsNatDiscovery
{
  IcsNatDiscoveryConfig config;
  IcsNatBehavior behavior;
  StunAgent agent;
  IcsNatStep step;
  gint64 ends_at;
  IcsStunTransaction asks[ICS_NAT_N_ASKS];
  IcsNatSocket sockets[ICS_NAT_N_ASKS];
  IcsStunReply replies[ICS_NAT_N_ASKS];
  guint server;        /* the one that the tests are done with */
  guint losses;        /* questions repeated after the round-trip time was known, and answered then */
  gint64 slowest;      /* µs, from the first packet of a question to its answer */
  gboolean hairpinned; /* a packet to itself came back */
  guint64 dropped;
};

static inline gboolean
ics_nat_is_idle (const IcsNatDiscovery *self, IcsNatAsk ask)
{
  return self->asks[ask].state == ICS_STUN_IDLE;
}

static inline gboolean
ics_nat_is_answered (const IcsNatDiscovery *self, IcsNatAsk ask)
{
  return self->asks[ask].state == ICS_STUN_ANSWERED;
}

/* Start what is to be asked next. They return TRUE when the step is over. */
gboolean ics_nat_discovery_step_servers (IcsNatDiscovery *self, gint64 now);
gboolean ics_nat_discovery_step_sockets (IcsNatDiscovery *self, gint64 now);
gboolean ics_nat_discovery_step_tests (IcsNatDiscovery *self, gint64 now);

/* After the first step: with which server the tests are done. FALSE if none has answered. */
gboolean ics_nat_discovery_choose_server (IcsNatDiscovery *self);

G_END_DECLS
