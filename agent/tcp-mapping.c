/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/tcp-mapping.h"
#include "agent/stun-peer.h"
#include <errno.h>
#include <string.h>
#include <stun/usages/bind.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_US (3 * G_USEC_PER_SEC)
#define STUN_HEADER 20

typedef struct
{
  GSource parent;
  IcsTcpMapping *mapping;
} MappingSource;

struct _IcsTcpMapping
{
  GSource *source;
  gpointer tag;
  int fd; /* -1: it could not be opened */
  StunAgent agent;
  guint8 answer[ICS_STUN_MESSAGE_MAX];
  gsize len;
  gboolean asked;
  IcsTcpMappingFunc done;
  gpointer user_data;
};

static const guint16 known_attributes[] = { STUN_ATTRIBUTE_MAPPED_ADDRESS, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                            STUN_ATTRIBUTE_ERROR_CODE, STUN_ATTRIBUTE_FINGERPRINT, 0 };

/* Nothing is read from the connection any more; it stays. */
static void
finish (IcsTcpMapping *self, const IcsSockaddr *mapped, const char *reason)
{
  g_source_destroy (self->source);
  self->done (mapped, reason, self->user_data);
}

static void
ask (IcsTcpMapping *self)
{
  guint8 request[ICS_STUN_MESSAGE_MAX];
  StunMessage message;
  gsize len = stun_usage_bind_create (&self->agent, &message, request, sizeof request);
  int error = ics_tcp_socket_get_error (self->fd);

  self->asked = TRUE;
  /* So little goes into an empty buffer, or the connection is of no use. */
  if (error == 0 && send (self->fd, request, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (gssize)len)
    error = errno;
  if (error != 0)
    finish (self, NULL, g_strerror (error));
  else
    g_source_modify_unix_fd (self->source, self->tag, G_IO_IN);
}

/* STUN frames itself over TCP (RFC 8489 §6.2.2): the length is in the header. */
static gsize
missing (const IcsTcpMapping *self)
{
  gsize whole = STUN_HEADER;

  if (self->len >= STUN_HEADER)
    whole += (gsize)(self->answer[2] << 8 | self->answer[3]);
  return MIN (whole, sizeof self->answer) - self->len;
}

static void
read_answer (IcsTcpMapping *self)
{
  StunMessage message;
  IcsSockaddr mapped = { 0 };
  struct sockaddr_storage other;
  socklen_t len = sizeof mapped, other_len = sizeof other;

  if (stun_agent_validate (&self->agent, &message, self->answer, self->len, NULL, NULL)
          == STUN_VALIDATION_SUCCESS
      && stun_usage_bind_process (&message, &mapped.any, &len, (struct sockaddr *)&other, &other_len)
             == STUN_USAGE_BIND_RETURN_SUCCESS)
    finish (self, &mapped, NULL);
  else
    finish (self, NULL, "the answer is not one to the question");
}

static void
read_some (IcsTcpMapping *self)
{
  gsize wanted = missing (self);
  gssize n = recv (self->fd, self->answer + self->len, wanted, MSG_DONTWAIT);

  if (n > 0)
    self->len += (gsize)n;
  if (n == 0)
    finish (self, NULL, "the server closed the connection");
  else if (n < 0 && errno != EAGAIN && errno != EINTR)
    finish (self, NULL, g_strerror (errno));
  else if (self->len >= STUN_HEADER && missing (self) == 0)
    read_answer (self);
}

static gboolean
dispatch (GSource *source, G_GNUC_UNUSED GSourceFunc callback, G_GNUC_UNUSED gpointer user_data)
{
  IcsTcpMapping *self = ((MappingSource *)source)->mapping;
  GIOCondition ready = self->tag != NULL ? g_source_query_unix_fd (source, self->tag) : 0;

  if (self->fd < 0)
    finish (self, NULL, "no connection can be opened");
  else if (ready == 0)
    finish (self, NULL, "no answer in time");
  else if (!self->asked)
    ask (self);
  else
    read_some (self);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

IcsTcpMapping *
ics_tcp_mapping_new (guint16 port, const IcsSockaddr *server, GMainContext *context, IcsTcpMappingFunc done,
                     gpointer user_data)
{
  IcsTcpMapping *self = g_new0 (IcsTcpMapping, 1);

  self->done = done;
  self->user_data = user_data;
  stun_agent_init (&self->agent, known_attributes, STUN_COMPATIBILITY_RFC5389, 0);
  self->fd = ics_tcp_socket_connect (port, server);
  self->source = g_source_new (&source_funcs, sizeof (MappingSource));
  g_source_set_static_name (self->source, "tcp-mapping");
  ((MappingSource *)self->source)->mapping = self;
  if (self->fd >= 0)
    self->tag = g_source_add_unix_fd (self->source, self->fd, G_IO_OUT);
  g_source_set_ready_time (self->source, self->fd >= 0 ? g_get_monotonic_time () + LIMIT_US : 0);
  g_source_attach (self->source, context);
  return self;
}

void
ics_tcp_mapping_free (IcsTcpMapping *self)
{
  g_source_destroy (self->source);
  g_source_unref (self->source);
  if (self->fd >= 0)
    close (self->fd);
  g_free (self);
}
