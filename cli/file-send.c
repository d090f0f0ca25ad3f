/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/file-send.h"
#include "base/ics-error.h"
#include "cli/hash.h"
#include "cli/pump.h"
#include "cli/stripe.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER (256 * 1024)

/* What is needed while the contents flow. */
typedef struct
{
  CliFileSend *job;
  GOutputStream *out;
  CliHash *file_hash;
  CliHash *all_hash; /* of the contents one after the other, when there are several */
  guint8 *buffer;    /* files are read into it and written from it; small ones share a write */
  gsize used;
  GCancellable *cancellable;
} Sender;

static gboolean
fail_read (const CliEntry *entry, int errsv, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errsv), "cannot read %s: %s", entry->source,
               g_strerror (errsv));
  return FALSE;
}

static gboolean
fail_changed (const CliEntry *entry, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "%s changed while it was being sent; send it again",
               entry->source);
  return FALSE;
}

static gboolean
flush (Sender *self, GError **error)
{
  gsize length = self->used;

  self->used = 0;
  return length == 0 || cli_peer_write_all (self->out, self->buffer, length, self->cancellable, error);
}

/* The @length bytes behind what is used were read from a file. */
static gboolean
send_chunk (Sender *self, gsize length, GError **error)
{
  CliFileSend *job = self->job;
  const guint8 *data = self->buffer + self->used;

  if (!cli_rate_wait (&job->rate, length, self->cancellable, error))
    return FALSE;
  cli_hash_update (self->file_hash, data, length);
  if (self->all_hash != NULL)
    cli_hash_update (self->all_hash, data, length);
  self->used += length;
  /* A slow rate shall flow evenly. */
  if ((self->used == BUFFER || job->rate.rate > 0) && !flush (self, error))
    return FALSE;
  cli_counter_add (&job->progress->bytes, length);
  return TRUE;
}

static gboolean
send_digest (Sender *self, const guint8 digest[CLI_SHA256_LENGTH], GError **error)
{
  if (BUFFER - self->used <= CLI_SHA256_LENGTH && !flush (self, error))
    return FALSE;
  memcpy (self->buffer + self->used, digest, CLI_SHA256_LENGTH);
  self->used += CLI_SHA256_LENGTH;
  return TRUE;
}

static gboolean
send_content (Sender *self, const CliEntry *entry, int fd, GError **error)
{
  gsize chunk = cli_rate_chunk (&self->job->rate, BUFFER);
  guint64 left = entry->size;

  for (;;)
    {
      /* One byte more than announced is enough to see that the file grew. */
      size_t room = MIN (chunk, BUFFER - self->used);
      ssize_t n = read (fd, self->buffer + self->used, (size_t)MIN (room, left + 1));

      if (n < 0 && errno != EINTR)
        return fail_read (entry, errno, error);
      if (n > 0 && (guint64)n > left)
        return fail_changed (entry, error);
      if (n == 0)
        return left == 0 || fail_changed (entry, error);
      if (n > 0 && !send_chunk (self, (gsize)n, error))
        return FALSE;
      left -= (guint64)MAX (n, 0);
    }
}

static gboolean
send_file (Sender *self, const CliEntry *entry, GError **error)
{
  guint8 digest[CLI_SHA256_LENGTH];
  struct stat info;
  int fd = open (entry->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  gboolean good;

  if (fd < 0)
    return fail_read (entry, errno, error);
  cli_progress_set_file (self->job->progress, entry->path, self->job->manifest->total);
  good = fstat (fd, &info) == 0 && S_ISREG (info.st_mode) ? send_content (self, entry, fd, error)
                                                          : fail_changed (entry, error);
  close (fd);
  if (!good)
    return FALSE;
  g_free (self->job->totals.sha256);
  self->job->totals.sha256 = cli_hash_finish (self->file_hash, digest);
  return send_digest (self, digest, error);
}

static gboolean
send_files (Sender *self, GError **error)
{
  CliManifest *manifest = self->job->manifest;

  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);

      if (!entry->is_folder && !send_file (self, entry, error))
        return FALSE;
    }
  if (self->all_hash != NULL)
    {
      g_free (self->job->totals.sha256);
      self->job->totals.sha256 = cli_hash_finish (self->all_hash, NULL);
    }
  if (!flush (self, error))
    return FALSE;
  /* The end of all data streams. */
  if (g_output_stream_close (self->out, self->cancellable, error))
    return TRUE;
  cli_peer_translate_error (error);
  return FALSE;
}

static gboolean
send_data (CliFileSend *self, CliStripes *stripes, GCancellable *cancellable, GError **error)
{
  g_autoptr (GOutputStream) out = cli_stripes_new_output (stripes);
  g_autoptr (CliHash) file_hash = cli_hash_new ();
  g_autoptr (CliHash) all_hash = self->manifest->n_files == 1 ? NULL : cli_hash_new ();
  g_autofree guint8 *buffer = g_malloc (BUFFER);
  Sender sender = { self, out, file_hash, all_hash, buffer, 0, cancellable };
  gboolean good;

  good = send_files (&sender, error);
  /* The streams end when they are disposed of: that must not look like a good end. */
  if (!good)
    cli_stripes_reset (stripes, self->peer);
  return good;
}

static gboolean
read_verdict (CliFileSend *self, GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonObject) verdict = cli_frame_expect (control, "verdict", cancellable, error);

  if (verdict == NULL)
    return FALSE;
  if (g_strcmp0 (cli_json_string (verdict, "sha256"), self->totals.sha256) == 0)
    return TRUE;
  g_set_error (error, ICS_ERROR, ICS_ERROR_INTEGRITY, "the other side received something else than was sent");
  return FALSE;
}

static gboolean
read_answer (GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonObject) hello = cli_control_read_hello (control, "receive", cancellable, error);
  g_autoptr (JsonObject) answer
      = hello != NULL ? cli_frame_expect (control, "accept", cancellable, error) : NULL;

  return answer != NULL;
}

static gboolean
send_all (CliFileSend *self, GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliStripes) stripes = NULL;

  if (!cli_manifest_write (self->manifest, control, cancellable, error)
      || !read_answer (control, cancellable, error))
    return FALSE;
  stripes = cli_stripes_open (self->peer, cancellable, error);
  if (stripes == NULL || !send_data (self, stripes, cancellable, error)
      || !read_verdict (self, control, cancellable, error))
    return FALSE;
  self->totals.bytes = self->manifest->total;
  cli_stripes_count (stripes, self->peer, TRUE, self->totals.bytes, self->totals.by_kind);
  return TRUE;
}

gboolean
cli_file_send_run (CliFileSend *self, GCancellable *cancellable, GError **error)
{
  JsonObject *hello = cli_control_new_hello ("send");
  g_autoptr (GIOStream) control = NULL;
  g_autoptr (GError) local = NULL;

  cli_stripes_describe (hello);
  control = cli_control_start (self->peer, hello, cancellable, error);
  if (control == NULL)
    return FALSE;
  if (send_all (self, control, cancellable, &local))
    {
      cli_control_farewell (control, cancellable);
      return TRUE;
    }
  cli_control_fail (control, cancellable, &local);
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
