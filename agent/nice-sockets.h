/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/udp-flow.h"
#include <nice/agent.h>

G_BEGIN_DECLS

/* The sockets below a stream of libnice. */

/* As far as the system lets them grow. */
void ics_nice_sockets_enlarge_buffers (NiceAgent *agent, guint stream);

/* The smallest receive buffer in bytes; 0 if there is no socket. */
int ics_nice_sockets_get_receive_buffer (NiceAgent *agent, guint stream);

/* The address of this host that the selected pair is sent from: (transfer full) (nullable). */
GInetAddress *ics_nice_sockets_get_base (NiceAgent *agent, guint stream);

/* Duplicates of all their descriptors, each closed on exec, and the selected pair in terms of them. NULL if
 * the pair is relayed, or there is none. (element-type int) (transfer full) (nullable) */
GArray *ics_nice_sockets_duplicate (NiceAgent *agent, guint stream, IcsFlow *selected);

G_END_DECLS
