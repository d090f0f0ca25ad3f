/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-discovery.h"

/* A host, its NAT, and a STUN server with two addresses and two ports (RFC 5780), on a virtual clock. The
 * server may lie. */

typedef enum
{
  SERVER_HONEST,
  SERVER_PLAIN,          /* has one address, and refuses CHANGE-REQUEST */
  SERVER_IGNORES_CHANGE, /* says it had two, answers from the one that was asked */
  SERVER_DEAD_OTHER,     /* its other address is silent */
  SERVER_NAMES_LOOPBACK,
  SERVER_NAMES_MULTICAST,
  SERVER_NAMES_PRIVATE,
  SERVER_NAMES_HOST, /* the host's own address inside */
  SERVER_NAMES_NAT,  /* the mapped one */
  SERVER_NAMES_ITSELF,
  SERVER_NAMES_VICTIM,
  SERVER_WRONG_ID,
  SERVER_WRONG_SOURCE, /* answers all from its other address */
  SERVER_GARBAGE,      /* random bytes, and honest answers mangled and cut */
  SERVER_MAPS_TO_LOOPBACK,
  SERVER_SILENT,
  N_SERVER_KINDS
} ServerKind;

typedef struct
{
  gboolean none; /* the host has a public address; the filter is a firewall's */
  IcsNatDependence mapping, filtering;
  IcsNatPorts ports;
  int step;  /* SEQUENTIAL */
  int noise; /* mappings of others between two of this host, at most */
  gboolean hairpin;
  ServerKind server;
  double loss;    /* of each packet on its way, each direction */
  guint loss_max; /* packets of a question that are lost at most; 0 = any number */
  gint64 delay_min, delay_max;
} NatWorldConfig;

typedef struct
{
  IcsNatBehavior found;
  gint64 took;
  guint64 dropped;
  guint sent;           /* by the host, in all */
  guint sent_forbidden; /* to loopback, multicast, private addresses */
  guint sent_victim;    /* to an address that runs no server */
  guint sent_largest;   /* packet, in bytes */
} NatWorldResult;

/* One discovery from its start to its end, with @servers addresses of the server given (1, or 2 with both of
 * its addresses as servers of their own). */
NatWorldResult nat_world_run (const NatWorldConfig *config, guint servers, guint32 seed);

/* From ICS_TEST_SEED, or drawn; printed. */
guint32 nat_world_seed (void);
