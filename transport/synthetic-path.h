/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/quic-compat.h"
#include <glib.h>
#include <netinet/in.h>

G_BEGIN_DECLS

/* The address pairs under which QUIC knows the paths. They are made up: path number and generation, packed
 * into IPv6 addresses that never leave the process. Every move gets a generation of its own, because ngtcp2
 * (<= 1.11) aborts in its path MTU search when an address pair returns, and later versions leak connection
 * ids. */

typedef struct
{
  guint path;
  guint generation;
} IcsPathTag;

typedef struct
{
  ngtcp2_path path;
  struct sockaddr_in6 local, remote;
} IcsSyntheticPath;

static inline gboolean
ics_path_tag_equal (IcsPathTag a, IcsPathTag b)
{
  return a.path == b.path && a.generation == b.generation;
}

/* @self is self-referential: it must not be copied. */
void ics_synthetic_path_init (IcsSyntheticPath *self, IcsPathTag tag);
IcsPathTag ics_synthetic_path_tag (const ngtcp2_path *path);

/* Which pair a received packet belongs to.
 *
 * The client moves, so it knows: the latest generation on that path. The server tells moves apart by the
 * destination connection id, of which the client uses a new one for each move (RFC 9000 §9.5). Only ids that
 * the server issued count: others could be anybody's and would push the real ones out. */
typedef struct _IcsPathMap IcsPathMap;

IcsPathMap *ics_path_map_new (void);
void ics_path_map_free (IcsPathMap *self);

/* The generation for a move onto @path; it becomes the latest when the move is committed. */
IcsPathTag ics_path_map_next (IcsPathMap *self, guint path);
void ics_path_map_commit (IcsPathMap *self, IcsPathTag tag);

/* The latest generation of @path. */
IcsPathTag ics_path_map_latest (IcsPathMap *self, guint path);

/* The pair under which packets to @dcid on @path were seen first; a new generation for a new @dcid. */
IcsPathTag ics_path_map_lookup (IcsPathMap *self, guint path, const ngtcp2_cid *dcid);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsPathMap, ics_path_map_free)

G_END_DECLS
