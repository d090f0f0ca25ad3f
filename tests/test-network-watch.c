/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/default-gateway.h"
#include "agent/network-watch.h"
#include "agent/route-messages.h"
#include "tests/suite.h"

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

typedef struct
{
  guint8 data[512];
  gsize len;
} Wire;

static void
add (Wire *wire, guint16 type, gconstpointer payload, gsize len)
{
  struct nlmsghdr header = { .nlmsg_len = (guint32)NLMSG_LENGTH (len), .nlmsg_type = type };

  memset (wire->data + wire->len, 0, NLMSG_SPACE (len));
  memcpy (wire->data + wire->len, &header, sizeof header);
  memcpy (wire->data + wire->len + NLMSG_HDRLEN, payload, len);
  wire->len += NLMSG_SPACE (len);
}

static gboolean
matters (const Wire *wire)
{
  /* A copy of the very size, so that a sanitizer sees what is read beyond. */
  g_autofree guint8 *exact = g_memdup2 (wire->data, wire->len);

  return ics_route_messages_matter (exact, wire->len);
}

static void
add_address (Wire *wire, guint16 type, guint8 flags)
{
  struct ifaddrmsg address = { .ifa_family = AF_INET6, .ifa_flags = flags };

  add (wire, type, &address, sizeof address);
}

static void
add_route (Wire *wire, guint16 type, guint flags)
{
  struct rtmsg route = { .rtm_family = AF_INET, .rtm_flags = flags };

  add (wire, type, &route, sizeof route);
}

START_TEST (test_what_matters)
{
  struct ifinfomsg link = { .ifi_index = 2 };
  Wire wire = { .len = 0 };

  ck_assert (!matters (&wire));
  add (&wire, NLMSG_DONE, &link, 4);
  add (&wire, RTM_NEWNEIGH, &link, sizeof link);
  add_address (&wire, RTM_NEWADDR, IFA_F_TENTATIVE);
  add_route (&wire, RTM_NEWROUTE, RTM_F_CLONED);
  add_route (&wire, RTM_DELROUTE, RTM_F_CLONED);
  ck_assert (!matters (&wire));
  switch (_i)
    {
    case 0:
      add_address (&wire, RTM_NEWADDR, IFA_F_PERMANENT);
      break;
    case 1:
      add_address (&wire, RTM_DELADDR, IFA_F_TENTATIVE);
      break;
    case 2:
      add (&wire, RTM_NEWLINK, &link, sizeof link);
      break;
    case 3:
      add (&wire, RTM_DELLINK, &link, sizeof link);
      break;
    case 4:
      add_route (&wire, RTM_NEWROUTE, 0);
      break;
    case 5:
      add_route (&wire, RTM_DELROUTE, 0);
      break;
    }
  ck_assert (matters (&wire));
}
END_TEST

/* What was cut off, or is nonsense, may have mattered. Nothing is read that is not there. */
START_TEST (test_cut_messages)
{
  Wire wire = { .len = 0 };
  gsize whole;

  add_route (&wire, RTM_NEWROUTE, RTM_F_CLONED);
  whole = wire.len;
  for (gsize len = 1; len < whole; len++)
    {
      wire.len = len;
      ck_assert (matters (&wire));
    }
  wire.len = whole;
  ck_assert (!matters (&wire));
  for (guint32 wrong = 0; wrong < NLMSG_HDRLEN; wrong++)
    {
      memcpy (wire.data, &wrong, sizeof wrong);
      ck_assert (matters (&wire));
    }
  memset (wire.data, 0xff, sizeof wire.data);
  ck_assert (matters (&wire));
}
END_TEST

/* --- default routes --- */

typedef struct
{
  guint8 table, destination_len, type;
  guint32 interface, metric, gateway;
} DefaultRoute;

static void
add_attribute (guint8 *payload, gsize *len, guint16 type, guint32 value)
{
  struct rtattr attribute = { .rta_len = RTA_LENGTH (sizeof value), .rta_type = type };

  memcpy (payload + *len, &attribute, sizeof attribute);
  memcpy (payload + *len + RTA_LENGTH (0), &value, sizeof value);
  *len += RTA_SPACE (sizeof value);
}

static void
add_default_route (Wire *wire, const DefaultRoute *route)
{
  struct rtmsg header = { .rtm_family = AF_INET,
                          .rtm_table = route->table,
                          .rtm_dst_len = route->destination_len,
                          .rtm_type = route->type };
  guint8 payload[128] = { 0 };
  gsize len = NLMSG_ALIGN (sizeof header);

  memcpy (payload, &header, sizeof header);
  add_attribute (payload, &len, RTA_TABLE, route->table);
  add_attribute (payload, &len, RTA_PRIORITY, route->metric);
  if (route->gateway != 0)
    add_attribute (payload, &len, RTA_GATEWAY, GUINT32_TO_BE (route->gateway));
  add_attribute (payload, &len, RTA_OIF, route->interface);
  add (wire, RTM_NEWROUTE, payload, len);
}

