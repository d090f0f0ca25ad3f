/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/sockaddr.h"

G_BEGIN_DECLS

/* How the NATs between this host and the internet behave, in the terms of RFC 4787, as far as it was
 * observed. Plain data, and what can be concluded from it. Unknown is never guessed at. */

typedef enum
{
  ICS_NAT_UNKNOWN,
  ICS_NAT_ENDPOINT_INDEPENDENT,
  ICS_NAT_ADDRESS_DEPENDENT,
  ICS_NAT_ADDRESS_AND_PORT_DEPENDENT
} IcsNatDependence;

typedef enum
{
  ICS_FACT_UNKNOWN,
  ICS_FACT_NO,
  ICS_FACT_YES
} IcsFact;

typedef enum
{
  ICS_NAT_PORTS_UNKNOWN,
  ICS_NAT_PORTS_PRESERVED,  /* RFC 4787 §4.2.1: the mapped port is the host's own, wherever it was seen */
  ICS_NAT_PORTS_SEQUENTIAL, /* each new mapping has the port of the one before, and a bit */
  ICS_NAT_PORTS_RANDOM
} IcsNatPorts;

/* What a server said: packets from @local, of socket @socket, to @server come from @mapped. */
typedef struct
{
  guint socket;
  IcsSockaddr local; /* the address may be the wildcard */
  IcsSockaddr server;
  IcsSockaddr mapped;
} IcsNatObservation;

#define ICS_NAT_OBSERVATIONS_MAX 12

/* A sequential NAT skips the ports that its other hosts took meanwhile: so far it counts as sequential. */
#define ICS_NAT_PORT_STEP_MAX 16

typedef struct
{
  IcsFact answered;   /* NO: servers were asked, none answered */
  IcsFact translated; /* NO: the mapped address is the host's own */
  IcsNatDependence mapping;
  /* YES: two destinations saw two addresses of one socket; NO: they saw the same. Known more often than
   * @mapping, which needs a server with two addresses, or several servers. */
  IcsFact mapping_varies;
  IcsNatDependence filtering;
  IcsNatPorts ports;
  int port_step; /* SEQUENTIAL: the smallest seen, may be negative; else 0 */
  IcsFact hairpin;
  gint64 rtt; /* µs, the least to any server; -1 = unknown */
  /* One for each answer, in the order in which the NAT made the mappings: the last has the newest port. */
  IcsNatObservation observations[ICS_NAT_OBSERVATIONS_MAX];
  guint n_observations;
} IcsNatBehavior;

/* All unknown. */
void ics_nat_behavior_init (IcsNatBehavior *self);

/* Adds what a server said, and concludes what it tells of @answered, @translated, @mapping_varies, @mapping,
 * @ports and @port_step. Of several with one socket and one server only the first counts. */
void ics_nat_behavior_observe (IcsNatBehavior *self, const IcsNatObservation *observation);

/* Whether the next new mapping's port can be told: PRESERVED or SEQUENTIAL. @local_port: of the socket that
 * will be used; @ahead: so many new mappings from now, from 1. Returns 0 if it cannot. */
guint16 ics_nat_behavior_predict_port (const IcsNatBehavior *self, guint16 local_port, guint ahead);

/* "endpoint-independent", "unknown"; "preserved"; "yes": as events carry them. */
const char *ics_nat_dependence_to_string (IcsNatDependence dependence);
const char *ics_nat_ports_to_string (IcsNatPorts ports);
const char *ics_fact_to_string (IcsFact fact);

G_END_DECLS
