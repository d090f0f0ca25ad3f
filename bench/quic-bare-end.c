/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/quic-bare-end.h"

#include "bench/meter.h"
#include "bench/quic-bare-tls.h"

#include <gnutls/crypto.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define CID_SIZE 8
#define MAX_STREAMS 64
#define BLOCK (256 << 10)
/* In a row, before it reads again. */
#define BURSTS 16
#define CONN_WINDOW (64 << 20)
#define IDLE_TIMEOUT (3 * NGTCP2_SECONDS)

struct _BareEnd
{
  BareConfig config;
  ngtcp2_conn *conn;
  ngtcp2_crypto_conn_ref ref;
  gnutls_certificate_credentials_t credentials;
  gnutls_session_t tls;
  struct sockaddr_storage here, there;
  ngtcp2_path path;
  guint64 now;
  guint64 end;               /* sender: no new data after this */
  gint64 ids[MAX_STREAMS];   /* sender */
  guint64 sent[MAX_STREAMS]; /* offsets */
  gboolean ended[MAX_STREAMS];
  guint opened, next, closed;
  guint8 *block; /* sender: what is sent, over and over */
  guint8 out[UDP_BATCH_MAX];
  gsize pending, segment, left; /* what the full socket did not take of out[] */
  gboolean over, handshaken, reported;
  Meter meter;
};

guint64
bare_now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (guint64)time.tv_sec * NGTCP2_SECONDS + (guint64)time.tv_nsec;
}

static void
check (int rv, const char *what)
{
  if (rv != 0)
    bench_fail ("%s: %s", what, ngtcp2_strerror (rv));
}

/* --- callbacks --- */

static ngtcp2_conn *
get_conn (ngtcp2_crypto_conn_ref *ref)
{
  return ((BareEnd *)ref->user_data)->conn;
}

static void
random_bytes (uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx)
{
  gnutls_rnd (GNUTLS_RND_NONCE, dest, len);
}

static int
on_new_cid (ngtcp2_conn *conn, ngtcp2_cid *cid, uint8_t *token, size_t len, void *user_data)
{
  cid->datalen = len;
  gnutls_rnd (GNUTLS_RND_NONCE, cid->data, len);
  gnutls_rnd (GNUTLS_RND_NONCE, token, NGTCP2_STATELESS_RESET_TOKENLEN);
  return 0;
}

static int
on_handshake_completed (ngtcp2_conn *conn, void *user_data)
{
  BareEnd *self = user_data;

  self->handshaken = TRUE;
  self->end = bare_now () + (guint64)(self->config.seconds * NGTCP2_SECONDS);
  return 0;
}

