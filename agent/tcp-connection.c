/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-connection.h"
#include "agent/stream-frame.h"
#include "agent/tcp-congestion.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is read at a time: little of those who have shown nothing yet. */
#define READ_MAX (64 * 1024)
/* So that other sources of the context get their turn. */
#define READS_PER_DISPATCH 16
/* Of small messages, STUN and probes, that wait for a peer that does not read. */
#define SMALL_WAITING_MAX 4096
#define SMALL_MAX 128

typedef struct
{
  GSource parent;
  IcsTcpConnection *connection;
} ConnectionSource;

/* Reference-counted: a hook may free it. */
struct _IcsTcpConnection
{
  GSource *source;
  gpointer tag;
  int fd;
  IcsTcpConnectionHooks hooks;
  gpointer user_data;
  gboolean connecting, stopped;
  gboolean blocked; /* the owner waits */
  int broken;       /* errno of a write */
  IcsFrameReader reader;
  GByteArray *out;
  gsize held_datagram; /* bytes of out that are not small messages */
};

static void
watch (IcsTcpConnection *self)
{
  GIOCondition wanted = self->connecting ? G_IO_OUT : G_IO_IN;

  if (self->blocked || self->out->len > 0)
    wanted |= G_IO_OUT;
  g_source_modify_unix_fd (self->source, self->tag, wanted);
}

/* The hook must not run within a call of the owner's. */
static void
break_later (IcsTcpConnection *self, int error)
{
  self->broken = error;
  g_source_set_ready_time (self->source, 0);
}

static void
closed (IcsTcpConnection *self, const char *reason)
{
  if (self->stopped)
    return;
  self->stopped = TRUE;
  g_source_destroy (self->source);
  self->hooks.closed (reason, self->user_data);
}

/* --- out --- */

/* Returns how many bytes the system took. */
static gsize
write_some (IcsTcpConnection *self, const guint8 *data, gsize len)
{
  gssize n;

  do
    n = send (self->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN)
    break_later (self, errno);
  return n < 0 ? 0 : (gsize)n;
}

static void
flush (IcsTcpConnection *self)
{
  gsize n;

  if (self->out->len == 0 || self->broken != 0)
    return;
  n = write_some (self, self->out->data, self->out->len);
  g_byte_array_remove_range (self->out, 0, (guint)n);
  self->held_datagram -= MIN (n, self->held_datagram);
}

/* Frames of one size follow one another; of those that the system has begun to take the rest is held. */
static gsize
keep_the_begun (IcsTcpConnection *self, gsize written, gsize len, gsize segment)
{
  gsize frame = ICS_FRAME_HEADER + segment;
  gsize n_begun = (written + frame - 1) / frame;
  gsize end = MIN (n_begun * frame, self->out->len);

  g_byte_array_set_size (self->out, (guint)end);
  g_byte_array_remove_range (self->out, 0, (guint)written);
  self->held_datagram = self->out->len;
  return MIN (n_begun * segment, len);
}

gboolean
ics_tcp_connection_send_small (IcsTcpConnection *self, const guint8 *data, gsize len)
{
  if (self->broken != 0 || self->stopped || self->out->len - self->held_datagram + len > SMALL_WAITING_MAX)
    return FALSE;
  ics_frame_write (self->out, data, len);
  flush (self);
  watch (self);
  return TRUE;
}

IcsSendResult
ics_tcp_connection_send (IcsTcpConnection *self, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  *taken = len;
  if (self->broken != 0 || self->stopped || segment > ICS_FRAME_MAX)
    return ICS_SEND_FAILED;
  if (len <= SMALL_MAX && ics_tcp_connection_send_small (self, data, len))
    return ICS_SEND_OK;
  flush (self);
  if (self->out->len == 0)
    {
      for (gsize at = 0; at < len; at += segment)
        ics_frame_write (self->out, data + at, MIN (segment, len - at));
      *taken = keep_the_begun (self, write_some (self, self->out->data, self->out->len), len, segment);
    }
  else
    *taken = 0;
  self->blocked = *taken < len && self->broken == 0;
  watch (self);
  if (self->broken != 0)
    *taken = len;
  return self->broken != 0 ? ICS_SEND_FAILED : (self->blocked ? ICS_SEND_BLOCKED : ICS_SEND_OK);
}

/* --- in --- */

