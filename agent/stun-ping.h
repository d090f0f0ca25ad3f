/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The round-trip time to a STUN server over UDP, as TURN servers are, too (RFC 8656 §5). */

typedef struct _IcsStunPing IcsStunPing;

/* @rtt: µs, -1 = no answer. The ping is gone when this runs. */
typedef void (*IcsStunPingFunc) (gint64 rtt, gpointer user_data);

/* @host: a name or an address literal; @family: 0 any, 4 or 6; @context: of the calling thread. @done runs
 * within 6 s, never before this returns. */
IcsStunPing *ics_stun_ping_start (const char *host, guint16 port, int family, GMainContext *context,
                                  IcsStunPingFunc done, gpointer user_data);
/* Before @done ran only: it will not run. */
void ics_stun_ping_cancel (IcsStunPing *self);

G_END_DECLS
