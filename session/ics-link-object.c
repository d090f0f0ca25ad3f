/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

#include "base/secret.h"

/* Properties, signals and the end of a link. */

typedef enum
{
  PROP_SERVER_URI = 1,
  PROP_CHANNEL,
  PROP_APPLICATION,
  PROP_POLICY,
  PROP_FAMILY,
  PROP_TURN_URIS,
  PROP_NO_SERVER_TURN,
  PROP_PORT_MAPPING,
  PROP_TURN_CA_FILE,
  PROP_NO_PORT_SEARCH,
  PROP_TIMEOUT_MS,
  PROP_HANDSHAKE_TIMEOUT_MS,
  PROP_CODE,
  PROP_PEER_FINGERPRINT,
  PROP_PATH,
  PROP_WHY_NOT_DIRECT,
  N_PROPS
} Property;

static GParamSpec *props[N_PROPS];
guint ics_link_signals[ICS_LINK_N_SIGNALS];

G_DEFINE_FINAL_TYPE (IcsLink, ics_link, G_TYPE_OBJECT)

static void
ics_link_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  g_return_if_fail (self->thread == NULL || id == PROP_POLICY);
  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_free (self->server_uri);
      self->server_uri = g_value_dup_string (value);
      break;
    case PROP_CHANNEL:
      g_clear_object (&self->channel);
      self->channel = g_value_dup_object (value);
      break;
    case PROP_APPLICATION:
      g_free (self->application);
      self->application = g_value_dup_string (value);
      break;
    case PROP_POLICY:
      self->policy = (IcsPathPolicy)g_value_get_uint (value);
      if (self->thread != NULL)
        ics_link_thread_set_policy (self->thread, self->policy);
      break;
    case PROP_FAMILY:
      self->family = g_value_get_int (value);
      break;
    case PROP_TURN_URIS:
      g_strfreev (self->turn_uris);
      self->turn_uris = g_value_dup_boxed (value);
      break;
    case PROP_NO_SERVER_TURN:
      self->no_server_turn = g_value_get_boolean (value);
      break;
    case PROP_PORT_MAPPING:
      self->no_port_mapping = !g_value_get_boolean (value);
      break;
    case PROP_TURN_CA_FILE:
      g_free (self->turn_ca_file);
      self->turn_ca_file = g_value_dup_string (value);
      break;
    case PROP_NO_PORT_SEARCH:
      self->no_port_search = g_value_get_boolean (value);
      break;
    case PROP_TIMEOUT_MS:
      self->timeout_ms = g_value_get_uint (value);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      self->handshake_timeout_ms = g_value_get_uint (value);
      break;
    case PROP_CODE:
    case PROP_PEER_FINGERPRINT:
    case PROP_PATH:
    case PROP_WHY_NOT_DIRECT:
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_link_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_value_set_string (value, self->server_uri);
      break;
    case PROP_CHANNEL:
      g_value_set_object (value, self->channel);
      break;
    case PROP_APPLICATION:
      g_value_set_string (value, self->application);
      break;
    case PROP_POLICY:
      g_value_set_uint (value, self->policy);
      break;
    case PROP_FAMILY:
      g_value_set_int (value, self->family);
      break;
    case PROP_TURN_URIS:
      g_value_set_boxed (value, self->turn_uris);
      break;
    case PROP_NO_SERVER_TURN:
      g_value_set_boolean (value, self->no_server_turn);
      break;
    case PROP_PORT_MAPPING:
      g_value_set_boolean (value, !self->no_port_mapping);
      break;
    case PROP_TURN_CA_FILE:
      g_value_set_string (value, self->turn_ca_file);
      break;
    case PROP_NO_PORT_SEARCH:
      g_value_set_boolean (value, self->no_port_search);
      break;
    case PROP_TIMEOUT_MS:
      g_value_set_uint (value, self->timeout_ms);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      g_value_set_uint (value, self->handshake_timeout_ms);
      break;
    case PROP_CODE:
      g_value_set_string (value, self->code);
      break;
    case PROP_PEER_FINGERPRINT:
      g_value_set_string (value, self->peer_fingerprint);
      break;
    case PROP_PATH:
      g_value_set_boxed (value, self->path);
      break;
    case PROP_WHY_NOT_DIRECT:
      g_value_set_string (value, self->why_not_direct);
      break;
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_link_finalize (GObject *object)
{
  IcsLink *self = ICS_LINK (object);

  if (self->thread != NULL && !self->finished)
    ics_link_thread_close (self->thread, 0, "");
  g_clear_pointer (&self->thread, ics_link_thread_unref);
  g_clear_pointer (&self->hub, ics_stream_hub_unref);
  g_clear_pointer (&self->path, ics_path_info_unref);
  g_free (self->why_not_direct);
  g_queue_clear_full (&self->record, g_free);
  g_queue_clear_full (&self->incoming, g_object_unref);
  g_clear_object (&self->channel);
  g_clear_error (&self->close_error);
  g_strfreev (self->turn_uris);
  g_free (self->turn_ca_file);
  g_free (self->server_uri);
  g_free (self->application);
  ics_secret_free (self->code);
  g_free (self->peer_fingerprint);
  G_OBJECT_CLASS (ics_link_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags settable = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  props[PROP_SERVER_URI] = g_param_spec_string ("server-uri", NULL, NULL, NULL, settable);
  props[PROP_CHANNEL] = g_param_spec_object ("channel", NULL, NULL, ICS_TYPE_CHANNEL, settable);
  props[PROP_APPLICATION] = g_param_spec_string ("application", NULL, NULL, NULL, settable);
  props[PROP_POLICY]
      = g_param_spec_uint ("policy", NULL, NULL, 0, ICS_PATH_POLICY_LAN, ICS_PATH_POLICY_AUTO, settable);
  props[PROP_FAMILY] = g_param_spec_int ("family", NULL, NULL, 0, 6, 0, settable);
  props[PROP_TURN_URIS] = g_param_spec_boxed ("turn-uris", NULL, NULL, G_TYPE_STRV, settable);
  props[PROP_NO_SERVER_TURN] = g_param_spec_boolean ("no-server-turn", NULL, NULL, FALSE, settable);
  props[PROP_PORT_MAPPING] = g_param_spec_boolean ("port-mapping", NULL, NULL, TRUE, settable);
  props[PROP_TURN_CA_FILE] = g_param_spec_string ("turn-ca-file", NULL, NULL, NULL, settable);
  props[PROP_NO_PORT_SEARCH] = g_param_spec_boolean ("no-port-search", NULL, NULL, FALSE, settable);
  props[PROP_TIMEOUT_MS] = g_param_spec_uint ("timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, settable);
  props[PROP_HANDSHAKE_TIMEOUT_MS]
      = g_param_spec_uint ("handshake-timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, settable);
  props[PROP_CODE] = g_param_spec_string ("code", NULL, NULL, NULL, readable);
  props[PROP_PEER_FINGERPRINT] = g_param_spec_string ("peer-fingerprint", NULL, NULL, NULL, readable);
  props[PROP_WHY_NOT_DIRECT] = g_param_spec_string ("why-not-direct", NULL, NULL, NULL, readable);
  props[PROP_PATH] = g_param_spec_boxed ("path", NULL, NULL, ICS_TYPE_PATH_INFO, readable);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static guint
new_signal (const char *name, GType type)
{
  return g_signal_new (name, ICS_TYPE_LINK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, type);
}

static void
ics_link_class_init (IcsLinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = ics_link_set_property;
  object_class->get_property = ics_link_get_property;
  object_class->finalize = ics_link_finalize;
  install_properties (object_class);
  ics_link_signals[ICS_LINK_SIGNAL_CODE] = new_signal ("code", G_TYPE_STRING);
  ics_link_signals[ICS_LINK_SIGNAL_PATH_CHANGED] = new_signal ("path-changed", ICS_TYPE_PATH_INFO);
  ics_link_signals[ICS_LINK_SIGNAL_STALL] = new_signal ("stall", G_TYPE_UINT);
  ics_link_signals[ICS_LINK_SIGNAL_INCOMING_STREAM] = new_signal ("incoming-stream", ICS_TYPE_STREAM);
  ics_link_signals[ICS_LINK_SIGNAL_DATAGRAM] = new_signal ("datagram", G_TYPE_BYTES);
  ics_link_signals[ICS_LINK_SIGNAL_RECORD] = new_signal ("record", G_TYPE_STRING);
  ics_link_signals[ICS_LINK_SIGNAL_CLOSED] = new_signal ("closed", G_TYPE_ERROR);
}

static void
ics_link_init (IcsLink *self)
{
}
