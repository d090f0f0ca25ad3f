/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/gateway-client.h"
#include "agent/default-gateway.h"
#include "base/secret.h"
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 6887 §14.1.1, RFC 6886 §3.2.1 */
#define ALL_HOSTS 0xe0000001u /* 224.0.0.1 */
/* Read in one go; what is left comes next time. */
#define DATAGRAMS_AT_ONCE 16

/* Reference-counted: a callback may free it. */
struct _IcsGatewayClient
{
  IcsGatewayClientConfig config;
  void (*changed) (gpointer);
  gpointer user_data;
  GSource *source;
  guint32 gateway;
  int fd;       /* connected to the gateway's port */
  int listener; /* for announcements; -1 = not yet, or not to be had */
  GRand *random;
  IcsPortMap *map;
  IcsPortMapStatus told;
};

typedef struct
{
  GSource parent;
  IcsGatewayClient *client;
} ClientSource;

/* --- sockets --- */

static int
open_socket (guint32 address, guint16 port)
{
  struct sockaddr_in name
      = { .sin_family = AF_INET, .sin_port = htons (port), .sin_addr.s_addr = htonl (address) };
  const int on = 1;
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  if (port != 0)
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind (fd, (struct sockaddr *)&name, sizeof name) == 0)
    return fd;
  close (fd);
  return -1;
}

/* From then on the system takes datagrams of the gateway's port only (RFC 6887 §8.3). */
static gboolean
connect_to (int fd, guint32 gateway)
{
  struct sockaddr_in name = { .sin_family = AF_INET,
                              .sin_port = htons (ICS_PCP_SERVER_PORT),
                              .sin_addr.s_addr = htonl (gateway) };

  return connect (fd, (struct sockaddr *)&name, sizeof name) == 0;
}

static void
listen_to_announcements (IcsGatewayClient *self)
{
  if (self->listener >= 0)
    return;
  self->listener = open_socket (ALL_HOSTS, ICS_PCP_CLIENT_PORT);
  if (self->listener >= 0)
    g_source_add_unix_fd (self->source, self->listener, G_IO_IN);
}

/* --- in --- */

static void
receive_answers (IcsGatewayClient *self, gint64 now)
{
  guint8 data[ICS_PCP_MESSAGE_MAX + 1];

  for (guint i = 0; i < DATAGRAMS_AT_ONCE; i++)
    {
      gssize n = recv (self->fd, data, sizeof data, 0);

      if (n >= 0)
        ics_port_map_handle_input (self->map, now, data, (gsize)n);
      else if (errno == ECONNREFUSED)
        ics_port_map_handle_unreachable (self->map, now);
      else
        return;
    }
}

static gboolean
is_gateway (const IcsGatewayClient *self, const struct sockaddr_in *from)
{
  return from->sin_family == AF_INET && ntohl (from->sin_addr.s_addr) == self->gateway
         && ntohs (from->sin_port) == ICS_PCP_SERVER_PORT;
}

static void
receive_announcements (IcsGatewayClient *self, gint64 now)
{
  guint8 data[ICS_PCP_MESSAGE_MAX + 1];

  for (guint i = 0; i < DATAGRAMS_AT_ONCE; i++)
    {
      struct sockaddr_in from = { 0 };
      socklen_t len = sizeof from;
      gssize n = recvfrom (self->listener, data, sizeof data, 0, (struct sockaddr *)&from, &len);

      if (n < 0)
        return;
      if (is_gateway (self, &from))
        ics_port_map_handle_announcement (self->map, now, data, (gsize)n);
    }
}

/* --- out --- */

/* Before a renewal: another network may have another gateway for the same address. */
static void
follow_gateway (IcsGatewayClient *self, gint64 now)
{
  guint32 gateway;

  if (ics_gateway_client_get_status (self)->state != ICS_PORT_MAP_GRANTED
      || now < ics_port_map_next_timeout (self->map))
    return;
  gateway = ics_default_gateway_find (self->config.local);
  if (gateway == 0 || gateway == self->gateway || !connect_to (self->fd, gateway))
    return;
  self->gateway = gateway;
  ics_port_map_handle_new_gateway (self->map, now);
}