static IcsRouteGateway
find_gateway (const Wire *wire, gsize len)
{
  g_autofree guint8 *exact = g_memdup2 (wire->data, len);
  IcsRouteGateway best = { 0 };

  ics_route_messages_find_gateway (exact, len, 3, &best);
  return best;
}

START_TEST (test_gateways)
{
  static const DefaultRoute others[] = {
    { RT_TABLE_MAIN, 24, RTN_UNICAST, 3, 0, 0x0a000001 }, /* no default route */
    { RT_TABLE_MAIN, 0, RTN_UNICAST, 4, 0, 0x0a000002 },  /* over another interface */
    { 100, 0, RTN_UNICAST, 3, 0, 0x0a000003 },            /* for others */
    { RT_TABLE_MAIN, 0, RTN_BLACKHOLE, 3, 0, 0x0a000004 },
    { RT_TABLE_MAIN, 0, RTN_UNICAST, 3, 0, 0 }, /* nobody in between */
  };
  Wire wire = { .len = 0 };
  IcsRouteGateway best;

  for (guint i = 0; i < G_N_ELEMENTS (others); i++)
    add_default_route (&wire, &others[i]);
  best = find_gateway (&wire, wire.len);
  ck_assert (!best.found && !best.complete);

  wire.len = 0;
  add_default_route (&wire, &(DefaultRoute){ RT_TABLE_MAIN, 0, RTN_UNICAST, 3, 600, 0x0a000005 });
  add_default_route (&wire, &(DefaultRoute){ RT_TABLE_MAIN, 0, RTN_UNICAST, 3, 100, 0x0a000006 });
  add_default_route (&wire, &(DefaultRoute){ RT_TABLE_MAIN, 0, RTN_UNICAST, 3, 200, 0x0a000007 });
  best = find_gateway (&wire, wire.len);
  ck_assert_uint_eq (best.address, 0x0a000006);
  ck_assert_uint_eq (best.metric, 100);
  ck_assert (!best.complete);
  add (&wire, NLMSG_DONE, "\0\0\0", 4);
  ck_assert (find_gateway (&wire, wire.len).complete);
}
END_TEST

START_TEST (test_cut_routes)
{
  Wire wire = { .len = 0 };
  gsize whole;

  add_default_route (&wire, &(DefaultRoute){ RT_TABLE_MAIN, 0, RTN_UNICAST, 3, 0, 0x0a000001 });
  whole = wire.len;
  ck_assert (find_gateway (&wire, whole).found);
  for (gsize len = 1; len < whole; len++)
    ck_assert (!find_gateway (&wire, len).found && find_gateway (&wire, len).complete);
  /* Attributes that say they are longer, or shorter, than they are. */
  for (guint8 wrong = 0; wrong < 255; wrong++)
    {
      wire.data[NLMSG_HDRLEN + sizeof (struct rtmsg)] = wrong;
      ck_assert (!find_gateway (&wire, whole).complete);
    }
}
END_TEST

START_TEST (test_gateway_of_the_loopback)
{
  ck_assert_uint_eq (ics_default_gateway_find (0x7f000001), 0);
  ck_assert_uint_eq (ics_default_gateway_find (0xc000024d), 0); /* 192.0.2.77 is nobody's */
}
END_TEST

START_TEST (test_addresses)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetAddress) nobody = g_inet_address_new_from_string ("192.0.2.77");

  ck_assert (ics_network_has_address (loopback));
  ck_assert (ics_network_has_address (any));
  ck_assert (!ics_network_has_address (nobody));
}
END_TEST

static void
never (gpointer user_data)
{
  ck_abort_msg ("nothing changed");
}

/* It says nothing of its own accord, and goes as it came. */
START_TEST (test_quiet)
{
  const IcsNetworkWatchCallbacks callbacks = { .lost = never, .changed = never };
  IcsNetworkWatch *watch = ics_network_watch_new (&callbacks, NULL);

  while (g_main_context_iteration (NULL, FALSE))
    ;
  ics_network_watch_free (watch);
  ics_network_watch_free (NULL);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_what_matters, 6 },
                              { test_cut_messages, 1 },
                              { test_gateways, 1 },
                              { test_cut_routes, 1 },
                              { test_gateway_of_the_loopback, 1 },
                              { test_addresses, 1 },
                              { test_quiet, 1 } };

  return run_loops ("network watch", tests, G_N_ELEMENTS (tests));
}
