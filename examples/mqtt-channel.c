/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "mqtt-channel.h"

#include <mosquitto.h>
#include <string.h>

/* What a channel has to do, and how this one does it:
 *
 * - carry messages of two kinds in order: the first byte of a payload is the kind; QoS 1 keeps the order and
 * loses nothing while the connection to the broker lasts;
 * - say whether the other host is there: each says hello when it comes, answers a hello, and leaves a last
 * will;
 * - take only so much: what the broker has not acknowledged counts against a window, and above it send() says
 * no;
 * - let nothing pile up that comes while the application is busy: above a limit it is dropped, as the network
 * might.
 *
 * It need not keep a secret, and the broker need not be trusted: what goes through is protected end to end.
 *
 * libmosquitto runs a thread of its own, which also reconnects. Its callbacks only post what happened to the
 * main context; everything else happens there. */

#define QOS 1
#define KEEPALIVE_S 15
#define CONNECT_S 10 /* libmosquitto tries for ever; people want to know */
#define WINDOW (128 * 1024)
#define INBOUND_MAX (1024 * 1024)

/* The first byte of each payload. */
enum
{
  KIND_SIGNAL = 's',
  KIND_DATA = 'd',
  KIND_HELLO = 'h',
  KIND_ANSWER = 'a',
  KIND_LOST = 'l', /* the will: the broker says it when our connection breaks */
  KIND_BYE = 'b'
};

struct _MqttChannel
{
  GObject parent_instance;
  GMainContext *context;
  struct mosquitto *client;
  char *broker;
  int port;
  char *own_topic, *peer_topic;
  IcsChannelState state;
  GHashTable *unacknowledged; /* message id -> its length */
  gsize outstanding;          /* the sum of them */
  int inbound;                /* atomic: bytes on their way from libmosquitto's thread */
  GSource *deadline;          /* for the first connection */
};

static void mqtt_channel_iface_init (IcsChannelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MqttChannel, mqtt_channel, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (ICS_TYPE_CHANNEL, mqtt_channel_iface_init))

/* --- on the main context --- */

static void
set_state (MqttChannel *self, IcsChannelState state)
{
  if (self->state == state || self->state == ICS_CHANNEL_CLOSED)
    return;
  self->state = state;
  ics_channel_emit_state_changed (ICS_CHANNEL (self), state);
}

static void
fail (MqttChannel *self, IcsError code, const char *message)
{
  g_autoptr (GError) error = g_error_new_literal (ICS_ERROR, (int)code, message);

  ics_channel_set_error (ICS_CHANNEL (self), error);
  set_state (self, ICS_CHANNEL_CLOSED);
}

static gboolean
publish (MqttChannel *self, char kind, GBytes *message)
{
  gsize length = message != NULL ? g_bytes_get_size (message) : 0;
  g_autofree char *payload = g_malloc (length + 1);
  int id;

  payload[0] = kind;
  if (length > 0)
    memcpy (payload + 1, g_bytes_get_data (message, NULL), length);
  if (mosquitto_publish (self->client, &id, self->peer_topic, (int)length + 1, payload, QOS, false)
      != MOSQ_ERR_SUCCESS)
    return FALSE;
  g_hash_table_insert (self->unacknowledged, GINT_TO_POINTER (id), GSIZE_TO_POINTER (length));
  self->outstanding += length;
  return TRUE;
}

static void
take_message (MqttChannel *self, IcsChannelKind kind, gsize max, GBytes *payload)
{
  gsize length = g_bytes_get_size (payload) - 1;
  g_autoptr (GBytes) message = g_bytes_new_from_bytes (payload, 1, length);

  if (self->state == ICS_CHANNEL_OPEN && length <= max)
    ics_channel_emit_message (ICS_CHANNEL (self), kind, message);
}

static void
take_payload (MqttChannel *self, GBytes *payload)
{
  switch (*(const char *)g_bytes_get_data (payload, NULL))
    {
    case KIND_SIGNAL:
      take_message (self, ICS_CHANNEL_SIGNAL, ICS_CHANNEL_SIGNAL_MAX, payload);
      break;
    case KIND_DATA:
      take_message (self, ICS_CHANNEL_DATA, ICS_CHANNEL_DATA_MAX, payload);
      break;
    case KIND_HELLO:
      publish (self, KIND_ANSWER, NULL);
      set_state (self, ICS_CHANNEL_OPEN);
      break;
    case KIND_ANSWER:
      set_state (self, ICS_CHANNEL_OPEN);
      break;
    case KIND_LOST:
      set_state (self, ICS_CHANNEL_PEER_LOST);
      break;
    case KIND_BYE:
      set_state (self, ICS_CHANNEL_CLOSED);
      break;
    }
}

