/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Globally routable addresses that are nobody's (RFC 5737, RFC 3849): routed like the Internet at large. */
#define SOMEWHERE_IPV4 "203.0.113.1"
#define SOMEWHERE_IPV6 "2001:db8::1"
#define DISCARD_PORT 9

void
ics_local_address_free (IcsLocalAddress *self)
{
  g_object_unref (self->address);
  g_free (self);
}

static GInetAddress *
inet_address_from_native (struct sockaddr *native)
{
  g_autoptr (GSocketAddress) address = NULL;
  gsize len;

  if (native == NULL)
    return NULL;
  if (native->sa_family == AF_INET)
    len = sizeof (struct sockaddr_in);
  else if (native->sa_family == AF_INET6)
    len = sizeof (struct sockaddr_in6);
  else
    return NULL;

  address = g_socket_address_new_from_native (native, len);
  return g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (address)));
}

/* The driver's name tells, in every network namespace; /sys shows the one in which it was mounted. */
static gboolean
is_bridge (int fd, const char *interface)
{
  struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
  struct ifreq request = { .ifr_data = (void *)&info };

  g_strlcpy (request.ifr_name, interface, sizeof request.ifr_name);
  return ioctl (fd, SIOCETHTOOL, &request) == 0 && strncmp (info.driver, "bridge", sizeof info.driver) == 0;
}

static IcsLocalKind
kind_of (int fd, const struct ifaddrs *entry)
{
  if ((entry->ifa_flags & IFF_POINTOPOINT) != 0)
    return ICS_LOCAL_TUNNEL;
  return is_bridge (fd, entry->ifa_name) ? ICS_LOCAL_BRIDGE : ICS_LOCAL_NETWORK;
}

GPtrArray *
ics_local_addresses_enumerate (void)
{
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_local_address_free);
  struct ifaddrs *all = NULL;

  if (getifaddrs (&all) != 0)
    all = NULL;
  for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
    {
      GInetAddress *address = inet_address_from_native (i->ifa_addr);
      IcsLocalAddress *entry;

      if (address == NULL)
        continue;
      entry = g_new0 (IcsLocalAddress, 1);
      entry->address = address;
      entry->up = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_RUNNING) != 0;
      entry->kind = kind_of (fd, i);
      g_ptr_array_add (entries, entry);
    }
  if (all != NULL)
    freeifaddrs (all);
  if (fd >= 0)
    close (fd);
  return entries;
}

static gboolean
matches_family (GInetAddress *address, int family)
{
  GSocketFamily own = g_inet_address_get_family (address);

  return family == 0 || own == (family == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
}

static gboolean
contains (GPtrArray *addresses, GInetAddress *address)
{
  for (guint i = 0; i < addresses->len; i++)
    if (g_inet_address_equal (g_ptr_array_index (addresses, i), address))
      return TRUE;
  return FALSE;
}

static gboolean
is_usable (const IcsLocalAddress *entry, int family, gboolean loopback)
{
  GInetAddress *address = entry->address;

  return entry->up && matches_family (address, family) && g_inet_address_get_is_loopback (address) == loopback
         && !g_inet_address_get_is_any (address) && !g_inet_address_get_is_multicast (address)
         && !(g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6
              && g_inet_address_get_is_link_local (address));
}

static void
collect_preferred (GPtrArray *chosen, GPtrArray *entries, int family, GPtrArray *preferred)
{
  for (guint i = 0; i < entries->len && chosen->len < ICS_LOCAL_ADDRESSES_MAX; i++)
    {
      IcsLocalAddress *entry = g_ptr_array_index (entries, i);

      if (is_usable (entry, family, FALSE) && contains (preferred, entry->address)
          && !contains (chosen, entry->address))
        g_ptr_array_add (chosen, g_object_ref (entry->address));
    }
}

static void
collect (GPtrArray *chosen, GPtrArray *entries, int family, gboolean loopback, IcsLocalKind kind)
{
  for (guint i = 0; i < entries->len && chosen->len < ICS_LOCAL_ADDRESSES_MAX; i++)
    {
      IcsLocalAddress *entry = g_ptr_array_index (entries, i);

      if (is_usable (entry, family, loopback) && entry->kind == kind && !contains (chosen, entry->address))
        g_ptr_array_add (chosen, g_object_ref (entry->address));
    }
}

GPtrArray *
ics_local_addresses_choose (GPtrArray *entries, int family, GPtrArray *preferred, IcsLocalKind last)
{
  GPtrArray *chosen = g_ptr_array_new_with_free_func (g_object_unref);

  collect_preferred (chosen, entries, family, preferred);
  for (guint kind = 0; kind <= ICS_LOCAL_BRIDGE && (kind <= last || chosen->len == 0); kind++)
    collect (chosen, entries, family, FALSE, kind);
  if (chosen->len == 0)
    collect (chosen, entries, family, TRUE, ICS_LOCAL_NETWORK);
  return chosen;
}

GInetAddress *
ics_local_address_towards (GInetAddress *destination, guint16 port)
{
  g_autoptr (GSocketAddress) remote = g_inet_socket_address_new (destination, port);
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (destination), G_SOCKET_TYPE_DATAGRAM,
                                             G_SOCKET_PROTOCOL_UDP, NULL);

  if (socket == NULL || !g_socket_connect (socket, remote, NULL, NULL))
    return NULL;
  local = g_socket_get_local_address (socket, NULL);
  if (local == NULL)
    return NULL;
  return g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (local)));
}

GPtrArray *
ics_local_addresses_get (int family)
{
  return ics_local_addresses_get_until (family, ICS_LOCAL_BRIDGE);
}

GPtrArray *
ics_local_addresses_get_until (int family, IcsLocalKind last)
{
  static const char *const somewhere[] = { SOMEWHERE_IPV4, SOMEWHERE_IPV6 };
  g_autoptr (GPtrArray) entries = ics_local_addresses_enumerate ();
  g_autoptr (GPtrArray) preferred = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < G_N_ELEMENTS (somewhere); i++)
    {
      g_autoptr (GInetAddress) destination = g_inet_address_new_from_string (somewhere[i]);
      GInetAddress *source = ics_local_address_towards (destination, DISCARD_PORT);

      if (source != NULL)
        g_ptr_array_add (preferred, source);
    }
  return ics_local_addresses_choose (entries, family, preferred, last);
}
