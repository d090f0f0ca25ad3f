/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/coturn.h"
#include <check.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>

#define ANSWER_TRIES 200
#define ANSWER_WAIT_US 100000

struct _Coturn
{
  GSubprocess *process;
  guint16 port;
  char *folder;
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

/* Until the server answers a Binding request: a refused port comes back at once, so each try waits for
 * something. */
static void
wait_for_answer (Coturn *self, const char *address)
{
  g_autoptr (GSocket) socket = udp_socket (address, self->port, TRUE);
  char reply[256];

  for (guint i = 0; i < ANSWER_TRIES; i++)
    {
      g_socket_send (socket, (const char *)binding_request, sizeof binding_request, NULL, NULL);
      if (g_socket_condition_timed_wait (socket, G_IO_IN, ANSWER_WAIT_US, NULL, NULL)
          && g_socket_receive (socket, reply, sizeof reply, NULL, NULL) > 0)
        return;
      g_usleep (ANSWER_WAIT_US / 10);
    }
  ck_abort_msg ("coturn does not answer");
}

static char *
write_config (Coturn *self, const char *listening, const char *relay)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char *path = g_build_filename (self->folder, "conf", NULL);

  g_string_append_printf (text, "listening-ip=%s\nrelay-ip=%s\nlistening-port=%u\n", listening, relay,
                          self->port);
  g_string_append_printf (text, "log-file=%s/log\npidfile=%s/pid\nuserdb=%s/db\n", self->folder, self->folder,
                          self->folder);
  g_string_append (text, "simple-log\nallow-loopback-peers\nno-tls\nno-dtls\nno-tcp\nno-cli\n"
                         "lt-cred-mech\nrealm=test\nuser-quota=1\nuser=alice:secret\nuser=bob:secret\n");
  for (guint i = 0; i < COTURN_N_USERS; i++)
    g_string_append_printf (text, "user=user%u:secret\n", i);
  ck_assert (g_file_set_contents_full (path, text->str, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
  return path;
}

Coturn *
coturn_start (const char *listening, const char *relay)
{
  Coturn *self = g_new0 (Coturn, 1);
  g_autofree char *config = NULL;
  GError *error = NULL;

  self->folder = g_dir_make_tmp ("ice-session-coturn-XXXXXX", &error);
  ck_assert_msg (self->folder != NULL, "no folder");
  self->port = free_port (listening);
  config = write_config (self, listening, relay);
  self->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                    &error, "turnserver", "-c", config, NULL);
  ck_assert_msg (self->process != NULL, "coturn: %s", error != NULL ? error->message : "?");
  wait_for_answer (self, listening);
  return self;
}

guint16
coturn_get_port (Coturn *self)
{
  return self->port;
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
  g_object_unref (self->process);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (self->folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (self->folder);
  g_free (self->folder);
  g_free (self);
}
