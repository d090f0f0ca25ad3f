/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/coturn.h"
#include "base/ics-error.h"
#include "base/timeout.h"
#include "turn-fallback/coturn-dir.h"
#include "turn-fallback/coturn-ports.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* RFC 8656 §3.1 */
#define TURN_PORT 3478
#define TURN_TLS_PORT 5349
#define RELAY_PORT_MIN 49152
#define RELAY_PORT_MAX 65535
/* Of allocations and nonces; what hosts ask for, and renew in time. */
#define LIFETIME_MAX_S 3600

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 30000
#define LIVED_LONG_US (60 * (gint64)G_USEC_PER_SEC)
#define TERM_MS 3000
/* How much of what the child printed last is kept, to say why it died. */
#define TAIL_SIZE 512

struct _IcsCoturn
{
  char *program;
  char *state_dir;
  char *secret;
  char *realm;
  GArray *addresses; /* IcsCoturnAddress */
  char **allow_peers;
  guint16 min_port, max_port;
  char *tls_cert, *tls_key; /* absolute; NULL = no TLS */
  guint lifetime;
  void (*log) (const char *line, gpointer user_data);
  gpointer user_data;

  IcsCoturnDir *dir;
  GSubprocess *child;
  GCancellable *cancellable; /* of the reads and the wait */
  guint16 port, tls_port;
  gint64 started;
  guint backoff_ms;
  GSource *restart;
  GSource *kill;
  GString *tail;
  char buffer[4096];
  gboolean stopping;
  void (*stopped) (gpointer);
  gpointer stopped_data;
};

static void watch (IcsCoturn *self);

G_GNUC_PRINTF (2, 3)
static void
say (IcsCoturn *self, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  line = g_strdup_vprintf (format, args);
  va_end (args);
  if (self->log != NULL)
    self->log (line, self->user_data);
}

char *
ics_coturn_find_program (void)
{
  char *program = g_find_program_in_path ("turnserver");

  if (program == NULL && g_file_test ("/usr/bin/turnserver", G_FILE_TEST_IS_EXECUTABLE))
    program = g_strdup ("/usr/bin/turnserver");
  return program;
}

static void
address_clear (gpointer data)
{
  IcsCoturnAddress *address = data;

  g_free (address->local);
  g_free (address->public);
}

IcsCoturn *
ics_coturn_new (const IcsCoturnConfig *config)
{
  IcsCoturn *self = g_new0 (IcsCoturn, 1);

  self->state_dir = g_strdup (config->state_dir);
  self->secret = g_strdup (config->secret);
  self->realm = g_strdup (config->realm);
  self->addresses = g_array_new (FALSE, FALSE, sizeof (IcsCoturnAddress));
  g_array_set_clear_func (self->addresses, address_clear);
  for (guint i = 0; i < config->n_addresses; i++)
    {
      IcsCoturnAddress copy
          = { g_strdup (config->addresses[i].local), g_strdup (config->addresses[i].public) };

      g_array_append_val (self->addresses, copy);
    }
  if (config->tls_cert != NULL)
    {
      self->tls_cert = g_canonicalize_filename (config->tls_cert, NULL);
      self->tls_key = g_canonicalize_filename (config->tls_key, NULL);
    }
  self->allow_peers = g_strdupv ((char **)config->allow_peers);
  self->min_port = config->min_port != 0 ? config->min_port : RELAY_PORT_MIN;
  self->max_port = config->max_port != 0 ? config->max_port : RELAY_PORT_MAX;
  self->lifetime = config->lifetime != 0 ? MIN (config->lifetime, LIFETIME_MAX_S) : LIFETIME_MAX_S;
  self->log = config->log;
  self->user_data = config->user_data;
  self->backoff_ms = BACKOFF_FIRST_MS;
  self->tail = g_string_new (NULL);
  return self;
}

