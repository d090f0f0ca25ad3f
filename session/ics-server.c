/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <session/ics-server.h>

#include "session/server-addresses.h"
#include "signaling/server.h"
#include "turn-fallback/coturn.h"
#include "turn-fallback/turn-rest.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>

#define REALM "ice-session"
/* Of TURN credentials. Links ask for fresh ones after half of it. */
#define TURN_LIFETIME_S (12 * 3600)
#define SECRET_SIZE 32

struct _IcsServer
{
  GObject parent_instance;

  char **listen;
  char *tls_cert_file;
  char *tls_key_file;
  char **public_addresses;
  char **turn_uris;
  char *turn_secret_file;
  char **turn_allow_peers;
  guint turn_lifetime;
  char *state_dir;

  gboolean own_state_dir; /* made at start, removed at the end */
  char *secret;           /* of the TURN REST scheme; NULL = none */
  IcsRvServer *rendezvous;
  IcsCoturn *coturn;
  GArray *turn_addresses; /* IcsCoturnAddress */
  GPtrArray *turn_given;  /* (element-type IcsTurnServer): from turn-uris */
  guint stopping;         /* parts that have not ended yet */
  GTask *stop_task;
};

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

static void
on_log (const char *line, gpointer user_data)
{
  g_signal_emit (user_data, signals[SIGNAL_LOG], 0, line);
}

/* TURN */

static void
add_turn_address (GPtrArray *turn, const IcsServer *self, const IcsCoturnAddress *address)
{
  IcsTurnServer *server = g_new0 (IcsTurnServer, 1);

  server->host = g_strdup (address->public != NULL ? address->public : address->local);
  server->port = ics_coturn_get_port (self->coturn);
  server->transport = ICS_TURN_UDP;
  g_ptr_array_add (turn, server);
}

/* What one member is handed: the servers known now, each with credentials made for it. */
static GPtrArray *
turn_servers (gpointer user_data)
{
  IcsServer *self = user_data;
  GPtrArray *turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);

  for (guint i = 0; self->turn_given != NULL && i < self->turn_given->len; i++)
    g_ptr_array_add (turn, ics_turn_server_copy (self->turn_given->pdata[i]));
  for (guint i = 0; self->coturn != NULL && i < self->turn_addresses->len; i++)
    add_turn_address (turn, self, &g_array_index (self->turn_addresses, IcsCoturnAddress, i));
  for (guint i = 0; i < turn->len; i++)
    {
      IcsTurnServer *server = turn->pdata[i];

      if (self->secret != NULL && !server->is_stun && server->username == NULL)
        ics_turn_rest_issue (server, self->secret, g_get_real_time () / G_USEC_PER_SEC, self->turn_lifetime);
    }
  return turn;
}

static gboolean
read_secret (IcsServer *self, GError **error)
{
  gsize len;

  if (!g_file_get_contents (self->turn_secret_file, &self->secret, &len, error))
    return FALSE;
  g_strstrip (self->secret);
  for (const char *c = self->secret; *c != '\0'; c++)
    if (!g_ascii_isgraph (*c))
      {
        g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "%s: the secret has blanks in it",
                     self->turn_secret_file);
        return FALSE;
      }
  if (*self->secret != '\0')
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "%s is empty", self->turn_secret_file);
  return FALSE;
}

static void
make_secret (IcsServer *self)
{
  guint8 bytes[SECRET_SIZE];

  randombytes_buf (bytes, sizeof bytes);
  self->secret = g_malloc (2 * sizeof bytes + 1);
  sodium_bin2hex (self->secret, 2 * sizeof bytes + 1, bytes, sizeof bytes);
  sodium_memzero (bytes, sizeof bytes);
}

static gboolean
prepare_state_dir (IcsServer *self, GError **error)
{
  if (self->state_dir == NULL)
    {
      self->state_dir = g_dir_make_tmp ("ice-session-XXXXXX", error);
      self->own_state_dir = self->state_dir != NULL;
    }
  else if (g_mkdir_with_parents (self->state_dir, 0700) != 0)
    {
      g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno), "cannot make %s: %s",
                   self->state_dir, g_strerror (errno));
      return FALSE;
    }
  return self->state_dir != NULL;
}

