/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#include <sodium.h>
#include <string.h>

#define INITIAL_RTT (150 * NGTCP2_MILLISECONDS)
#define HANDSHAKE_TIMEOUT (30 * NGTCP2_SECONDS)
/* RFC 9000 §13.2.2 recommends 2 until something better is known: at a high rate each ACK costs as much as a
 * packet. At a low one the delay counts, and ngtcp2 waits no longer than an eighth of the round-trip time. */
#define ACK_THRESHOLD 16

static ngtcp2_conn *
get_conn (ngtcp2_crypto_conn_ref *ref)
{
  IcsQuic *self = ref->user_data;

  return self->conn;
}

static void
set_params (IcsQuic *self, ngtcp2_transport_params *params)
{
  ngtcp2_transport_params_default (params);
  params->initial_max_stream_data_bidi_local = ICS_QUIC_STREAM_WINDOW;
  params->initial_max_stream_data_bidi_remote = ICS_QUIC_STREAM_WINDOW;
  params->initial_max_data = ICS_QUIC_CONN_WINDOW;
  params->initial_max_streams_bidi = ICS_QUIC_MAX_STREAMS;
  params->active_connection_id_limit = ICS_ACTIVE_CID_LIMIT;
  params->max_datagram_frame_size = 65535;
  /* The owner decides when a link is lost: it sees all paths. */
  params->max_idle_timeout = 0;
}

static void
set_settings (ngtcp2_settings *settings, gint64 now)
{
  ngtcp2_settings_default (settings);
  settings->initial_ts = ics_quic_ts (now);
  settings->initial_rtt = INITIAL_RTT;
  settings->cc_algo = ICS_CC_ALGO;
  settings->max_tx_udp_payload_size = ICS_QUIC_MAX_PACKET;
  settings->handshake_timeout = HANDSHAKE_TIMEOUT;
  settings->ack_thresh = ACK_THRESHOLD;
  settings->max_stream_window = 0; /* no windows of ngtcp2's choice: see grow_window() */
}

static void
init_cid (IcsQuic *self, ngtcp2_cid *cid, gsize len)
{
  cid->datalen = len;
  randombytes_buf (cid->data, len);
}

static void
own_cid (IcsQuic *self, const ngtcp2_cid *cid)
{
  g_hash_table_add (self->cids, g_memdup2 (cid->data, ICS_CID_SIZE));
}

int
ics_quic_make_conn (IcsQuic *self, const ngtcp2_pkt_hd *hd, gint64 now)
{
  IcsSyntheticPath path;
  ngtcp2_callbacks callbacks;
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_cid dcid, scid;
  int rv;

  ics_synthetic_path_init (&path, (IcsPathTag){ self->config.path, 0 });
  ics_quic_set_callbacks (&callbacks, self->config.client);
  set_settings (&settings, now);
  settings.rand_ctx.native_handle = self;
  self->making = TRUE;
  set_params (self, &params);
  init_cid (self, &scid, ICS_CID_SIZE);
  own_cid (self, &scid);
  if (hd != NULL)
    {
      params.original_dcid = hd->dcid;
      ICS_ORIGINAL_DCID_PRESENT (&params);
      rv = ngtcp2_conn_server_new (&self->conn, &hd->scid, &scid, &path.path, hd->version, &callbacks,
                                   &settings, &params, NULL, self);
    }
  else
    {
      init_cid (self, &dcid, 16);
      rv = ngtcp2_conn_client_new (&self->conn, &dcid, &scid, &path.path, NGTCP2_PROTO_VER_V1, &callbacks,
                                   &settings, &params, NULL, self);
    }
  self->making = FALSE;
  if (rv == 0)
    ngtcp2_conn_set_tls_native_handle (self->conn, self->tls.session);
  return rv;
}

