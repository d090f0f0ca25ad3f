/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-congestion.h"
#include <linux/tcp.h> /* knows more of tcp_info than netinet/tcp.h */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_SIZE 16 /* TCP_CA_NAME_MAX */

static gboolean
is_bbr (int fd)
{
  char name[NAME_SIZE] = "";
  socklen_t len = sizeof name;

  return getsockopt (fd, IPPROTO_TCP, TCP_CONGESTION, name, &len) == 0 && strncmp (name, "bbr", 3) == 0;
}

static gboolean
is_false (int fd, gint64 rtt_us)
{
  struct tcp_info info = { 0 };
  socklen_t len = sizeof info;

  return getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 && info.tcpi_min_rtt > 0
         && 2 * (gint64)info.tcpi_min_rtt < rtt_us;
}

const char *
ics_tcp_congestion_mend (int fd, gint64 rtt_us)
{
  static const char *const others[] = { "cubic", "reno" }; /* Linux always has the second */

  if (!is_bbr (fd) || !is_false (fd, rtt_us))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    if (setsockopt (fd, IPPROTO_TCP, TCP_CONGESTION, others[i], (socklen_t)strlen (others[i])) == 0)
      return others[i];
  return NULL;
}
