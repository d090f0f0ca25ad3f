/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file-receive.h"
#include "base/ics-error.h"
#include "cli/hash.h"
#include "cli/pump.h"
#include "cli/staging.h"
#include "cli/stripe.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

/* What is needed while the contents flow. */
typedef struct
{
  CliFileReceive *job;
  CliStaging *staging;
  GInputStream *in; /* buffered; contents are used where they lie in it */
  CliHash *file_hash;
  CliHash *all_hash; /* of the contents one after the other, when there are several */
  GCancellable *cancellable;
} Receiver;

static gboolean
write_fully (int fd, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = write (fd, data, length);

      if (n < 0 && errno != EINTR)
        return FALSE;
      data += MAX (n, 0);
      length -= (gsize)MAX (n, 0);
    }
  return TRUE;
}

static gboolean
store_chunk (Receiver *self, const CliEntry *entry, int fd, const guint8 *data, gsize length, GError **error)
{
  if (!write_fully (fd, data, length))
    {
      int errsv = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errsv), "cannot write %s: %s", entry->path,
                   g_strerror (errsv));
      return FALSE;
    }
  cli_hash_update (self->file_hash, data, length);
  if (self->all_hash != NULL)
    cli_hash_update (self->all_hash, data, length);
  cli_counter_add (&self->job->progress->bytes, length);
  return TRUE;
}

/* What is in the buffer, at least one byte; NULL on error. */
static const guint8 *
next_chunk (Receiver *self, gsize *length, GError **error)
{
  GBufferedInputStream *in = G_BUFFERED_INPUT_STREAM (self->in);
  gssize n = (gssize)g_buffered_input_stream_get_available (in);

  if (n == 0)
    n = g_buffered_input_stream_fill (in, -1, self->cancellable, error);
  if (n > 0)
    return g_buffered_input_stream_peek_buffer (in, length);
  if (n == 0)
    g_set_error (error, ICS_ERROR, ICS_ERROR_CLOSED, "the other side ended before it was done");
  else
    cli_peer_translate_error (error);
  return NULL;
}

static gboolean
receive_content (Receiver *self, const CliEntry *entry, int fd, GError **error)
{
  for (guint64 left = entry->size; left > 0;)
    {
      gsize n;
      const guint8 *data = next_chunk (self, &n, error);

      if (data == NULL)
        return FALSE;
      n = (gsize)MIN (left, n);
      if (!store_chunk (self, entry, fd, data, n, error)
          || g_input_stream_skip (self->in, n, self->cancellable, error) < 0)
        return FALSE;
      left -= n;
    }
  return TRUE;
}

static gboolean
check_digest (Receiver *self, const CliEntry *entry, GError **error)
{
  guint8 announced[CLI_SHA256_LENGTH];
  guint8 digest[CLI_SHA256_LENGTH];

  g_free (self->job->totals.sha256);
  self->job->totals.sha256 = cli_hash_finish (self->file_hash, digest);
  if (!cli_peer_read_all (self->in, announced, sizeof announced, self->cancellable, error))
    return FALSE;
  if (memcmp (announced, digest, sizeof digest) == 0)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INTEGRITY,
               "%s arrived altered: its SHA-256 is not that of the sender", entry->path);
  return FALSE;
}

static gboolean
receive_file (Receiver *self, const CliEntry *entry, GError **error)
{
  int fd = cli_staging_create_file (self->staging, entry->path, error);

  if (fd < 0)
    return FALSE;
  cli_progress_set_file (self->job->progress, entry->path, self->job->manifest->total);
  if (receive_content (self, entry, fd, error) && check_digest (self, entry, error))
    return cli_staging_finish_file (entry, fd, error);
  close (fd);
  return FALSE;
}

static gboolean
receive_entries (Receiver *self, GError **error)
{
  CliManifest *manifest = self->job->manifest;
  char extra;

  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);

      if (!(entry->is_folder ? cli_staging_add_folder (self->staging, entry->path, error)
                             : receive_file (self, entry, error)))
        return FALSE;
    }
  if (self->all_hash != NULL)
    {
      g_free (self->job->totals.sha256);
      self->job->totals.sha256 = cli_hash_finish (self->all_hash, NULL);
    }
  if (g_input_stream_read (self->in, &extra, 1, self->cancellable, NULL) <= 0)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the other side sent more than it had offered");
  return FALSE;
}

static gboolean
receive_data (CliFileReceive *self, CliStripes *stripes, GCancellable *cancellable, GError **error)
{
  const char *name = cli_manifest_get (self->manifest, 0)->path;
  g_autoptr (CliStaging) staging = cli_staging_new (self->target, name, error);
  g_autoptr (GInputStream) striped = cli_stripes_new_input (stripes);
  g_autoptr (GInputStream) in = g_buffered_input_stream_new_sized (striped, BUFFER);
  g_autoptr (CliHash) file_hash = cli_hash_new ();
  g_autoptr (CliHash) all_hash = self->manifest->n_files == 1 ? NULL : cli_hash_new ();
  Receiver receiver = { self, staging, in, file_hash, all_hash, cancellable };

  return staging != NULL && receive_entries (&receiver, error)
         && cli_staging_commit (staging, self->manifest, self->overwrite, error);
}

static gboolean
check_offer (CliFileReceive *self, GIOStream *control, GError **error)
{
  if (!cli_staging_check (self->target, self->manifest, self->overwrite, error))
    return FALSE;
  if (self->accept == NULL || self->accept (self->manifest, self->accept_data))
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_REFUSED, "the offer was declined");
  cli_control_abort (control, *error);
  return FALSE;
}

static gboolean
send_verdict (CliFileReceive *self, GIOStream *control, GCancellable *cancellable, GError **error)
{
  JsonObject *verdict = cli_frame_new ("verdict");

  json_object_set_int_member (verdict, "verified", self->manifest->n_files);
  json_object_set_int_member (verdict, "bytes", (gint64)self->manifest->total);
  json_object_set_string_member (verdict, "sha256", self->totals.sha256);
  return cli_frame_write (control, verdict, cancellable, error);
}

static gboolean
receive_all (CliFileReceive *self, GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonObject) hello = cli_control_read_hello (control, "send", cancellable, error);
  g_autoptr (CliStripes) stripes = NULL;
  guint streams = 0;
  gsize block = 0;
  gboolean good;

  if (hello == NULL || !cli_stripes_read_hello (hello, &streams, &block, error))
    return FALSE;
  self->manifest = cli_manifest_read (control, cancellable, error);
  if (self->manifest == NULL || !check_offer (self, control, error)
      || !cli_frame_write (control, cli_frame_new ("accept"), cancellable, error))
    return FALSE;
  stripes = cli_stripes_accept (self->peer, streams, block, cancellable, error);
  if (stripes == NULL)
    return FALSE;
  good = receive_data (self, stripes, cancellable, error) && send_verdict (self, control, cancellable, error);
  /* A sender that is still writing learns of it at once, and asks why on the control stream. */
  if (!good)
    cli_stripes_reset (stripes, self->peer);
  self->totals.bytes = self->manifest->total;
  cli_stripes_count (stripes, self->peer, FALSE, self->totals.bytes, self->totals.by_kind);
  return good;
}

gboolean
cli_file_receive_run (CliFileReceive *self, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) control
      = cli_control_start (self->peer, cli_control_new_hello ("receive"), cancellable, error);
  g_autoptr (GError) local = NULL;

  if (control == NULL)
    return FALSE;
  if (receive_all (self, control, cancellable, &local))
    {
      cli_control_farewell (control, cancellable);
      return TRUE;
    }
  cli_control_fail (control, cancellable, &local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
