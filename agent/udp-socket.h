/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/udp-flow.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* A bound UDP socket, many datagrams a call: UDP_SEGMENT out and UDP_GRO in where the system has them (Linux,
 * 4.18 and 5.0), else sendmmsg and recvmmsg, else one by one. Never blocks. */

/* The kernel's limits: UDP_MAX_SEGMENTS, and the payload of an IPv4 datagram with some room. */
#define ICS_UDP_SEGMENTS_MAX 64
#define ICS_UDP_BATCH_MAX 65000

typedef struct _IcsUdpSocket IcsUdpSocket;

typedef enum
{
  ICS_UDP_SENT,    /* or lost on the way, as any datagram may be */
  ICS_UDP_BLOCKED, /* poll for G_IO_OUT */
  ICS_UDP_DOWN     /* no way out: no route, no link, no such local address any more, forbidden */
} IcsUdpResult;

/* @fd is taken over. @plain: no offload, even if there is. */
IcsUdpSocket *ics_udp_socket_new (int fd, gboolean plain);
void ics_udp_socket_free (IcsUdpSocket *self);
int ics_udp_socket_get_fd (const IcsUdpSocket *self);
/* Bound to, as "192.0.2.1:5000". (transfer full) */
char *ics_udp_socket_get_local (const IcsUdpSocket *self);
/* The same without the port. (transfer full) (nullable) */
GInetAddress *ics_udp_socket_get_address (const IcsUdpSocket *self);

/* From here on the kernel may hand over several datagrams as one: nobody else may read this socket. */
void ics_udp_socket_start_receiving (IcsUdpSocket *self);

gboolean ics_udp_socket_has_gso (const IcsUdpSocket *self);
gboolean ics_udp_socket_has_gro (const IcsUdpSocket *self);

/* @data as datagrams of @segment bytes, the last may be shorter. @taken: bytes that were sent or are lost. */
IcsUdpResult ics_udp_socket_send (IcsUdpSocket *self, const IcsFlow *to, const guint8 *data, gsize len,
                                  gsize segment, gsize *taken);

/* What came in, in buffers that are allocated once and used by several sockets in turn. */

typedef struct _IcsUdpBatch IcsUdpBatch;

typedef struct
{
  IcsFlow from; /* its socket is the caller's business */
  const guint8 *data;
  gsize len;
  gsize segment; /* datagrams of this size each, the last may be shorter */
} IcsUdpMessage;

IcsUdpBatch *ics_udp_batch_new (void);
void ics_udp_batch_free (IcsUdpBatch *self);
/* Returns how many messages there are now, at most some hundred datagrams; 0: nothing came. */
guint ics_udp_batch_receive (IcsUdpBatch *self, IcsUdpSocket *socket);
void ics_udp_batch_get (const IcsUdpBatch *self, guint i, IcsUdpMessage *message);

G_END_DECLS
