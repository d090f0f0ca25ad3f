/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Which source (SSRC) belongs to which of the media streams of a session; see docs/protocol.md, media/1. */
typedef struct _CliMediaSources CliMediaSources;

/* The library protects packets of so many. */
#define CLI_MEDIA_SOURCES_MAX 256

/* What a datagram is (RFC 5761 §4), and of whom. FALSE when it is neither RTP nor RTCP. */
gboolean cli_media_peek (const guint8 *data, gsize len, gboolean *rtcp, guint32 *ssrc);

CliMediaSources *cli_media_sources_new (void);
void cli_media_sources_free (CliMediaSources *self);

/* TRUE when that is news. A source keeps its first stream; beyond the most, none is noted. */
gboolean cli_media_sources_set (CliMediaSources *self, guint32 ssrc, guint stream);
/* FALSE when it is not known. */
gboolean cli_media_sources_get (CliMediaSources *self, guint32 ssrc, guint *stream);

G_END_DECLS
