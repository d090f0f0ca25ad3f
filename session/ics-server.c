/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-server-private.h"

#include "session/server-addresses.h"
#include <glib/gstdio.h>

/* Of TURN credentials. Links ask for fresh ones after half of it. */
#define TURN_LIFETIME_S (12 * 3600)

enum
{
  PROP_LISTEN = 1,
  PROP_TLS_CERT_FILE,
  PROP_TLS_KEY_FILE,
  PROP_PUBLIC_ADDRESSES,
  PROP_TURN_URIS,
  PROP_TURN_SECRET_FILE,
  PROP_TURN_ALLOW_PEERS,
  PROP_TURN_LIFETIME,
  PROP_STATE_DIR,
  N_PROPS
};

enum
{
  SIGNAL_LISTENING,
  SIGNAL_LOG,
  N_SIGNALS
};

static GParamSpec *props[N_PROPS];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (IcsServer, ics_server, G_TYPE_OBJECT)

static const char *const default_listen[] = { "[::]:8080", NULL };

static GPtrArray *
turn_servers (gpointer user_data)
{
  return ics_server_turn_issue (user_data);
}

static gboolean
load_certificate (IcsServer *self, GTlsCertificate **certificate, GError **error)
{
  if (self->tls_cert_file == NULL && self->tls_key_file == NULL)
    return TRUE;
  if (self->tls_cert_file == NULL || self->tls_key_file == NULL)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "TLS needs both a certificate and a key");
      return FALSE;
    }
  *certificate = g_tls_certificate_new_from_files (self->tls_cert_file, self->tls_key_file, error);
  return *certificate != NULL;
}

static GSocketAddress *
bind_one (IcsServer *self, const char *text, GError **error)
{
  g_autoptr (GSocketAddress) address = ics_server_parse_listen (text, error);

  return address != NULL ? ics_rv_server_listen (self->rendezvous, address, error) : NULL;
}

static gboolean
bind_all (IcsServer *self, GPtrArray *bound, GError **error)
{
  for (guint i = 0; self->listen[i] != NULL; i++)
    {
      GSocketAddress *address = bind_one (self, self->listen[i], error);

      if (address == NULL)
        {
          g_prefix_error (error, "cannot listen on %s: ", self->listen[i]);
          return FALSE;
        }
      g_ptr_array_add (bound, address);
    }
  return TRUE;
}

static void
announce (IcsServer *self, GPtrArray *bound, gboolean tls)
{
  for (guint i = 0; i < bound->len; i++)
    {
      g_autofree char *url = ics_server_url (G_INET_SOCKET_ADDRESS (bound->pdata[i]),
                                             (const char *const *)self->public_addresses, tls);

      g_signal_emit (self, signals[SIGNAL_LISTENING], 0, url);
    }
}

gboolean
ics_server_start (IcsServer *self, GError **error)
{
  g_autoptr (GTlsCertificate) certificate = NULL;
  g_autoptr (GPtrArray) bound = g_ptr_array_new_with_free_func (g_object_unref);
  IcsRvServerConfig config = { .turn_servers = turn_servers, .user_data = self };

  g_return_val_if_fail (ICS_IS_SERVER (self), FALSE);
  g_return_val_if_fail (self->rendezvous == NULL, FALSE);
  if (self->listen == NULL || self->listen[0] == NULL)
    {
      g_strfreev (self->listen);
      self->listen = g_strdupv ((char **)default_listen);
    }
  if (!load_certificate (self, &certificate, error))
    return FALSE;
  config.certificate = certificate;
  self->rendezvous = ics_rv_server_new (&config);
  if (!bind_all (self, bound, error) || !ics_server_turn_start (self, certificate, error))
    return FALSE;
  announce (self, bound, certificate != NULL);
  return TRUE;
}

/* The end */

static void
tear_down (IcsServer *self)
{
  g_clear_pointer (&self->rendezvous, ics_rv_server_free);
  g_clear_pointer (&self->coturn, ics_coturn_free);
  if (self->own_state_dir)
    g_rmdir (self->state_dir);
  self->own_state_dir = FALSE;
}

