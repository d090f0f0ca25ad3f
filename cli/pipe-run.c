/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pipe-run.h"
#include "base/ics-error.h"
#include "cli/pump.h"
#include "cli/stripe.h"

/* The two directions are two threads. The downward one writes the control stream, the upward one reads it. */
typedef struct
{
  CliPipe *job;
  GIOStream *local;
  GIOStream *control;
  CliStripes *stripes;
  GCancellable *cancellable; /* of this run; a direction that fails stops the other */
  GMutex lock;
  GError *error; /* the first one */
} Run;

static void
fail (Run *run, GError *error)
{
  g_mutex_lock (&run->lock);
  if (run->error == NULL)
    run->error = error;
  else
    g_error_free (error);
  g_mutex_unlock (&run->lock);
  g_cancellable_cancel (run->cancellable);
}

static gboolean
half_close_local (Run *run, GError **error)
{
  GOutputStream *out = g_io_stream_get_output_stream (run->local);

  if (G_IS_SOCKET_CONNECTION (run->local))
    return g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (run->local)), FALSE, TRUE,
                              error);
  return g_output_stream_close (out, run->cancellable, error);
}

static gboolean
check_verdict (Run *run, GError **error)
{
  g_autoptr (JsonObject) verdict = cli_frame_expect (run->control, "verdict", run->cancellable, error);

  if (verdict == NULL)
    return FALSE;
  if (g_strcmp0 (cli_json_string (verdict, "sha256"), run->job->sent.sha256) == 0)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INTEGRITY, "the other side received something else than was sent");
  return FALSE;
}

static gboolean
pump_up (Run *run, GError **error)
{
  CliPipe *job = run->job;
  g_autoptr (GOutputStream) out = cli_stripes_new_output (run->stripes);
  g_autoptr (CliHash) hash = cli_hash_new ();
  CliPump pump = { g_io_stream_get_input_stream (run->local), out, hash, &job->rate, &job->sent.bytes };
  CliPumpResult result = cli_pump_run (&pump, run->cancellable, error);

  if (result == CLI_PUMP_READ_FAILED)
    g_prefix_error (error, "cannot read the input: ");
  else if (result == CLI_PUMP_WRITE_FAILED)
    cli_peer_translate_error (error);
  if (result != CLI_PUMP_GOOD)
    {
      cli_stripes_reset (run->stripes, job->peer);
      return FALSE;
    }
  job->sent.sha256 = cli_hash_finish (hash, NULL);
  return g_output_stream_close (out, run->cancellable, error) && check_verdict (run, error);
}

static gboolean
write_verdict (Run *run, GError **error)
{
  JsonObject *verdict = cli_frame_new ("verdict");

  json_object_set_int_member (verdict, "bytes", (gint64)run->job->received.bytes);
  json_object_set_string_member (verdict, "sha256", run->job->received.sha256);
  return cli_frame_write (run->control, verdict, run->cancellable, error);
}

static gboolean
pump_down (Run *run, GError **error)
{
  CliPipe *job = run->job;
  g_autoptr (GInputStream) in = cli_stripes_new_input (run->stripes);
  g_autoptr (CliHash) hash = cli_hash_new ();
  CliPump pump = { in, g_io_stream_get_output_stream (run->local), hash, NULL, &job->received.bytes };
  CliPumpResult result = cli_pump_run (&pump, run->cancellable, error);

  if (result == CLI_PUMP_READ_FAILED)
    cli_peer_translate_error (error);
  else if (result == CLI_PUMP_WRITE_FAILED || !half_close_local (run, error))
    {
      g_prefix_error (error, "cannot write the output: ");
      cli_stripes_reset (run->stripes, job->peer);
      return FALSE;
    }
  if (result != CLI_PUMP_GOOD)
    return FALSE;
  job->received.sha256 = cli_hash_finish (hash, NULL);
  return write_verdict (run, error);
}

static gpointer
run_down (gpointer user_data)
{
  Run *run = user_data;
  GError *error = NULL;

  if (!pump_down (run, &error))
    fail (run, error);
  return NULL;
}

static void
run_both (Run *run)
{
  GError *error = NULL;
  GThread *down = g_thread_try_new ("pipe-down", run_down, run, &error);

  if (down == NULL || !pump_up (run, &error))
    fail (run, error);
  if (down != NULL)
    g_thread_join (down);
}

static gboolean
agree (Run *run, GCancellable *cancellable, GError **error)
{
  CliPeer *peer = run->job->peer;
  g_autoptr (JsonObject) hello = cli_control_read_hello (run->control, "pipe", cancellable, error);
  guint count;
  gsize block;

  if (hello == NULL || !cli_stripes_read_hello (hello, &count, &block, error))
    return FALSE;
  run->local = run->job->open (run->job->open_data, cancellable, error);
  if (run->local == NULL)
    return FALSE;
  run->stripes = peer->initiator ? cli_stripes_open (peer, cancellable, error)
                                 : cli_stripes_accept (peer, count, block, cancellable, error);
  return run->stripes != NULL;
}

static void
transfer (Run *run, GCancellable *cancellable)
{
  GError *error = NULL;

  if (!agree (run, cancellable, &error))
    {
      fail (run, error);
      return;
    }
  run_both (run);
  cli_stripes_count (run->stripes, run->job->peer, TRUE, run->job->sent.bytes, run->job->sent.by_kind);
  cli_stripes_count (run->stripes, run->job->peer, FALSE, run->job->received.bytes,
                     run->job->received.by_kind);
}

static void
run_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

static void
run_clear (Run *run)
{
  g_clear_object (&run->local);
  g_clear_object (&run->control);
  g_clear_pointer (&run->stripes, cli_stripes_free);
  g_clear_object (&run->cancellable);
  g_mutex_clear (&run->lock);
}

gboolean
cli_pipe_run (CliPipe *self, GCancellable *cancellable, GError **error)
{
  JsonObject *hello = cli_control_new_hello ("pipe");
  Run run = { .job = self, .cancellable = g_cancellable_new () };
  gulong handler = g_cancellable_connect (cancellable, G_CALLBACK (run_cancelled),
                                          g_object_ref (run.cancellable), g_object_unref);

  g_mutex_init (&run.lock);
  cli_stripes_describe (hello);
  run.control = cli_control_start (self->peer, hello, cancellable, &run.error);
  if (run.control != NULL)
    transfer (&run, cancellable);
  g_cancellable_disconnect (cancellable, handler);
  if (run.control != NULL && run.error == NULL)
    cli_control_farewell (run.control, cancellable);
  else if (run.control != NULL)
    cli_control_fail (run.control, cancellable, &run.error);
  run_clear (&run);
  if (run.error == NULL)
    return TRUE;
  g_propagate_error (error, run.error);
  return FALSE;
}
