/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/upnp-client.h"
#include <arpa/inet.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <string.h>

/* Devices of later versions answer to this as well. */
#define DEVICE_TYPE "urn:schemas-upnp-org:device:InternetGatewayDevice:1"
#define DISCOVERY_MS 1000
#define DISCOVERY_TTL 2
#define DESCRIPTION "ice-session"
#define PORT_TRIES 4
/* WANIPConnection:1 §2.4.16 */
#define ERROR_CONFLICT 718
#define ERROR_PERMANENT_LEASES_ONLY 725

/* Workers that are at it, of all links: a gateway that answers byte by byte keeps each for long. */
#define WORKERS_MAX 8
static int n_workers;

/* What both threads hold. */
typedef struct
{
  IcsUpnpConfig config;
  GMutex lock; /* for all that follows */
  GCond cond;
  IcsUpnpStatus status;
  gboolean release;
  gboolean asking;       /* there may be a mapping */
  GSource *news;         /* on its way to the client */
  IcsUpnpClient *client; /* NULL = freed */
} Shared;

struct _IcsUpnpClient
{
  Shared *shared;
  GThread *thread;
  void (*changed) (gpointer);
  gpointer user_data;
};

static void
shared_clear (gpointer data)
{
  Shared *shared = data;

  g_main_context_unref (shared->config.context);
  g_mutex_clear (&shared->lock);
  g_cond_clear (&shared->cond);
}

static void
shared_unref (gpointer data)
{
  g_atomic_rc_box_release_full (data, shared_clear);
}

/* --- from the worker to the context --- */

static gboolean
on_news (gpointer user_data)
{
  IcsUpnpClient *self = user_data;

  g_mutex_lock (&self->shared->lock);
  g_clear_pointer (&self->shared->news, g_source_unref);
  g_mutex_unlock (&self->shared->lock);
  self->changed (self->user_data);
  return G_SOURCE_REMOVE;
}

static void
publish (Shared *shared, const IcsUpnpStatus *status)
{
  g_mutex_lock (&shared->lock);
  shared->status = *status;
  if (shared->client != NULL && shared->news == NULL)
    {
      shared->news = g_idle_source_new ();
      g_source_set_priority (shared->news, G_PRIORITY_DEFAULT);
      g_source_set_callback (shared->news, on_news, shared->client, NULL);
      g_source_attach (shared->news, shared->config.context);
    }
  g_mutex_unlock (&shared->lock);
}

static void
publish_refusal (Shared *shared, const char *reason)
{
  IcsUpnpStatus status = { .state = ICS_UPNP_REFUSED, .reason = reason };

  publish (shared, &status);
}

/* FALSE: nobody wants a mapping any more. */
static gboolean
begin_asking (Shared *shared)
{
  g_mutex_lock (&shared->lock);
  shared->asking = !shared->release;
  g_mutex_unlock (&shared->lock);
  return shared->asking;
}

/* FALSE: release it. */
static gboolean
sleep_until (Shared *shared, gint64 when)
{
  gboolean release;

  g_mutex_lock (&shared->lock);
  while (!shared->release && g_cond_wait_until (&shared->cond, &shared->lock, when))
    ;
  release = shared->release;
  g_mutex_unlock (&shared->lock);
  return !release;
}

/* --- the worker: miniupnpc --- */

typedef struct
{
  struct UPNPUrls urls;
  struct IGDdatas data;
  char local[INET_ADDRSTRLEN];
  char internal_port[6], external_port[6], lease[11];
  guint16 port;
} Worker;

static void
address_to_text (guint32 address, char text[INET_ADDRSTRLEN])
{
  struct in_addr in = { .s_addr = htonl (address) };

  inet_ntop (AF_INET, &in, text, INET_ADDRSTRLEN);
}

