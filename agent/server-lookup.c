/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/server-lookup.h"
#include "agent/local-addresses.h"

struct _IcsServerLookup
{
  GCancellable *cancellable;
  GSource *limit;
  gboolean timed_out;
  guint16 port;
  int family;
  const IcsNat64Answer *nat64;
  IcsServerLookupFunc done; /* NULL once cancelled */
  gpointer user_data;
};

static void
lookup_free (IcsServerLookup *self)
{
  g_source_destroy (self->limit);
  g_source_unref (self->limit);
  g_object_unref (self->cancellable);
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
  self->done ((GInetSocketAddress *)server, source,
              chosen != NULL ? NULL : (reason != NULL ? reason : "no route to any of its addresses"),
              self->user_data);
}

static void
on_resolved (GObject *resolver, GAsyncResult *result, gpointer user_data)
{
  IcsServerLookup *self = user_data;
  g_autoptr (GError) error = NULL;
  GList *addresses = g_resolver_lookup_by_name_with_flags_finish (G_RESOLVER (resolver), result, &error);

  if (self->done != NULL && self->timed_out)
    report (self, NULL, "the name server does not answer");
  else if (self->done != NULL)
    report (self, addresses, error != NULL ? error->message : NULL);
  g_resolver_free_addresses (addresses);
  lookup_free (self);
}

static gboolean
on_limit (gpointer user_data)
{
  IcsServerLookup *self = user_data;

  self->timed_out = TRUE;
  g_cancellable_cancel (self->cancellable);
  return G_SOURCE_REMOVE;
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

IcsServerLookup *
ics_server_lookup_start (const IcsServerLookupConfig *config, IcsServerLookupFunc done, gpointer user_data)
{
  IcsServerLookup *self = g_new0 (IcsServerLookup, 1);
  g_autoptr (GResolver) resolver = g_resolver_get_default ();

  self->cancellable = g_cancellable_new ();
  self->port = config->port;
  self->family = config->family;
  self->nat64 = config->nat64;
  self->done = done;
  self->user_data = user_data;
  self->limit = g_timeout_source_new (config->timeout_ms);
  g_source_set_callback (self->limit, on_limit, self, NULL);
  g_source_attach (self->limit, config->context);

  g_main_context_push_thread_default (config->context);
  g_resolver_lookup_by_name_with_flags_async (resolver, config->host, flags_for (config->family),
                                              self->cancellable, on_resolved, self);
  g_main_context_pop_thread_default (config->context);
  return self;
}

void
ics_server_lookup_cancel (IcsServerLookup *self)
{
  self->done = NULL;
  g_cancellable_cancel (self->cancellable);
}
