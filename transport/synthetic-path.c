/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/synthetic-path.h"

#include <string.h>

/* As many connection ids as a peer can have active at once (active_connection_id_limit), twice. */
#define MAX_SEEN 16

typedef struct
{
  guint path;
  guint generation;
  ngtcp2_cid dcid;
} Seen;

struct _IcsPathMap
{
  GHashTable *latest; /* path -> generation */
  Seen seen[MAX_SEEN];
  guint n_seen;
};

static void
pack (struct sockaddr_in6 *sa, guint8 side, IcsPathTag tag)
{
  guint32 path = g_htonl (tag.path), generation = g_htonl (tag.generation);

  memset (sa, 0, sizeof *sa);
  sa->sin6_family = AF_INET6;
  sa->sin6_port = g_htons (1);
  sa->sin6_addr.s6_addr[0] = 0xfd;
  sa->sin6_addr.s6_addr[1] = side;
  memcpy (sa->sin6_addr.s6_addr + 8, &path, sizeof path);
  memcpy (sa->sin6_addr.s6_addr + 12, &generation, sizeof generation);
}

void
ics_synthetic_path_init (IcsSyntheticPath *self, IcsPathTag tag)
{
  pack (&self->local, 1, tag);
  pack (&self->remote, 2, tag);
  memset (&self->path, 0, sizeof self->path);
  self->path.local.addr = (struct sockaddr *)&self->local;
  self->path.local.addrlen = sizeof self->local;
  self->path.remote.addr = (struct sockaddr *)&self->remote;
  self->path.remote.addrlen = sizeof self->remote;
}

IcsPathTag
ics_synthetic_path_tag (const ngtcp2_path *path)
{
  const struct sockaddr_in6 *sa = (const struct sockaddr_in6 *)path->local.addr;
  guint32 number = 0, generation = 0;

  if (path->local.addrlen == sizeof *sa)
    {
      memcpy (&number, sa->sin6_addr.s6_addr + 8, sizeof number);
      memcpy (&generation, sa->sin6_addr.s6_addr + 12, sizeof generation);
    }
  return (IcsPathTag){ g_ntohl (number), g_ntohl (generation) };
}

IcsPathMap *
ics_path_map_new (void)
{
  IcsPathMap *self = g_new0 (IcsPathMap, 1);

  self->latest = g_hash_table_new (NULL, NULL);
  return self;
}

void
ics_path_map_free (IcsPathMap *self)
{
  g_hash_table_unref (self->latest);
  g_free (self);
}

IcsPathTag
ics_path_map_latest (IcsPathMap *self, guint path)
{
  return (IcsPathTag){ path, GPOINTER_TO_UINT (g_hash_table_lookup (self->latest, GUINT_TO_POINTER (path))) };
}

IcsPathTag
ics_path_map_next (IcsPathMap *self, guint path)
{
  IcsPathTag tag = ics_path_map_latest (self, path);

  tag.generation++;
  return tag;
}

void
ics_path_map_commit (IcsPathMap *self, IcsPathTag tag)
{
  g_hash_table_insert (self->latest, GUINT_TO_POINTER (tag.path), GUINT_TO_POINTER (tag.generation));
}

static IcsPathTag
remember (IcsPathMap *self, IcsPathTag tag, const ngtcp2_cid *dcid)
{
  if (self->n_seen == MAX_SEEN)
    memmove (self->seen, self->seen + 1, sizeof self->seen[0] * --self->n_seen);
  self->seen[self->n_seen++] = (Seen){ tag.path, tag.generation, *dcid };
  return tag;
}

IcsPathTag
ics_path_map_lookup (IcsPathMap *self, guint path, const ngtcp2_cid *dcid)
{
  gboolean path_known = FALSE;
  IcsPathTag tag;

  for (guint i = self->n_seen; i-- > 0;)
    {
      if (self->seen[i].path != path)
        continue;
      if (ngtcp2_cid_eq (&self->seen[i].dcid, dcid))
        return (IcsPathTag){ path, self->seen[i].generation };
      path_known = TRUE;
    }
  if (!path_known && ics_path_map_latest (self, path).generation == 0)
    return remember (self, ics_path_map_latest (self, path), dcid);
  tag = ics_path_map_next (self, path);
  ics_path_map_commit (self, tag);
  return remember (self, tag, dcid);
}
