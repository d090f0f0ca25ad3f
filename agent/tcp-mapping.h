/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/tcp-socket.h"

G_BEGIN_DECLS

/* Asks a STUN server over TCP (RFC 8489 §6.2.2) which address a local port is mapped to, and keeps the
 * connection, so that a NAT keeps the mapping. */

typedef struct _IcsTcpMapping IcsTcpMapping;

/* @mapped: borrowed; NULL if there was no answer in time, with @reason in people's words. Never runs before
 * ics_tcp_mapping_new() returns; may free the mapping. */
typedef void (*IcsTcpMappingFunc) (const IcsSockaddr *mapped, const char *reason, gpointer user_data);

IcsTcpMapping *ics_tcp_mapping_new (guint16 port, const IcsSockaddr *server, GMainContext *context,
                                    IcsTcpMappingFunc done, gpointer user_data);
void ics_tcp_mapping_free (IcsTcpMapping *self);

G_END_DECLS
