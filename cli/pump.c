/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/pump.h"

void
cli_counter_add (guint64 *counter, guint64 bytes)
{
  __atomic_add_fetch (counter, bytes, __ATOMIC_RELAXED);
}

guint64
cli_counter_get (const guint64 *counter)
{
  return __atomic_load_n (counter, __ATOMIC_RELAXED);
}

static gboolean
write_chunk (const CliPump *self, const guint8 *data, gsize length, GCancellable *cancellable, GError **error)
{
  if (self->hash != NULL)
    cli_hash_update (self->hash, data, length);
  if (!g_output_stream_write_all (self->out, data, length, NULL, cancellable, error))
    return FALSE;
  if (self->bytes != NULL)
    cli_counter_add (self->bytes, length);
  return TRUE;
}

CliPumpResult
cli_pump_run (const CliPump *self, GCancellable *cancellable, GError **error)
{
  g_autofree guint8 *buffer = g_malloc (CLI_PUMP_BUFFER);
  gsize chunk = self->rate != NULL ? cli_rate_chunk (self->rate, CLI_PUMP_BUFFER) : CLI_PUMP_BUFFER;

  for (;;)
    {
      gssize n = g_input_stream_read (self->in, buffer, chunk, cancellable, error);

      if (n <= 0)
        return n == 0 ? CLI_PUMP_GOOD : CLI_PUMP_READ_FAILED;
      if (self->rate != NULL && !cli_rate_wait (self->rate, (gsize)n, cancellable, error))
        return CLI_PUMP_READ_FAILED;
      if (!write_chunk (self, buffer, (gsize)n, cancellable, error))
        return CLI_PUMP_WRITE_FAILED;
    }
}
