/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A real turnserver child on loopback, and the text of its configuration. */
#define _GNU_SOURCE /* memmem */
#include "base/ics-error.h"
#include "tests/suite.h"
#include "turn-fallback/coturn.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAFETY_S 60
#define SECRET "correct-horse-battery-staple"
#define PROBE_MS 100

/* RFC 8489 §5: Binding request and success response, magic cookie. */
static const guint8 binding_request[20]
    = { 0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

static const IcsCoturnAddress loopback = { (char *)"127.0.0.1", NULL };

typedef gboolean (*Condition) (gpointer data);

/* Not to be left behind when the test fails. */
static int orphan;

static gboolean
on_safety (gpointer data)
{
  if (orphan != 0)
    kill (orphan, SIGKILL);
  ck_abort_msg ("waited too long for: %s", (const char *)data);
  return G_SOURCE_REMOVE;
}

static void
wait_for (Condition condition, gpointer data, const char *what)
{
  guint safety = g_timeout_add_seconds (SAFETY_S, on_safety, (gpointer)what);

  while (!condition (data))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (safety);
}

#define WAIT(condition, data) wait_for (condition, data, #condition)

static gboolean
is_true (gpointer data)
{
  return *(gboolean *)data;
}

static void
set_true (gpointer data)
{
  *(gboolean *)data = TRUE;
}

typedef struct
{
  GSocket *socket;
  GSocketAddress *to;
  gboolean answered;
} Probe;

static gboolean
on_probe_timer (gpointer data)
{
  Probe *p = data;

  g_socket_send_to (p->socket, p->to, (const char *)binding_request, sizeof binding_request, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_probe_readable (GSocket *socket, GIOCondition condition, gpointer data)
{
  Probe *p = data;
  guint8 answer[512];
  gssize n = g_socket_receive (socket, (char *)answer, sizeof answer, NULL, NULL);

  p->answered = n >= 20 && answer[0] == 0x01 && answer[1] == 0x01
                && memcmp (answer + 4, binding_request + 4, 16) == 0;
  return G_SOURCE_CONTINUE;
}

/* Asks again and again until the server, which may still be starting, answers. */
static void
assert_stun_answers (guint16 port)
{
  Probe p = { .to = g_inet_socket_address_new_from_string ("127.0.0.1", port) };
  g_autoptr (GSource) readable = NULL;
  guint timer;

  p.socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  readable = g_socket_create_source (p.socket, G_IO_IN, NULL);
  g_source_set_callback (readable, G_SOURCE_FUNC (on_probe_readable), &p, NULL);
  g_source_attach (readable, NULL);
  timer = g_timeout_add (PROBE_MS, on_probe_timer, &p);
  WAIT (is_true, &p.answered);
  g_source_remove (timer);
  g_source_destroy (readable);
  g_object_unref (p.socket);
  g_object_unref (p.to);
}

static IcsCoturn *
start (const char *dir)
{
  IcsCoturnConfig config
      = { .state_dir = dir, .secret = SECRET, .realm = "test", .addresses = &loopback, .n_addresses = 1 };
  IcsCoturn *coturn = ics_coturn_new (&config);
  g_autoptr (GError) error = NULL;

  ck_assert_msg (ics_coturn_start (coturn, &error), "%s", error != NULL ? error->message : "");
  return coturn;
}

static gboolean
mentions (const char *file, const char *what)
{
  g_autofree char *text = NULL;
  gsize len = 0;

  ck_assert_msg (g_file_get_contents (file, &text, &len, NULL), "cannot read %s", file);
  return memmem (text, len, what, strlen (what)) != NULL;
}

static gboolean
runs_anew (gpointer data)
{
  gpointer *pair = data;
  const char *pid = ics_coturn_get_pid (pair[0]);

  return pid != NULL && !g_str_equal (pid, pair[1]);
}

START_TEST (test_life)
{
  g_autofree char *dir = g_dir_make_tmp ("test-coturn-XXXXXX", NULL);
  IcsCoturn *coturn = start (dir), *second;
  g_autofree char *config = g_build_filename (ics_coturn_get_dir (coturn), "turnserver.conf", NULL);
  g_autofree char *pid = g_strdup (ics_coturn_get_pid (coturn));
  g_autofree char *cmdline = g_strdup_printf ("/proc/%s/cmdline", pid);
  g_autofree char *environ_ = g_strdup_printf ("/proc/%s/environ", pid);
  gpointer pair[2] = { coturn, pid };
  gboolean stopped = FALSE;
  GStatBuf st;

  ck_assert_int_eq (g_stat (config, &st), 0);
  ck_assert_uint_eq (st.st_mode & 07777, 0600);
  ck_assert (mentions (config, SECRET));
  assert_stun_answers (ics_coturn_get_port (coturn));
  ck_assert (mentions (cmdline, "turnserver"));
  ck_assert (!mentions (cmdline, SECRET));
  ck_assert (!mentions (environ_, SECRET));
  /* Another one beside it takes other ports and another folder. */
  second = start (dir);
  ck_assert_uint_ne (ics_coturn_get_port (second), ics_coturn_get_port (coturn));
  assert_stun_answers (ics_coturn_get_port (second));
  ics_coturn_free (second);
  /* Killed: it comes back. */
  kill ((pid_t)strtol (pid, NULL, 10), SIGKILL);
  WAIT (runs_anew, pair);
  assert_stun_answers (ics_coturn_get_port (coturn));
  g_free (pid);
  pid = g_strdup (ics_coturn_get_pid (coturn));
  ics_coturn_stop (coturn, set_true, &stopped);
  WAIT (is_true, &stopped);
  ck_assert_int_eq (kill ((pid_t)strtol (pid, NULL, 10), 0), -1);
  ics_coturn_free (coturn);
  ck_assert_msg (g_rmdir (dir) == 0, "something was left in %s", dir);
}
END_TEST

static gboolean
is_gone (gpointer data)
{
  /* The orphan is reaped by init, or by this process as its subreaper; a zombie is as dead. */
  g_autofree char *path = g_strdup_printf ("/proc/%d/cmdline", *(int *)data);
  g_autofree char *text = NULL;
  gsize len = 0;

  return !g_file_get_contents (path, &text, &len, NULL) || len == 0;
}

static gboolean
on_tick (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* The server is killed hard: its TURN server goes with it, and the next one clears its folder away. */
START_TEST (test_dies_with_its_parent)
{
  g_autofree char *dir = g_dir_make_tmp ("test-coturn-XXXXXX", NULL);
  IcsCoturn *next;
  int fds[2], child = 0;
  guint tick;
  pid_t parent;

  ck_assert_int_eq (pipe (fds), 0);
  parent = fork ();
  if (parent == 0)
    {
      IcsCoturn *coturn = start (dir);

      child = (int)strtol (ics_coturn_get_pid (coturn), NULL, 10);
      if (write (fds[1], &child, sizeof child) == sizeof child)
        pause ();
      _exit (1);
    }
  ck_assert_int_eq (read (fds[0], &child, sizeof child), sizeof child);
  ck_assert (!is_gone (&child));
  /* Stopped, so that it cannot die of its broken output: what ends it is the parent's death alone. */
  orphan = child;
  kill (child, SIGSTOP);
  kill (parent, SIGKILL);
  ck_assert_int_eq (waitpid (parent, NULL, 0), parent);
  tick = g_timeout_add (PROBE_MS, on_tick, NULL);
  WAIT (is_gone, &child);
  orphan = 0;
  g_source_remove (tick);
  next = start (dir);
  ics_coturn_free (next);
  ck_assert_msg (g_rmdir (dir) == 0, "something was left in %s", dir);
  close (fds[0]);
  close (fds[1]);
}
END_TEST

START_TEST (test_config_text)
{
  static const char *const allow[]
      = { "10.99.0.0/16", "192.168.7.1", "127.0.0.1-127.0.0.9", "fd00:1::/32", NULL };
  static const char *const wrong[] = { "10.0.0.0/8\nno-auth", NULL };
  const IcsCoturnAddress mapped = { (char *)"127.0.0.1", (char *)"198.51.100.9" };
  IcsCoturnSettings settings = { .dir = "/d",
                                 .secret = "s",
                                 .realm = "r",
                                 .addresses = &mapped,
                                 .n_addresses = 1,
                                 .allow_peers = allow,
                                 .port = 3478,
                                 .min_port = 50000,
                                 .max_port = 50010,
                                 .lifetime = 90 };
  g_autofree char *text = ics_coturn_compose (&settings, NULL);
  g_autoptr (GError) error = NULL;
  static const char *const lines[] = { "use-auth-secret\n",
                                       "aux-server=127.0.0.1:3479\n",
                                       "stale-nonce=90\n",
                                       "max-allocate-lifetime=90\n",
                                       "static-auth-secret=s\n",
                                       "no-cli\n",
                                       "external-ip=198.51.100.9/127.0.0.1\n",
                                       "allowed-peer-ip=10.99.0.0-10.99.255.255\n",
                                       "allowed-peer-ip=192.168.7.1-192.168.7.1\n",
                                       "allowed-peer-ip=127.0.0.1-127.0.0.9\n",
                                       "allowed-peer-ip=fd00:1::-fd00:1:ffff:ffff:ffff:ffff:ffff:ffff\n",
                                       "allow-loopback-peers\n",
                                       "denied-peer-ip=10.0.0.0-10.255.255.255\n",
                                       "denied-peer-ip=100.64.0.0-100.127.255.255\n",
                                       "denied-peer-ip=::1-::ffff:ffff:ffff\n" };

  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    ck_assert_msg (strstr (text, lines[i]) != NULL, "missing: %s", lines[i]);
  settings.allow_peers = wrong;
  ck_assert_ptr_null (ics_coturn_compose (&settings, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}
END_TEST

/* With TLS its port and files, else the word that there is none; never a line of somebody else's. */
START_TEST (test_config_tls)
{
  IcsCoturnSettings settings
      = { .dir = "/d", .secret = "s", .realm = "r", .addresses = &loopback, .n_addresses = 1 };
  g_autofree char *plain = ics_coturn_compose (&settings, NULL);
  g_autofree char *tls = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_nonnull (strstr (plain, "no-tls\n"));
  settings.tls_port = 5349;
  settings.tls_cert = "/c.pem";
  settings.tls_key = "/k.pem";
  tls = ics_coturn_compose (&settings, NULL);
  ck_assert_ptr_null (strstr (tls, "no-tls\n"));
  ck_assert_ptr_nonnull (strstr (tls, "tls-listening-port=5349\ncert=/c.pem\npkey=/k.pem\n"));
  settings.tls_key = "/k.pem\nno-auth";
  ck_assert_ptr_null (ics_coturn_compose (&settings, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}
END_TEST

/* Which sets of addresses let hosts find out about their NATs (RFC 5780). */
START_TEST (test_other_address_text)
{
  static const struct
  {
    IcsCoturnAddress addresses[3];
    guint n;
    gboolean able;
  } sets[] = {
    { { { (char *)"203.0.113.1", NULL } }, 1, FALSE },
    { { { (char *)"203.0.113.1", NULL }, { (char *)"203.0.113.2", NULL } }, 2, TRUE },
    { { { (char *)"203.0.113.1", NULL }, { (char *)"192.168.1.1", NULL } }, 2, FALSE },
    { { { (char *)"203.0.113.1", NULL }, { (char *)"2001:db8::1", NULL } }, 2, FALSE },
    { { { (char *)"10.0.0.1", NULL }, { (char *)"192.168.1.1", NULL } }, 2, TRUE },
    { { { (char *)"10.0.0.1", NULL }, { (char *)"10.0.0.2", (char *)"203.0.113.2" } }, 2, FALSE },
    { { { (char *)"203.0.113.1", NULL }, { (char *)"203.0.113.2", NULL }, { (char *)"2001:db8::1", NULL } },
      3,
      TRUE },
    { { { (char *)"203.0.113.1", NULL }, { (char *)"2001:db8::1", NULL }, { (char *)"2001:db8::2", NULL } },
      3,
      FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (sets); i++)
    {
      IcsCoturnSettings settings = {
        .dir = "/d", .secret = "s", .realm = "r", .addresses = sets[i].addresses, .n_addresses = sets[i].n
      };
      g_autofree char *text = ics_coturn_compose (&settings, NULL);

      ck_assert_msg ((strstr (text, "no-rfc5780\n") == NULL) == sets[i].able, "set %u", i);
    }
}
END_TEST

/* RFC 5780 §7.2: asked to change both, it answers from its other address and port. */
START_TEST (test_other_address)
{
  static const IcsCoturnAddress two[] = { { (char *)"127.0.0.1", NULL }, { (char *)"127.0.0.2", NULL } };
  static const guint8 request[28]
      = { 0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 0, 3, 0, 4, 0, 0, 0, 6 };
  g_autofree char *dir = g_dir_make_tmp ("test-coturn-XXXXXX", NULL);
  IcsCoturnConfig config
      = { .state_dir = dir, .secret = SECRET, .realm = "test", .addresses = two, .n_addresses = 2 };
  g_autoptr (IcsCoturn) coturn = ics_coturn_new (&config);
  g_autoptr (GSocket) socket
      = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GSocketAddress) to = NULL, from = NULL;
  g_autofree char *address = NULL;
  guint8 answer[512];

  ck_assert (ics_coturn_start (coturn, NULL));
  assert_stun_answers (ics_coturn_get_port (coturn));
  to = g_inet_socket_address_new_from_string ("127.0.0.1", ics_coturn_get_port (coturn));
  do
    g_socket_send_to (socket, to, (const char *)request, sizeof request, NULL, NULL);
  while (!g_socket_condition_timed_wait (socket, G_IO_IN, PROBE_MS * 1000, NULL, NULL));
  ck_assert_int_ge (g_socket_receive_from (socket, &from, (char *)answer, sizeof answer, NULL, NULL), 20);
  ck_assert_mem_eq (answer + 4, request + 4, 16);
  ck_assert_uint_eq (answer[0], 1);
  address = g_inet_address_to_string (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (from)));
  ck_assert_str_eq (address, "127.0.0.2");
  ck_assert_uint_eq (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (from)),
                     ics_coturn_get_port (coturn) + 1u);
  g_clear_pointer (&coturn, ics_coturn_free);
  g_rmdir (dir);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_config_text,
                                 test_config_tls,
                                 test_other_address_text,
                                 test_other_address,
                                 test_life,
                                 test_dies_with_its_parent,
                                 NULL };

  return run_suite ("coturn", tests);
}