IcsQuic *
ics_quic_new (const IcsQuicConfig *config, gint64 now, GError **error)
{
  IcsQuic *self = g_new0 (IcsQuic, 1);

  self->config = *config;
  self->now = now;
  self->sending_path = config->path;
  self->paths = ics_path_map_new ();
  self->path_kinds = g_hash_table_new (NULL, NULL);
  self->cids = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  self->streams = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  self->news = g_ptr_array_new ();
  self->acked_news = g_ptr_array_new ();
  ngtcp2_path_storage_zero (&self->write_pair);
  self->out = g_malloc (ICS_QUIC_BATCH_SIZE + ICS_QUIC_MAX_PACKET);
  self->hub = ics_stream_hub_new (config->wake, config->user_data);
  randombytes_buf (self->stateless_reset_secret, sizeof self->stateless_reset_secret);
  ics_quic_set_path_kind (self, config->path, config->kind);
  self->tls.conn_ref = (ngtcp2_crypto_conn_ref){ .get_conn = get_conn, .user_data = self };
  if (!ics_quic_tls_init (&self->tls, config->client, config->credentials, config->peer_fingerprint)
      || (config->client && ics_quic_make_conn (self, NULL, now) != 0))
    {
      g_set_error_literal (error, ICS_ERROR, ICS_ERROR_FAILED, "the TLS library refused to start");
      ics_quic_free (self);
      return NULL;
    }
  return self;
}

void
ics_quic_free (IcsQuic *self)
{
  IcsQuicEvent event;

  ics_quic_abandon (self);
  while (ics_quic_poll_event (self, &event))
    ics_quic_event_clear (&event);
  g_clear_pointer (&self->conn, ngtcp2_conn_del);
  ics_quic_tls_clear (&self->tls);
  g_queue_clear_full (&self->datagrams, (GDestroyNotify)g_bytes_unref);
  g_hash_table_unref (self->streams);
  g_hash_table_unref (self->cids);
  g_hash_table_unref (self->path_kinds);
  ics_path_map_free (self->paths);
  ics_stream_hub_unref (self->hub);
  g_ptr_array_unref (self->news);
  g_ptr_array_unref (self->acked_news);
  g_free (self->out);
  sodium_memzero (self->stateless_reset_secret, sizeof self->stateless_reset_secret);
  g_free (self);
}

void
ics_quic_set_path_kind (IcsQuic *self, guint path, IcsPathKind kind)
{
  g_hash_table_insert (self->path_kinds, GUINT_TO_POINTER (path), GUINT_TO_POINTER (kind));
  if (path == self->reading_path)
    self->reading_kind = kind;
}

IcsPathKind
ics_quic_kind_of (IcsQuic *self, guint path)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->path_kinds, GUINT_TO_POINTER (path)));
}

void
ics_quic_push_event (IcsQuic *self, IcsQuicEventType type, guint path)
{
  IcsQuicEvent *event = g_new0 (IcsQuicEvent, 1);

  event->type = type;
  event->path = path;
  g_queue_push_tail (&self->events, event);
}

gboolean
ics_quic_poll_event (IcsQuic *self, IcsQuicEvent *event)
{
  g_autofree IcsQuicEvent *next = g_queue_pop_head (&self->events);

  if (next == NULL)
    return FALSE;
  *event = *next;
  return TRUE;
}

void
ics_quic_event_clear (IcsQuicEvent *event)
{
  g_clear_pointer (&event->stream, ics_quic_stream_unref);
  g_clear_pointer (&event->datagram, g_bytes_unref);
  g_clear_error (&event->error);
}

static void
push_closed (IcsQuic *self, GError *error)
{
  IcsQuicEvent *event = g_new0 (IcsQuicEvent, 1);

  self->closed = TRUE;
  event->type = ICS_QUIC_EVENT_CLOSED;
  event->error = error;
  g_queue_push_tail (&self->events, event);
}

void
ics_quic_fail (IcsQuic *self, int liberr)
{
  if (self->closed)
    return;
  self->liberr = liberr;
  if (self->tls.key_rejected)
    push_closed (self, g_error_new_literal (
                           ICS_ERROR, ICS_ERROR_KEY_REJECTED,
                           "the peer's certificate is not the one it announced: somebody between the hosts "
                           "interferes"));
  else if (liberr == NGTCP2_ERR_HANDSHAKE_TIMEOUT)
    push_closed (self, g_error_new_literal (ICS_ERROR, ICS_ERROR_TIMED_OUT,
                                            "the peer did not finish the handshake in time"));
  else
    push_closed (self, g_error_new (ICS_ERROR, ICS_ERROR_PROTOCOL, "the connection failed: %s",
                                    ngtcp2_strerror (liberr)));
}

