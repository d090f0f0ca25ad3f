/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-network-probe.h"

#include "session/probe-run.h"

struct _IcsNetworkProbe
{
  GObject parent_instance;
  char *server_uri;
  char **turn_uris;
  gboolean server_turn;
  char *turn_ca_file;
  int family;
  gboolean port_mapping;
};

typedef enum
{
  PROP_SERVER_URI = 1,
  PROP_TURN_URIS,
  PROP_SERVER_TURN,
  PROP_TURN_CA_FILE,
  PROP_FAMILY,
  PROP_PORT_MAPPING,
  N_PROPS
} Property;

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (IcsNetworkProbe, ics_network_probe, G_TYPE_OBJECT)

static void
ics_network_probe_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  IcsNetworkProbe *self = ICS_NETWORK_PROBE (object);

  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_free (self->server_uri);
      self->server_uri = g_value_dup_string (value);
      break;
    case PROP_TURN_URIS:
      g_strfreev (self->turn_uris);
      self->turn_uris = g_value_dup_boxed (value);
      break;
    case PROP_SERVER_TURN:
      self->server_turn = g_value_get_boolean (value);
      break;
    case PROP_TURN_CA_FILE:
      g_free (self->turn_ca_file);
      self->turn_ca_file = g_value_dup_string (value);
      break;
    case PROP_FAMILY:
      self->family = g_value_get_int (value);
      break;
    case PROP_PORT_MAPPING:
      self->port_mapping = g_value_get_boolean (value);
      break;
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_network_probe_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  IcsNetworkProbe *self = ICS_NETWORK_PROBE (object);

  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_value_set_string (value, self->server_uri);
      break;
    case PROP_TURN_URIS:
      g_value_set_boxed (value, self->turn_uris);
      break;
    case PROP_SERVER_TURN:
      g_value_set_boolean (value, self->server_turn);
      break;
    case PROP_TURN_CA_FILE:
      g_value_set_string (value, self->turn_ca_file);
      break;
    case PROP_FAMILY:
      g_value_set_int (value, self->family);
      break;
    case PROP_PORT_MAPPING:
      g_value_set_boolean (value, self->port_mapping);
      break;
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_network_probe_finalize (GObject *object)
{
  IcsNetworkProbe *self = ICS_NETWORK_PROBE (object);

  g_free (self->server_uri);
  g_strfreev (self->turn_uris);
  g_free (self->turn_ca_file);
  G_OBJECT_CLASS (ics_network_probe_parent_class)->finalize (object);
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT | G_PARAM_STATIC_STRINGS;

  /**
   * IcsNetworkProbe:server-uri:
   *
   * The rendezvous server, "wss://rv.example.org".
   *
   * Since: 0.1
   */
  props[PROP_SERVER_URI] = g_param_spec_string ("server-uri", NULL, NULL, NULL, flags);

  /**
   * IcsNetworkProbe:turn-uris:
   *
   * TURN servers besides the rendezvous server's, with credentials: "turn:USER:PASSWORD@HOST".
   *
   * Since: 0.1
   */
  props[PROP_TURN_URIS] = g_param_spec_boxed ("turn-uris", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * IcsNetworkProbe:server-turn:
   *
   * Whether to try the TURN servers that the rendezvous server names.
   *
   * Since: 0.1
   */
  props[PROP_SERVER_TURN] = g_param_spec_boolean ("server-turn", NULL, NULL, TRUE, flags);

  /**
   * IcsNetworkProbe:turn-ca-file:
   *
   * A file of certificates (PEM) of authorities that are trusted for TURN over TLS besides the system's.
   *
   * Since: 0.1
   */
  props[PROP_TURN_CA_FILE] = g_param_spec_string ("turn-ca-file", NULL, NULL, NULL, flags);

  /**
   * IcsNetworkProbe:family:
   *
   * The address family to look at: 4 or 6; 0 = both.
   *
   * Since: 0.1
   */
  props[PROP_FAMILY] = g_param_spec_int ("family", NULL, NULL, 0, 6, 0, flags);

  /**
   * IcsNetworkProbe:port-mapping:
   *
   * Whether to ask this host's gateway to map ports.
   *
   * Since: 0.1
   */
  props[PROP_PORT_MAPPING] = g_param_spec_boolean ("port-mapping", NULL, NULL, TRUE, flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
ics_network_probe_class_init (IcsNetworkProbeClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->set_property = ics_network_probe_set_property;
  object_class->get_property = ics_network_probe_get_property;
  object_class->finalize = ics_network_probe_finalize;
  install_properties (object_class);
}

static void
ics_network_probe_init (IcsNetworkProbe *self)
{
}

IcsNetworkProbe *
ics_network_probe_new (const char *server_uri)
{
  return g_object_new (ICS_TYPE_NETWORK_PROBE, "server-uri", server_uri, NULL);
}

void
ics_network_probe_run_async (IcsNetworkProbe *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  IcsProbeConfig config;
  GTask *task;

  g_return_if_fail (ICS_IS_NETWORK_PROBE (self));
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, ics_network_probe_run_async);
  config = (IcsProbeConfig){ .server_uri = self->server_uri,
                             .turn_uris = (const char *const *)self->turn_uris,
                             .no_server_turn = !self->server_turn,
                             .turn_ca_file = self->turn_ca_file,
                             .family = self->family,
                             .no_port_mapping = !self->port_mapping };
  ics_probe_run_start (&config, task);
}

IcsNetworkReport *
ics_network_probe_run_finish (IcsNetworkProbe *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  return g_task_propagate_pointer (G_TASK (result), error);
}
