/* SPDX-License-Identifier: LGPL-2.1-or-later */
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
  const SuiteLoop tests[]
      = { { test_what_matters, 6 }, { test_cut_messages, 1 }, { test_addresses, 1 }, { test_quiet, 1 } };

  return run_loops ("network watch", tests, G_N_ELEMENTS (tests));
}
