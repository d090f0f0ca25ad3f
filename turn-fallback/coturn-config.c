/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/coturn-config.h"
#include "base/ics-error.h"
#include <string.h>

/* Allocations one user name may hold: a host uses one per address and per link. */
#define USER_QUOTA 16
#define TOTAL_QUOTA 1024

/* What no relay may be used to reach: everything that is not a public unicast address (RFC 6890), and IPv6
 * forms that carry an IPv4 address inside. The documentation ranges (RFC 5737) stay open: nothing lives
 * there. */
static const char *const denied[] = {
  "0.0.0.0-0.255.255.255",
  "10.0.0.0-10.255.255.255",
  "100.64.0.0-100.127.255.255",
  "127.0.0.0-127.255.255.255",
  "169.254.0.0-169.254.255.255",
  "172.16.0.0-172.31.255.255",
  "192.0.0.0-192.0.0.255",
  "192.88.99.0-192.88.99.255",
  "192.168.0.0-192.168.255.255",
  "198.18.0.0-198.19.255.255",
  "224.0.0.0-255.255.255.255",
  /* Loopback, IPv4-compatible and IPv4-mapped. From ::1, not from :: on: coturn 4.6 takes the unspecified
   * address for "no lower end" and would deny all of IPv4. It refuses the unspecified address as a peer by
   * itself. */
  "::1-::ffff:ffff:ffff",
  /* NAT64, RFC 6052 and RFC 8215 */
  "64:ff9b::-64:ff9b::ffff:ffff",
  "64:ff9b:1::-64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
  "100::-100::ffff:ffff:ffff:ffff",
  /* Teredo and others, 6to4 */
  "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
  "2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "fe80::-feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
};

static char *
last_of_prefix (GInetAddress *first, guint prefix)
{
  gsize size = g_inet_address_get_native_size (first);
  guint8 bytes[16];
  g_autoptr (GInetAddress) last = NULL;

  memcpy (bytes, g_inet_address_to_bytes (first), size);
  for (guint bit = prefix; bit < 8 * size; bit++)
    bytes[bit / 8] |= (guint8)(0x80 >> (bit % 8));
  last = g_inet_address_new_from_bytes (bytes, g_inet_address_get_family (first));
  return g_inet_address_to_string (last);
}

/* "first-last", both of one family. */
static char *
parse_ends (const char *range)
{
  g_auto (GStrv) ends = g_strsplit (range, "-", 2);
  g_autoptr (GInetAddress) first = g_inet_address_new_from_string (ends[0]);
  g_autoptr (GInetAddress) last = g_inet_address_new_from_string (ends[1] != NULL ? ends[1] : ends[0]);
  g_autofree char *a = NULL, *b = NULL;

  if (first == NULL || last == NULL || g_inet_address_get_family (first) != g_inet_address_get_family (last))
    return NULL;
  a = g_inet_address_to_string (first);
  b = g_inet_address_to_string (last);
  return g_strdup_printf ("%s-%s", a, b);
}

static char *
parse_range (const char *range, GError **error)
{
  g_autoptr (GInetAddressMask) mask = NULL;
  char *parsed = NULL;

  if (strchr (range, '/') == NULL)
    parsed = parse_ends (range);
  else if ((mask = g_inet_address_mask_new_from_string (range, NULL)) != NULL)
    {
      g_autofree char *first = g_inet_address_to_string (g_inet_address_mask_get_address (mask));
      g_autofree char *last
          = last_of_prefix (g_inet_address_mask_get_address (mask), g_inet_address_mask_get_length (mask));

      parsed = g_strdup_printf ("%s-%s", first, last);
    }
  if (parsed == NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no range of addresses", range);
  return parsed;
}

static gboolean
starts_in_loopback (const char *range)
{
  g_auto (GStrv) ends = g_strsplit (range, "-", 2);
  g_autoptr (GInetAddress) first = g_inet_address_new_from_string (ends[0]);

  return first != NULL && g_inet_address_get_is_loopback (first);
}

static gboolean
add_allowed (GString *text, const char *const *ranges, GError **error)
{
  gboolean loopback = FALSE;

  for (guint i = 0; ranges != NULL && ranges[i] != NULL; i++)
    {
      g_autofree char *range = parse_range (ranges[i], error);

      if (range == NULL)
        return FALSE;
      g_string_append_printf (text, "allowed-peer-ip=%s\n", range);
      loopback = loopback || starts_in_loopback (range);
    }
  /* coturn looks at this one before the allowed ranges. */
  if (loopback)
    g_string_append (text, "allow-loopback-peers\n");
  return TRUE;
}

static gboolean
add_addresses (GString *text, const IcsCoturnSettings *settings, GError **error)
{
  for (guint i = 0; i < settings->n_addresses; i++)
    {
      const IcsCoturnAddress *address = &settings->addresses[i];

      if (!g_hostname_is_ip_address (address->local)
          || (address->public != NULL && !g_hostname_is_ip_address (address->public)))
        {
          g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no address",
                       address->public != NULL ? address->public : address->local);
          return FALSE;
        }
      g_string_append_printf (text, "listening-ip=%s\nrelay-ip=%s\n", address->local, address->local);
      if (address->public != NULL)
        g_string_append_printf (text, "external-ip=%s/%s\n", address->public, address->local);
    }
  return TRUE;
}