/* Anybody may answer a search, and name any address. */
static gboolean
is_at (const char *url, guint32 address)
{
  g_autoptr (GUri) uri = g_uri_parse (url, G_URI_FLAGS_NONE, NULL);
  char text[INET_ADDRSTRLEN];

  address_to_text (address, text);
  return uri != NULL && g_strcmp0 (g_uri_get_scheme (uri), "http") == 0
         && g_strcmp0 (g_uri_get_host (uri), text) == 0;
}

static gboolean
find_gateway (Worker *worker, const IcsUpnpConfig *config)
{
  int error = 0;
  struct UPNPDev *devices = upnpDiscoverDevice (DEVICE_TYPE, DISCOVERY_MS, worker->local, NULL,
                                                UPNP_LOCAL_PORT_ANY, 0, DISCOVERY_TTL, &error);
  char own[INET_ADDRSTRLEN];
  gboolean found = FALSE;

  for (struct UPNPDev *device = devices; device != NULL && !found; device = device->pNext)
    {
      if (!is_at (device->descURL, config->gateway)
          || UPNP_GetIGDFromUrl (device->descURL, &worker->urls, &worker->data, own, sizeof own) != 1)
        continue;
      found = worker->urls.controlURL != NULL && is_at (worker->urls.controlURL, config->gateway)
              && strstr (worker->data.first.servicetype, "WAN") != NULL;
      if (!found)
        FreeUPNPUrls (&worker->urls);
    }
  freeUPNPDevlist (devices);
  return found;
}

/* 0 or an error of UPnP. The same call renews it. */
static int
add_mapping (Worker *worker, guint16 port)
{
  g_snprintf (worker->external_port, sizeof worker->external_port, "%u", port);
  worker->port = port;
  return UPNP_AddPortMapping (worker->urls.controlURL, worker->data.first.servicetype, worker->external_port,
                              worker->internal_port, worker->local, DESCRIPTION, "UDP", NULL, worker->lease);
}

static void
delete_mapping (Worker *worker)
{
  UPNP_DeletePortMapping (worker->urls.controlURL, worker->data.first.servicetype, worker->external_port,
                          "UDP", NULL);
}

/* The port of the host itself, else others. */
static int
choose_mapping (Worker *worker, guint16 port)
{
  int error = add_mapping (worker, port);

  for (guint i = 1; i < PORT_TRIES && error == ERROR_CONFLICT; i++)
    error = add_mapping (worker, (guint16)g_random_int_range (1024, G_MAXUINT16));
  return error;
}

static guint32
ask_for_address (Worker *worker)
{
  char text[40] = "";
  struct in_addr in;

  if (UPNP_GetExternalIPAddress (worker->urls.controlURL, worker->data.first.servicetype, text) != 0
      || inet_pton (AF_INET, text, &in) != 1)
    return 0;
  return ntohl (in.s_addr);
}

/* Returns when the mapping shall be given back, or can not be kept. */
static const char *
keep_mapping (Worker *worker, Shared *shared)
{
  gint64 half = shared->config.lifetime * G_USEC_PER_SEC / 2;
  gint64 renewed = g_get_monotonic_time ();

  while (sleep_until (shared, g_get_monotonic_time () + half))
    {
      if (add_mapping (worker, worker->port) == 0)
        renewed = g_get_monotonic_time ();
      else if (g_get_monotonic_time () - renewed > 2 * half)
        return "the mapping could not be renewed";
    }
  return NULL;
}

static void
use_gateway (Worker *worker, Shared *shared)
{
  IcsUpnpStatus status = { .state = ICS_UPNP_GRANTED, .external = ask_for_address (worker) };
  const char *lost = NULL;
  int error;

  if (status.external == 0)
    {
      publish_refusal (shared, "the gateway has no external address");
      return;
    }
  error = choose_mapping (worker, shared->config.port);
  if (error != 0)
    {
      publish_refusal (shared, error == ERROR_PERMANENT_LEASES_ONLY
                                   ? "the gateway maps for ever only, which is not wanted"
                                   : "the gateway refused");
      return;
    }
  status.external_port = worker->port;
  publish (shared, &status);
  lost = keep_mapping (worker, shared);
  delete_mapping (worker);
  status = (IcsUpnpStatus){ .state = lost != NULL ? ICS_UPNP_REFUSED : ICS_UPNP_OVER, .reason = lost };
  publish (shared, &status);
}

