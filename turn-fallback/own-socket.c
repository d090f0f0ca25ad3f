/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/own-socket.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* Where this process's descriptors are listed: Linux, and wherever /dev/fd is complete. */
#define DESCRIPTORS "/proc/self/fd"

typedef struct
{
  struct sockaddr_in local, remote;
} Ends;

static gboolean
get_ends (int fd, Ends *ends)
{
  socklen_t local_len = sizeof ends->local, remote_len = sizeof ends->remote;

  return getsockname (fd, (struct sockaddr *)&ends->local, &local_len) == 0
         && getpeername (fd, (struct sockaddr *)&ends->remote, &remote_len) == 0
         && ends->local.sin_family == AF_INET && ends->remote.sin_family == AF_INET;
}

static gboolean
is_same (const struct sockaddr_in *a, const struct sockaddr_in *b)
{
  return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

int
ics_own_socket_find_peer (GSocket *socket)
{
  g_autoptr (GDir) dir = g_dir_open (DESCRIPTORS, 0, NULL);
  const char *name;
  Ends here, there;

  if (dir == NULL || !get_ends (g_socket_get_fd (socket), &here))
    return -1;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      int fd = (int)g_ascii_strtoll (name, NULL, 10);

      if (get_ends (fd, &there) && is_same (&there.local, &here.remote)
          && is_same (&there.remote, &here.local))
        return fd;
    }
  return -1;
}
