/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/gateway-survey.h"
#include "agent/default-gateway.h"
#include "agent/gateway-client.h"
#include "agent/local-addresses.h"
#include "agent/upnp-client.h"
#include "base/timeout.h"
#include <string.h>

/* RFC 6887 §15: a gateway may grant no less. So long stays what could not be given back. */
#define LIFETIME_S 120
#define PATIENCE_MS 4000
#define FAREWELL_MS 1000

/* One protocol, with a port of its own: a gateway may take two mappings of one port for the same. */
typedef struct
{
  IcsGatewaySurvey *survey;
  GSocket *socket;
  guint16 port;
  IcsGatewayFinding finding;
  gboolean known;
  IcsGatewayClient *client; /* PCP, NAT-PMP; NULL: nothing is asked for any more */
  IcsUpnpClient *upnp;
} Question;

struct _IcsGatewaySurvey
{
  GMainContext *context;
  IcsGatewaySurveyFunc done;
  gpointer user_data;
  guint32 local, gateway; /* 0 = none */
  Question questions[ICS_GATEWAY_N_PROTOCOLS];
  GSource *timer;
};

/* --- the end --- */

static gboolean
on_end (gpointer user_data)
{
  IcsGatewaySurvey *self = user_data;
  IcsGatewaySurveyFunc done = self->done;
  gpointer done_data = self->user_data;
  IcsGatewayFinding findings[ICS_GATEWAY_N_PROTOCOLS];

  ics_timeout_clear (&self->timer);
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    {
      findings[i] = self->questions[i].finding;
      g_clear_pointer (&self->questions[i].client, ics_gateway_client_free);
      g_clear_pointer (&self->questions[i].upnp, ics_upnp_client_free);
      g_clear_object (&self->questions[i].socket);
    }
  g_main_context_unref (self->context);
  g_free (self);
  done (findings, done_data);
  return G_SOURCE_REMOVE;
}

static void
set_timer (IcsGatewaySurvey *self, guint ms, GSourceFunc callback)
{
  ics_timeout_clear (&self->timer);
  self->timer = g_timeout_source_new (ms);
  g_source_set_callback (self->timer, callback, self, NULL);
  g_source_attach (self->timer, self->context);
}

static gboolean
is_idle (IcsGatewaySurvey *self)
{
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    if (self->questions[i].client != NULL || self->questions[i].upnp != NULL)
      return FALSE;
  return TRUE;
}

static void
end_if_idle (IcsGatewaySurvey *self)
{
  if (is_idle (self))
    set_timer (self, 0, on_end);
}

static void
release (Question *question)
{
  if (question->client != NULL)
    ics_gateway_client_release (question->client);
  if (question->upnp != NULL && !ics_upnp_client_release (question->upnp))
    g_clear_pointer (&question->upnp, ics_upnp_client_free);
}

void
ics_gateway_survey_stop (IcsGatewaySurvey *self)
{
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    {
      self->questions[i].known = TRUE;
      release (&self->questions[i]);
    }
  set_timer (self, is_idle (self) ? 0 : FAREWELL_MS, on_end);
}

static gboolean
on_patience_over (gpointer user_data)
{
  ics_gateway_survey_stop (user_data);
  return G_SOURCE_REMOVE;
}

/* --- answers --- */

static void
learn (Question *question, IcsFact maps, guint32 external, const char *reason)
{
  if (question->known)
    return;
  question->known = TRUE;
  question->finding = (IcsGatewayFinding){ .maps = maps, .external = external, .reason = reason };
}

static void
on_client_changed (gpointer user_data)
{
  Question *question = user_data;
  const IcsPortMapStatus *status = ics_gateway_client_get_status (question->client);

  switch (status->state)
    {
    case ICS_PORT_MAP_SEEKING:
    case ICS_PORT_MAP_RELEASING:
      break;
    case ICS_PORT_MAP_GRANTED:
      learn (question, ICS_FACT_YES, status->external, NULL);
      release (question);
      break;
    case ICS_PORT_MAP_REFUSED:
      learn (question, ICS_FACT_NO, 0, status->reason);
      g_clear_pointer (&question->client, ics_gateway_client_free);
      break;
    case ICS_PORT_MAP_OVER:
      g_clear_pointer (&question->client, ics_gateway_client_free);
      break;
    }
  end_if_idle (question->survey);
}

