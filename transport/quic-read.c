/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#include <string.h>

/* Packets that arrive: whose they are, and which path QUIC takes them to have come on. */

static gboolean
accept_initial (IcsQuic *self, gint64 now, const guint8 *data, gsize len)
{
  ngtcp2_pkt_hd hd;
  int rv = ngtcp2_accept (&hd, data, len);

  if (self->config.client || rv != 0)
    return FALSE;
  rv = ics_quic_make_conn (self, &hd, now);
  if (rv != 0)
    ics_quic_fail (self, rv);
  return rv == 0;
}

/* A client of ngtcp2 ignores what arrives elsewhere than on its path, on that which it validates or on those
 * it left very lately. But a server that has not followed yet still sends on its old path, and when it has
 * used up its connection ids only those packets can say so. They pass for packets of the path in use. */
static IcsPathTag
client_tag (IcsQuic *self, guint path)
{
  if (self->moving && path == self->moving_to.path)
    return self->moving_to;
  return ics_synthetic_path_tag (ngtcp2_conn_get_path (self->conn));
}

static gboolean
is_own_cid (IcsQuic *self, const guint8 *data)
{
  guint64 key;

  memcpy (&key, data, sizeof key);
  if (self->last_cid_known && key == self->last_cid)
    return TRUE;
  self->last_cid_known = g_hash_table_contains (self->cids, &key);
  self->last_cid = key;
  self->last_tag_known = FALSE;
  return self->last_cid_known;
}

/* The pair to which a packet to the last connection id belongs. */
static IcsPathTag
server_tag (IcsQuic *self, guint path)
{
  ngtcp2_cid dcid;

  if (self->last_tag_known && self->last_tag.path == path)
    return self->last_tag;
  ngtcp2_cid_init (&dcid, (const uint8_t *)&self->last_cid, ICS_CID_SIZE);
  self->last_tag = ics_path_map_lookup (self->paths, path, &dcid);
  self->last_tag_known = TRUE;
  return self->last_tag;
}

/* RFC 9000 §17.3: a short header has no length of the connection id; ours are all of one size. */
static gboolean
classify (IcsQuic *self, guint path, const guint8 *data, gsize len, IcsPathTag *tag)
{
  gboolean is_long = len > 0 && (data[0] & 0x80) != 0;

  if (len == 0 || (!is_long && (len < 1 + ICS_CID_SIZE || !is_own_cid (self, data + 1))))
    return FALSE;
  if (self->config.client)
    *tag = client_tag (self, path);
  else
    *tag = is_long ? ics_path_map_latest (self->paths, path) : server_tag (self, path);
  return TRUE;
}

/* ngtcp2 copies what it keeps. */
static const ngtcp2_path *
get_pair (IcsQuic *self, IcsPathTag tag)
{
  if (self->read_pair.path.local.addr == NULL || !ics_path_tag_equal (tag, self->read_tag))
    {
      ics_synthetic_path_init (&self->read_pair, tag);
      self->read_tag = tag;
    }
  return &self->read_pair.path;
}

/* RFC 9000 §5.2.2: the packet that was to begin the connection is not authentic and says nothing about the
 * peer; the next Initial may. */
static void
forget_false_start (IcsQuic *self)
{
  g_clear_pointer (&self->conn, ngtcp2_conn_del);
  g_hash_table_remove_all (self->cids);
  self->dropped++;
}

gboolean
ics_quic_read (IcsQuic *self, gint64 now, guint path, const guint8 *data, gsize len)
{
  ngtcp2_pkt_info pi = { 0 };
  IcsPathTag tag;
  gboolean first = self->conn == NULL;
  guint64 opened = ics_quic_get_opened ();
  int rv;

  now = ics_quic_advance (self, now);
  if (self->closed || (self->conn == NULL && !accept_initial (self, now, data, len)) || self->conn == NULL
      || !classify (self, path, data, len, &tag))
    {
      self->dropped++;
      return FALSE;
    }
  if (path != self->reading_path)
    self->reading_kind = ics_quic_kind_of (self, path);
  self->reading_path = path;
  self->not_before = 0;
  self->has_read = self->news_fresh = TRUE;
  rv = ngtcp2_conn_read_pkt (self->conn, get_pair (self, tag), &pi, data, len, ics_quic_ts (now));
  if (rv == NGTCP2_ERR_DROP_CONN && first)
    {
      forget_false_start (self);
      return FALSE;
    }
  if (rv == NGTCP2_ERR_DRAINING)
    ics_quic_closed_by_peer (self);
  else if (ICS_ERROR_IS_DOUBTFUL (rv))
    self->dropped++, rv = 0;
  else if (rv != 0)
    ics_quic_fail (self, rv);
  ics_quic_notice_move (self);
  self->dropped += opened == ics_quic_get_opened ();
  return rv == 0 && opened != ics_quic_get_opened ();
}
