/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/quic-conn-private.h"

#include <sodium.h>
#include <string.h>

/* ngtcp2's callbacks: they record, they never call out. */

/* A reader that waits for so much may as well begin. */
#define TELL_AT_ONCE (1024u * 1024)

static void
random_bytes (uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx)
{
  const IcsQuic *self = ctx->native_handle;

  randombytes_buf (dest, len);
  /* While it makes a connection ngtcp2 draws one byte: whether to clear the QUIC bit (RFC 9287). It must not,
   * the bit tells QUIC from RTP on a shared path (RFC 9443 §3), and there is no setting for it. */
  if (self->making && len == 1)
    dest[0] &= 0xfe;
}

static guint64 *
cid_key (const ngtcp2_cid *cid)
{
  guint64 value = 0;

  memcpy (&value, cid->data, MIN (cid->datalen, sizeof value));
  return g_memdup2 (&value, sizeof value);
}

static int
on_new_cid (ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data)
{
  IcsQuic *self = user_data;

  randombytes_buf (cid->data, len);
  cid->datalen = len;
  if (ngtcp2_crypto_generate_stateless_reset_token (token, self->stateless_reset_secret,
                                                    sizeof self->stateless_reset_secret, cid)
      != 0)
    return NGTCP2_ERR_CALLBACK_FAILURE;
  g_hash_table_add (self->cids, cid_key (cid));
  return 0;
}

static int
on_remove_cid (ngtcp2_conn *conn, const ngtcp2_cid *cid, void *user_data)
{
  IcsQuic *self = user_data;
  g_autofree guint64 *key = cid_key (cid);

  g_hash_table_remove (self->cids, key);
  self->last_cid_known = FALSE;
  return 0;
}

static int
on_handshake_completed (ngtcp2_conn *conn, void *user_data)
{
  IcsQuic *self = user_data;

  ics_quic_push_event (self, ICS_QUIC_EVENT_READY, self->sending_path);
  /* RFC 9001 §4.1.2: on a server the handshake is confirmed when it completes. */
  if (!self->config.client)
    ics_quic_push_event (self, ICS_QUIC_EVENT_CONFIRMED, self->sending_path);
  return 0;
}

static int
on_handshake_confirmed (ngtcp2_conn *conn, void *user_data)
{
  IcsQuic *self = user_data;

  ics_quic_push_event (self, ICS_QUIC_EVENT_CONFIRMED, self->sending_path);
  return 0;
}

static int
on_stream_open (ngtcp2_conn *conn, int64_t id, void *user_data)
{
  IcsQuic *self = user_data;
  IcsQuicStream *stream = ics_quic_stream_new (id, self->hub);
  StreamEntry *entry = ics_quic_add_stream (self, id, stream);
  IcsQuicEvent *event = g_new0 (IcsQuicEvent, 1);

  ngtcp2_conn_set_stream_user_data (conn, id, entry);
  event->type = ICS_QUIC_EVENT_STREAM;
  event->stream = stream;
  g_queue_push_tail (&self->events, event);
  return 0;
}

