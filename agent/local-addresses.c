/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

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

GPtrArray *
ics_local_addresses_enumerate (void)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_local_address_free);
  struct ifaddrs *all = NULL;

  if (getifaddrs (&all) != 0)
    return entries;
  for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
    {
      GInetAddress *address = inet_address_from_native (i->ifa_addr);
      IcsLocalAddress *entry;

      if (address == NULL)
        continue;
      entry = g_new0 (IcsLocalAddress, 1);
      entry->address = address;
      entry->up = (i->ifa_flags & IFF_UP) != 0 && (i->ifa_flags & IFF_RUNNING) != 0;
      g_ptr_array_add (entries, entry);
    }
  freeifaddrs (all);
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
collect (GPtrArray *chosen, GPtrArray *entries, int family, gboolean loopback, GPtrArray *only)
{
  for (guint i = 0; i < entries->len && chosen->len < ICS_LOCAL_ADDRESSES_MAX; i++)
    {
      IcsLocalAddress *entry = g_ptr_array_index (entries, i);

      if (is_usable (entry, family, loopback) && !contains (chosen, entry->address)
          && (only == NULL || contains (only, entry->address)))
        g_ptr_array_add (chosen, g_object_ref (entry->address));
    }
}

GPtrArray *
ics_local_addresses_choose (GPtrArray *entries, int family, GPtrArray *preferred)
{
  GPtrArray *chosen = g_ptr_array_new_with_free_func (g_object_unref);

  collect (chosen, entries, family, FALSE, preferred);
  collect (chosen, entries, family, FALSE, NULL);
  if (chosen->len == 0)
    collect (chosen, entries, family, TRUE, NULL);
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
  return ics_local_addresses_choose (entries, family, preferred);
}
