/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/media.h"
#include "cli/pump.h"
#include <sys/socket.h>

/* A key frame comes at once, and this thread may be late. */
#define RECEIVE_BUFFER (2 * 1024 * 1024)
#define DATAGRAM_MAX 65536
/* So many of one port before the others are looked at. */
#define DATAGRAMS_PER_PORT 64

static GSocket *
open_port (const CliRtpPorts *ports, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (ports->host, port);
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                                             G_SOCKET_PROTOCOL_UDP, error);

  if (socket != NULL)
    {
      g_socket_set_blocking (socket, FALSE);
      g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER, NULL);
    }
  if (socket != NULL && g_socket_bind (socket, address, FALSE, error))
    return g_steal_pointer (&socket);
  g_prefix_error (error, "cannot listen on %s UDP port %u: ", ports->host, port);
  return NULL;
}

GPtrArray *
cli_media_in_open (GPtrArray *ins, GError **error)
{
  g_autoptr (GPtrArray) sockets = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < 2 * ins->len; i++)
    {
      const CliRtpPorts *ports = ins->pdata[i / 2];
      GSocket *socket = open_port (ports, (guint16)(ports->port + i % 2), error);

      if (socket == NULL)
        return NULL;
      g_ptr_array_add (sockets, socket);
    }
  return g_steal_pointer (&sockets);
}

/* The peer learns where a source belongs before it needs to know, or soon after. */
static gboolean
announce (CliMediaRun *run, guint32 ssrc, guint stream, GError **error)
{
  JsonObject *frame;

  if (!cli_media_sources_set (run->sent, ssrc, stream))
    return TRUE;
  frame = cli_frame_new ("source");
  json_object_set_int_member (frame, "ssrc", ssrc);
  json_object_set_int_member (frame, "stream", stream);
  return cli_frame_write (run->control, frame, run->cancellable, error);
}

static gboolean
take (CliMediaRun *run, guint stream, const guint8 *data, gsize len, GError **error)
{
  g_autoptr (GBytes) packet = NULL;
  gboolean rtcp;
  guint32 ssrc;

  if (!cli_media_peek (data, len, &rtcp, &ssrc))
    {
      cli_counter_add (&run->job->refused, 1);
      return TRUE;
    }
  if (!announce (run, ssrc, stream, error) || !cli_rate_wait (&run->job->rate, len, run->cancellable, error))
    return FALSE;
  packet = g_bytes_new (data, len);
  run->job->carrier->send (run->job->carrier_data, rtcp, packet);
  return TRUE;
}

static gboolean
drain (CliMediaRun *run, GSocket *socket, guint stream, GError **error)
{
  guint8 buf[DATAGRAM_MAX];

  for (guint i = 0; i < DATAGRAMS_PER_PORT; i++)
    {
      g_autoptr (GError) local = NULL;
      gssize n = g_socket_receive (socket, (char *)buf, sizeof buf, run->cancellable, &local);

      if (g_error_matches (local, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        return TRUE;
      if (n < 0)
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return FALSE;
        }
      if (!take (run, stream, buf, (gsize)n, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
cli_media_in_run (CliMediaRun *run, GPtrArray *sockets, GError **error)
{
  g_autofree GPollFD *fds = g_new0 (GPollFD, sockets->len + 1);
  gboolean good = g_cancellable_make_pollfd (run->cancellable, &fds[sockets->len]);

  for (guint i = 0; i < sockets->len; i++)
    fds[i] = (GPollFD){ .fd = g_socket_get_fd (sockets->pdata[i]), .events = G_IO_IN };
  while (good && !g_cancellable_set_error_if_cancelled (run->cancellable, error))
    {
      g_poll (fds, sockets->len + 1, -1);
      for (guint i = 0; i < sockets->len && good; i++)
        if (fds[i].revents != 0)
          good = drain (run, sockets->pdata[i], i / 2, error);
    }
  g_cancellable_release_fd (run->cancellable);
  return FALSE;
}