/* --- from libmosquitto's thread to the main context --- */

typedef struct
{
  MqttChannel *channel;
  void (*happened) (MqttChannel *self, int number, GBytes *payload);
  int number;
  GBytes *payload; /* (nullable) */
} News;

static void
news_free (gpointer data)
{
  News *news = data;

  g_clear_pointer (&news->payload, g_bytes_unref);
  g_object_unref (news->channel);
  g_free (news);
}

static gboolean
tell (gpointer data)
{
  News *news = data;

  if (news->channel->state != ICS_CHANNEL_CLOSED)
    news->happened (news->channel, news->number, news->payload);
  return G_SOURCE_REMOVE;
}

static void
post (MqttChannel *self, void (*happened) (MqttChannel *self, int number, GBytes *payload), int number,
      GBytes *payload)
{
  News *news = g_new0 (News, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  *news = (News){ g_object_ref (self), happened, number, payload };
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, tell, news, news_free);
  g_source_attach (source, self->context);
}

static void
connected (MqttChannel *self, int result, GBytes *payload G_GNUC_UNUSED)
{
  if (result == 0)
    mosquitto_subscribe (self->client, NULL, self->own_topic, QOS);
  else
    fail (self, ICS_ERROR_SERVER_REFUSED, mosquitto_connack_string (result));
}

static void
subscribed (MqttChannel *self, int result G_GNUC_UNUSED, GBytes *payload G_GNUC_UNUSED)
{
  set_state (self, ICS_CHANNEL_WAITING);
  publish (self, KIND_HELLO, NULL);
}

static void
disconnected (MqttChannel *self, int result G_GNUC_UNUSED, GBytes *payload G_GNUC_UNUSED)
{
  if (self->state != ICS_CHANNEL_CONNECTING)
    set_state (self, ICS_CHANNEL_INTERRUPTED);
}

static void
acknowledged (MqttChannel *self, int id, GBytes *payload G_GNUC_UNUSED)
{
  gpointer length = NULL;

  if (g_hash_table_steal_extended (self->unacknowledged, GINT_TO_POINTER (id), NULL, &length))
    self->outstanding -= GPOINTER_TO_SIZE (length);
  ics_channel_emit_writable (ICS_CHANNEL (self));
}

static void
received (MqttChannel *self, int cost, GBytes *payload)
{
  g_atomic_int_add (&self->inbound, -cost);
  take_payload (self, payload);
}

static void
on_connect (struct mosquitto *client G_GNUC_UNUSED, void *self, int result)
{
  post (self, connected, result, NULL);
}

static void
on_disconnect (struct mosquitto *client G_GNUC_UNUSED, void *self, int result)
{
  post (self, disconnected, result, NULL);
}

static void
on_subscribe (struct mosquitto *client G_GNUC_UNUSED, void *self, int id G_GNUC_UNUSED,
              int n_granted G_GNUC_UNUSED, const int *granted G_GNUC_UNUSED)
{
  post (self, subscribed, 0, NULL);
}

static void
on_publish (struct mosquitto *client G_GNUC_UNUSED, void *self, int id)
{
  post (self, acknowledged, id, NULL);
}

static void
on_message (struct mosquitto *client G_GNUC_UNUSED, void *user_data, const struct mosquitto_message *message)
{
  MqttChannel *self = user_data;

  if (message->payloadlen < 1 || message->payloadlen > ICS_CHANNEL_DATA_MAX + 1
      || g_atomic_int_get (&self->inbound) > INBOUND_MAX)
    return;
  g_atomic_int_add (&self->inbound, message->payloadlen);
  post (self, received, message->payloadlen, g_bytes_new (message->payload, (gsize)message->payloadlen));
}

/* --- the interface --- */

static gboolean
on_deadline (gpointer data)
{
  MqttChannel *self = data;

  if (self->state == ICS_CHANNEL_CONNECTING)
    fail (self, ICS_ERROR_SERVER_UNREACHABLE, "the broker does not answer");
  return G_SOURCE_REMOVE;
}

