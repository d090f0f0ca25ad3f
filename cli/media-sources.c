/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/media-sources.h"

#define RTP_HEADER 12
#define RTCP_HEADER 8

struct _CliMediaSources
{
  GMutex lock;
  GHashTable *streams; /* SSRC -> stream + 1 */
};

static guint32
read_u32 (const guint8 *data)
{
  return (guint32)data[0] << 24 | (guint32)data[1] << 16 | (guint32)data[2] << 8 | data[3];
}

gboolean
cli_media_peek (const guint8 *data, gsize len, gboolean *rtcp, guint32 *ssrc)
{
  if (len < RTCP_HEADER || data[0] >> 6 != 2)
    return FALSE;
  *rtcp = data[1] >= 192 && data[1] <= 223;
  if (!*rtcp && len < RTP_HEADER)
    return FALSE;
  *ssrc = read_u32 (data + (*rtcp ? 4 : 8));
  return TRUE;
}

CliMediaSources *
cli_media_sources_new (void)
{
  CliMediaSources *self = g_new0 (CliMediaSources, 1);

  g_mutex_init (&self->lock);
  self->streams = g_hash_table_new (NULL, NULL);
  return self;
}

void
cli_media_sources_free (CliMediaSources *self)
{
  g_hash_table_unref (self->streams);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
cli_media_sources_set (CliMediaSources *self, guint32 ssrc, guint stream)
{
  gboolean news;

  g_mutex_lock (&self->lock);
  news = g_hash_table_lookup (self->streams, GUINT_TO_POINTER (ssrc)) == NULL
         && g_hash_table_size (self->streams) < CLI_MEDIA_SOURCES_MAX;
  if (news)
    g_hash_table_insert (self->streams, GUINT_TO_POINTER (ssrc), GUINT_TO_POINTER (stream + 1));
  g_mutex_unlock (&self->lock);
  return news;
}

gboolean
cli_media_sources_get (CliMediaSources *self, guint32 ssrc, guint *stream)
{
  guint found;

  g_mutex_lock (&self->lock);
  found = GPOINTER_TO_UINT (g_hash_table_lookup (self->streams, GUINT_TO_POINTER (ssrc)));
  g_mutex_unlock (&self->lock);
  *stream = found - 1;
  return found > 0;
}
