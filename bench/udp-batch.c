/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/udp-batch.h"

#include "bench/meter.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGES 4
#define BUFFER_SIZE 65536
#define SOCKET_BUFFER (8 << 20)

struct _UdpBatch
{
  int fd;
  gboolean offload, connected;
  guint8 *buffers; /* MESSAGES of BUFFER_SIZE */
  struct mmsghdr messages[MESSAGES];
  struct iovec vectors[MESSAGES];
  char controls[MESSAGES][CMSG_SPACE (sizeof (int))];
  struct sockaddr_storage from;
};

static void
set_up (UdpBatch *self)
{
  int size = SOCKET_BUFFER, on = 1, probe = IP_PMTUDISC_PROBE;

  setsockopt (self->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  setsockopt (self->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  setsockopt (self->fd, IPPROTO_IP, IP_MTU_DISCOVER, &probe, sizeof probe);
  if (self->offload && setsockopt (self->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on) != 0)
    bench_fail ("this kernel has no UDP_GRO");
}

static void
attach (int fd, const char *text, int (*call) (int, const struct sockaddr *, socklen_t))
{
  g_autoptr (GSocketAddress) address = bench_address (text);
  struct sockaddr_storage native;

  g_socket_address_to_native (address, &native, sizeof native, NULL);
  if (call (fd, (struct sockaddr *)&native, (socklen_t)g_socket_address_get_native_size (address)) != 0)
    bench_fail ("%s: %s", text, g_strerror (errno));
}

UdpBatch *
udp_batch_new (const char *local, const char *remote, gboolean offload)
{
  g_autoptr (GSocketAddress) address = bench_address (local);
  UdpBatch *self = g_new0 (UdpBatch, 1);

  self->offload = offload;
  self->fd = socket (g_socket_address_get_family (address) == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET,
                     SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (self->fd < 0)
    bench_fail ("socket: %s", g_strerror (errno));
  set_up (self);
  attach (self->fd, local, bind);
  if (remote != NULL)
    attach (self->fd, remote, connect);
  self->connected = remote != NULL;
  self->buffers = g_malloc (MESSAGES * BUFFER_SIZE);
  return self;
}

void
udp_batch_free (UdpBatch *self)
{
  close (self->fd);
  g_free (self->buffers);
  g_free (self);
}

int
udp_batch_fd (UdpBatch *self)
{
  return self->fd;
}

/* One call: a run of segments, or one datagram. */
static gsize
send_run (UdpBatch *self, const guint8 *data, gsize len, gsize segment)
{
  struct iovec vector = { (void *)data, len };
  union
  {
    char bytes[CMSG_SPACE (sizeof (guint16))];
    struct cmsghdr align;
  } control;
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

  memset (&control, 0, sizeof control);
  if (len > segment)
    {
      message.msg_control = control.bytes;
      message.msg_controllen = sizeof control.bytes;
      struct cmsghdr *header = CMSG_FIRSTHDR (&message);
      header->cmsg_level = IPPROTO_UDP;
      header->cmsg_type = UDP_SEGMENT;
      header->cmsg_len = CMSG_LEN (sizeof (guint16));
      memcpy (CMSG_DATA (header), &(guint16){ (guint16)segment }, sizeof (guint16));
    }
  if (sendmsg (self->fd, &message, 0) >= 0)
    return len;
  if (errno == EAGAIN || errno == ENOBUFS)
    return 0;
  if (errno == ECONNREFUSED || errno == EMSGSIZE)
    return len; /* lost, as on any network */
  bench_fail ("sendmsg: %s", g_strerror (errno));
}

static gsize
send_many (UdpBatch *self, const guint8 *data, gsize len, gsize segment)
{
  struct mmsghdr messages[UDP_BATCH_MAX_SEGMENTS];
  struct iovec vectors[UDP_BATCH_MAX_SEGMENTS];
  guint n = 0;
  int sent;

  memset (messages, 0, sizeof messages);
  for (gsize at = 0; at < len && n < UDP_BATCH_MAX_SEGMENTS; at += segment, n++)
    {
      vectors[n] = (struct iovec){ (void *)(data + at), MIN (segment, len - at) };
      messages[n].msg_hdr.msg_iov = &vectors[n];
      messages[n].msg_hdr.msg_iovlen = 1;
    }
  sent = sendmmsg (self->fd, messages, n, 0);
  if (sent < 0 && errno == ECONNREFUSED)
    return len;
  if (sent < 0 && errno != EAGAIN && errno != ENOBUFS)
    bench_fail ("sendmmsg: %s", g_strerror (errno));
  return sent < 0 ? 0 : MIN (len, (gsize)sent * segment);
}

gsize
udp_batch_send (UdpBatch *self, const guint8 *data, gsize len, gsize segment)
{
  gsize run = MIN (UDP_BATCH_MAX / segment, UDP_BATCH_MAX_SEGMENTS) * segment;
  gsize at = 0;

  while (at < len)
    {
      gsize want = MIN (run, len - at);
      gsize sent = self->offload ? send_run (self, data + at, want, segment)
                                 : send_many (self, data + at, want, segment);

      at += sent;
      if (sent < want)
        break;
    }
  return at;
}

static gsize
segment_of (struct msghdr *message, gsize len)
{
  for (struct cmsghdr *header = CMSG_FIRSTHDR (message); header != NULL;
       header = CMSG_NXTHDR (message, header))
    if (header->cmsg_level == IPPROTO_UDP && header->cmsg_type == UDP_GRO)
      {
        int segment;

        memcpy (&segment, CMSG_DATA (header), sizeof segment);
        return segment > 0 ? (gsize)segment : len;
      }
  return len;
}

static void
prepare (UdpBatch *self)
{
  for (guint i = 0; i < MESSAGES; i++)
    {
      self->vectors[i] = (struct iovec){ self->buffers + i * BUFFER_SIZE, BUFFER_SIZE };
      self->messages[i].msg_hdr = (struct msghdr){
        .msg_iov = &self->vectors[i],
        .msg_iovlen = 1,
        .msg_control = self->offload ? self->controls[i] : NULL,
        .msg_controllen = self->offload ? sizeof self->controls[i] : 0,
      };
    }
  if (!self->connected)
    {
      self->messages[0].msg_hdr.msg_name = &self->from;
      self->messages[0].msg_hdr.msg_namelen = sizeof self->from;
    }
}

gboolean
udp_batch_receive (UdpBatch *self, UdpBatchFunc func, gpointer user_data)
{
  int n;

  prepare (self);
  n = recvmmsg (self->fd, self->messages, self->connected ? MESSAGES : 1, MSG_DONTWAIT, NULL);
  if (n <= 0)
    return FALSE;
  if (!self->connected)
    {
      connect (self->fd, (struct sockaddr *)&self->from, self->messages[0].msg_hdr.msg_namelen);
      self->connected = TRUE;
    }
  for (int i = 0; i < n; i++)
    {
      const guint8 *data = self->vectors[i].iov_base;
      gsize len = self->messages[i].msg_len;
      gsize segment = segment_of (&self->messages[i].msg_hdr, len);

      for (gsize at = 0; at < len; at += segment)
        func (data + at, MIN (segment, len - at), user_data);
    }
  return TRUE;
}