static gboolean
start_coturn (IcsServer *self, GError **error)
{
  g_autofree char *program = ics_coturn_find_program ();
  IcsCoturnConfig config = { .realm = REALM, .log = on_log, .user_data = self };

  if (program == NULL)
    {
      on_log (
          "turnserver is not installed: no TURN relay, sessions without a direct path stay on this server",
          self);
      return TRUE;
    }
  self->turn_addresses = ics_server_turn_addresses ((const char *const *)self->public_addresses,
                                                    (const char *const *)self->listen, error);
  if (self->turn_addresses == NULL || !prepare_state_dir (self, error))
    return FALSE;
  if (self->secret == NULL)
    make_secret (self);
  config.state_dir = self->state_dir;
  config.lifetime = self->turn_lifetime;
  config.secret = self->secret;
  config.addresses = (const IcsCoturnAddress *)(gpointer)self->turn_addresses->data;
  config.n_addresses = self->turn_addresses->len;
  config.allow_peers = (const char *const *)self->turn_allow_peers;
  self->coturn = ics_coturn_new (&config);
  return ics_coturn_start (self->coturn, error);
}

static gboolean
take_turn_uri (IcsServer *self, const char *uri, gboolean *automatic, GError **error)
{
  IcsTurnServer *server;

  *automatic = *automatic || g_str_equal (uri, "auto");
  if (g_str_equal (uri, "auto") || g_str_equal (uri, "none"))
    return TRUE;
  server = ics_turn_server_parse (uri, error);
  if (server == NULL)
    return FALSE;
  g_ptr_array_add (self->turn_given, server);
  return TRUE;
}

static gboolean
start_turn (IcsServer *self, GError **error)
{
  gboolean automatic = self->turn_uris == NULL || self->turn_uris[0] == NULL;

  self->turn_given = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  for (guint i = 0; self->turn_uris != NULL && self->turn_uris[i] != NULL; i++)
    if (!take_turn_uri (self, self->turn_uris[i], &automatic, error))
      return FALSE;
  if (self->turn_secret_file != NULL && !read_secret (self, error))
    return FALSE;
  return !automatic || start_coturn (self, error);
}

/* The rendezvous */

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
  if (!bind_all (self, bound, error) || !start_turn (self, error))
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
ics_server_stop_async (IcsServer *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_return_if_fail (ICS_IS_SERVER (self));
  g_return_if_fail (self->stop_task == NULL);
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
  g_clear_pointer (&self->turn_addresses, g_array_unref);
  g_clear_pointer (&self->turn_given, g_ptr_array_unref);
  if (self->secret != NULL)
    sodium_memzero (self->secret, strlen (self->secret));
  g_free (self->secret);
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

static GParamSpec *
strv_prop (const char *name, const char *blurb)
{
  return g_param_spec_boxed (name, NULL, blurb, G_TYPE_STRV,
                             G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
}

static GParamSpec *
string_prop (const char *name, const char *blurb)
{
  return g_param_spec_string (name, NULL, blurb, NULL,
                              G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
}

static void
ics_server_class_init (IcsServerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = ics_server_finalize;
  object_class->set_property = ics_server_set_property;

  props[PROP_LISTEN] = strv_prop ("listen", "addresses to listen on; [::]:8080 when empty");
  props[PROP_TLS_CERT_FILE] = string_prop ("tls-cert-file", "certificate chain, PEM");
  props[PROP_TLS_KEY_FILE] = string_prop ("tls-key-file", "private key, PEM");
  props[PROP_PUBLIC_ADDRESSES]
      = strv_prop ("public-addresses", "addresses under which the world reaches this host");
  props[PROP_TURN_URIS] = strv_prop ("turn-uris", "\"auto\", \"none\" or URIs");
  props[PROP_TURN_SECRET_FILE] = string_prop ("turn-secret-file", "file with the TURN REST secret");
  props[PROP_TURN_ALLOW_PEERS]
      = strv_prop ("turn-allow-peers", "ranges the relay may reach although private");
  props[PROP_TURN_LIFETIME] = g_param_spec_uint (
      "turn-lifetime", NULL, "seconds that TURN credentials are good for; 0 = 43200", 0,
      ICS_SERVER_TURN_LIFETIME_MAX, 0, G_PARAM_WRITABLE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  props[PROP_STATE_DIR] = string_prop ("state-dir", "folder for files of this run");
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[SIGNAL_LISTENING] = g_signal_new ("listening", ICS_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                            NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
  signals[SIGNAL_LOG] = g_signal_new ("log", ICS_TYPE_SERVER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                      G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
ics_server_init (IcsServer *self)
{
}
