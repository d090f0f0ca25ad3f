/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-dial.h"
#include "base/deadline.h"
#include "base/ics-error.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* RFC 5482: what is sent and not acknowledged for so long breaks the connection. */
#define USER_TIMEOUT_MS 30000
/* What waits in the kernel makes the path slow, not fast. */
#define NOT_SENT_MAX (128 * 1024)

typedef struct
{
  char *host, *identity;
  guint16 port;
  GTlsDatabase *ca;
  IcsDeadline *deadline;
  GTlsCertificateFlags flaws; /* of the server's certificate */
  gboolean securing;
  char *through;
} Attempt;

static void
attempt_free (gpointer data)
{
  Attempt *self = data;

  ics_deadline_free (self->deadline);
  g_clear_object (&self->ca);
  g_free (self->host);
  g_free (self->identity);
  g_free (self->through);
  g_free (self);
}

/* --- the certificate --- */

/* The system's store does not know it; the user's file may. */
static GTlsCertificateFlags
check_with_ca (const Attempt *self, GTlsConnection *connection, GTlsCertificate *certificate,
               GTlsCertificateFlags flaws)
{
  GSocketConnectable *identity
      = g_tls_client_connection_get_server_identity (G_TLS_CLIENT_CONNECTION (connection));
  GTlsCertificateFlags checked
      = g_tls_database_verify_chain (self->ca, certificate, G_TLS_DATABASE_PURPOSE_AUTHENTICATE_SERVER,
                                     identity, NULL, G_TLS_DATABASE_VERIFY_NONE, NULL, NULL);

  return (checked & (G_TLS_CERTIFICATE_UNKNOWN_CA | G_TLS_CERTIFICATE_GENERIC_ERROR)) == 0 ? checked : flaws;
}

static gboolean
on_accept_certificate (GTlsConnection *connection, GTlsCertificate *certificate, GTlsCertificateFlags flaws,
                       gpointer data)
{
  Attempt *self = g_task_get_task_data (data);

  if (self->ca != NULL && (flaws & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0)
    flaws = check_with_ca (self, connection, certificate, flaws);
  self->flaws = flaws;
  return flaws == 0;
}

static char *
describe_flaws (const Attempt *self)
{
  if ((self->flaws & G_TLS_CERTIFICATE_BAD_IDENTITY) != 0)
    return g_strdup_printf ("its certificate is for another host name than %s", self->identity);
  if ((self->flaws & G_TLS_CERTIFICATE_UNKNOWN_CA) != 0)
    return g_strdup ("its certificate is not trusted: no authority known here has signed it");
  if ((self->flaws & G_TLS_CERTIFICATE_EXPIRED) != 0)
    return g_strdup ("its certificate has expired");
  if ((self->flaws & G_TLS_CERTIFICATE_NOT_ACTIVATED) != 0)
    return g_strdup ("its certificate is not valid yet");
  return g_strdup ("its certificate is not acceptable");
}

/* --- on the way --- */

static void
note_proxy (Attempt *self, GIOStream *connection)
{
  g_autoptr (GSocketAddress) address
      = g_socket_get_remote_address (g_socket_connection_get_socket (G_SOCKET_CONNECTION (connection)), NULL);

  g_free (self->through);
  self->through
      = address != NULL ? g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (address)) : g_strdup ("?");
}

static void
on_event (G_GNUC_UNUSED GSocketClient *client, GSocketClientEvent event,
          G_GNUC_UNUSED GSocketConnectable *connectable, GIOStream *connection, GTask *task)
{
  Attempt *self = g_task_get_task_data (task);
  g_autoptr (GSocketConnectable) identity = NULL;

  if (event == G_SOCKET_CLIENT_CONNECTING)
    g_clear_pointer (&self->through, g_free);
  else if (event == G_SOCKET_CLIENT_PROXY_NEGOTIATING)
    note_proxy (self, connection);
  else if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    {
      self->securing = TRUE;
      identity = g_network_address_new (self->identity, self->port);
      g_tls_client_connection_set_server_identity (G_TLS_CLIENT_CONNECTION (connection), identity);
      g_signal_connect_object (connection, "accept-certificate", G_CALLBACK (on_accept_certificate), task, 0);
    }
}

