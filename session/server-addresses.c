/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/server-addresses.h"
#include "agent/local-addresses.h"
#include "base/ics-error.h"
#include "turn-fallback/coturn-config.h"
#include <string.h>

static gboolean
is_any (GInetAddress *address)
{
  return g_inet_address_get_is_any (address);
}

GSocketAddress *
ics_server_parse_listen (const char *text, GError **error)
{
  g_autofree char *uri = g_strdup_printf ("x://%s", text);
  g_autoptr (GUri) parsed = g_uri_parse (uri, G_URI_FLAGS_NONE, NULL);
  const char *host = parsed != NULL ? g_uri_get_host (parsed) : NULL;
  int port = parsed != NULL ? g_uri_get_port (parsed) : -1;
  GSocketAddress *address = NULL;

  if (host != NULL && port >= 0 && *g_uri_get_path (parsed) == '\0')
    address = g_inet_socket_address_new_from_string (host, (guint)port);
  if (address == NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no ADDRESS:PORT", text);
  return address;
}

static void
clear_address (gpointer data)
{
  IcsCoturnAddress *address = data;

  g_free (address->local);
  g_free (address->public);
}

static gboolean
is_local (GInetAddress *address)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new (address, 0);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                                             G_SOCKET_PROTOCOL_UDP, NULL);

  return socket != NULL && g_socket_bind (socket, socket_address, FALSE, NULL);
}

static void
add (GArray *addresses, GInetAddress *local, const char *public)
{
  IcsCoturnAddress address = { g_inet_address_to_string (local), g_strdup (public) };

  g_array_append_val (addresses, address);
}

static gboolean
add_public (GArray *addresses, const char *text, GError **error)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  g_autoptr (GPtrArray) own = NULL;

  if (address == NULL)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no IP address", text);
      return FALSE;
    }
  if (is_local (address))
    {
      add (addresses, address, NULL);
      return TRUE;
    }
  own = ics_local_addresses_get (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4 ? 4 : 6);
  if (own->len > 0)
    add (addresses, own->pdata[0], text);
  return TRUE;
}

static void
add_listen (GArray *addresses, const char *text)
{
  g_autoptr (GSocketAddress) parsed = ics_server_parse_listen (text, NULL);
  GInetAddress *address
      = parsed != NULL ? g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (parsed)) : NULL;

  if (address != NULL && !is_any (address))
    add (addresses, address, NULL);
}

static gboolean
is_ipv6 (const IcsCoturnAddress *address)
{
  return strchr (address->local, ':') != NULL;
}

static void
put_ipv4_first (GArray *addresses)
{
  guint n_ipv4 = 0;

  for (guint i = 0; i < addresses->len; i++)
    {
      IcsCoturnAddress address = g_array_index (addresses, IcsCoturnAddress, i);

      if (is_ipv6 (&address))
        continue;
      memmove (&g_array_index (addresses, IcsCoturnAddress, n_ipv4 + 1),
               &g_array_index (addresses, IcsCoturnAddress, n_ipv4),
               (i - n_ipv4) * sizeof (IcsCoturnAddress));
      g_array_index (addresses, IcsCoturnAddress, n_ipv4++) = address;
    }
}

static void
remove_doubles (GArray *addresses)
{
  for (guint i = addresses->len; i > 1; i--)
    for (guint j = 0; j + 1 < i; j++)
      if (g_str_equal (g_array_index (addresses, IcsCoturnAddress, i - 1).local,
                       g_array_index (addresses, IcsCoturnAddress, j).local))
        {
          g_array_remove_index (addresses, i - 1);
          break;
        }
}

GArray *
ics_server_turn_addresses (const char *const *public, const char *const *listen, GError **error)
{
  g_autoptr (GArray) addresses = g_array_new (FALSE, FALSE, sizeof (IcsCoturnAddress));

  g_array_set_clear_func (addresses, clear_address);
  for (guint i = 0; public != NULL && public[i] != NULL; i++)
    if (!add_public (addresses, public[i], error))
      return NULL;
  for (guint i = 0, n_public = addresses->len; n_public == 0 && listen[i] != NULL; i++)
    add_listen (addresses, listen[i]);
  if (addresses->len == 0)
    {
      g_autoptr (GPtrArray) own = ics_local_addresses_get (0);

      for (guint i = 0; i < own->len; i++)
        add (addresses, own->pdata[i], NULL);
    }
  put_ipv4_first (addresses);
  remove_doubles (addresses);
  return g_steal_pointer (&addresses);
}

static gboolean
serves (GInetAddress *bound, const char *public)
{
  /* The IPv6 wildcard takes both families. */
  return g_inet_address_get_family (bound) == G_SOCKET_FAMILY_IPV6 || strchr (public, ':') == NULL;
}

char *
ics_server_url (GInetSocketAddress *bound, const char *const *public, gboolean tls)
{
  GInetAddress *address = g_inet_socket_address_get_address (bound);
  g_autofree char *literal = g_inet_address_to_string (address);
  const char *host = literal;

  for (guint i = 0; is_any (address) && host == literal && public != NULL && public[i] != NULL; i++)
    if (serves (address, public[i]))
      host = public[i];
  return g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]:%u" : "%s://%s:%u", tls ? "wss" : "ws",
                          host, g_inet_socket_address_get_port (bound));
}