static void
on_upnp_changed (gpointer user_data)
{
  Question *question = user_data;
  IcsUpnpStatus status = ics_upnp_client_get_status (question->upnp);

  switch (status.state)
    {
    case ICS_UPNP_SEEKING:
      break;
    case ICS_UPNP_GRANTED:
      learn (question, ICS_FACT_YES, status.external, NULL);
      release (question);
      break;
    case ICS_UPNP_REFUSED:
      learn (question, ICS_FACT_NO, 0, status.reason);
      g_clear_pointer (&question->upnp, ics_upnp_client_free);
      break;
    case ICS_UPNP_OVER:
      g_clear_pointer (&question->upnp, ics_upnp_client_free);
      break;
    }
  end_if_idle (question->survey);
}

/* --- questions --- */

/* The address of this host that a gateway is reached from. */
static void
find_gateway (IcsGatewaySurvey *self, int family)
{
  g_autoptr (GPtrArray) addresses = family != 6 ? ics_local_addresses_get (4) : g_ptr_array_new ();

  for (guint i = 0; i < addresses->len && self->gateway == 0; i++)
    {
      guint32 raw;

      memcpy (&raw, g_inet_address_to_bytes (addresses->pdata[i]), sizeof raw);
      self->local = GUINT32_FROM_BE (raw);
      self->gateway = ics_default_gateway_find (self->local);
    }
}

/* A port of this host's own: what a stranger sends to it meanwhile reaches nobody. FALSE: there is none. */
static gboolean
take_port (Question *question)
{
  guint32 raw = GUINT32_TO_BE (question->survey->local);
  g_autoptr (GInetAddress) local = g_inet_address_new_from_bytes ((guint8 *)&raw, G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (local, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  question->socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  if (question->socket == NULL || !g_socket_bind (question->socket, any, FALSE, NULL))
    return FALSE;
  bound = g_socket_get_local_address (question->socket, NULL);
  question->port = bound != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)) : 0;
  return question->port != 0;
}

static void
ask_client (Question *question, IcsPortMapChoice choice)
{
  IcsGatewayClientConfig config = { .local = question->survey->local,
                                    .port = question->port,
                                    .lifetime = LIFETIME_S,
                                    .choice = choice,
                                    .context = question->survey->context };

  question->client = ics_gateway_client_new (&config, on_client_changed, question);
}

static void
ask_upnp (Question *question)
{
  IcsUpnpConfig config = { .local = question->survey->local,
                           .port = question->port,
                           .gateway = question->survey->gateway,
                           .lifetime = LIFETIME_S,
                           .context = question->survey->context };

  question->upnp = ics_upnp_client_new (&config, on_upnp_changed, question);
}

static void
ask (Question *question, IcsGatewayProtocol protocol)
{
  question->finding.reason = "no answer in time";
  if (!take_port (question))
    {
      question->finding.reason = "no port of this host could be opened";
      return;
    }
  switch (protocol)
    {
    case ICS_GATEWAY_PCP:
      ask_client (question, ICS_PORT_MAP_ONLY_PCP);
      break;
    case ICS_GATEWAY_NAT_PMP:
      ask_client (question, ICS_PORT_MAP_ONLY_NAT_PMP);
      break;
    case ICS_GATEWAY_UPNP:
      ask_upnp (question);
      break;
    }
}

IcsGatewaySurvey *
ics_gateway_survey_start (int family, GMainContext *context, IcsGatewaySurveyFunc done, gpointer user_data)
{
  IcsGatewaySurvey *self = g_new0 (IcsGatewaySurvey, 1);

  self->context = g_main_context_ref (context);
  self->done = done;
  self->user_data = user_data;
  find_gateway (self, family);
  for (guint i = 0; i < ICS_GATEWAY_N_PROTOCOLS; i++)
    {
      self->questions[i].survey = self;
      self->questions[i].finding.reason = "there is no gateway for IPv4";
      if (self->gateway != 0)
        ask (&self->questions[i], (IcsGatewayProtocol)i);
    }
  set_timer (self, is_idle (self) ? 0 : PATIENCE_MS, is_idle (self) ? on_end : on_patience_over);
  return self;
}
