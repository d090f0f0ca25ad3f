/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/server-lookup.h"
#include "agent/local-addresses.h"
#include "base/deadline.h"

#define NAT64_LOOKUP_MS 2000

struct _IcsServerLookup
{
  GCancellable *cancellable;
  GMainContext *context;
  IcsDeadline *deadline; /* of the name; NULL before it is looked up */
  char *host;
  guint16 port;
  int family;
  guint timeout_ms;
  IcsNat64Answer *nat64;    /* NULL: there is none, or none is wanted */
  IcsServerLookupFunc done; /* NULL once cancelled */
  gpointer user_data;
};

static void
lookup_free (IcsServerLookup *self)
{
  g_clear_pointer (&self->deadline, ics_deadline_free);
  g_clear_pointer (&self->nat64, ics_nat64_answer_free);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
  g_free (self->host);
  g_free (self);
}

/* The first address of the family with a route to it. */
static GInetAddress *
choose_of_family (GList *addresses, GSocketFamily family, guint16 port, GInetAddress **source)
{
  for (GList *i = addresses; i != NULL; i = i->next)
    if (g_inet_address_get_family (i->data) == family)
      {
        *source = ics_local_address_towards (i->data, port);
        if (*source != NULL)
          return i->data;
      }
  return NULL;
}

static void
report (IcsServerLookup *self, GList *addresses, const char *reason)
{
  g_autoptr (GInetAddress) source = NULL;
  g_autoptr (GSocketAddress) server = NULL;
  GInetAddress *chosen = NULL;

  if (self->family != 6)
    chosen = choose_of_family (addresses, G_SOCKET_FAMILY_IPV4, self->port, &source);
  if (chosen == NULL && self->family != 4)
    chosen = choose_of_family (addresses, G_SOCKET_FAMILY_IPV6, self->port, &source);
  if (chosen == NULL && self->nat64 != NULL)
    chosen = choose_of_family (self->nat64->addresses, G_SOCKET_FAMILY_IPV6, self->port, &source);
  if (chosen != NULL)
    server = g_inet_socket_address_new (chosen, self->port);
  self->done (&(IcsServerFound){ .server = (GInetSocketAddress *)server,
                                 .source = source,
                                 .reason = chosen != NULL   ? NULL
                                           : reason != NULL ? reason
                                                            : "no route to any of its addresses",
                                 .nat64 = self->nat64 != NULL ? &self->nat64->prefix : NULL },
              self->user_data);
}

static void
on_resolved (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  IcsServerLookup *self = user_data;
  g_autoptr (GError) error = NULL;
  GList *addresses = g_resolver_lookup_by_name_with_flags_finish (G_RESOLVER (resolver), result, &error);

  if (self->done != NULL && ics_deadline_has_passed (self->deadline))
    report (self, NULL, "the name server does not answer");
  else if (self->done != NULL)
    report (self, addresses, error != NULL ? error->message : NULL);
  g_resolver_free_addresses (addresses);
  lookup_free (self);
}

static GResolverNameLookupFlags
flags_for (int family)
{
  if (family == 4)
    return G_RESOLVER_NAME_LOOKUP_FLAGS_IPV4_ONLY;
  if (family == 6)
    return G_RESOLVER_NAME_LOOKUP_FLAGS_IPV6_ONLY;
  return G_RESOLVER_NAME_LOOKUP_FLAGS_DEFAULT;
}

static void
look_up_name (IcsServerLookup *self)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  g_main_context_push_thread_default (self->context);
  self->deadline = ics_deadline_new (self->cancellable, self->timeout_ms);
  g_resolver_lookup_by_name_with_flags_async (resolver, self->host, flags_for (self->family),
                                              ics_deadline_get_cancellable (self->deadline), on_resolved,
                                              self);
  g_main_context_pop_thread_default (self->context);
}

static void
on_nat64 (G_GNUC_UNUSED GObject *source, GAsyncResult *result, gpointer user_data)
{
  IcsServerLookup *self = user_data;

  self->nat64 = ics_nat64_lookup_finish (result, NULL);
  if (self->done != NULL && self->host != NULL)
    {
      look_up_name (self);
      return;
    }
  if (self->done != NULL)
    report (self, NULL, "none is wanted");
  lookup_free (self);
}

static void
look_for_nat64 (IcsServerLookup *self)
{
  g_main_context_push_thread_default (self->context);
  ics_nat64_lookup_async (self->host, NAT64_LOOKUP_MS, self->cancellable, on_nat64, self);
  g_main_context_pop_thread_default (self->context);
}

IcsServerLookup *
ics_server_lookup_start (const IcsServerLookupConfig *config, IcsServerLookupFunc done, gpointer user_data)
{
  IcsServerLookup *self = g_new0 (IcsServerLookup, 1);

  self->cancellable = g_cancellable_new ();
  self->context = g_main_context_ref (config->context);
  self->host = g_strdup (config->host);
  self->port = config->port;
  self->family = config->family;
  self->timeout_ms = config->timeout_ms;
  self->done = done;
  self->user_data = user_data;
  if (config->nat64)
    look_for_nat64 (self);
  else
    look_up_name (self);
  return self;
}

void
ics_server_lookup_cancel (IcsServerLookup *self)
{
  self->done = NULL;
  g_cancellable_cancel (self->cancellable);
}