static void
take_frames (IcsTcpConnection *self)
{
  const guint8 *data;
  gsize len;

  while (!self->stopped)
    switch (ics_frame_reader_next (&self->reader, &data, &len))
      {
      case ICS_FRAME_MORE:
        return;
      case ICS_FRAME_WHOLE:
        self->hooks.frame (data, len, self->user_data);
        break;
      case ICS_FRAME_TOO_LONG:
        closed (self, "a frame is too long");
        return;
      }
}

/* FALSE: there is nothing more for now. */
static gboolean
read_some (IcsTcpConnection *self)
{
  guint8 buf[READ_MAX];
  gsize most = MIN (sizeof buf, ICS_FRAME_HEADER + self->reader.max);
  gssize n;

  do
    n = recv (self->fd, buf, most, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n > 0)
    {
      ics_frame_reader_feed (&self->reader, buf, (gsize)n);
      take_frames (self);
      return (gsize)n == most;
    }
  if (n == 0)
    closed (self, "the other side closed it");
  else if (errno != EAGAIN)
    closed (self, g_strerror (errno));
  return FALSE;
}

static void
on_connected (IcsTcpConnection *self)
{
  int error = ics_tcp_socket_get_error (self->fd);

  self->connecting = FALSE;
  if (error != 0)
    {
      closed (self, g_strerror (error));
      return;
    }
  watch (self);
  self->hooks.opened (self->user_data);
}

static void
on_writable (IcsTcpConnection *self)
{
  flush (self);
  if (self->blocked && self->out->len == 0)
    {
      self->blocked = FALSE;
      self->hooks.writable (self->user_data);
    }
  if (!self->stopped)
    watch (self);
}

static void
clear (gpointer data)
{
  IcsTcpConnection *self = data;

  close (self->fd);
  ics_frame_reader_clear (&self->reader);
  g_byte_array_unref (self->out);
  g_source_unref (self->source);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsTcpConnection *self = g_rc_box_acquire (((ConnectionSource *)source)->connection);
  GIOCondition ready = g_source_query_unix_fd (source, self->tag);

  g_source_set_ready_time (source, -1);
  if (self->connecting && ready != 0)
    on_connected (self);
  else
    {
      if ((ready & G_IO_OUT) != 0 && self->broken == 0)
        on_writable (self);
      for (guint i = 0; (ready & ~G_IO_OUT) != 0 && i < READS_PER_DISPATCH && !self->stopped; i++)
        if (!read_some (self))
          break;
    }
  if (!self->stopped && self->broken != 0)
    closed (self, g_strerror (self->broken));
  g_rc_box_release_full (self, clear);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

IcsTcpConnection *
ics_tcp_connection_new (int fd, gboolean connecting, gsize max, GMainContext *context)
{
  IcsTcpConnection *self = g_rc_box_new0 (IcsTcpConnection);

  self->fd = fd;
  self->connecting = connecting;
  self->out = g_byte_array_new ();
  ics_frame_reader_init (&self->reader, max);
  self->source = g_source_new (&source_funcs, sizeof (ConnectionSource));
  g_source_set_static_name (self->source, "tcp-connection");
  ((ConnectionSource *)self->source)->connection = self;
  self->tag = g_source_add_unix_fd (self->source, fd, 0);
  watch (self);
  g_source_attach (self->source, context);
  return self;
}

void
ics_tcp_connection_set_hooks (IcsTcpConnection *self, const IcsTcpConnectionHooks *hooks, gpointer user_data)
{
  self->hooks = *hooks;
  self->user_data = user_data;
}

void
ics_tcp_connection_free (IcsTcpConnection *self)
{
  self->stopped = TRUE;
  g_source_destroy (self->source);
  g_rc_box_release_full (self, clear);
}

void
ics_tcp_connection_set_max (IcsTcpConnection *self, gsize max)
{
  ics_frame_reader_set_max (&self->reader, max);
}

char *
ics_tcp_connection_get_local (const IcsTcpConnection *self)
{
  IcsSockaddr local;

  return ics_tcp_socket_get_local (self->fd, &local) ? ics_sockaddr_to_endpoint (&local.any) : g_strdup ("?");
}

GInetAddress *
ics_tcp_connection_get_base (const IcsTcpConnection *self)
{
  IcsSockaddr local;

  return ics_tcp_socket_get_local (self->fd, &local) ? ics_sockaddr_to_inet (&local) : NULL;
}

const char *
ics_tcp_connection_mend_congestion (IcsTcpConnection *self, gint64 rtt_us)
{
  return ics_tcp_congestion_mend (self->fd, rtt_us);
}
