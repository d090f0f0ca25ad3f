/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* recvmmsg() */
#include "agent/udp-socket.h"
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

/* Room for whatever UDP_GRO puts together. Of a buffer that is not filled the kernel gives no memory. */
#define MESSAGE_MAX 65536
#define MESSAGES_MAX 4

typedef union
{
  char space[CMSG_SPACE (sizeof (int))];
  struct cmsghdr align;
} Control;

struct _IcsUdpBatch
{
  guint8 *space;
  IcsFlow from[MESSAGES_MAX];
  struct iovec parts[MESSAGES_MAX];
  Control control[MESSAGES_MAX];
#ifdef __linux__
  struct mmsghdr messages[MESSAGES_MAX];
#endif
  gsize lens[MESSAGES_MAX];
  gsize segments[MESSAGES_MAX];
};

IcsUdpBatch *
ics_udp_batch_new (void)
{
  IcsUdpBatch *self = g_new0 (IcsUdpBatch, 1);

  self->space = g_malloc (MESSAGES_MAX * MESSAGE_MAX);
  for (guint i = 0; i < MESSAGES_MAX; i++)
    self->parts[i] = (struct iovec){ self->space + i * MESSAGE_MAX, MESSAGE_MAX };
  return self;
}

void
ics_udp_batch_free (IcsUdpBatch *self)
{
  g_free (self->space);
  g_free (self);
}

void
ics_udp_batch_get (const IcsUdpBatch *self, guint i, IcsUdpMessage *message)
{
  message->from = self->from[i];
  message->data = self->space + i * MESSAGE_MAX;
  message->len = self->lens[i];
  message->segment = self->segments[i];
}

#ifdef __linux__

static gsize
segment_of (struct msghdr *header, gsize len)
{
  for (struct cmsghdr *control = CMSG_FIRSTHDR (header); control != NULL;
       control = CMSG_NXTHDR (header, control))
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO)
      {
        int size;

        memcpy (&size, CMSG_DATA (control), sizeof size);
        return size > 0 ? (gsize)size : len;
      }
  return len;
}

guint
ics_udp_batch_receive (IcsUdpBatch *self, IcsUdpSocket *socket)
{
  int n;

  for (guint i = 0; i < MESSAGES_MAX; i++)
    self->messages[i].msg_hdr = (struct msghdr){ .msg_name = &self->from[i].remote,
                                                 .msg_namelen = sizeof self->from[i].remote,
                                                 .msg_iov = &self->parts[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = self->control[i].space,
                                                 .msg_controllen = sizeof self->control[i].space };
  do
    n = recvmmsg (ics_udp_socket_get_fd (socket), self->messages, MESSAGES_MAX, 0, NULL);
  while (n < 0 && errno == EINTR);
  for (int i = 0; i < n; i++)
    {
      self->lens[i] = self->messages[i].msg_len;
      self->segments[i] = segment_of (&self->messages[i].msg_hdr, self->lens[i]);
    }
  return n > 0 ? (guint)n : 0;
}

#else

guint
ics_udp_batch_receive (IcsUdpBatch *self, IcsUdpSocket *socket)
{
  guint n = 0;

  while (n < MESSAGES_MAX)
    {
      socklen_t len = sizeof self->from[n].remote;
      gssize got = recvfrom (ics_udp_socket_get_fd (socket), self->parts[n].iov_base, MESSAGE_MAX, 0,
                             &self->from[n].remote.any, &len);

      if (got < 0)
        break;
      self->lens[n] = self->segments[n] = (gsize)got;
      n++;
    }
  return n;
}

#endif
