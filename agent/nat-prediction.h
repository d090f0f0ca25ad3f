/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which outside port a NAT gives to the next mapping, judged by those that it has given (RFC 4787 §4.2.1).
 * Pure. */

typedef enum
{
  ICS_NAT_ALLOCATION_UNKNOWN,
  ICS_NAT_ALLOCATION_PRESERVING, /* the port of the socket */
  ICS_NAT_ALLOCATION_SEQUENTIAL, /* a fixed step after the mapping before */
  ICS_NAT_ALLOCATION_RANDOM
} IcsNatAllocation;

/* One mapping, as a STUN server has seen it. */
typedef struct
{
  guint16 local;
  guint16 mapped;
} IcsNatObservation;

/* Fewer say nothing. */
#define ICS_NAT_OBSERVATIONS_MIN 4

typedef struct
{
  IcsNatAllocation allocation;
  int step;     /* of a sequential one; may be negative */
  guint16 last; /* mapped port of the latest mapping */
} IcsNatPrediction;

/* @observations: new mappings only, in the order in which they were made. Other hosts behind the same NAT may
 * have made some in between. */
IcsNatPrediction ics_nat_predict (const IcsNatObservation *observations, guint n);

/* The port that the mapping number @ahead (from 1) after the latest will get, that of a socket bound to
 * @local. 0: it can not be known. */
guint16 ics_nat_prediction_get_port (const IcsNatPrediction *self, guint ahead, guint16 local);

gboolean ics_nat_allocation_is_predictable (IcsNatAllocation allocation);
/* "unknown", "preserving", "sequential", "random". */
const char *ics_nat_allocation_to_string (IcsNatAllocation allocation);

G_END_DECLS
