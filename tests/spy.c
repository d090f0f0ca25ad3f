/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* memmem */
#include "tests/spy.h"

#include <check.h>
#include <gnutls/crypto.h>
#include <string.h>

#define MAGIC_COOKIE 0x2112a442u /* RFC 8489 §5 */
#define CID_MAX 20
#define TAG_SIZE 16
#define SAMPLE_OFFSET 4 /* RFC 9001 §5.4.2 */

struct _Spy
{
  GPtrArray *heard; /* GBytes: all there is to search */
  GPtrArray *signals;
  guint count[2];
  guint opened;
  guint8 dcid[CID_MAX]; /* of the first Initial: both directions' keys follow from it */
  gsize dcid_len;
};

Spy *
spy_new (void)
{
  Spy *self = g_new0 (Spy, 1);

  self->heard = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  self->signals = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  return self;
}

void
spy_free (Spy *self)
{
  g_ptr_array_unref (self->heard);
  g_ptr_array_unref (self->signals);
  g_free (self);
}

guint
spy_count (Spy *self, IcsChannelKind kind)
{
  return self->count[kind];
}

guint
spy_count_opened (Spy *self)
{
  return self->opened;
}

/* --- QUIC's Initial packets --- */

typedef struct
{
  guint8 key[16], iv[12], hp[16];
} InitialKeys;

static gnutls_datum_t
datum (gconstpointer data, gsize len)
{
  return (gnutls_datum_t){ (unsigned char *)data, (unsigned)len };
}

/* HKDF-Expand-Label of RFC 8446 §7.1 with an empty context. */
static void
expand_label (const guint8 secret[32], const char *label, guint8 *out, gsize len)
{
  g_autofree char *full = g_strconcat ("tls13 ", label, NULL);
  gsize n = strlen (full);
  guint8 info[64] = { (guint8)(len >> 8), (guint8)len, (guint8)n };
  gnutls_datum_t key = datum (secret, 32), data;

  memcpy (info + 3, full, n);
  data = datum (info, n + 4);
  ck_assert_int_eq (gnutls_hkdf_expand (GNUTLS_MAC_SHA256, &key, &data, out, len), 0);
}

static void
derive (const Spy *self, const char *sender, InitialKeys *keys)
{
  static const guint8 salt[]
      = { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
          0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }; /* RFC 9001 §5.2 */
  gnutls_datum_t ikm = datum (self->dcid, self->dcid_len), s = datum (salt, sizeof salt);
  guint8 initial[32], secret[32];

  ck_assert_int_eq (gnutls_hkdf_extract (GNUTLS_MAC_SHA256, &ikm, &s, initial), 0);
  expand_label (initial, sender, secret, sizeof secret);
  expand_label (secret, "quic key", keys->key, sizeof keys->key);
  expand_label (secret, "quic iv", keys->iv, sizeof keys->iv);
  expand_label (secret, "quic hp", keys->hp, sizeof keys->hp);
}

/* One block of AES is CBC with an IV of zeros. */
static void
make_mask (const guint8 hp[16], const guint8 *sample, guint8 mask[16])
{
  gnutls_cipher_hd_t cipher;
  guint8 zeros[16] = { 0 };
  gnutls_datum_t key = datum (hp, 16), iv = datum (zeros, 16);

  ck_assert_int_eq (gnutls_cipher_init (&cipher, GNUTLS_CIPHER_AES_128_CBC, &key, &iv), 0);
  ck_assert_int_eq (gnutls_cipher_encrypt2 (cipher, sample, 16, mask, 16), 0);
  gnutls_cipher_deinit (cipher);
}

/* @packet from its first byte to its end; its number begins at @pn. */
static GBytes *
unprotect (const InitialKeys *keys, const guint8 *packet, gsize len, gsize pn)
{
  g_autofree guint8 *head = g_memdup2 (packet, len);
  g_autofree guint8 *plain = g_malloc (len);
  gsize pn_len, plain_len = len;
  guint8 mask[16], nonce[12];
  gnutls_aead_cipher_hd_t cipher;
  gnutls_datum_t key = datum (keys->key, sizeof keys->key);
  int rv;

  make_mask (keys->hp, packet + pn + SAMPLE_OFFSET, mask);
  head[0] ^= mask[0] & 0x0f;
  pn_len = (head[0] & 3u) + 1;
  memcpy (nonce, keys->iv, sizeof nonce);
  for (gsize i = 0; i < pn_len; i++)
    {
      head[pn + i] ^= mask[1 + i];
      nonce[sizeof nonce - pn_len + i] ^= head[pn + i];
    }
  ck_assert_int_eq (gnutls_aead_cipher_init (&cipher, GNUTLS_CIPHER_AES_128_GCM, &key), 0);
  rv = gnutls_aead_cipher_decrypt (cipher, nonce, sizeof nonce, head, pn + pn_len, TAG_SIZE,
                                   head + pn + pn_len, len - pn - pn_len, plain, &plain_len);
  gnutls_aead_cipher_deinit (cipher);
  return rv == 0 ? g_bytes_new (plain, plain_len) : NULL;
}

/* RFC 9000 §16 */
static guint64
read_varint (const guint8 *data, gsize len, gsize *pos)
{
  gsize n = *pos < len ? (gsize)1 << (data[*pos] >> 6) : 1;
  guint64 value = 0;

  for (gsize i = 0; i < n; i++, (*pos)++)
    value = value << 8 | (*pos < len ? data[*pos] & (i == 0 ? 0x3f : 0xff) : 0);
  return value;
}