static int
on_stream_data (ngtcp2_conn *conn, uint32_t flags, int64_t id, uint64_t offset, const uint8_t *data,
                size_t len, void *user_data, void *stream_data)
{
  BareEnd *self = user_data;

  meter_count (&self->meter, (gint64)(self->now / NGTCP2_MICROSECONDS), len);
  ngtcp2_conn_extend_max_stream_offset (conn, id, len);
  ngtcp2_conn_extend_max_offset (conn, len);
  if ((flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0 && ++self->closed == self->config.streams)
    bare_end_report (self);
  return 0;
}

static int
on_acked (ngtcp2_conn *conn, int64_t id, uint64_t offset, uint64_t len, void *user_data, void *stream_data)
{
  BareEnd *self = user_data;

  self->meter.total += len;
  return 0;
}

static ngtcp2_callbacks
callbacks (gboolean client)
{
  return (ngtcp2_callbacks){
    .client_initial = client ? ngtcp2_crypto_client_initial_cb : NULL,
    .recv_client_initial = client ? NULL : ngtcp2_crypto_recv_client_initial_cb,
    .recv_retry = client ? ngtcp2_crypto_recv_retry_cb : NULL,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
    .rand = random_bytes,
    .get_new_connection_id = on_new_cid,
    .handshake_completed = on_handshake_completed,
    .recv_stream_data = on_stream_data,
    .acked_stream_data_offset = on_acked,
  };
}

/* --- making --- */

static void
set_path (BareEnd *self)
{
  socklen_t here = sizeof self->here, there = sizeof self->there;
  int fd = udp_batch_fd (self->config.udp);

  getsockname (fd, (struct sockaddr *)&self->here, &here);
  getpeername (fd, (struct sockaddr *)&self->there, &there);
  self->path = (ngtcp2_path){ .local = { (struct sockaddr *)&self->here, here },
                              .remote = { (struct sockaddr *)&self->there, there } };
}

static void
make_conn (BareEnd *self, const ngtcp2_pkt_hd *first)
{
  ngtcp2_callbacks calls = callbacks (first == NULL);
  ngtcp2_settings settings;
  ngtcp2_transport_params params;
  ngtcp2_cid scid = { .datalen = CID_SIZE }, dcid = { .datalen = 16 };

  set_path (self);
  gnutls_rnd (GNUTLS_RND_NONCE, scid.data, scid.datalen);
  gnutls_rnd (GNUTLS_RND_NONCE, dcid.data, dcid.datalen);
  ngtcp2_settings_default (&settings);
  settings.initial_ts = self->now;
  settings.cc_algo = self->config.congestion;
  settings.max_tx_udp_payload_size = self->config.packet;
  settings.no_tx_udp_payload_size_shaping = 1;
  settings.no_pmtud = 1;
  settings.ack_thresh = self->config.ack_every;
  ngtcp2_transport_params_default (&params);
  params.initial_max_stream_data_bidi_remote = self->config.window;
  params.initial_max_stream_data_bidi_local = self->config.window;
  params.initial_max_data = MIN (CONN_WINDOW, self->config.window * self->config.streams * 2);
  params.initial_max_streams_bidi = MAX_STREAMS;
  params.max_idle_timeout = IDLE_TIMEOUT;
  if (first == NULL)
    check (ngtcp2_conn_client_new (&self->conn, &dcid, &scid, &self->path, NGTCP2_PROTO_VER_V1, &calls,
                                   &settings, &params, NULL, self),
           "client");
  else
    {
      params.original_dcid = first->dcid;
#if NGTCP2_VERSION_NUM >= 0x010000
      params.original_dcid_present = 1;
#endif
      check (ngtcp2_conn_server_new (&self->conn, &first->scid, &scid, &self->path, first->version, &calls,
                                     &settings, &params, NULL, self),
             "server");
    }
  self->ref = (ngtcp2_crypto_conn_ref){ .get_conn = get_conn, .user_data = self };
  self->tls = bare_tls_new (first == NULL, &self->credentials, &self->ref);
  ngtcp2_conn_set_tls_native_handle (self->conn, self->tls);
}

BareEnd *
bare_end_new (const BareConfig *config)
{
  BareEnd *self = g_new0 (BareEnd, 1);

  self->config = *config;
  if (config->streams < 1 || config->streams > MAX_STREAMS)
    bench_fail ("1 to %d streams", MAX_STREAMS);
  self->now = bare_now ();
  self->meter.skip_us = config->skip_us;
  if (!config->sends)
    return self;
  meter_start (&self->meter);
  self->block = g_malloc (BLOCK);
  gnutls_rnd (GNUTLS_RND_NONCE, self->block, BLOCK);
  make_conn (self, NULL);
  return self;
}

void
bare_end_free (BareEnd *self)
{
  g_clear_pointer (&self->conn, ngtcp2_conn_del);
  g_clear_pointer (&self->tls, gnutls_deinit);
  g_clear_pointer (&self->credentials, gnutls_certificate_free_credentials);
  g_free (self->block);
  g_free (self);
}

/* --- reading and time --- */

void
bare_end_read (BareEnd *self, const guint8 *data, gsize len)
{
  ngtcp2_pkt_info info = { 0 };
  ngtcp2_pkt_hd first;
  int rv;

  if (self->over)
    return;
  if (self->conn == NULL)
    {
      if (ngtcp2_accept (&first, data, len) != 0)
        return;
      make_conn (self, &first);
    }
  rv = ngtcp2_conn_read_pkt (self->conn, &self->path, &info, data, len, self->now);
  if (rv == NGTCP2_ERR_DRAINING)
    self->over = TRUE;
  else
    check (rv, "read");
}

void
bare_end_tick (BareEnd *self)
{
  int rv;

  self->now = bare_now ();
  if (self->conn == NULL || ngtcp2_conn_get_expiry (self->conn) > self->now)
    return;
  rv = ngtcp2_conn_handle_expiry (self->conn, self->now);
  /* Only the sender's goodbye can be missing then. */
  if (rv == NGTCP2_ERR_IDLE_CLOSE && self->reported)
    self->over = TRUE;
  else
    check (rv, "timer");
}

guint64
bare_end_expiry (BareEnd *self)
{
  return self->conn != NULL ? ngtcp2_conn_get_expiry (self->conn) : UINT64_MAX;
}

gboolean
bare_end_is_blocked (BareEnd *self)
{
  return self->left > 0;
}

gboolean
bare_end_is_over (BareEnd *self)
{
  return self->over;
}

/* --- writing --- */

/* The next stream in turn that has something to say, or -1. */
static gint64
choose_stream (BareEnd *self, guint *index)
{
  if (!self->config.sends || !self->handshaken)
    return -1;
  for (guint i = 0; i < self->opened; i++)
    {
      *index = self->next++ % self->opened;
      if (!self->ended[*index])
        return self->ids[*index];
    }
  return -1;
}

static void
open_streams (BareEnd *self)
{
  if (!self->config.sends || !self->handshaken)
    return;
  while (self->opened < self->config.streams
         && ngtcp2_conn_open_bidi_stream (self->conn, &self->ids[self->opened], NULL) == 0)
    self->opened++;
}

/* One packet of at most @cap bytes; 0: nothing to send now. */
static gsize
write_packet (BareEnd *self, guint8 *out, gsize cap)
{
  for (guint tries = 0;; tries++)
    {
      ngtcp2_path_storage path;
      ngtcp2_pkt_info info;
      ngtcp2_ssize taken = -1, n;
      guint index = 0;
      gint64 id = tries < self->opened ? choose_stream (self, &index) : -1;
      guint64 at = self->sent[index] % (BLOCK / 2);
      ngtcp2_vec vec = { self->block + at, BLOCK / 2 };
      gboolean fin = id >= 0 && self->now >= self->end;

      ngtcp2_path_storage_zero (&path);
      n = ngtcp2_conn_writev_stream (self->conn, &path.path, &info, out, cap, &taken,
                                     fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE, id,
                                     &vec, id >= 0 && !fin ? 1 : 0, self->now);
      if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED)
        continue;
      if (n < 0)
        bench_fail ("write: %s", ngtcp2_strerror ((int)n));
      if (taken >= 0)
        {
          self->sent[index] += (guint64)taken;
          self->ended[index] = fin;
          self->next = index; /* a run of packets of one stream */
        }
      return (gsize)n;
    }
}