/* RFC 9001 §4.8 with the alerts of RFC 8446 §6.2: bad_certificate to unknown_ca, and certificate_required.
 * Others, such as no_application_protocol, tell of another version, not of an attack. */
static gboolean
is_certificate_alert (guint64 code)
{
  return (code >= NGTCP2_CRYPTO_ERROR + 42 && code <= NGTCP2_CRYPTO_ERROR + 48
          && code != NGTCP2_CRYPTO_ERROR + 47)
         || code == NGTCP2_CRYPTO_ERROR + 116;
}

void
ics_quic_closed_by_peer (IcsQuic *self)
{
  ngtcp2_ccerr error;

  if (self->closed)
    return;
  ics_quic_peer_error (self->conn, &error);
  if (error.type == NGTCP2_CCERR_TYPE_APPLICATION && error.error_code == 0)
    push_closed (self, NULL);
  else if (error.type == NGTCP2_CCERR_TYPE_APPLICATION)
    push_closed (self, g_error_new (ICS_ERROR, ICS_ERROR_REFUSED, "the peer closed the link: %.*s",
                                    (int)error.reasonlen, (const char *)error.reason));
  else if (is_certificate_alert (error.error_code))
    push_closed (self,
                 g_error_new_literal (
                     ICS_ERROR, ICS_ERROR_KEY_REJECTED,
                     "the peer refused this host's certificate: somebody between the hosts interferes"));
  else
    push_closed (self, g_error_new (ICS_ERROR, ICS_ERROR_PROTOCOL,
                                    "the peer ended the connection with error 0x%" G_GINT64_MODIFIER "x",
                                    error.error_code));
}

/* --- time --- */

gint64
ics_quic_next_timeout (IcsQuic *self)
{
  ngtcp2_tstamp expiry;

  if (self->conn == NULL || self->closed)
    return G_MAXINT64;
  expiry = ngtcp2_conn_get_expiry (self->conn);
  if (expiry == UINT64_MAX)
    return G_MAXINT64;
  /* Rounded up: a timer that fires too early would spin. So would one that ngtcp2 does not serve at once. */
  return MAX ((gint64)((expiry + NGTCP2_MICROSECONDS - 1) / NGTCP2_MICROSECONDS), self->not_before);
}

void
ics_quic_handle_timeout (IcsQuic *self, gint64 now)
{
  int rv;

  now = ics_quic_advance (self, now);
  if (self->conn == NULL || self->closed || now < ics_quic_next_timeout (self))
    return;
  self->trickling = FALSE;
  rv = ngtcp2_conn_handle_expiry (self->conn, ics_quic_ts (now));
  if (rv != 0)
    ics_quic_fail (self, rv);
  ics_quic_notice_move (self);
}

guint
ics_quic_get_path (IcsQuic *self)
{
  if (self->conn == NULL)
    return self->config.path;
  return ics_synthetic_path_tag (ngtcp2_conn_get_path (self->conn)).path;
}

gint64
ics_quic_get_rtt (IcsQuic *self)
{
  ngtcp2_conn_info info;

  if (self->conn == NULL)
    return 0;
  ngtcp2_conn_get_conn_info (self->conn, &info);
  return ICS_QUIC_HAS_RTT (&info) ? (gint64)(info.smoothed_rtt / NGTCP2_MICROSECONDS) : 0;
}

guint64
ics_quic_get_delivered (IcsQuic *self)
{
  return self->delivered;
}

guint64
ics_quic_get_dropped (IcsQuic *self)
{
  return self->dropped;
}

IcsStreamHub *
ics_quic_get_hub (IcsQuic *self)
{
  return self->hub;
}

gboolean
ics_quic_export (IcsQuic *self, const char *label, const char *context, guint8 *out, gsize len)
{
  return ics_quic_tls_export (&self->tls, label, context, out, len);
}
