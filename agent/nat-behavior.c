/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-behavior.h"
#include <stdlib.h>
#include <string.h>

/* Steps this large are no chance of a sequential NAT between a few questions, unless thousands of mappings
 * are made a second. Between this and ICS_NAT_PORT_STEP_MAX nothing is concluded. */
#define RANDOM_STEP_MIN 256

/* Two steps are needed: one small step may be chance. */
#define STEPS_NEEDED 2

#define FIRST_PREDICTED_PORT 1024

void
ics_nat_behavior_init (IcsNatBehavior *self)
{
  memset (self, 0, sizeof *self);
  self->rtt = -1;
}

static gboolean
is_wildcard (const IcsSockaddr *self)
{
  if (self->any.sa_family == AF_INET6)
    return IN6_IS_ADDR_UNSPECIFIED (&self->v6.sin6_addr);
  return self->v4.sin_addr.s_addr == INADDR_ANY;
}

static void
conclude_translated (IcsNatBehavior *self, const IcsNatObservation *seen)
{
  if (!is_wildcard (&seen->local) && ics_sockaddr_equal (&seen->local, &seen->mapped, TRUE))
    self->translated = self->translated == ICS_FACT_YES ? ICS_FACT_YES : ICS_FACT_NO;
  else if (!is_wildcard (&seen->local)
           || ics_sockaddr_get_port (&seen->local) != ics_sockaddr_get_port (&seen->mapped))
    self->translated = ICS_FACT_YES;
}

typedef struct
{
  gboolean address_same, address_differs; /* two servers with different addresses: the mappings */
  gboolean port_same, port_differs;       /* one address, two ports */
} Comparison;

static Comparison
compare (const IcsNatBehavior *self)
{
  Comparison found = { FALSE, FALSE, FALSE, FALSE };

  for (guint i = 0; i < self->n_observations; i++)
    for (guint j = 0; j < i; j++)
      {
        const IcsNatObservation *a = &self->observations[i], *b = &self->observations[j];
        gboolean same = ics_sockaddr_equal (&a->mapped, &b->mapped, TRUE);
        gboolean one_address = ics_sockaddr_equal (&a->server, &b->server, FALSE);

        if (a->socket != b->socket)
          continue;
        found.address_same |= !one_address && same;
        found.address_differs |= !one_address && !same;
        found.port_same |= one_address && same;
        found.port_differs |= one_address && !same;
      }
  return found;
}

/* RFC 5780 §4.3, over whatever servers answered. */
static void
conclude_mapping (IcsNatBehavior *self)
{
  Comparison found = compare (self);

  self->mapping = ICS_NAT_UNKNOWN;
  if (found.address_differs || found.port_differs)
    self->mapping_varies = ICS_FACT_YES;
  else if (found.address_same || found.port_same)
    self->mapping_varies = ICS_FACT_NO;
  if (found.port_differs)
    self->mapping = ICS_NAT_ADDRESS_AND_PORT_DEPENDENT;
  else if (found.address_differs && found.port_same && !found.address_same)
    self->mapping = ICS_NAT_ADDRESS_DEPENDENT;
  else if (found.address_same && !found.address_differs)
    self->mapping = ICS_NAT_ENDPOINT_INDEPENDENT;
}

/* FALSE for what only says again which mapping a socket has. */
static gboolean
is_new_mapping (const IcsNatBehavior *self, guint index)
{
  for (guint i = 0; i < index; i++)
    if (self->observations[i].socket == self->observations[index].socket
        && ics_sockaddr_equal (&self->observations[i].mapped, &self->observations[index].mapped, TRUE))
      return FALSE;
  return TRUE;
}

typedef struct
{
  guint mappings, preserved; /* new mappings; those with the port of the socket */
  guint up, down, large;     /* steps from one to the next: small ones by their sign, and what is no step */
  int least;
} Steps;

static void
count_step (Steps *steps, int step)
{
  if (step > 0 && step <= ICS_NAT_PORT_STEP_MAX)
    steps->up++;
  else if (step < 0 && step >= -ICS_NAT_PORT_STEP_MAX)
    steps->down++;
  else if (abs (step) >= RANDOM_STEP_MIN)
    steps->large++;
  if (steps->least == 0 || abs (step) < abs (steps->least))
    steps->least = step;
}

