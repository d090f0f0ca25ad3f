/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-prediction.h"
#include <stdlib.h>

/* A NAT that counts goes at most this far from one mapping of this host to the next, whatever else it maps in
 * between. Three random steps look so in one case of four billion. */
#define STEP_MAX 32

/* RFC 6056 §3.2: what NATs hand out; one that counts begins anew at the lower end. */
#define PORT_MIN 1024
#define PORT_MAX 65535

static gboolean
is_preserving (const IcsNatObservation *observations, guint n)
{
  guint same = 0;

  for (guint i = 0; i < n; i++)
    same += observations[i].local == observations[i].mapped;
  /* One may have been taken already by somebody else. */
  return same + 1 >= n;
}

static int
step_at (const IcsNatObservation *observations, guint i)
{
  return (int)observations[i].mapped - (int)observations[i - 1].mapped;
}

/* The step that the NAT takes when nobody comes in between: the smallest. 0: it does not count. One step may
 * be out of the row, where the NAT begins anew. */
static int
find_step (const IcsNatObservation *observations, guint n)
{
  int step = 0;
  guint odd = 0;

  for (guint i = 1; i < n; i++)
    {
      int next = step_at (observations, i);

      if (next == 0 || abs (next) > STEP_MAX || (step != 0 && (next > 0) != (step > 0)))
        odd++;
      else if (step == 0 || abs (next) < abs (step))
        step = next;
    }
  return odd > (n > ICS_NAT_OBSERVATIONS_MIN ? 1 : 0) ? 0 : step;
}

IcsNatPrediction
ics_nat_predict (const IcsNatObservation *observations, guint n)
{
  IcsNatPrediction self = { .allocation = ICS_NAT_ALLOCATION_UNKNOWN };

  if (n < ICS_NAT_OBSERVATIONS_MIN)
    return self;
  self.last = observations[n - 1].mapped;
  if (is_preserving (observations, n))
    self.allocation = ICS_NAT_ALLOCATION_PRESERVING;
  else if ((self.step = find_step (observations, n)) != 0)
    self.allocation = ICS_NAT_ALLOCATION_SEQUENTIAL;
  else
    self.allocation = ICS_NAT_ALLOCATION_RANDOM;
  return self;
}

guint16
ics_nat_prediction_get_port (const IcsNatPrediction *self, guint ahead, guint16 local)
{
  gint64 port;

  switch (self->allocation)
    {
    case ICS_NAT_ALLOCATION_UNKNOWN:
    case ICS_NAT_ALLOCATION_RANDOM:
      return 0;
    case ICS_NAT_ALLOCATION_PRESERVING:
      return local;
    case ICS_NAT_ALLOCATION_SEQUENTIAL:
      port = self->last + (gint64)ahead * self->step;
      if (port > PORT_MAX)
        port -= PORT_MAX + 1 - PORT_MIN;
      else if (port < PORT_MIN)
        port += PORT_MAX + 1 - PORT_MIN;
      return port >= PORT_MIN && port <= PORT_MAX ? (guint16)port : 0;
    }
  return 0;
}

gboolean
ics_nat_allocation_is_predictable (IcsNatAllocation allocation)
{
  return allocation == ICS_NAT_ALLOCATION_PRESERVING || allocation == ICS_NAT_ALLOCATION_SEQUENTIAL;
}

const char *
ics_nat_allocation_to_string (IcsNatAllocation allocation)
{
  switch (allocation)
    {
    case ICS_NAT_ALLOCATION_UNKNOWN:
      return "unknown";
    case ICS_NAT_ALLOCATION_PRESERVING:
      return "preserving";
    case ICS_NAT_ALLOCATION_SEQUENTIAL:
      return "sequential";
    case ICS_NAT_ALLOCATION_RANDOM:
      return "random";
    }
  return "unknown";
}
