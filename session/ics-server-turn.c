/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-server-private.h"

#include "base/ics-error.h"
#include "base/secret.h"
#include "session/server-addresses.h"
#include "turn-fallback/turn-rest.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <string.h>

#define REALM "ice-session"
#define SECRET_SIZE 32

static void
on_log (const char *line, gpointer user_data)
{
  g_signal_emit_by_name (user_data, "log", line);
}

static void
add_turn (GPtrArray *turn, const char *host, guint16 port, IcsTurnTransport transport)
{
  IcsTurnServer *server = g_new0 (IcsTurnServer, 1);

  server->host = g_strdup (host);
  server->port = port;
  server->transport = transport;
  g_ptr_array_add (turn, server);
}

static const char *
outside (const IcsCoturnAddress *address)
{
  return address->public != NULL ? address->public : address->local;
}

/* A host looks at the first ones of each transport: TLS gets out where TCP does not. */
static void
add_child (GPtrArray *turn, const IcsServer *self)
{
  guint16 port = ics_coturn_get_port (self->coturn);
  const IcsCoturnAddress *addresses = (const IcsCoturnAddress *)(gpointer)self->turn_addresses->data;

  for (guint i = 0; i < self->turn_addresses->len; i++)
    add_turn (turn, outside (&addresses[i]), port, ICS_TURN_UDP);
  if (self->turn_tls_host != NULL)
    add_turn (turn, self->turn_tls_host, ics_coturn_get_tls_port (self->coturn), ICS_TURN_TLS);
  for (guint i = 0; i < self->turn_addresses->len; i++)
    add_turn (turn, outside (&addresses[i]), port, ICS_TURN_TCP);
}

GPtrArray *
ics_server_turn_issue (IcsServer *self)
{
  GPtrArray *turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);

  for (guint i = 0; self->turn_given != NULL && i < self->turn_given->len; i++)
    g_ptr_array_add (turn, ics_turn_server_copy (self->turn_given->pdata[i]));
  if (self->coturn != NULL)
    add_child (turn, self);
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
covers (GTlsCertificate *certificate, const char *address)
{
  g_autoptr (GInetAddress) wanted = g_inet_address_new_from_string (address);
  g_autoptr (GPtrArray) addresses = g_tls_certificate_get_ip_addresses (certificate);

  for (guint i = 0; addresses != NULL && i < addresses->len; i++)
    if (g_inet_address_equal (addresses->pdata[i], wanted))
      return TRUE;
  return FALSE;
}

/* Under which name a client can check the certificate: one of the server's addresses, else the first name
 * that is no pattern. (transfer full) (nullable) */
static char *
find_tls_host (IcsServer *self, GTlsCertificate *certificate)
{
  g_autoptr (GPtrArray) names = g_tls_certificate_get_dns_names (certificate);

  for (guint i = 0; i < self->turn_addresses->len; i++)
    {
      const char *address = outside (&g_array_index (self->turn_addresses, IcsCoturnAddress, i));

      if (covers (certificate, address))
        return g_strdup (address);
    }
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      gsize len;
      const char *name = g_bytes_get_data (names->pdata[i], &len);

      if (len > 0 && memchr (name, '*', len) == NULL)
        return g_strndup (name, len);
    }
  on_log ("the certificate names no host: TURN over TLS is not handed out", self);
  return NULL;
}

static gboolean
start_coturn (IcsServer *self, GTlsCertificate *certificate, GError **error)
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
  if (certificate != NULL)
    {
      self->turn_tls_host = find_tls_host (self, certificate);
      config.tls_cert = self->tls_cert_file;
      config.tls_key = self->tls_key_file;
    }
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

gboolean
ics_server_turn_start (IcsServer *self, GTlsCertificate *certificate, GError **error)
{
  gboolean automatic = self->turn_uris == NULL || self->turn_uris[0] == NULL;

  self->turn_given = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  for (guint i = 0; self->turn_uris != NULL && self->turn_uris[i] != NULL; i++)
    if (!take_turn_uri (self, self->turn_uris[i], &automatic, error))
      return FALSE;
  if (self->turn_secret_file != NULL && !read_secret (self, error))
    return FALSE;
  return !automatic || start_coturn (self, certificate, error);
}

void
ics_server_turn_clear (IcsServer *self)
{
  g_clear_pointer (&self->turn_addresses, g_array_unref);
  g_clear_pointer (&self->turn_tls_host, g_free);
  g_clear_pointer (&self->turn_given, g_ptr_array_unref);
  ics_secret_free (g_steal_pointer (&self->secret));
}
