/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A bare UDP socket that sends and receives many datagrams a system call. */
typedef struct _UdpBatch UdpBatch;

typedef void (*UdpBatchFunc) (const guint8 *data, gsize len, gpointer user_data);

/* The longest run of segments that one UDP_SEGMENT send takes. */
#define UDP_BATCH_MAX 65000
#define UDP_BATCH_MAX_SEGMENTS 64

/* Bound to @local, and connected to @remote if there is one. Without @offload sendmmsg() and recvmmsg() alone
 * do the batching. */
UdpBatch *udp_batch_new (const char *local, const char *remote, gboolean offload);
void udp_batch_free (UdpBatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UdpBatch, udp_batch_free)

int udp_batch_fd (UdpBatch *self);

/* Sends @len bytes as datagrams of @segment bytes, the last one may be shorter. Returns the bytes that left;
 * less than @len when the socket is full. */
gsize udp_batch_send (UdpBatch *self, const guint8 *data, gsize len, gsize segment);

/* Hands on what one call finds; FALSE when there is nothing. The first datagram connects a socket that has no
 * remote. */
gboolean udp_batch_receive (UdpBatch *self, UdpBatchFunc func, gpointer user_data);
