/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/turn-family.h"
#include "base/turn-answer.h"
#include <sodium.h>
#include <string.h>

#define STUN_HEADER 20 /* RFC 8489 §5 */
#define LENGTH_AT 2
#define ATTRIBUTE_HEADER 4

/* RFC 8489 §18.3 */
#define ATTRIBUTE_USERNAME 0x0006
#define ATTRIBUTE_MESSAGE_INTEGRITY 0x0008
#define ATTRIBUTE_REALM 0x0014
#define ATTRIBUTE_MESSAGE_INTEGRITY_SHA256 0x001c
/* RFC 8656 §18.6 */
#define ATTRIBUTE_REQUESTED_ADDRESS_FAMILY 0x0017
#define FAMILY_IPV6 2

#define MD5_SIZE 16
#define SHA1_SIZE 20

static void
append_attribute (GByteArray *message, guint16 type, IcsSpan value)
{
  static const guint8 padding[3];
  guint8 header[ATTRIBUTE_HEADER]
      = { (guint8)(type >> 8), (guint8)type, (guint8)(value.len >> 8), (guint8)value.len };

  g_byte_array_append (message, header, sizeof header);
  g_byte_array_append (message, value.data, (guint)value.len);
  g_byte_array_append (message, padding, -(guint)value.len % 4);
}

static void
set_length (GByteArray *message, gsize len)
{
  message->data[LENGTH_AT] = (guint8)(len >> 8);
  message->data[LENGTH_AT + 1] = (guint8)len;
}

static void
derive_key (guint8 key[MD5_SIZE], IcsSpan username, IcsSpan realm, const char *password)
{
  g_autoptr (GChecksum) md5 = g_checksum_new (G_CHECKSUM_MD5);
  gsize size = MD5_SIZE;

  g_checksum_update (md5, username.data, (gssize)username.len);
  g_checksum_update (md5, (const guint8 *)":", 1);
  g_checksum_update (md5, realm.data, (gssize)realm.len);
  g_checksum_update (md5, (const guint8 *)":", 1);
  g_checksum_update (md5, (const guint8 *)password, (gssize)strlen (password));
  g_checksum_get_digest (md5, key, &size);
}

void
ics_turn_family_sign (GByteArray *message, IcsSpan username, IcsSpan realm, const char *password)
{
  guint8 key[MD5_SIZE], digest[SHA1_SIZE];
  gsize size = sizeof digest;
  GHmac *hmac;

  derive_key (key, username, realm, password);
  /* The length counts the attribute already, the digest does not. */
  set_length (message, message->len - STUN_HEADER + ATTRIBUTE_HEADER + SHA1_SIZE);
  hmac = g_hmac_new (G_CHECKSUM_SHA1, key, sizeof key);
  g_hmac_update (hmac, message->data, (gssize)message->len);
  g_hmac_get_digest (hmac, digest, &size);
  g_hmac_unref (hmac);
  sodium_memzero (key, sizeof key);
  append_attribute (message, ATTRIBUTE_MESSAGE_INTEGRITY, ICS_SPAN (digest, sizeof digest));
}

typedef struct
{
  IcsSpan username, realm;
  gboolean is_signed;
  gboolean unfit;
} Request;

/* All attributes up to the signature; what stands behind it, a fingerprint for one, may be left out. */
static void
copy_attributes (Request *self, IcsReader *reader, GByteArray *message)
{
  while (ics_reader_remaining (reader) > 0 && !self->is_signed)
    {
      guint16 type = ics_reader_u16 (reader);
      IcsSpan value = ics_reader_blob16 (reader);

      ics_reader_bytes (reader, -value.len % 4);
      if (type == ATTRIBUTE_USERNAME)
        self->username = value;
      else if (type == ATTRIBUTE_REALM)
        self->realm = value;
      self->is_signed = type == ATTRIBUTE_MESSAGE_INTEGRITY;
      self->unfit = self->unfit || type == ATTRIBUTE_REQUESTED_ADDRESS_FAMILY
                    || type == ATTRIBUTE_MESSAGE_INTEGRITY_SHA256;
      if (!self->is_signed)
        append_attribute (message, type, value);
    }
}

static gboolean
is_allocate (const guint8 *data, gsize len)
{
  IcsTurnAnswer message;

  return ics_turn_answer_parse (&message, data, len) && message.class == ICS_STUN_REQUEST
         && message.method == ICS_TURN_ALLOCATE;
}

GBytes *
ics_turn_family_ask_ipv6 (const guint8 *data, gsize len, const char *password)
{
  static const guint8 family[4] = { FAMILY_IPV6 };
  g_autoptr (GByteArray) message = NULL;
  Request request = { 0 };
  IcsReader reader;

  if (!is_allocate (data, len))
    return NULL;
  message = g_byte_array_new ();
  ics_reader_init (&reader, data, len);
  g_byte_array_append (message, ics_reader_bytes (&reader, STUN_HEADER).data, STUN_HEADER);
  copy_attributes (&request, &reader, message);
  if (request.unfit
      || (request.is_signed && (request.username.len == 0 || request.realm.len == 0 || password == NULL)))
    return NULL;
  append_attribute (message, ATTRIBUTE_REQUESTED_ADDRESS_FAMILY, ICS_SPAN (family, sizeof family));
  set_length (message, message->len - STUN_HEADER);
  if (request.is_signed)
    ics_turn_family_sign (message, request.username, request.realm, password);
  return g_byte_array_free_to_bytes (g_steal_pointer (&message));
}
