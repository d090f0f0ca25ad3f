/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-discovery.h"
#include "base/nat64.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Runs a NAT discovery on sockets of its own, on a context. */

typedef struct _IcsNatProber IcsNatProber;

typedef struct
{
  /* GInetSocketAddress, of one family, in order of preference; those after ICS_NAT_SERVERS_MAX are left out.
   */
  GPtrArray *servers;
  gboolean no_filtering;
  const IcsNat64Prefix
      *nat64; /* through which the servers are reached, whose addresses are within it; NULL: none */
  GMainContext *context; /* where @done runs; used from there only */
} IcsNatProberConfig;

/* Once, never inside ics_nat_prober_start(). @behavior is borrowed. The prober may be freed in it. */
typedef void (*IcsNatProberFunc) (const IcsNatBehavior *behavior, gpointer user_data);

/* NULL if no socket could be opened, or there is no server or no way to it. */
IcsNatProber *ics_nat_prober_start (const IcsNatProberConfig *config, IcsNatProberFunc done,
                                    gpointer user_data);
/* At any time; @done does not run any more. */
void ics_nat_prober_free (IcsNatProber *self);

/* What is known so far. */
const IcsNatBehavior *ics_nat_prober_get (IcsNatProber *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNatProber, ics_nat_prober_free)

G_END_DECLS
