/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/transfer.h"
#include "cli/pump.h"

void
cli_progress_set_file (CliProgress *self, const char *file, guint64 total)
{
  g_mutex_lock (&self->lock);
  if (self->file == NULL)
    self->start_us = g_get_monotonic_time ();
  self->file = file;
  self->total = total;
  g_mutex_unlock (&self->lock);
}

gboolean
cli_progress_get (CliProgress *self, const char **file, guint64 *bytes, guint64 *total)
{
  g_mutex_lock (&self->lock);
  *file = self->file;
  *total = self->total;
  g_mutex_unlock (&self->lock);
  *bytes = cli_counter_get (&self->bytes);
  return *file != NULL;
}

void
cli_totals_clear (CliTotals *self)
{
  g_clear_pointer (&self->sha256, g_free);
}
