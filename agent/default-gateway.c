/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/default-gateway.h"
#include "agent/route-messages.h"
#include "agent/route-socket.h"

#ifdef __linux__

#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

/* The kernel cuts its answer to fit into the reader's buffer, of 32 KiB at most. */
#define PART_MAX 32768
#define PARTS_MAX 256

static guint
find_interface (guint32 local)
{
  struct ifaddrs *all = NULL;
  guint interface = 0;

  if (getifaddrs (&all) != 0)
    return 0;
  for (struct ifaddrs *i = all; i != NULL && interface == 0; i = i->ifa_next)
    if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET
        && ntohl (((struct sockaddr_in *)i->ifa_addr)->sin_addr.s_addr) == local)
      interface = if_nametoindex (i->ifa_name);
  freeifaddrs (all);
  return interface;
}

static gboolean
ask_for_routes (int fd)
{
  struct
  {
    struct nlmsghdr header;
    struct rtmsg route;
  } request = { .header = { .nlmsg_len = sizeof request,
                            .nlmsg_type = RTM_GETROUTE,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
                .route = { .rtm_family = AF_INET } };

  return send (fd, &request, sizeof request, 0) == (gssize)sizeof request;
}

/* The answer is made in the call that asks, and in those that read. */
static void
read_routes (int fd, guint interface, IcsRouteGateway *best)
{
  g_autofree guint8 *part = g_malloc (PART_MAX);

  for (guint i = 0; i < PARTS_MAX && !best->complete; i++)
    {
      gssize n = recv (fd, part, PART_MAX, MSG_DONTWAIT);

      if (n <= 0)
        return;
      ics_route_messages_find_gateway (part, (gsize)n, interface, best);
    }
}

guint32
ics_default_gateway_find (guint32 local)
{
  IcsRouteGateway best = { 0 };
  guint interface = find_interface (local);
  int fd = interface != 0 ? ics_route_socket_open (0) : -1;

  if (fd < 0)
    return 0;
  if (ask_for_routes (fd))
    read_routes (fd, interface, &best);
  close (fd);
  return best.address;
}

#else

guint32
ics_default_gateway_find (G_GNUC_UNUSED guint32 local)
{
  return 0;
}

#endif