void
ics_coturn_free (IcsCoturn *self)
{
  ics_timeout_clear (&self->restart);
  ics_timeout_clear (&self->kill);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->child != NULL)
    {
      g_subprocess_force_exit (self->child);
      g_subprocess_wait (self->child, NULL, NULL);
    }
  g_clear_object (&self->child);
  g_clear_pointer (&self->dir, ics_coturn_dir_free);
  g_array_unref (self->addresses);
  g_strfreev (self->allow_peers);
  sodium_memzero (self->secret, strlen (self->secret));
  g_free (self->secret);
  g_free (self->realm);
  g_free (self->tls_cert);
  g_free (self->tls_key);
  g_free (self->state_dir);
  g_free (self->program);
  g_string_free (self->tail, TRUE);
  g_free (self);
}

/* The child */

static gboolean
choose_ports (IcsCoturn *self, GError **error)
{
  return ics_coturn_choose_port (self->addresses, &self->port, TURN_PORT, 0, error)
         && (self->tls_cert == NULL
             || ics_coturn_choose_port (self->addresses, &self->tls_port, TURN_TLS_PORT, self->port, error));
}

/* Between fork and exec: async-signal-safe calls only. The TURN server shall not outlive the thread that
 * serves; a parent that died before the prctl is seen by the changed parent. */
static void
setup_child (gpointer data)
{
  pid_t parent = (pid_t)GPOINTER_TO_INT (data);

  if (prctl (PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid () != parent)
    _exit (127);
  /* A terminal's interrupt is for the server, which then ends this one. */
  setpgid (0, 0);
}

static gboolean
write_config (IcsCoturn *self, GError **error)
{
  IcsCoturnSettings settings = { .dir = ics_coturn_dir_get_path (self->dir),
                                 .secret = self->secret,
                                 .realm = self->realm,
                                 .addresses = (const IcsCoturnAddress *)(gpointer)self->addresses->data,
                                 .n_addresses = self->addresses->len,
                                 .allow_peers = (const char *const *)self->allow_peers,
                                 .port = self->port,
                                 .tls_port = self->tls_port,
                                 .tls_cert = self->tls_cert,
                                 .tls_key = self->tls_key,
                                 .min_port = self->min_port,
                                 .max_port = self->max_port,
                                 .lifetime = self->lifetime };
  g_autofree char *text = ics_coturn_compose (&settings, error);
  gboolean written = text != NULL && ics_coturn_dir_write_config (self->dir, text, error);

  if (text != NULL)
    sodium_memzero (text, strlen (text));
  return written;
}

static gboolean
spawn (IcsCoturn *self, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher
      = g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_autofree char *config = NULL;

  if (!choose_ports (self, error) || !write_config (self, error))
    return FALSE;
  config = ics_coturn_dir_get_config (self->dir);
  g_subprocess_launcher_set_child_setup (launcher, setup_child, GINT_TO_POINTER (getpid ()), NULL);
  g_subprocess_launcher_set_cwd (launcher, ics_coturn_dir_get_path (self->dir));
  g_string_truncate (self->tail, 0);
  self->child = g_subprocess_launcher_spawn (launcher, error, self->program, "-c", config, NULL);
  if (self->child == NULL)
    return FALSE;
  self->started = g_get_monotonic_time ();
  watch (self);
  if (self->tls_port != 0)
    say (self, "TURN server started on port %u, with TLS on port %u (process %s)", self->port, self->tls_port,
         g_subprocess_get_identifier (self->child));
  else
    say (self, "TURN server started on port %u (process %s)", self->port,
         g_subprocess_get_identifier (self->child));
  return TRUE;
}

static void schedule_restart (IcsCoturn *self);

static gboolean
on_restart (gpointer data)
{
  IcsCoturn *self = data;
  g_autoptr (GError) error = NULL;

  ics_timeout_clear (&self->restart);
  if (!spawn (self, &error))
    {
      say (self, "cannot start the TURN server: %s", error->message);
      schedule_restart (self);
    }
  return G_SOURCE_REMOVE;
}

static void
schedule_restart (IcsCoturn *self)
{
  self->restart = ics_timeout_new (self->backoff_ms, on_restart, self);
  self->backoff_ms = MIN (2 * self->backoff_ms, BACKOFF_MAX_MS);
}

static void
finish_stop (IcsCoturn *self)
{
  void (*stopped) (gpointer) = self->stopped;

  ics_timeout_clear (&self->kill);
  g_clear_pointer (&self->dir, ics_coturn_dir_free);
  self->stopped = NULL;
  if (stopped != NULL)
    stopped (self->stopped_data);
}

static void
on_exited (GObject *source, GAsyncResult *result, gpointer data)
{
  IcsCoturn *self = data;
  g_autoptr (GError) error = NULL;

  /* Cancelled: @self is gone. */
  if (!g_subprocess_wait_finish (G_SUBPROCESS (source), result, &error)
      && g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->child);
  if (self->stopping)
    {
      finish_stop (self);
      return;
    }
  if (g_get_monotonic_time () - self->started >= LIVED_LONG_US)
    self->backoff_ms = BACKOFF_FIRST_MS;
  say (self, "TURN server died, starting it again in %u ms; it said last: %s", self->backoff_ms,
       g_strstrip (self->tail->str));
  schedule_restart (self);
}

static void
on_output (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  gssize count = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);
  IcsCoturn *self = data;

  if (count <= 0)
    return;
  g_string_append_len (self->tail, self->buffer, count);
  if (self->tail->len > TAIL_SIZE)
    g_string_erase (self->tail, 0, (gssize)(self->tail->len - TAIL_SIZE));
  g_input_stream_read_async (G_INPUT_STREAM (source), self->buffer, sizeof self->buffer, G_PRIORITY_LOW,
                             self->cancellable, on_output, self);
}

