/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/route-socket.h"

#ifdef __linux__

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

int
ics_route_socket_open (guint32 groups)
{
  struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = groups };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

  if (fd < 0 || bind (fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

#else

int
ics_route_socket_open (G_GNUC_UNUSED guint32 groups)
{
  return -1;
}

#endif