static int
on_stream_data (ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                size_t len, void *user_data, void *stream_data)
{
  IcsQuic *self = user_data;
  StreamEntry *entry = stream_data;

  if (entry == NULL)
    return 0;
  if (id != ICS_CONTROL_STREAM)
    self->delivered += len;
  entry->untold += len;
  self->news_size += len;
  if (entry->untold >= TELL_AT_ONCE || id == ICS_CONTROL_STREAM)
    self->news_urgent = TRUE;
  if (!ics_quic_stream_received (entry->stream, data, len, (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0,
                                 self->reading_kind))
    return 0;
  if (self->news->len == 0)
    self->news_since = self->now;
  g_ptr_array_add (self->news, entry);
  entry->news = TRUE;
  return 0;
}

static int
on_acked (ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t len, void *user_data, void *stream_data)
{
  IcsQuic *self = user_data;
  StreamEntry *entry = stream_data;

  if (entry == NULL)
    return 0;
  ics_quic_stream_progress (self, entry, entry->sent, MAX (entry->acked, offset + len));
  if (!entry->acked_news)
    g_ptr_array_add (self->acked_news, entry);
  entry->acked_news = TRUE;
  if (entry->blocked)
    ics_quic_queue_stream (self, entry);
  /* ngtcp2 reports an empty range only for the FIN. */
  if (len == 0)
    ics_quic_stream_fin_acked (entry->stream);
  return 0;
}

static int
on_stream_close (ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t code, void *user_data,
                 void *stream_data)
{
  IcsQuic *self = user_data;

  if (stream_data != NULL)
    ics_quic_remove_stream (self, stream_data, FALSE);
  if (!ngtcp2_conn_is_local_stream (conn, id))
    ngtcp2_conn_extend_max_streams_bidi (conn, 1);
  return 0;
}

static int
on_stream_reset (ngtcp2_conn *conn, int64_t id, uint64_t final_size, uint64_t code, void *user_data,
                 void *stream_data)
{
  StreamEntry *entry = stream_data;

  if (entry != NULL)
    ics_quic_stream_end_rx (entry->stream, ICS_STREAM_REFUSED);
  return 0;
}

static int
on_extend_stream_data (ngtcp2_conn *conn, int64_t id, uint64_t max, void *user_data, void *stream_data)
{
  if (stream_data != NULL)
    ics_quic_queue_stream (user_data, stream_data);
  return 0;
}

static int
on_extend_streams (ngtcp2_conn *conn, uint64_t max, void *user_data)
{
  ics_quic_open_waiting (user_data);
  return 0;
}

static int
on_datagram (ngtcp2_conn *conn, uint32_t flags, const uint8_t *data, size_t len, void *user_data)
{
  IcsQuic *self = user_data;
  IcsQuicEvent *event = g_new0 (IcsQuicEvent, 1);

  event->type = ICS_QUIC_EVENT_DATAGRAM;
  event->datagram = g_bytes_new (data, len);
  g_queue_push_tail (&self->events, event);
  return 0;
}

static int
on_path_validation (ngtcp2_conn *conn, uint32_t flags, const ngtcp2_path *path ICS_AND_OLD_PATH,
                    ngtcp2_path_validation_result result, void *user_data)
{
  IcsQuic *self = user_data;
  IcsPathTag tag = ics_synthetic_path_tag (path);

  if (result == NGTCP2_PATH_VALIDATION_RESULT_SUCCESS)
    ics_quic_path_is_valid (self, tag);
  /* An aborted validation was replaced by another move: its outcome is the other's. */
  if (!self->moving || result == NGTCP2_PATH_VALIDATION_RESULT_ABORTED
      || !ics_path_tag_equal (tag, self->moving_to))
    return 0;
  self->moving = FALSE;
  if (result != NGTCP2_PATH_VALIDATION_RESULT_SUCCESS)
    ics_quic_push_event (self, ICS_QUIC_EVENT_MOVE_FAILED, tag.path);
  return 0;
}

/* ngtcp2 does not tell whether it discarded a packet, and its callback for this has no user data. It is
 * called on the thread that reads. */
static _Thread_local guint64 n_opened;

guint64
ics_quic_get_opened (void)
{
  return n_opened;
}

static int
decrypt (uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *context,
         const uint8_t *ciphertext, size_t len, const uint8_t *nonce, size_t nonce_len, const uint8_t *aad,
         size_t aad_len)
{
  int rv = ngtcp2_crypto_decrypt_cb (dest, aead, context, ciphertext, len, nonce, nonce_len, aad, aad_len);

  n_opened += rv == 0;
  return rv;
}

void
ics_quic_set_callbacks (ngtcp2_callbacks *callbacks, gboolean client)
{
  *callbacks = (ngtcp2_callbacks){
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = decrypt,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
    .rand = random_bytes,
    .get_new_connection_id = on_new_cid,
    .remove_connection_id = on_remove_cid,
    .handshake_completed = on_handshake_completed,
    .stream_open = on_stream_open,
    .recv_stream_data = on_stream_data,
    .acked_stream_data_offset = on_acked,
    .stream_close = on_stream_close,
    .stream_reset = on_stream_reset,
    .extend_max_stream_data = on_extend_stream_data,
    .extend_max_local_streams_bidi = on_extend_streams,
    .recv_datagram = on_datagram,
    .path_validation = on_path_validation,
  };
  if (client)
    {
      callbacks->client_initial = ngtcp2_crypto_client_initial_cb;
      callbacks->recv_retry = ngtcp2_crypto_recv_retry_cb;
      callbacks->handshake_confirmed = on_handshake_confirmed;
    }
  else
    callbacks->recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
}
