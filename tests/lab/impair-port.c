/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* sendmmsg() */
#include "tests/lab/impair-port.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/impair-frame.h"

#define FRAMES 8192
#define FRAME_SIZE 2048
#define BLOCK_SIZE (1 << 17)
#define RING_SIZE ((gsize)FRAMES * FRAME_SIZE)
#define SEND_MAX 64

struct _ImpairPort
{
  int fd;
  guint8 *ring;
  guint next;
  struct tpacket2_hdr *given; /* the frame that the caller still reads */
  guint64 dropped;
};

static gboolean
set_option (int fd, int option, int value)
{
  return setsockopt (fd, SOL_PACKET, option, &value, sizeof value) == 0;
}

static gboolean
set_up (ImpairPort *self, const char *interface)
{
  struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL) };
  struct tpacket_req ring = { .tp_block_size = BLOCK_SIZE,
                              .tp_block_nr = RING_SIZE / BLOCK_SIZE,
                              .tp_frame_size = FRAME_SIZE,
                              .tp_frame_nr = FRAMES };
  struct packet_mreq all = { .mr_type = PACKET_MR_PROMISC };

  address.sll_ifindex = all.mr_ifindex = (int)if_nametoindex (interface);
  if (address.sll_ifindex == 0 || !set_option (self->fd, PACKET_VERSION, TPACKET_V2)
      || !set_option (self->fd, PACKET_IGNORE_OUTGOING, 1) || !set_option (self->fd, PACKET_QDISC_BYPASS, 1)
      || setsockopt (self->fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof ring) != 0)
    return FALSE;
  self->ring = mmap (NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
  return self->ring != MAP_FAILED && bind (self->fd, (struct sockaddr *)&address, sizeof address) == 0
         && setsockopt (self->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0;
}

ImpairPort *
impair_port_open (const char *interface)
{
  g_autoptr (ImpairPort) self = g_new0 (ImpairPort, 1);

  self->ring = MAP_FAILED;
  /* Protocol 0: nothing comes before it is bound to the interface. */
  self->fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return self->fd >= 0 && set_up (self, interface) ? g_steal_pointer (&self) : NULL;
}

void
impair_port_close (ImpairPort *self)
{
  if (self->ring != MAP_FAILED)
    munmap (self->ring, RING_SIZE);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}

int
impair_port_fd (ImpairPort *self)
{
  return self->fd;
}

static void
give_back (ImpairPort *self)
{
  if (self->given != NULL)
    __atomic_store_n (&self->given->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
  self->given = NULL;
}

const guint8 *
impair_port_receive (ImpairPort *self, gsize *len)
{
  struct tpacket2_hdr *header;

  for (;;)
    {
      give_back (self);
      header = (struct tpacket2_hdr *)(void *)(self->ring + (gsize)self->next * FRAME_SIZE);
      if ((__atomic_load_n (&header->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0)
        return NULL;
      self->next = (self->next + 1) % FRAMES;
      self->given = header;
      *len = header->tp_len;
      if (header->tp_snaplen == header->tp_len)
        return (const guint8 *)header + header->tp_mac;
      self->dropped++;
    }
}

static guint
send_some (ImpairPort *self, const guint8 *const *frames, const gsize *lens, guint n)
{
  struct iovec parts[SEND_MAX];
  struct mmsghdr messages[SEND_MAX] = { 0 };
  int sent;

  n = MIN (n, SEND_MAX);
  for (guint i = 0; i < n; i++)
    {
      parts[i] = (struct iovec){ .iov_base = (void *)frames[i], .iov_len = lens[i] };
      messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
  sent = sendmmsg (self->fd, messages, n, MSG_DONTWAIT);
  if (sent > 0)
    return (guint)sent;
  /* The first one does not go: the others may. */
  self->dropped++;
  return 1;
}

void
impair_port_send (ImpairPort *self, const guint8 *const *frames, const gsize *lens, guint n)
{
  guint done = 0;

  while (done < n)
    done += send_some (self, frames + done, lens + done, n - done);
}

guint64
impair_port_dropped (ImpairPort *self)
{
  struct tpacket_stats stats = { 0 };
  socklen_t len = sizeof stats;

  /* The kernel starts again from zero each time. */
  if (getsockopt (self->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
    self->dropped += stats.tp_drops;
  return self->dropped;
}