static Steps
count_steps (const IcsNatBehavior *self)
{
  Steps steps = { 0 };
  int last = -1;

  for (guint i = 0; i < self->n_observations; i++)
    if (is_new_mapping (self, i))
      {
        int port = ics_sockaddr_get_port (&self->observations[i].mapped);

        if (last >= 0)
          count_step (&steps, port - last);
        last = port;
        steps.mappings++;
        steps.preserved += port == ics_sockaddr_get_port (&self->observations[i].local);
      }
  return steps;
}

static void
conclude_ports (IcsNatBehavior *self)
{
  Steps steps = count_steps (self);
  guint n_steps = steps.mappings == 0 ? 0 : steps.mappings - 1;

  self->ports = ICS_NAT_PORTS_UNKNOWN;
  self->port_step = 0;
  if (steps.mappings >= 2 && steps.preserved == steps.mappings)
    self->ports = ICS_NAT_PORTS_PRESERVED;
  else if (n_steps >= STEPS_NEEDED && (steps.up == n_steps || steps.down == n_steps))
    {
      self->ports = ICS_NAT_PORTS_SEQUENTIAL;
      self->port_step = steps.least;
    }
  else if (steps.large >= STEPS_NEEDED)
    self->ports = ICS_NAT_PORTS_RANDOM;
}

static gboolean
is_known (const IcsNatBehavior *self, const IcsNatObservation *observation)
{
  for (guint i = 0; i < self->n_observations; i++)
    if (self->observations[i].socket == observation->socket
        && ics_sockaddr_equal (&self->observations[i].server, &observation->server, TRUE))
      return TRUE;
  return FALSE;
}

void
ics_nat_behavior_observe (IcsNatBehavior *self, const IcsNatObservation *observation)
{
  if (self->n_observations == ICS_NAT_OBSERVATIONS_MAX || is_known (self, observation))
    return;
  self->answered = ICS_FACT_YES;
  self->observations[self->n_observations++] = *observation;
  conclude_translated (self, observation);
  conclude_mapping (self);
  conclude_ports (self);
}

guint16
ics_nat_behavior_predict_port (const IcsNatBehavior *self, guint16 local_port, guint ahead)
{
  gint64 port;

  switch (self->ports)
    {
    case ICS_NAT_PORTS_PRESERVED:
      return local_port;
    case ICS_NAT_PORTS_SEQUENTIAL:
      port = ics_sockaddr_get_port (&self->observations[self->n_observations - 1].mapped)
             + (gint64)self->port_step * ahead;
      return port >= FIRST_PREDICTED_PORT && port <= G_MAXUINT16 ? (guint16)port : 0;
    case ICS_NAT_PORTS_UNKNOWN:
    case ICS_NAT_PORTS_RANDOM:
      break;
    }
  return 0;
}

const char *
ics_nat_dependence_to_string (IcsNatDependence dependence)
{
  switch (dependence)
    {
    case ICS_NAT_UNKNOWN:
      return "unknown";
    case ICS_NAT_ENDPOINT_INDEPENDENT:
      return "endpoint-independent";
    case ICS_NAT_ADDRESS_DEPENDENT:
      return "address-dependent";
    case ICS_NAT_ADDRESS_AND_PORT_DEPENDENT:
      return "address-and-port-dependent";
    }
  g_assert_not_reached ();
}

const char *
ics_nat_ports_to_string (IcsNatPorts ports)
{
  switch (ports)
    {
    case ICS_NAT_PORTS_UNKNOWN:
      return "unknown";
    case ICS_NAT_PORTS_PRESERVED:
      return "preserved";
    case ICS_NAT_PORTS_SEQUENTIAL:
      return "sequential";
    case ICS_NAT_PORTS_RANDOM:
      return "random";
    }
  g_assert_not_reached ();
}

const char *
ics_fact_to_string (IcsFact fact)
{
  switch (fact)
    {
    case ICS_FACT_UNKNOWN:
      return "unknown";
    case ICS_FACT_NO:
      return "no";
    case ICS_FACT_YES:
      return "yes";
    }
  g_assert_not_reached ();
}