/* What cannot be sent is lost, and sent again. */
static void
send_requests (IcsGatewayClient *self, gint64 now)
{
  guint8 request[ICS_PCP_MAP_REQUEST_LEN];
  gsize len;

  while ((len = ics_port_map_poll (self->map, now, request)) > 0)
    if (send (self->fd, request, len, 0) < 0 && errno == ECONNREFUSED)
      ics_port_map_handle_unreachable (self->map, now);
}

static void
rearm (IcsGatewayClient *self)
{
  gint64 next = ics_port_map_next_timeout (self->map);

  g_source_set_ready_time (self->source, next == G_MAXINT64 ? -1 : next);
}

static gboolean
differs (const IcsPortMapStatus *a, const IcsPortMapStatus *b)
{
  return a->state != b->state || a->external != b->external || a->external_port != b->external_port
         || a->restarts != b->restarts;
}

static void
tell (IcsGatewayClient *self)
{
  const IcsPortMapStatus *status = ics_gateway_client_get_status (self);
  gboolean news = differs (status, &self->told);

  self->told = *status;
  if (news)
    self->changed (self->user_data);
}

static void
clear (gpointer data)
{
  IcsGatewayClient *self = data;

  ics_port_map_free (self->map);
  g_rand_free (self->random);
  g_main_context_unref (self->config.context);
  close (self->fd);
  if (self->listener >= 0)
    close (self->listener);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsGatewayClient *self = g_rc_box_acquire (((ClientSource *)source)->client);
  gint64 now = g_source_get_time (source);

  receive_answers (self, now);
  if (self->listener >= 0)
    receive_announcements (self, now);
  follow_gateway (self, now);
  ics_port_map_handle_timeout (self->map, now);
  send_requests (self, now);
  if (ics_gateway_client_get_status (self)->state == ICS_PORT_MAP_GRANTED)
    listen_to_announcements (self);
  rearm (self);
  tell (self);
  g_rc_box_release_full (self, clear);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* --- from birth to death --- */

static void
make_map (IcsGatewayClient *self)
{
  IcsPortMapConfig config = { .choice = self->config.choice,
                              .client = self->config.local,
                              .internal_port = self->config.port,
                              .lifetime = self->config.lifetime,
                              .random = self->random };

  ics_secret_init ();
  randombytes_buf (config.nonce, sizeof config.nonce);
  self->map = ics_port_map_new (g_get_monotonic_time (), &config);
}

IcsGatewayClient *
ics_gateway_client_new (const IcsGatewayClientConfig *config, void (*changed) (gpointer), gpointer user_data)
{
  guint32 gateway = ics_default_gateway_find (config->local);
  int fd = gateway != 0 ? open_socket (config->local, 0) : -1;
  IcsGatewayClient *self;

  if (fd < 0 || !connect_to (fd, gateway))
    {
      if (fd >= 0)
        close (fd);
      return NULL;
    }
  self = g_rc_box_new0 (IcsGatewayClient);
  self->config = *config;
  g_main_context_ref (config->context);
  self->changed = changed;
  self->user_data = user_data;
  self->gateway = gateway;
  self->fd = fd;
  self->listener = -1;
  self->random = g_rand_new ();
  make_map (self);
  self->source = g_source_new (&source_funcs, sizeof (ClientSource));
  g_source_set_static_name (self->source, "gateway-client");
  ((ClientSource *)self->source)->client = self;
  g_source_add_unix_fd (self->source, fd, G_IO_IN);
  rearm (self);
  g_source_attach (self->source, config->context);
  return self;
}

void
ics_gateway_client_free (IcsGatewayClient *self)
{
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
  g_rc_box_release_full (self, clear);
}

const IcsPortMapStatus *
ics_gateway_client_get_status (const IcsGatewayClient *self)
{
  return ics_port_map_get_status (self->map);
}

guint32
ics_gateway_client_get_gateway (const IcsGatewayClient *self)
{
  return self->gateway;
}

void
ics_gateway_client_refresh (IcsGatewayClient *self)
{
  ics_port_map_refresh (self->map, g_get_monotonic_time ());
  rearm (self);
}

void
ics_gateway_client_release (IcsGatewayClient *self)
{
  ics_port_map_release (self->map, g_get_monotonic_time ());
  g_source_set_ready_time (self->source, 0);
}
