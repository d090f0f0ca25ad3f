/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "agent/punch-sockets.h"
#include <sys/socket.h>
#include <unistd.h>

/* STUN messages are far smaller; what is larger is none of ours. */
#define DATAGRAM_MAX 2048
/* Of one socket in a turn of the main loop. */
#define DATAGRAMS_PER_TURN 64

typedef struct
{
  int fd; /* -1: closed, or handed over */
  gpointer tag;
} Slot;

typedef struct
{
  GSource parent;
  IcsPunchSockets *sockets;
} SocketsSource;

/* Reference-counted: a callback may free it. */
struct _IcsPunchSockets
{
  GSource *source;
  GArray *slots;
  IcsNat64Prefix nat64;
  IcsPunchSocketsHooks hooks;
  gpointer user_data;
  gboolean stopped;
};

static void
receive (IcsPunchSockets *self, guint socket)
{
  guint8 data[DATAGRAM_MAX];
  IcsSockaddr from, sender;

  for (guint i = 0; i < DATAGRAMS_PER_TURN && !self->stopped; i++)
    {
      socklen_t from_len = sizeof from;
      int fd = g_array_index (self->slots, Slot, socket).fd;
      gssize len = fd < 0 ? -1 : recvfrom (fd, data, sizeof data, MSG_DONTWAIT, &from.any, &from_len);

      if (len < 0)
        return;
      ics_nat64_inwards (&self->nat64, &from.any, &sender);
      self->hooks.received (socket, data, (gsize)len, &sender.any, self->user_data);
    }
}

static void
clear (gpointer data)
{
  IcsPunchSockets *self = data;

  for (guint i = 0; i < self->slots->len; i++)
    if (g_array_index (self->slots, Slot, i).fd >= 0)
      close (g_array_index (self->slots, Slot, i).fd);
  g_array_unref (self->slots);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsPunchSockets *self = g_rc_box_acquire (((SocketsSource *)source)->sockets);

  for (guint i = 0; i < self->slots->len && !self->stopped; i++)
    {
      const Slot *slot = &g_array_index (self->slots, Slot, i);

      if (slot->fd >= 0 && g_source_query_unix_fd (source, slot->tag) != 0)
        receive (self, i);
    }
  if (!self->stopped)
    self->hooks.timeout (g_source_get_time (source), self->user_data);
  g_rc_box_release_full (self, clear);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

IcsPunchSockets *
ics_punch_sockets_new (const IcsPunchSocketsHooks *hooks, gpointer user_data, const IcsNat64Prefix *nat64,
                       GMainContext *context)
{
  IcsPunchSockets *self = g_rc_box_new0 (IcsPunchSockets);

  self->hooks = *hooks;
  self->user_data = user_data;
  self->nat64 = *nat64;
  self->slots = g_array_new (FALSE, FALSE, sizeof (Slot));
  self->source = g_source_new (&source_funcs, sizeof (SocketsSource));
  g_source_set_static_name (self->source, "punch-sockets");
  ((SocketsSource *)self->source)->sockets = self;
  g_source_attach (self->source, context);
  return self;
}

void
ics_punch_sockets_free (IcsPunchSockets *self)
{
  self->stopped = TRUE;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_rc_box_release_full (self, clear);
}

static int
open_one (const IcsSockaddr *local)
{
  IcsSockaddr address = *local;
  int fd = socket (local->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  ics_sockaddr_set_port (&address, 0);
  if (bind (fd, &address.any, ics_sockaddr_len (&address)) == 0)
    return fd;
  close (fd);
  return -1;
}

guint
ics_punch_sockets_open (IcsPunchSockets *self, const IcsSockaddr *local, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      Slot slot = { .fd = open_one (local) };

      if (slot.fd < 0)
        break;
      slot.tag = g_source_add_unix_fd (self->source, slot.fd, G_IO_IN);
      g_array_append_val (self->slots, slot);
    }
  return self->slots->len;
}

int
ics_punch_sockets_steal (IcsPunchSockets *self, guint socket)
{
  Slot *slot = &g_array_index (self->slots, Slot, socket);
  int fd = slot->fd;

  if (fd >= 0)
    g_source_remove_unix_fd (self->source, slot->tag);
  slot->fd = -1;
  return fd;
}

void
ics_punch_sockets_close (IcsPunchSockets *self, guint socket)
{
  int fd = ics_punch_sockets_steal (self, socket);

  if (fd >= 0)
    close (fd);
}

void
ics_punch_sockets_get_local (IcsPunchSockets *self, guint socket, IcsSockaddr *local)
{
  socklen_t len = sizeof *local;

  *local = (IcsSockaddr){ 0 };
  if (getsockname (g_array_index (self->slots, Slot, socket).fd, &local->any, &len) != 0)
    *local = (IcsSockaddr){ 0 };
}

void
ics_punch_sockets_send (IcsPunchSockets *self, guint socket, const struct sockaddr *to, const guint8 *data,
                        gsize len)
{
  int fd = socket < self->slots->len ? g_array_index (self->slots, Slot, socket).fd : -1;
  IcsSockaddr outwards;

  ics_nat64_outwards (&self->nat64, to, &outwards);
  /* One that does not go out is a lost packet. */
  if (fd >= 0 && sendto (fd, data, len, MSG_DONTWAIT, &outwards.any, ics_sockaddr_len (&outwards)) < 0)
    g_debug ("a packet of the search did not go out");
}

void
ics_punch_sockets_set_timeout (IcsPunchSockets *self, gint64 at)
{
  if (!self->stopped)
    g_source_set_ready_time (self->source, at == G_MAXINT64 ? -1 : at);
}
