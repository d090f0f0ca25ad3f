/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nice-sockets.h"
#include <fcntl.h>
#include <unistd.h>

#define COMPONENT NICE_COMPONENT_TYPE_RTP

/* With the default of 208 KiB half of a burst is lost. */
#define BUFFER_SIZE (4 * 1024 * 1024)

/* Beyond the system's limit where the process may, else up to it. What waits in a stream makes it slow. */
static void
enlarge (GSocket *socket)
{
  if (g_socket_get_socket_type (socket) == G_SOCKET_TYPE_STREAM)
    return;
  if (!g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE, NULL))
    g_socket_set_option (socket, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE, NULL);
  if (!g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SIZE, NULL))
    g_socket_set_option (socket, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE, NULL);
}

void
ics_nice_sockets_enlarge_buffers (NiceAgent *agent, guint stream)
{
  g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (agent, stream, COMPONENT);

  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    enlarge (g_ptr_array_index (sockets, i));
}

int
ics_nice_sockets_get_receive_buffer (NiceAgent *agent, guint stream)
{
  g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (agent, stream, COMPONENT);
  int smallest = 0;

  for (guint i = 0; sockets != NULL && i < sockets->len; i++)
    {
      int size = 0; /* twice what was asked for, see socket(7) */

      if (g_socket_get_option (g_ptr_array_index (sockets, i), SOL_SOCKET, SO_RCVBUF, &size, NULL)
          && (smallest == 0 || size < smallest))
        smallest = size;
    }
  return smallest / 2;
}

GInetAddress *
ics_nice_sockets_get_base (NiceAgent *agent, guint stream)
{
  char text[NICE_ADDRESS_STRING_LEN];
  NiceCandidate *local = NULL, *remote = NULL;

  if (!nice_agent_get_selected_pair (agent, stream, COMPONENT, &local, &remote))
    return NULL;
  nice_address_to_string (&local->base_addr, text);
  return g_inet_address_new_from_string (text);
}

static void
close_all (GArray *fds)
{
  for (guint i = 0; i < fds->len; i++)
    close (g_array_index (fds, int, i));
  g_array_unref (fds);
}

static GArray *
duplicate_all (GPtrArray *sockets)
{
  GArray *fds = g_array_new (FALSE, FALSE, sizeof (int));

  for (guint i = 0; i < sockets->len; i++)
    {
      int fd = fcntl (g_socket_get_fd (g_ptr_array_index (sockets, i)), F_DUPFD_CLOEXEC, 3);

      if (fd < 0)
        {
          close_all (fds);
          return NULL;
        }
      g_array_append_val (fds, fd);
    }
  return fds;
}

GArray *
ics_nice_sockets_duplicate (NiceAgent *agent, guint stream, IcsFlow *selected)
{
  g_autoptr (GPtrArray) sockets = nice_agent_get_sockets (agent, stream, COMPONENT);
  g_autoptr (GSocket) socket = nice_agent_get_selected_socket (agent, stream, COMPONENT);
  NiceCandidate *local = NULL, *remote = NULL;

  if (sockets == NULL || socket == NULL || !g_ptr_array_find (sockets, socket, &selected->socket)
      || !nice_agent_get_selected_pair (agent, stream, COMPONENT, &local, &remote)
      || remote->type == NICE_CANDIDATE_TYPE_RELAYED)
    return NULL;
  nice_address_copy_to_sockaddr (&remote->addr, &selected->remote.any);
  return duplicate_all (sockets);
}