/* A datagram of the link; RFC 9000 §17.2.2 if it begins with an Initial packet. */
static void
open_initial (Spy *self, const guint8 *data, gsize len)
{
  static const char *const senders[] = { "client in", "server in" };
  gsize pos = 6, end;

  if (len < 64 || (data[0] & 0xf0) != 0xc0 || data[5] > CID_MAX)
    return;
  if (self->dcid_len == 0)
    {
      self->dcid_len = data[5];
      memcpy (self->dcid, data + pos, self->dcid_len);
    }
  pos += data[5];
  pos += 1u + data[pos];
  if (pos >= len)
    return;
  pos += (gsize)read_varint (data, len, &pos);
  end = (gsize)read_varint (data, len, &pos);
  end += pos;
  if (end > len || pos + SAMPLE_OFFSET + 16 > end)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++)
    {
      InitialKeys keys;
      GBytes *plain;

      derive (self, senders[i], &keys);
      plain = unprotect (&keys, data, end, pos);
      if (plain == NULL)
        continue;
      g_ptr_array_add (self->heard, plain);
      self->opened++;
    }
}

void
spy_hear (Spy *self, IcsChannelKind kind, GBytes *message)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (message, &len);

  self->count[kind]++;
  g_ptr_array_add (self->heard, g_bytes_ref (message));
  if (kind == ICS_CHANNEL_SIGNAL)
    {
      g_ptr_array_add (self->signals, g_bytes_ref (message));
      return;
    }
  /* docs/protocol.md: datagrams behind a u16 length each */
  for (gsize pos = 0, n; pos + 2 < len; pos += n)
    {
      n = (gsize)(data[pos] << 8 | data[pos + 1]);
      pos += 2;
      if (n > len - pos)
        break;
      open_initial (self, data + pos, n);
    }
}

/* --- the search --- */

static gboolean
occurs (GPtrArray *where, gconstpointer needle, gsize needle_len)
{
  for (guint i = 0; i < where->len; i++)
    {
      gsize len;
      gconstpointer data = g_bytes_get_data (g_ptr_array_index (where, i), &len);

      if (len >= needle_len && memmem (data, len, needle, needle_len) != NULL)
        return TRUE;
    }
  return FALSE;
}

static gboolean
occurs_in_hex (Spy *self, const guint8 *data, gsize len)
{
  g_autoptr (GString) lower = g_string_new (NULL);
  g_autofree char *upper = NULL;

  for (gsize i = 0; i < len; i++)
    g_string_append_printf (lower, "%02x", data[i]);
  upper = g_ascii_strup (lower->str, -1);
  return occurs (self->heard, lower->str, lower->len) || occurs (self->heard, upper, lower->len);
}

/* Within a longer text in base64 the bytes may begin at any of three places; only the digits that depend on
 * nothing else count. */
static gboolean
occurs_in_base64 (Spy *self, const guint8 *data, gsize len)
{
  for (gsize shift = 0; shift < 3; shift++)
    {
      g_autofree guint8 *shifted = g_malloc0 (shift + len);
      g_autofree char *text = NULL;
      gsize first = (shift * 8 + 5) / 6, n = (shift + len) * 8 / 6 - first;

      memcpy (shifted + shift, data, len);
      text = g_base64_encode (shifted, shift + len);
      if (occurs (self->heard, text + first, n))
        return TRUE;
      g_strdelimit (text, "+", '-');
      g_strdelimit (text, "/", '_');
      if (occurs (self->heard, text + first, n))
        return TRUE;
    }
  return FALSE;
}

gboolean
spy_finds (Spy *self, gconstpointer data, gsize len)
{
  ck_assert_uint_ge (len, SPY_MIN);
  return occurs (self->heard, data, len) || occurs_in_hex (self, data, len)
         || occurs_in_base64 (self, data, len);
}

gboolean
spy_finds_text (Spy *self, const char *text)
{
  return spy_finds (self, text, strlen (text));
}

static gboolean
finds_ipv4 (Spy *self, const guint8 address[4], guint16 port)
{
  const guint32 cookie = g_htonl (MAGIC_COOKIE);
  guint8 forms[3][6] = { { (guint8)(port >> 8), (guint8)port }, { 0 }, { 0 } };
  gboolean found = occurs (self->signals, address, 4);

  memcpy (forms[0] + 2, address, 4);
  memcpy (forms[1], address, 4);
  memcpy (forms[1] + 4, forms[0], 2);
  memcpy (forms[2], forms[0], 6);
  for (guint i = 0; i < 6; i++)
    forms[2][i] ^= ((const guint8 *)&cookie)[i < 2 ? i : i - 2];
  for (guint i = 0; i < G_N_ELEMENTS (forms); i++)
    found |= spy_finds (self, forms[i], 6);
  return found;
}

gboolean
spy_finds_address (Spy *self, GInetAddress *address, guint16 port)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  g_autofree char *text = g_inet_address_to_string (address);

  if (strlen (text) >= SPY_MIN && spy_finds_text (self, text))
    return TRUE;
  if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6)
    return spy_finds (self, bytes, 16);
  return finds_ipv4 (self, bytes, port);
}
