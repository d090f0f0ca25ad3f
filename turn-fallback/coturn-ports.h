/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "turn-fallback/coturn-config.h"

G_BEGIN_DECLS

/* Ports for a coturn child, each free together with the next one. @addresses: (element-type
 * IcsCoturnAddress);
 * @port: the one of before, 0 = none, and the one that was found; @besides: one that is taken, with the next;
 * 0 = none. ICS_ERROR_FAILED when none is found. */
gboolean ics_coturn_choose_port (GArray *addresses, guint16 *port, guint16 standard, guint16 besides,
                                 GError **error);

G_END_DECLS
