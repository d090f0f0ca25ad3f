/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"
#include "agent/punch-search.h"

G_BEGIN_DECLS

/* Two hosts behind model NATs (RFC 4787), and a network with delay and loss between them, on a virtual clock.
 * Side 0 opens, side 1 probes. */

typedef enum
{
  FILTER_NOTHING,
  FILTER_ADDRESS,
  FILTER_PORT
} ModelFilter;

typedef struct
{
  gboolean dependent; /* a mapping for each destination's address and port */
  IcsNatPorts ports;
  int step;
  ModelFilter filter;
} ModelKind;

typedef struct
{
  ModelKind opener, prober;
  guint n_sockets;
  guint random_probes;
  gboolean opener_controls;
  double loss;
  guint others; /* mappings that somebody else makes at each NAT between prediction and search */
  guint32 seed;
} WorldConfig;

typedef struct
{
  IcsPunchState state[2];
  IcsFlow found[2];
  gboolean agree; /* both found one pair, and its packets pass both ways */
  guint probes;
  guint openers;
  gint64 took;
} WorldOutcome;

/* From the first observation to the end of both searches. */
WorldOutcome world_run (const WorldConfig *config);

G_END_DECLS