static void
watch (IcsCoturn *self)
{
  self->cancellable = g_cancellable_new ();
  g_input_stream_read_async (g_subprocess_get_stdout_pipe (self->child), self->buffer, sizeof self->buffer,
                             G_PRIORITY_LOW, self->cancellable, on_output, self);
  g_subprocess_wait_async (self->child, self->cancellable, on_exited, self);
}

gboolean
ics_coturn_start (IcsCoturn *self, GError **error)
{
  self->program = ics_coturn_find_program ();
  if (self->program == NULL)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_FAILED, "turnserver is not installed");
      return FALSE;
    }
  self->dir = ics_coturn_dir_new (self->state_dir, error);
  return self->dir != NULL && spawn (self, error);
}

static gboolean
on_kill (gpointer data)
{
  IcsCoturn *self = data;

  ics_timeout_clear (&self->kill);
  say (self, "TURN server does not end by itself, killing it");
  g_subprocess_force_exit (self->child);
  return G_SOURCE_REMOVE;
}

void
ics_coturn_stop (IcsCoturn *self, void (*stopped) (gpointer), gpointer user_data)
{
  self->stopping = TRUE;
  self->stopped = stopped;
  self->stopped_data = user_data;
  ics_timeout_clear (&self->restart);
  if (self->child == NULL)
    {
      finish_stop (self);
      return;
    }
  g_subprocess_send_signal (self->child, SIGTERM);
  self->kill = ics_timeout_new (TERM_MS, on_kill, self);
}

guint16
ics_coturn_get_tls_port (IcsCoturn *self)
{
  return self->tls_port;
}

guint16
ics_coturn_get_port (IcsCoturn *self)
{
  return self->port;
}

const char *
ics_coturn_get_pid (IcsCoturn *self)
{
  return self->child != NULL ? g_subprocess_get_identifier (self->child) : NULL;
}

const char *
ics_coturn_get_dir (IcsCoturn *self)
{
  return self->dir != NULL ? ics_coturn_dir_get_path (self->dir) : NULL;
}