static void
mqtt_channel_start (IcsChannel *channel)
{
  MqttChannel *self = MQTT_CHANNEL (channel);

  mosquitto_connect_callback_set (self->client, on_connect);
  mosquitto_disconnect_callback_set (self->client, on_disconnect);
  mosquitto_subscribe_callback_set (self->client, on_subscribe);
  mosquitto_publish_callback_set (self->client, on_publish);
  mosquitto_message_callback_set (self->client, on_message);
  self->deadline = g_timeout_source_new_seconds (CONNECT_S);
  g_source_set_callback (self->deadline, on_deadline, self, NULL);
  g_source_attach (self->deadline, self->context);
  mosquitto_will_set (self->client, self->peer_topic, 1, &(char){ KIND_LOST }, QOS, false);
  if (mosquitto_connect_async (self->client, self->broker, self->port, KEEPALIVE_S) != MOSQ_ERR_SUCCESS
      || mosquitto_loop_start (self->client) != MOSQ_ERR_SUCCESS)
    fail (self, ICS_ERROR_SERVER_UNREACHABLE, "there is no way to the broker");
}

static gsize
mqtt_channel_get_writable (IcsChannel *channel)
{
  MqttChannel *self = MQTT_CHANNEL (channel);

  return self->state == ICS_CHANNEL_OPEN && self->outstanding < WINDOW ? WINDOW - self->outstanding : 0;
}

static gboolean
mqtt_channel_send (IcsChannel *channel, IcsChannelKind kind, GBytes *message)
{
  MqttChannel *self = MQTT_CHANNEL (channel);

  if (self->state != ICS_CHANNEL_OPEN)
    return FALSE;
  if (kind == ICS_CHANNEL_DATA && g_bytes_get_size (message) > mqtt_channel_get_writable (channel))
    return FALSE; /* "writable" will tell when it is worth another try */
  return publish (self, kind == ICS_CHANNEL_DATA ? KIND_DATA : KIND_SIGNAL, message);
}

static IcsChannelState
mqtt_channel_get_state (IcsChannel *channel)
{
  return MQTT_CHANNEL (channel)->state;
}

static void
mqtt_channel_get_addresses (IcsChannel *channel, char **local, char **remote)
{
  MqttChannel *self = MQTT_CHANNEL (channel);

  *local = NULL;
  *remote = g_strdup_printf ("%s:%d", self->broker, self->port);
}

/* Waits for libmosquitto's thread, which may take a while on a broken network; so not in the main thread. */
static gpointer
stop (gpointer data)
{
  mosquitto_loop_stop (((MqttChannel *)data)->client, false);
  g_object_unref (data);
  return NULL;
}

static void
mqtt_channel_close (IcsChannel *channel)
{
  MqttChannel *self = MQTT_CHANNEL (channel);

  if (self->state != ICS_CHANNEL_CLOSED)
    publish (self, KIND_BYE, NULL);
  mosquitto_disconnect (self->client);
  self->state = ICS_CHANNEL_CLOSED;
  g_source_destroy (self->deadline);
  g_thread_unref (g_thread_new ("mqtt-stop", stop, g_object_ref (self)));
}

static void
mqtt_channel_iface_init (IcsChannelInterface *iface)
{
  iface->start = mqtt_channel_start;
  iface->send = mqtt_channel_send;
  iface->get_writable = mqtt_channel_get_writable;
  iface->get_state = mqtt_channel_get_state;
  iface->get_addresses = mqtt_channel_get_addresses;
  iface->close = mqtt_channel_close;
}

/* --- the object --- */

static void
mqtt_channel_finalize (GObject *object)
{
  MqttChannel *self = MQTT_CHANNEL (object);

  mosquitto_destroy (self->client);
  g_clear_pointer (&self->deadline, g_source_unref);
  g_main_context_unref (self->context);
  g_hash_table_unref (self->unacknowledged);
  g_free (self->broker);
  g_free (self->own_topic);
  g_free (self->peer_topic);
  G_OBJECT_CLASS (mqtt_channel_parent_class)->finalize (object);
}

static void
mqtt_channel_class_init (MqttChannelClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = mqtt_channel_finalize;
}

static void
mqtt_channel_init (MqttChannel *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->unacknowledged = g_hash_table_new (NULL, NULL);
}

IcsChannel *
mqtt_channel_new (const char *broker, guint16 port, const char *room, gboolean listens)
{
  MqttChannel *self = g_object_new (MQTT_TYPE_CHANNEL, NULL);

  mosquitto_lib_init ();
  self->client = mosquitto_new (NULL, true, self);
  self->broker = g_strdup (broker);
  self->port = port;
  self->own_topic = g_strdup_printf ("ice-session/%s/%s", room, listens ? "listener" : "joiner");
  self->peer_topic = g_strdup_printf ("ice-session/%s/%s", room, listens ? "joiner" : "listener");
  return ICS_CHANNEL (self);
}
