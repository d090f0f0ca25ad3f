/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses at the edge of sockets behind a NAT64; and real sockets, for which ::1 is 0.0.0.1 behind one. */
#include "agent/nat64-address.h"
#include "agent/punch-sockets.h"
#include "tests/suite.h"
#include "tests/wait.h"
#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENTED "2001:db8:64:ff9b::"
#define LOOPBACK "::"
#define PORT 5000

static void
make_prefix (IcsNat64Prefix *prefix, const char *text)
{
  guint8 bytes[ICS_NAT64_IPV6_LEN];

  ck_assert_int_eq (inet_pton (AF_INET6, text, bytes), 1);
  ck_assert (ics_nat64_prefix_init (prefix, bytes, 96));
}

static IcsSockaddr
ipv4 (const char *text, guint16 port)
{
  IcsSockaddr address = { .v4 = { .sin_family = AF_INET, .sin_port = g_htons (port) } };

  ck_assert_int_eq (inet_pton (AF_INET, text, &address.v4.sin_addr), 1);
  return address;
}

static IcsSockaddr
ipv6 (const char *text, guint16 port)
{
  IcsSockaddr address = { .v6 = { .sin6_family = AF_INET6, .sin6_port = g_htons (port) } };

  ck_assert_int_eq (inet_pton (AF_INET6, text, &address.v6.sin6_addr), 1);
  return address;
}

START_TEST (out_and_in_again)
{
  IcsSockaddr inside = ipv4 ("198.51.100.7", PORT), outside = ipv6 (DOCUMENTED "c633:6407", PORT);
  IcsNat64Prefix prefix;
  IcsSockaddr found;

  make_prefix (&prefix, DOCUMENTED);
  ics_nat64_outwards (&prefix, &inside.any, &found);
  ck_assert (ics_sockaddr_equal (&found, &outside, TRUE));
  ics_nat64_inwards (&prefix, &outside.any, &found);
  ck_assert (ics_sockaddr_equal (&found, &inside, TRUE));
}
END_TEST

/* Without a NAT64 all addresses do, with one those that are not within it. */
START_TEST (others_stay_as_they_are)
{
  const IcsNat64Prefix none = { .length = 0 };
  IcsSockaddr addresses[]
      = { ipv4 ("198.51.100.7", PORT), ipv6 (DOCUMENTED "c633:6407", PORT), ipv6 ("2001:db8::1", PORT) };
  IcsNat64Prefix prefix;
  IcsSockaddr found;

  make_prefix (&prefix, DOCUMENTED);
  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      ics_nat64_outwards (&none, &addresses[i].any, &found);
      ck_assert (ics_sockaddr_equal (&found, &addresses[i], TRUE));
      ics_nat64_inwards (&none, &addresses[i].any, &found);
      ck_assert (ics_sockaddr_equal (&found, &addresses[i], TRUE));
    }
  ics_nat64_outwards (&prefix, &addresses[2].any, &found);
  ck_assert (ics_sockaddr_equal (&found, &addresses[2], TRUE));
  ics_nat64_inwards (&prefix, &addresses[2].any, &found);
  ck_assert (ics_sockaddr_equal (&found, &addresses[2], TRUE));
}
END_TEST

typedef struct
{
  IcsPunchSockets *sockets;
  guint8 data[16];
  gsize len;
  guint socket;
  IcsSockaddr from;
} Host;

static void
on_received (guint socket, const guint8 *data, gsize len, const struct sockaddr *from, gpointer user_data)
{
  Host *host = user_data;

  ck_assert_uint_le (len, sizeof host->data);
  memcpy (host->data, data, len);
  host->len = len;
  host->socket = socket;
  ck_assert (ics_sockaddr_set (&host->from, from));
}

static void
on_timeout (G_GNUC_UNUSED gint64 now, G_GNUC_UNUSED gpointer user_data)
{
}

static gboolean
has_received (gpointer data)
{
  return ((Host *)data)->len > 0;
}

/* The host speaks to an IPv4 address from an IPv6 socket, and hears of IPv4 alone. */
START_TEST (sockets_write_and_read_the_other_family)
{
  static const IcsPunchSocketsHooks hooks = { .received = on_received, .timeout = on_timeout };
  IcsSockaddr local = ipv6 ("::1", 0), server = local, inside, from;
  socklen_t len = sizeof server, from_len = sizeof from;
  int fd = socket (AF_INET6, SOCK_DGRAM, 0);
  Host host = { .len = 0 };
  IcsNat64Prefix prefix;
  guint8 data[16];

  make_prefix (&prefix, LOOPBACK);
  ck_assert_int_eq (bind (fd, &server.any, sizeof server.v6), 0);
  ck_assert_int_eq (getsockname (fd, &server.any, &len), 0);
  inside = ipv4 ("0.0.0.1", ics_sockaddr_get_port (&server));
  host.sockets = ics_punch_sockets_new (&hooks, &host, &prefix, NULL);
  ck_assert_uint_eq (ics_punch_sockets_open (host.sockets, &local, 2), 2);
  ics_punch_sockets_send (host.sockets, 1, &inside.any, (const guint8 *)"there", 5);
  ck_assert_int_eq (recvfrom (fd, data, sizeof data, 0, &from.any, &from_len), 5);
  ck_assert_int_eq (sendto (fd, "back", 4, 0, &from.any, from_len), 4);
  WAIT (has_received, &host);
  ck_assert_mem_eq (host.data, "back", 4);
  ck_assert_uint_eq (host.socket, 1);
  ck_assert (ics_sockaddr_equal (&host.from, &inside, TRUE));
  ics_punch_sockets_free (host.sockets);
  close (fd);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { out_and_in_again, others_stay_as_they_are, sockets_write_and_read_the_other_family, NULL };

  return run_suite ("nat64-address", tests);
}
