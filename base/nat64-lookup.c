/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/nat64-lookup.h"
#include "base/deadline.h"
#include <netdb.h>
#include <netinet/in.h>

#define ADDRESSES_MAX 8
#define DISCARD_PORT 9
/* Routed like the Internet at large, and nobody's (RFC 7050 §8.2, RFC 3849). */
#define SOMEWHERE_IPV4 "192.0.0.170"
#define SOMEWHERE_IPV6 "2001:db8::1"

typedef struct
{
  char *host;
  IcsDeadline *deadline;
} Lookup;

void
ics_nat64_answer_free (IcsNat64Answer *self)
{
  g_list_free_full (self->addresses, g_object_unref);
  g_free (self);
}

static gboolean
has_route (const char *literal)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (literal, DISCARD_PORT);
  g_autoptr (GSocket) socket = g_socket_new (g_socket_address_get_family (address), G_SOCKET_TYPE_DATAGRAM,
                                             G_SOCKET_PROTOCOL_UDP, NULL);

  return socket != NULL && g_socket_connect (socket, address, NULL, NULL);
}

gboolean
ics_nat64_is_needed (void)
{
  return !has_route (SOMEWHERE_IPV4) && has_route (SOMEWHERE_IPV6);
}

/* Not GResolver: it asks for no IPv4 address where the host has none itself (AI_ADDRCONFIG). */
static struct addrinfo *
ask (const char *host, int family)
{
  struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM };
  struct addrinfo *found = NULL;

  return getaddrinfo (host, NULL, &hints, &found) == 0 ? found : NULL;
}

static gboolean
find_prefix (IcsNat64Prefix *prefix)
{
  struct addrinfo *all = ask (ICS_NAT64_KNOWN_NAME, AF_INET6);
  gboolean found = FALSE;

  for (struct addrinfo *i = all; i != NULL && !found; i = i->ai_next)
    found = ics_nat64_prefix_find (prefix, ((struct sockaddr_in6 *)(void *)i->ai_addr)->sin6_addr.s6_addr);
  if (all != NULL)
    freeaddrinfo (all);
  return found;
}

static GList *
translate (const IcsNat64Prefix *prefix, const char *host)
{
  struct addrinfo *all = ask (host, AF_INET);
  GList *translated = NULL;
  guint n = 0;

  for (struct addrinfo *i = all; i != NULL && n < ADDRESSES_MAX; i = i->ai_next)
    {
      const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)(void *)i->ai_addr;
      guint8 ipv6[ICS_NAT64_IPV6_LEN];

      ics_nat64_embed (prefix, (const guint8 *)&ipv4->sin_addr, ipv6);
      translated = g_list_append (translated, g_inet_address_new_from_bytes (ipv6, G_SOCKET_FAMILY_IPV6));
      n++;
    }
  if (all != NULL)
    freeaddrinfo (all);
  return translated;
}

static void
look_up (GTask *task, G_GNUC_UNUSED gpointer source, gpointer data, G_GNUC_UNUSED GCancellable *cancellable)
{
  const Lookup *lookup = data;
  g_autoptr (IcsNat64Answer) answer = g_new0 (IcsNat64Answer, 1);

  if (!find_prefix (&answer->prefix))
    {
      g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "this network tells of no NAT64");
      return;
    }
  if (lookup->host != NULL)
    answer->addresses = translate (&answer->prefix, lookup->host);
  g_task_return_pointer (task, g_steal_pointer (&answer), (GDestroyNotify)ics_nat64_answer_free);
}

/* In whichever thread is the last to need it: nothing here is bound to one. */
static void
lookup_free (gpointer data)
{
  Lookup *self = data;

  ics_deadline_free (self->deadline);
  g_free (self->host);
  g_free (self);
}

void
ics_nat64_lookup_async (const char *host, guint timeout_ms, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  Lookup *lookup = g_new0 (Lookup, 1);
  g_autoptr (GTask) task = NULL;

  lookup->host = g_strdup (host);
  lookup->deadline = ics_deadline_new (cancellable, timeout_ms);
  task = g_task_new (NULL, ics_deadline_get_cancellable (lookup->deadline), callback, user_data);
  g_task_set_source_tag (task, ics_nat64_lookup_async);
  g_task_set_task_data (task, lookup, lookup_free);
  /* A name server that does not answer holds the thread up for its own time, not the caller. */
  g_task_set_return_on_cancel (task, TRUE);
  g_task_run_in_thread (task, look_up);
}

IcsNat64Answer *
ics_nat64_lookup_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