static gpointer
run_worker (gpointer user_data)
{
  Shared *shared = user_data;
  Worker worker = { 0 };

  address_to_text (shared->config.local, worker.local);
  g_snprintf (worker.internal_port, sizeof worker.internal_port, "%u", shared->config.port);
  g_snprintf (worker.lease, sizeof worker.lease, "%u", shared->config.lifetime);
  if (!find_gateway (&worker, &shared->config))
    publish_refusal (shared, "the gateway does not answer");
  else
    {
      if (begin_asking (shared))
        use_gateway (&worker, shared);
      FreeUPNPUrls (&worker.urls);
    }
  shared_unref (shared);
  g_atomic_int_add (&n_workers, -1);
  return NULL;
}

/* --- from birth to death --- */

/* FALSE: too many of them, or the system has none to give. */
static gboolean
start_worker (IcsUpnpClient *self)
{
  g_atomic_rc_box_acquire (self->shared);
  if (g_atomic_int_add (&n_workers, 1) < WORKERS_MAX)
    self->thread = g_thread_try_new ("ics-upnp", run_worker, self->shared, NULL);
  if (self->thread != NULL)
    return TRUE;
  shared_unref (self->shared);
  g_atomic_int_add (&n_workers, -1);
  return FALSE;
}

IcsUpnpClient *
ics_upnp_client_new (const IcsUpnpConfig *config, void (*changed) (gpointer), gpointer user_data)
{
  IcsUpnpClient *self = g_new0 (IcsUpnpClient, 1);

  self->changed = changed;
  self->user_data = user_data;
  self->shared = g_atomic_rc_box_new0 (Shared);
  self->shared->config = *config;
  g_main_context_ref (config->context);
  self->shared->client = self;
  g_mutex_init (&self->shared->lock);
  g_cond_init (&self->shared->cond);
  if (start_worker (self))
    return self;
  shared_unref (self->shared);
  g_free (self);
  return NULL;
}

void
ics_upnp_client_free (IcsUpnpClient *self)
{
  Shared *shared = self->shared;
  gboolean ended;

  g_mutex_lock (&shared->lock);
  ended = shared->status.state == ICS_UPNP_REFUSED || shared->status.state == ICS_UPNP_OVER;
  shared->release = TRUE;
  shared->client = NULL;
  if (shared->news != NULL)
    g_source_destroy (shared->news);
  g_clear_pointer (&shared->news, g_source_unref);
  g_cond_signal (&shared->cond);
  g_mutex_unlock (&shared->lock);
  /* A worker that has said its last word is at its end. */
  if (ended)
    g_thread_join (self->thread);
  else
    g_thread_unref (self->thread);
  shared_unref (shared);
  g_free (self);
}

IcsUpnpStatus
ics_upnp_client_get_status (IcsUpnpClient *self)
{
  IcsUpnpStatus status;

  g_mutex_lock (&self->shared->lock);
  status = self->shared->status;
  g_mutex_unlock (&self->shared->lock);
  return status;
}

gboolean
ics_upnp_client_release (IcsUpnpClient *self)
{
  gboolean asking;

  g_mutex_lock (&self->shared->lock);
  self->shared->release = TRUE;
  asking = self->shared->asking && self->shared->status.state != ICS_UPNP_REFUSED
           && self->shared->status.state != ICS_UPNP_OVER;
  g_cond_signal (&self->shared->cond);
  g_mutex_unlock (&self->shared->lock);
  return asking;
}