static void
on_part_stopped (gpointer user_data)
{
  IcsServer *self = user_data;
  g_autoptr (GTask) task = NULL;

  if (--self->stopping > 0)
    return;
  task = g_steal_pointer (&self->stop_task);
  g_task_return_boolean (task, TRUE);
}

void
ics_server_stop_async (IcsServer *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  GTask *task;

  g_return_if_fail (ICS_IS_SERVER (self));
  g_return_if_fail (self->stop_task == NULL);
  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_source_tag (task, ics_server_stop_async);
  self->stop_task = task;
  /* Holds the count up while the parts are told. */
  self->stopping = 1;
  if (self->coturn != NULL)
    {
      self->stopping++;
      ics_coturn_stop (self->coturn, on_part_stopped, self);
    }
  if (self->rendezvous != NULL)
    {
      self->stopping++;
      ics_rv_server_stop (self->rendezvous, on_part_stopped, self);
    }
  on_part_stopped (self);
}

gboolean
ics_server_stop_finish (IcsServer *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  tear_down (self);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* The object */

static void
ics_server_finalize (GObject *object)
{
  IcsServer *self = ICS_SERVER (object);

  tear_down (self);
  ics_server_turn_clear (self);
  g_strfreev (self->listen);
  g_free (self->tls_cert_file);
  g_free (self->tls_key_file);
  g_strfreev (self->public_addresses);
  g_strfreev (self->turn_uris);
  g_free (self->turn_secret_file);
  g_strfreev (self->turn_allow_peers);
  g_free (self->state_dir);
  G_OBJECT_CLASS (ics_server_parent_class)->finalize (object);
}

static void
ics_server_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  IcsServer *self = ICS_SERVER (object);

  switch (id)
    {
    case PROP_LISTEN:
      self->listen = g_value_dup_boxed (value);
      break;
    case PROP_TLS_CERT_FILE:
      self->tls_cert_file = g_value_dup_string (value);
      break;
    case PROP_TLS_KEY_FILE:
      self->tls_key_file = g_value_dup_string (value);
      break;
    case PROP_PUBLIC_ADDRESSES:
      self->public_addresses = g_value_dup_boxed (value);
      break;
    case PROP_TURN_URIS:
      self->turn_uris = g_value_dup_boxed (value);
      break;
    case PROP_TURN_SECRET_FILE:
      self->turn_secret_file = g_value_dup_string (value);
      break;
    case PROP_TURN_ALLOW_PEERS:
      self->turn_allow_peers = g_value_dup_boxed (value);
      break;
    case PROP_TURN_LIFETIME:
      self->turn_lifetime = g_value_get_uint (value);
      if (self->turn_lifetime == 0)
        self->turn_lifetime = TURN_LIFETIME_S;
      break;
    case PROP_STATE_DIR:
      self->state_dir = g_value_dup_string (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
ics_server_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  IcsServer *self = ICS_SERVER (object);

  switch (id)
    {
    case PROP_LISTEN:
      g_value_set_boxed (value, self->listen);
      break;
    case PROP_TLS_CERT_FILE:
      g_value_set_string (value, self->tls_cert_file);
      break;
    case PROP_TLS_KEY_FILE:
      g_value_set_string (value, self->tls_key_file);
      break;
    case PROP_PUBLIC_ADDRESSES:
      g_value_set_boxed (value, self->public_addresses);
      break;
    case PROP_TURN_URIS:
      g_value_set_boxed (value, self->turn_uris);
      break;
    case PROP_TURN_SECRET_FILE:
      g_value_set_string (value, self->turn_secret_file);
      break;
    case PROP_TURN_ALLOW_PEERS:
      g_value_set_boxed (value, self->turn_allow_peers);
      break;
    case PROP_TURN_LIFETIME:
      g_value_set_uint (value, self->turn_lifetime);
      break;
    case PROP_STATE_DIR:
      g_value_set_string (value, self->state_dir);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
install_properties (GObjectClass *klass)
{
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS;

  /**
   * IcsServer:listen:
   *
   * Where to listen, "ADDR:PORT" or "[ADDR]:PORT"; port 0 = any free one. By default "[::]:8080", which
   * is both families.
   *
   * Since: 0.1
   */
  props[PROP_LISTEN] = g_param_spec_boxed ("listen", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * IcsServer:tls-cert-file:
   *
   * The certificate chain (PEM) for TLS, with [property@Server:tls-key-file]; %NULL = without TLS.
   *
   * Since: 0.1
   */
  props[PROP_TLS_CERT_FILE] = g_param_spec_string ("tls-cert-file", NULL, NULL, NULL, flags);

  /**
   * IcsServer:tls-key-file:
   *
   * The private key (PEM) for TLS.
   *
   * Since: 0.1
   */
  props[PROP_TLS_KEY_FILE] = g_param_spec_string ("tls-key-file", NULL, NULL, NULL, flags);

  /**
   * IcsServer:public-addresses:
   *
   * The addresses under which the world reaches this host, when it has others itself.
   *
   * Since: 0.1
   */
  props[PROP_PUBLIC_ADDRESSES] = g_param_spec_boxed ("public-addresses", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * IcsServer:turn-uris:
   *
   * TURN servers to hand out: "auto" for a coturn of its own, "none", or URIs (RFC 7065).
   *
   * Since: 0.1
   */
  props[PROP_TURN_URIS] = g_param_spec_boxed ("turn-uris", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * IcsServer:turn-secret-file:
   *
   * A file with the secret of the TURN REST scheme, from which credentials are made.
   *
   * Since: 0.1
   */
  props[PROP_TURN_SECRET_FILE] = g_param_spec_string ("turn-secret-file", NULL, NULL, NULL, flags);

  /**
   * IcsServer:turn-allow-peers:
   *
   * Address ranges ("10.0.0.0/8") that the relay may reach although they are private.
   *
   * Since: 0.1
   */
  props[PROP_TURN_ALLOW_PEERS] = g_param_spec_boxed ("turn-allow-peers", NULL, NULL, G_TYPE_STRV, flags);

  /**
   * IcsServer:turn-lifetime:
   *
   * How long TURN credentials are good for, in seconds; 0 = 43,200.
   *
   * Since: 0.1
   */
  props[PROP_TURN_LIFETIME]
      = g_param_spec_uint ("turn-lifetime", NULL, NULL, 0, ICS_SERVER_TURN_LIFETIME_MAX, 0, flags);

  /**
   * IcsServer:state-dir:
   *
   * A folder for files of this run; by default one that is made and removed.
   *
   * Since: 0.1
   */
  props[PROP_STATE_DIR] = g_param_spec_string ("state-dir", NULL, NULL, NULL, flags);
  g_object_class_install_properties (klass, N_PROPS, props);
}

static void
ics_server_class_init (IcsServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = ics_server_finalize;
  object_class->set_property = ics_server_set_property;
  object_class->get_property = ics_server_get_property;
  install_properties (object_class);

  /**
   * IcsServer::listening:
   * @self: the server
   * @url: what links are given as their server, "ws://203.0.113.1:8080"
   *
   * The server listens under an address; a port that was 0 is the one it was given.
   *
   * Since: 0.1
   */
  signals[SIGNAL_LISTENING] = g_signal_new ("listening", ICS_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                            NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  /**
   * IcsServer::log:
   * @self: the server
   * @line: the line
   *
   * There is something to say to whoever runs the server.
   *
   * Since: 0.1
   */
  signals[SIGNAL_LOG] = g_signal_new ("log", ICS_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                      G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
ics_server_init (IcsServer *self)
{
}

IcsServer *
ics_server_new (const char *const *listen)
{
  return g_object_new (ICS_TYPE_SERVER, "listen", listen, NULL);
}