static gboolean
flush (BareEnd *self)
{
  gsize sent;

  if (self->left == 0)
    return TRUE;
  sent = udp_batch_send (self->config.udp, self->out + self->pending - self->left, self->left, self->segment);
  self->left -= sent;
  return self->left == 0;
}

/* Fills out[] with packets of one size (the last one may be shorter) up to the burst that congestion control
 * allows. */
static gsize
fill (BareEnd *self, gsize burst)
{
  gsize room = MIN (sizeof self->out, MAX (burst, self->config.packet)), cap = self->config.packet, n;

  self->pending = 0;
  while (self->pending + cap <= room && (n = write_packet (self, self->out + self->pending, cap)) > 0)
    {
      if (self->pending == 0)
        self->segment = cap = n;
      self->pending += n;
      if (n < cap)
        break;
    }
  return self->pending;
}

static void
finish (BareEnd *self)
{
  ngtcp2_ssize n;
  guint64 sum = 0;
#if NGTCP2_VERSION_NUM < 0x010000
  ngtcp2_connection_close_error error;

  ngtcp2_connection_close_error_default (&error);
#else
  ngtcp2_ccerr error;

  ngtcp2_ccerr_default (&error);
#endif
  for (guint i = 0; i < self->opened; i++)
    {
      sum += self->sent[i];
      if (!self->ended[i])
        return;
    }
  if (self->opened == 0 || self->meter.total < sum)
    return;
  n = ngtcp2_conn_write_connection_close (self->conn, NULL, NULL, self->out, self->config.packet, &error,
                                          self->now);
  if (n > 0)
    udp_batch_send (self->config.udp, self->out, (gsize)n, (gsize)n);
  self->over = TRUE;
}

/* FALSE when there is nothing to send now, or the socket is full. */
static gboolean
write_burst (BareEnd *self)
{
  self->now = bare_now ();
  if (fill (self, ngtcp2_conn_get_send_quantum (self->conn)) == 0)
    return FALSE;
  self->left = self->pending;
  ngtcp2_conn_update_pkt_tx_time (self->conn, self->now);
  return flush (self);
}

gboolean
bare_end_write (BareEnd *self)
{
  gboolean more = TRUE;

  if (self->conn == NULL || self->over || !flush (self))
    return FALSE;
  open_streams (self);
  for (guint i = 0; more && i < BURSTS; i++)
    more = write_burst (self);
  if (self->config.sends && self->left == 0)
    finish (self);
  return more;
}

void
bare_end_report (BareEnd *self)
{
  if (!self->reported)
    meter_report (&self->meter, self->config.sends ? "quic-sender" : "quic-receiver");
  self->reported = TRUE;
}