static char *
describe_error (const Attempt *self, const GError *error)
{
  if (ics_deadline_has_passed (self->deadline))
    return g_strdup (self->through != NULL ? "no answer in time through the proxy" : "no answer in time");
  if (self->flaws != 0)
    return describe_flaws (self);
  if (error->domain == G_IO_ERROR && error->code >= G_IO_ERROR_PROXY_FAILED
      && error->code <= G_IO_ERROR_PROXY_NOT_ALLOWED)
    return g_strdup_printf ("the proxy refused: %s", error->message);
  if (self->through != NULL && !self->securing)
    return g_strdup_printf ("through the proxy %s: %s", self->through, error->message);
  return g_strdup (error->message);
}

static void
fail (GTask *task, const GError *error)
{
  Attempt *self = g_task_get_task_data (task);
  g_autofree char *cause = NULL;

  if (!g_task_return_error_if_cancelled (task))
    {
      cause = describe_error (self, error);
      g_task_return_new_error (task, ICS_ERROR, ICS_ERROR_SERVER_UNREACHABLE, "%s", cause);
    }
  g_object_unref (task);
}

static void
set_up (GSocket *socket)
{
  g_socket_set_keepalive (socket, TRUE);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS, NULL);
  g_socket_set_option (socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, NOT_SENT_MAX, NULL);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task = data;
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  if (connection == NULL)
    {
      fail (task, error);
      return;
    }
  set_up (g_socket_connection_get_socket (connection));
  g_task_return_pointer (task, connection, g_object_unref);
  g_object_unref (task);
}

static Attempt *
attempt_new (const IcsTurnDial *dial, GCancellable *outer)
{
  Attempt *self = g_new0 (Attempt, 1);

  self->host = g_strdup (dial->host);
  self->identity = g_strdup (dial->identity);
  self->port = dial->port;
  self->ca = dial->ca != NULL ? g_object_ref (dial->ca) : NULL;
  self->deadline = ics_deadline_new (outer, dial->timeout_ms);
  return self;
}

/* The scheme decides which proxy is asked for; what goes through is opaque, as with https. */
static GSocketConnectable *
address_of (const IcsTurnDial *dial, GError **error)
{
  gboolean ipv6 = strchr (dial->host, ':') != NULL;
  g_autofree char *uri
      = g_strdup_printf ("https://%s%s%s:%u", ipv6 ? "[" : "", dial->host, ipv6 ? "]" : "", dial->port);

  return g_network_address_parse_uri (uri, dial->port, error);
}

void
ics_turn_dial_async (const IcsTurnDial *dial, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Attempt *self = attempt_new (dial, cancellable);
  g_autoptr (GSocketConnectable) address = NULL;
  g_autoptr (GError) error = NULL;

  g_task_set_source_tag (task, ics_turn_dial_async);
  g_task_set_task_data (task, self, attempt_free);
  /* The attempt decides what a cancellation means: its own time-out is not one. */
  g_task_set_check_cancellable (task, FALSE);
  if (dial->family != 0)
    g_socket_client_set_family (client, dial->family == 4 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  g_socket_client_set_tls (client, dial->tls);
  g_signal_connect_object (client, "event", G_CALLBACK (on_event), task, 0);
  address = address_of (dial, &error);
  if (address == NULL)
    fail (task, error);
  else
    g_socket_client_connect_async (client, address, ics_deadline_get_cancellable (self->deadline),
                                   on_connected, task);
}

GSocketConnection *
ics_turn_dial_finish (GAsyncResult *result, char **through, GError **error)
{
  Attempt *self = g_task_get_task_data (G_TASK (result));

  if (through != NULL)
    *through = g_steal_pointer (&self->through);
  return g_task_propagate_pointer (G_TASK (result), error);
}