/* A line of the file holds no line break. */
static gboolean
add_tls (GString *text, const IcsCoturnSettings *settings, GError **error)
{
  if (settings->tls_port == 0)
    {
      g_string_append (text, "no-tls\n");
      return TRUE;
    }
  if (strpbrk (settings->tls_cert, "\r\n") != NULL || strpbrk (settings->tls_key, "\r\n") != NULL)
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                           "the name of a certificate or key file has a line break in it");
      return FALSE;
    }
  g_string_append_printf (text, "tls-listening-port=%u\ncert=%s\npkey=%s\nno-tlsv1\nno-tlsv1_1\n",
                          settings->tls_port, settings->tls_cert, settings->tls_key);
  return TRUE;
}

typedef enum
{
  REACH_LOOPBACK,
  REACH_SITE,
  REACH_WORLD
} Reach;

static Reach
reach_of (GInetAddress *address)
{
  if (g_inet_address_get_is_loopback (address))
    return REACH_LOOPBACK;
  if (g_inet_address_get_is_site_local (address) || g_inet_address_get_is_link_local (address))
    return REACH_SITE;
  return REACH_WORLD;
}

/* RFC 5780: coturn answers from its other address of the same family, and names it. That is of use only when
 * all that hosts can reach one can reach the other, under the address that is named. NATs are an IPv4 matter:
 * with IPv4 addresses, which come first, the others do not count. */
static gboolean
can_discover_nats (const IcsCoturnSettings *settings)
{
  g_autoptr (GInetAddress) first = NULL;
  guint n = 0;

  for (guint i = 0; i < settings->n_addresses; i++)
    {
      g_autoptr (GInetAddress) address = g_inet_address_new_from_string (settings->addresses[i].local);

      if (first == NULL)
        first = g_object_ref (address);
      if (g_inet_address_get_family (first) != g_inet_address_get_family (address))
        continue;
      if (settings->addresses[i].public != NULL || reach_of (first) != reach_of (address))
        return FALSE;
      n++;
    }
  return n >= 2;
}

/* A second port of each address, for STUN: hosts see whether their NATs map anew for it (RFC 4787 §4.1). With
 * RFC 5780 it is there anyway. */
static void
add_second_ports (GString *text, const IcsCoturnSettings *settings)
{
  g_string_append (text, "no-rfc5780\n");
  for (guint i = 0; i < settings->n_addresses; i++)
    {
      const char *local = settings->addresses[i].local;

      g_string_append_printf (text,
                              strchr (local, ':') != NULL ? "aux-server=[%s]:%u\n" : "aux-server=%s:%u\n",
                              local, settings->port + 1u);
    }
}

char *
ics_coturn_compose (const IcsCoturnSettings *settings, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text,
                          "listening-port=%u\nmin-port=%u\nmax-port=%u\n"
                          "use-auth-secret\nstatic-auth-secret=%s\nrealm=%s\n",
                          settings->port, settings->min_port, settings->max_port, settings->secret,
                          settings->realm);
  g_string_append_printf (text, "user-quota=%u\ntotal-quota=%u\nstale-nonce=%u\nmax-allocate-lifetime=%u\n",
                          USER_QUOTA, TOTAL_QUOTA, settings->lifetime, settings->lifetime);
  g_string_append (text, "fingerprint\nno-cli\nno-dtls\nno-multicast-peers\n"
                         "no-software-attribute\nlog-file=stdout\nsimple-log\n");
  g_string_append_printf (text, "userdb=%s/db\npidfile=%s/pid\n", settings->dir, settings->dir);
  for (guint i = 0; i < G_N_ELEMENTS (denied); i++)
    g_string_append_printf (text, "denied-peer-ip=%s\n", denied[i]);
  if (!add_addresses (text, settings, error) || !add_tls (text, settings, error))
    return NULL;
  if (!can_discover_nats (settings))
    add_second_ports (text, settings);
  if (!add_allowed (text, settings->allow_peers, error))
    return NULL;
  return g_string_free (g_steal_pointer (&text), FALSE);
}
