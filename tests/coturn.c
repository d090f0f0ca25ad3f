/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/coturn.h"
#include <check.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

/* What coturn says when its socket is bound and read. */
#define READY "UDP listener opened"
#define ANSWER_LIMIT_US (60 * G_TIME_SPAN_SECOND)

struct _Coturn
{
  GSubprocess *process;
  guint16 port, tls_port;
  char *folder;
  GThread *reader; /* of its log, to the end: a full pipe would stop it */
  GMutex lock;
  GCond changed;
  gboolean ready, ended;
};

/* RFC 8489 §5: a Binding request, the magic cookie, a transaction id. */
static const guint8 binding_request[20]
    = { 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 'c', 'o', 't', 'u', 'r', 'n', ' ', 'a', 'l', 'i', 'v', 'e' };

static GSocket *
udp_socket (const char *address, guint16 port, gboolean connect)
{
  g_autoptr (GInetAddress) inet = g_inet_address_new_from_string (address);
  g_autoptr (GSocketAddress) endpoint = g_inet_socket_address_new (inet, port);
  GSocket *socket
      = g_socket_new (g_inet_address_get_family (inet), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  ck_assert_ptr_nonnull (socket);
  ck_assert (connect ? g_socket_connect (socket, endpoint, NULL, NULL)
                     : g_socket_bind (socket, endpoint, FALSE, NULL));
  return socket;
}

static guint16
free_port (const char *address)
{
  g_autoptr (GSocket) socket = udp_socket (address, 0, FALSE);
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
}

static void
note (Coturn *self, gboolean *what)
{
  g_mutex_lock (&self->lock);
  *what = TRUE;
  g_cond_signal (&self->changed);
  g_mutex_unlock (&self->lock);
}

static gpointer
read_log (gpointer data)
{
  Coturn *self = data;
  g_autoptr (GDataInputStream) log = g_data_input_stream_new (g_subprocess_get_stdout_pipe (self->process));
  char *line;

  while ((line = g_data_input_stream_read_line (log, NULL, NULL, NULL)) != NULL)
    {
      if (strstr (line, READY) != NULL)
        note (self, &self->ready);
      g_free (line);
    }
  note (self, &self->ended);
  return NULL;
}

static void
wait_until_ready (Coturn *self)
{
  g_mutex_lock (&self->lock);
  while (!self->ready && !self->ended)
    g_cond_wait (&self->changed, &self->lock);
  ck_assert_msg (self->ready, "coturn ended before it listened");
  g_mutex_unlock (&self->lock);
}

static void
expect_answer (Coturn *self, const char *address)
{
  g_autoptr (GSocket) socket = udp_socket (address, self->port, TRUE);
  char reply[256];

  ck_assert (g_socket_send (socket, (const char *)binding_request, sizeof binding_request, NULL, NULL) > 0);
  ck_assert (g_socket_condition_timed_wait (socket, G_IO_IN, ANSWER_LIMIT_US, NULL, NULL));
  ck_assert (g_socket_receive (socket, reply, sizeof reply, NULL, NULL) > 0);
}

static void
add_users (GString *config)
{
  g_string_append (config, "lt-cred-mech\nuser=alice:secret\nuser=bob:secret\n");
  for (guint i = 0; i < COTURN_N_USERS; i++)
    g_string_append_printf (config, "user=user%u:secret\n", i);
}

static void
add_streams (Coturn *self, GString *config, const char *certificate)
{
  if (certificate == NULL)
    g_string_append (config, "no-tls\n");
  else
    g_string_append_printf (config, "tls-listening-port=%u\ncert=%s\npkey=%s\n", self->tls_port, certificate,
                            certificate);
}

/* @secret: NULL for the users above; @certificate: NULL for no TLS. */
static char *
write_config (Coturn *self, const char *listening, const char *relay, const char *secret,
              const char *certificate)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char *path = g_build_filename (self->folder, "conf", NULL);

  g_string_append_printf (text, "listening-ip=%s\nrelay-ip=%s\nlistening-port=%u\n", listening, relay,
                          self->port);
  g_string_append_printf (text, "pidfile=%s/pid\nuserdb=%s/db\n", self->folder, self->folder);
  g_string_append (text, "log-file=stdout\nsimple-log\nverbose\nallow-loopback-peers\n"
                         "no-dtls\nno-cli\nrealm=test\nuser-quota=1\n");
  add_streams (self, text, certificate);
  if (secret != NULL)
    g_string_append_printf (text, "use-auth-secret\nstatic-auth-secret=%s\n", secret);
  else
    add_users (text);
  ck_assert (g_file_set_contents_full (path, text->str, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  return path;
}

static Coturn *
start (const char *listening, const char *relay, const char *secret, const char *certificate)
{
  Coturn *self = g_new0 (Coturn, 1);
  g_autofree char *config = NULL;
  GError *error = NULL;

  g_mutex_init (&self->lock);
  g_cond_init (&self->changed);
  self->folder = g_dir_make_tmp ("ice-session-coturn-XXXXXX", &error);
  ck_assert_msg (self->folder != NULL, "no folder");
  self->port = free_port (listening);
  do
    self->tls_port = free_port (listening);
  while (self->tls_port + 1 >= self->port && self->tls_port <= self->port + 1);
  config = write_config (self, listening, relay, secret, certificate);
  self->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                    &error, "turnserver", "-c", config, NULL);
  ck_assert_msg (self->process != NULL, "coturn: %s", error != NULL ? error->message : "?");
  self->reader = g_thread_new ("coturn-log", read_log, self);
  wait_until_ready (self);
  expect_answer (self, listening);
  return self;
}

Coturn *
coturn_start (const char *listening, const char *relay)
{
  return start (listening, relay, NULL, NULL);
}

Coturn *
coturn_start_rest (const char *listening, const char *relay, const char *secret)
{
  return start (listening, relay, secret, NULL);
}

Coturn *
coturn_start_streams (const char *listening, const char *relay, const char *certificate)
{
  return start (listening, relay, NULL, certificate);
}

guint16
coturn_get_port (Coturn *self)
{
  return self->port;
}

guint16
coturn_get_tls_port (Coturn *self)
{
  return self->tls_port;
}

void
coturn_freeze (Coturn *self)
{
  g_subprocess_send_signal (self->process, SIGSTOP);
}

void
coturn_stop (Coturn *self)
{
  g_autoptr (GDir) dir = g_dir_open (self->folder, 0, NULL);
  const char *name;

  g_subprocess_force_exit (self->process);
  g_subprocess_wait (self->process, NULL, NULL);
  g_thread_join (self->reader);
  g_object_unref (self->process);
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->changed);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self);
}
