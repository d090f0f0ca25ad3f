/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "tests/suite.h"
#include "transport/rtp-source.h"
#include "transport/srtp-keys.h"
#include "transport/srtp-session.h"

#include <sodium.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC
#define PACKET 200

typedef guint32 Buffer[(1500 + ICS_SRTP_ROOM) / sizeof (guint32)];

/* RFC 3711 B.3; with AES-GCM the salt is shorter. */
static const guint8 master[]
    = { 0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41,
        0x39, 0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6 };

typedef struct
{
  IcsSrtp *out, *in;
} Pair;

static IcsSrtp *
new_srtp (guint profile, gboolean outbound, guint64 rtp, guint64 rtcp)
{
  IcsSrtpConfig config = {
    .profile = &ics_srtp_profiles[profile], .master = master, .outbound = outbound, .lifetime = { rtp, rtcp }
  };
  IcsSrtp *srtp = ics_srtp_new (&config);

  ck_assert_ptr_nonnull (srtp);
  return srtp;
}

static void
pair_init (Pair *pair, guint profile)
{
  pair->out = new_srtp (profile, TRUE, 0, 0);
  pair->in = new_srtp (profile, FALSE, 0, 0);
}

static void
pair_clear (Pair *pair)
{
  ics_srtp_free (pair->out);
  ics_srtp_free (pair->in);
}

static gsize
make_rtp (Buffer buf, guint32 ssrc, guint16 sequence)
{
  guint8 *data = (guint8 *)buf;

  memset (data, 0xab, PACKET);
  memcpy (data, (const guint8[]){ 0x80, 0x0f, (guint8)(sequence >> 8), (guint8)sequence, 1, 2, 3, 4 }, 8);
  for (guint i = 0; i < 4; i++)
    data[8 + i] = (guint8)(ssrc >> (24 - 8 * i));
  return PACKET;
}

static gsize
make_rtcp (Buffer buf, guint32 ssrc)
{
  guint8 *data = (guint8 *)buf;

  memset (data, 0xab, 48);
  memcpy (data, (const guint8[]){ 0x81, 0xc8, 0x00, 0x0b }, 4);
  for (guint i = 0; i < 4; i++)
    data[4 + i] = (guint8)(ssrc >> (24 - 8 * i));
  return 48;
}

/* Protects a packet with this number, and returns its length. */
static gsize
protect_rtp (IcsSrtp *out, Buffer buf, guint32 ssrc, guint16 sequence)
{
  gsize len = make_rtp (buf, ssrc, sequence);

  ck_assert_int_eq (ics_srtp_protect (out, ICS_RTP_RTP, (guint8 *)buf, &len), ICS_SRTP_OK);
  return len;
}

static IcsSrtpResult
pass (Pair *pair, gint64 now, guint32 ssrc, guint16 sequence)
{
  Buffer buf;
  gsize len = protect_rtp (pair->out, buf, ssrc, sequence);

  return ics_srtp_unprotect (pair->in, now, ICS_RTP_RTP, (guint8 *)buf, &len);
}

static void
check_vector (guint profile, IcsRtpKind kind, const char *plain, const char *sealed)
{
  Pair pair;
  Buffer buf;
  gsize plain_len, sealed_len, len;
  guint8 expected[128], original[128];

  ck_assert_int_eq (sodium_hex2bin (original, sizeof original, plain, strlen (plain), NULL, &plain_len, NULL),
                    0);
  ck_assert_int_eq (
      sodium_hex2bin (expected, sizeof expected, sealed, strlen (sealed), NULL, &sealed_len, NULL), 0);
  pair_init (&pair, profile);
  memcpy (buf, original, plain_len);
  len = plain_len;
  ck_assert_int_eq (ics_srtp_protect (pair.out, kind, (guint8 *)buf, &len), ICS_SRTP_OK);
  ck_assert_uint_eq (len, sealed_len);
  ck_assert_mem_eq (buf, expected, sealed_len);
  ck_assert_uint_eq (sealed_len - plain_len, kind == ICS_RTP_RTP ? ics_srtp_profiles[profile].rtp_overhead
                                                                 : ics_srtp_profiles[profile].rtcp_overhead);
  ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, kind, (guint8 *)buf, &len), ICS_SRTP_OK);
  ck_assert_uint_eq (len, plain_len);
  ck_assert_mem_eq (buf, original, plain_len);
  pair_clear (&pair);
}

/* Made by another implementation, tests/lab/srtp.py, which keeps to the vectors of RFC 3711 B and RFC 7714
 * §16.
 */
START_TEST (test_vectors)
{
  const char *rtp = "800f1234decafbadcafebabeabababababababababababababababab";
  const char *rtcp = "81c8000bcafebabeabababababababababababababababababababababababababababababab"
                     "abababababababababab";

  check_vector (ICS_SRTP_AEAD_AES_128_GCM, ICS_RTP_RTP, rtp,
                "800f1234decafbadcafebabe0eca0cf95ee955b26cd3d288b49f6ca959171450975f4144da9cdd7ae989a277");
  check_vector (ICS_SRTP_AEAD_AES_128_GCM, ICS_RTP_RTCP, rtcp,
                "81c8000bcafebabeea6e5eb3c75c462000f59ebf9e4ebd4e92ccf6f107a35cd2bb895994b50d7a15a1e736db"
                "b2ef158101c940575e7bff19e69d24a59ba2abc280000001");
  check_vector (ICS_SRTP_AES128_CM_HMAC_SHA1_80, ICS_RTP_RTP, rtp,
                "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb");
  check_vector (ICS_SRTP_AES128_CM_HMAC_SHA1_80, ICS_RTP_RTCP, rtcp,
                "81c8000bcafebabe7128035be487b9bdbef89041f977a5a8d5efb8816abf868c340e5082be1e90ca6bdd3195"
                "4a81a47d8000000163a50d16b51439563031");
}
END_TEST

/* RFC 5764 §4.2: both keys, then both salts, the client's first. */
START_TEST (test_key_layout)
{
  for (guint i = 0; i < ICS_N_SRTP_PROFILES; i++)
    {
      const IcsSrtpProfile *profile = &ics_srtp_profiles[i];
      gsize key = profile->key_len, salt = profile->salt_len;
      guint8 exported[ICS_SRTP_EXPORT_MAX];
      char *line, *expected;
      IcsSrtpKeys keys;

      ck_assert_uint_eq (ics_srtp_keys_export_len (profile), 2 * (key + salt));
      memset (exported, 0x11, key);
      memset (exported + key, 0x22, key);
      memset (exported + 2 * key, 0x33, salt);
      memset (exported + 2 * key + salt, 0x44, salt);
      ics_srtp_keys_split (&keys, profile, exported);
      for (gsize n = 0; n < key + salt; n++)
        {
          ck_assert_uint_eq (keys.client[n], n < key ? 0x11 : 0x33);
          ck_assert_uint_eq (keys.server[n], n < key ? 0x22 : 0x44);
        }
      line = ics_srtp_keys_to_log (&keys, profile);
      expected = g_strdup_printf (
          "%s client 11111111111111111111111111111111%.*s server 22222222222222222222222222222222%.*s",
          profile->name, (int)(2 * salt), "3333333333333333333333333333", (int)(2 * salt),
          "4444444444444444444444444444");
      ck_assert_str_eq (line, expected);
      ics_secret_free (line);
      g_free (expected);
      ics_srtp_keys_clear (&keys);
      ck_assert_uint_eq (keys.client[0] | keys.server[0], 0);
    }
}
END_TEST

START_TEST (test_choice_of_profile)
{
  const struct
  {
    const char *client, *server;
    int profile;
  } cases[] = {
    { "SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80",
      "SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80", ICS_SRTP_AEAD_AES_128_GCM },
    { "SRTP_AES128_CM_HMAC_SHA1_80 SRTP_AEAD_AES_128_GCM",
      "SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80", ICS_SRTP_AES128_CM_HMAC_SHA1_80 },
    { "SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80", "SRTP_AES128_CM_HMAC_SHA1_80",
      ICS_SRTP_AES128_CM_HMAC_SHA1_80 },
    { "SRTP_OF_TOMORROW SRTP_AEAD_AES_128_GCM", "SRTP_OF_TOMORROW SRTP_AEAD_AES_128_GCM",
      ICS_SRTP_AEAD_AES_128_GCM },
    { "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80", -1 },
    { "", "SRTP_AES128_CM_HMAC_SHA1_80", -1 },
    { "SRTP_AEAD_AES_128_GCM", "", -1 },
    { "  SRTP_AEAD_AES_128_GCMX ", "SRTP_AEAD_AES_128_GCMX", -1 },
  };
  char *all = ics_srtp_list_profiles ();

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const IcsSrtpProfile *profile = ics_srtp_profile_choose (cases[i].client, cases[i].server);

      ck_assert_int_eq (profile != NULL ? (int)profile->id : -1, cases[i].profile);
    }
  ck_assert_str_eq (all, "SRTP_AEAD_AES_128_GCM SRTP_AES128_CM_HMAC_SHA1_80");
  g_free (all);
}
END_TEST

/* RFC 7983 §7 and RFC 9443 §3; RFC 5761 §4. */
START_TEST (test_first_bytes)
{
  guint8 packet[16] = { 0 };
  IcsRtpKind kind;

  for (guint first = 0; first < 256; first++)
    {
      /* No contributing sources and no extension, so that this is long enough. */
      packet[0] = (guint8)first;
      packet[1] = 200;
      ck_assert_int_eq (ics_rtp_matches ((guint8)first), first >= 128 && first < 192);
      ck_assert_int_eq (ics_rtp_classify (packet, sizeof packet, &kind), first >= 128 && first < 192);
    }
  packet[0] = 0x80;
  for (guint second = 0; second < 256; second++)
    {
      packet[1] = (guint8)second;
      ck_assert (ics_rtp_classify (packet, sizeof packet, &kind));
      ck_assert_int_eq (kind == ICS_RTP_RTCP, second >= 192 && second <= 223);
      ck_assert_int_eq (ics_rtp_classify (packet, 11, &kind), kind == ICS_RTP_RTCP);
      ck_assert (!ics_rtp_classify (packet, 7, &kind));
    }
}
END_TEST

START_TEST (test_header_lengths)
{
  guint8 packet[40] = { 0x92, 96, 0x12, 0x34, 1, 2, 3, 4, 0xca, 0xfe, 0xba, 0xbe };
  IcsRtpKind kind;

  /* Two contributing sources and an extension of two words: 12 + 8 + 4 + 8. */
  packet[20] = 0xbe;
  packet[23] = 2;
  for (gsize len = 0; len <= sizeof packet; len++)
    ck_assert_int_eq (ics_rtp_classify (packet, len, &kind), len >= 32);
  packet[22] = 0xff;
  ck_assert (!ics_rtp_classify (packet, sizeof packet, &kind));
  ck_assert_uint_eq (ics_rtp_get_ssrc (packet, ICS_RTP_RTP), 0xcafebabe);
  ck_assert_uint_eq (ics_rtp_get_ssrc (packet, ICS_RTP_RTCP), 0x01020304);
  ck_assert_uint_eq (ics_rtp_get_sequence (packet), 0x1234);
}
END_TEST

START_TEST (test_replay)
{
  Pair pair;
  Buffer sealed, buf;
  gsize sealed_len, len;

  pair_init (&pair, (guint)_i);
  sealed_len = protect_rtp (pair.out, sealed, 7, 1);
  for (guint i = 0; i < 3; i++)
    {
      memcpy (buf, sealed, sealed_len);
      len = sealed_len;
      ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, ICS_RTP_RTP, (guint8 *)buf, &len),
                        i == 0 ? ICS_SRTP_OK : ICS_SRTP_REPLAYED);
    }
  /* The window goes as far as it says, and no further. */
  for (guint16 i = 2; i <= ICS_SRTP_REPLAY_WINDOW + 3; i++)
    if (i != 4 && i != 3)
      ck_assert_int_eq (pass (&pair, 0, 7, i), ICS_SRTP_OK);
  memcpy (buf, sealed, sealed_len);
  len = sealed_len;
  ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, ICS_RTP_RTP, (guint8 *)buf, &len), ICS_SRTP_LATE);
  ck_assert_int_eq (pass (&pair, 0, 7, 4), ICS_SRTP_OK);
  ck_assert_uint_eq (ics_srtp_get_lost (pair.in), 1);
  /* The sender does not use a number twice: that would be two packets under one keystream. */
  len = make_rtp (buf, 7, 4);
  ck_assert_int_eq (ics_srtp_protect (pair.out, ICS_RTP_RTP, (guint8 *)buf, &len), ICS_SRTP_REPLAYED);
  len = make_rtp (buf, 7, 3);
  ck_assert_int_eq (ics_srtp_protect (pair.out, ICS_RTP_RTP, (guint8 *)buf, &len), ICS_SRTP_LATE);
  pair_clear (&pair);
}
END_TEST

START_TEST (test_replayed_rtcp)
{
  Pair pair;
  Buffer sealed, buf;
  gsize sealed_len, len;

  pair_init (&pair, (guint)_i);
  sealed_len = make_rtcp (sealed, 7);
  ck_assert_int_eq (ics_srtp_protect (pair.out, ICS_RTP_RTCP, (guint8 *)sealed, &sealed_len), ICS_SRTP_OK);
  for (guint i = 0; i < 2; i++)
    {
      memcpy (buf, sealed, sealed_len);
      len = sealed_len;
      ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, ICS_RTP_RTCP, (guint8 *)buf, &len),
                        i == 0 ? ICS_SRTP_OK : ICS_SRTP_REPLAYED);
    }
  pair_clear (&pair);
}
END_TEST

/* Every bit of both kinds counts, and what is forged leaves no trace. */
START_TEST (test_forgery)
{
  for (IcsRtpKind kind = ICS_RTP_RTP; kind <= ICS_RTP_RTCP; kind++)
    {
      Pair pair;
      Buffer sealed, buf;
      gsize sealed_len, len;

      pair_init (&pair, (guint)_i);
      sealed_len = kind == ICS_RTP_RTP ? make_rtp (sealed, 7, 1) : make_rtcp (sealed, 7);
      ck_assert_int_eq (ics_srtp_protect (pair.out, kind, (guint8 *)sealed, &sealed_len), ICS_SRTP_OK);
      for (gsize bit = 0; bit < 8 * sealed_len; bit++)
        {
          memcpy (buf, sealed, sealed_len);
          ((guint8 *)buf)[bit / 8] ^= (guint8)(1 << bit % 8);
          len = sealed_len;
          ck_assert_int_ne (ics_srtp_unprotect (pair.in, 0, kind, (guint8 *)buf, &len), ICS_SRTP_OK);
        }
      for (gsize cut = 0; cut < sealed_len; cut++)
        {
          memcpy (buf, sealed, sealed_len);
          len = cut;
          ck_assert_int_ne (ics_srtp_unprotect (pair.in, 0, kind, (guint8 *)buf, &len), ICS_SRTP_OK);
        }
      len = sealed_len;
      ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, kind, (guint8 *)sealed, &len), ICS_SRTP_OK);
      pair_clear (&pair);
    }
}
END_TEST

START_TEST (test_several_sources)
{
  Pair pair;
  Buffer buf;
  gsize len;

  pair_init (&pair, (guint)_i);
  for (guint16 sequence = 0; sequence < 3; sequence++)
    for (guint32 ssrc = 0; ssrc < ICS_SRTP_MAX_SOURCES; ssrc++)
      ck_assert_int_eq (pass (&pair, 0, ssrc * 0x01010101u, (guint16)(sequence + ssrc)), ICS_SRTP_OK);
  len = make_rtp (buf, 5, 1);
  ck_assert_int_eq (ics_srtp_protect (pair.out, ICS_RTP_RTP, (guint8 *)buf, &len), ICS_SRTP_TOO_MANY_SOURCES);
  len = make_rtp (buf, 5, 1);
  ck_assert_int_eq (ics_srtp_unprotect (pair.in, 0, ICS_RTP_RTP, (guint8 *)buf, &len),
                    ICS_SRTP_TOO_MANY_SOURCES);
  ck_assert_uint_eq (ics_srtp_get_lost (pair.in), 0);
  pair_clear (&pair);
}
END_TEST

/* RFC 3711 §9.2: whichever kind reaches its end first ends both. */
START_TEST (test_key_lifetime)
{
  IcsSrtp *out = new_srtp (ICS_SRTP_AEAD_AES_128_GCM, TRUE, 32, _i == 0 ? 0 : 16);
  guint most = _i == 0 ? 32 : 16;
  Buffer buf;

  for (guint16 i = 0; i < most; i++)
    {
      gsize len = _i == 0 ? make_rtp (buf, 7, i) : make_rtcp (buf, 7);

      ck_assert_int_eq (ics_srtp_get_key_state (out),
                        i >= most - most / 16 ? ICS_SRTP_KEY_WORN : ICS_SRTP_KEY_FRESH);
      ck_assert_int_eq (ics_srtp_protect (out, _i == 0 ? ICS_RTP_RTP : ICS_RTP_RTCP, (guint8 *)buf, &len),
                        ICS_SRTP_OK);
    }
  ck_assert_int_eq (ics_srtp_get_key_state (out), ICS_SRTP_KEY_OVER);
  for (IcsRtpKind kind = ICS_RTP_RTP; kind <= ICS_RTP_RTCP; kind++)
    {
      gsize len = kind == ICS_RTP_RTP ? make_rtp (buf, 7, 1000) : make_rtcp (buf, 7);

      ck_assert_int_eq (ics_srtp_protect (out, kind, (guint8 *)buf, &len), ICS_SRTP_KEY_SPENT);
      ck_assert_uint_eq (len, kind == ICS_RTP_RTP ? PACKET : 48);
    }
  ics_srtp_free (out);
}
END_TEST

/* What came is counted too: a peer that goes on is not followed. */
START_TEST (test_key_lifetime_of_the_receiver)
{
  Pair pair = { new_srtp (ICS_SRTP_AEAD_AES_128_GCM, TRUE, 0, 0),
                new_srtp (ICS_SRTP_AEAD_AES_128_GCM, FALSE, 8, 0) };

  for (guint16 i = 0; i < 10; i++)
    ck_assert_int_eq (pass (&pair, 0, 7, i), i < 8 ? ICS_SRTP_OK : ICS_SRTP_KEY_SPENT);
  pair_clear (&pair);
}
END_TEST

/* An outage of more than half of the sequence numbers, with wraps in between. */
START_TEST (test_long_outage)
{
  const guint64 lengths[] = { 30000, 33000, 65536, 200000 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      Pair pair;
      Buffer buf;
      guint64 sequence = 65000;
      gint64 now = 0;
      guint tries;

      pair_init (&pair, (guint)_i);
      ck_assert_int_eq (pass (&pair, now, 7, (guint16)sequence++), ICS_SRTP_OK);
      for (guint64 n = 0; n < lengths[i]; n++)
        protect_rtp (pair.out, buf, 7, (guint16)sequence++);
      now += 60 * SECOND;
      for (tries = 0; tries < 80 && pass (&pair, now, 7, (guint16)sequence++) != ICS_SRTP_OK; tries++)
        continue;
      ck_assert_uint_le (tries, lengths[i] / 65536 + 1);
      for (guint n = 0; n < 100; n++)
        ck_assert_int_eq (pass (&pair, now, 7, (guint16)sequence++), ICS_SRTP_OK);
      ck_assert_uint_eq (ics_srtp_get_lost (pair.in), lengths[i] + tries);
      pair_clear (&pair);
    }
}
END_TEST

/* While a source is heard, forgeries do not make the receiver guess; nor do they mislead it when it is not.
 */
START_TEST (test_forgeries_in_an_outage)
{
  Pair pair;
  Buffer sealed, buf;
  gsize sealed_len, len;

  pair_init (&pair, (guint)_i);
  ck_assert_int_eq (pass (&pair, 0, 7, 1), ICS_SRTP_OK);
  sealed_len = protect_rtp (pair.out, sealed, 7, 2);
  for (guint i = 0; i < 200; i++)
    {
      memcpy (buf, sealed, sealed_len);
      ((guint8 *)buf)[2] = (guint8)i;
      ((guint8 *)buf)[50] ^= 1;
      len = sealed_len;
      ck_assert_int_eq (ics_srtp_unprotect (pair.in, i * SECOND, ICS_RTP_RTP, (guint8 *)buf, &len),
                        ICS_SRTP_FORGED);
    }
  len = sealed_len;
  ck_assert_int_eq (ics_srtp_unprotect (pair.in, 300 * SECOND, ICS_RTP_RTP, (guint8 *)sealed, &len),
                    ICS_SRTP_OK);
  pair_clear (&pair);
}
END_TEST

/* Packets of several sources, lost, doubled, delayed and spoilt at random: each arrives once at most, as it
 * was, and all are accounted for. */
#define FLIGHT 600

typedef struct
{
  Buffer buf;
  gsize len;
} Flying;

static void
fly (Pair *pair, GRand *rand, Flying *flight, guint *arrived)
{
  Flying *packet = &flight[g_rand_int_range (rand, 0, FLIGHT)];
  gboolean spoilt = g_rand_int_range (rand, 0, 20) == 0;
  Buffer copy;
  gsize len = packet->len;
  IcsSrtpResult result;

  if (len == 0)
    return;
  memcpy (copy, packet->buf, len);
  if (spoilt)
    ((guint8 *)copy)[g_rand_int_range (rand, 0, (gint32)len)] ^= (guint8)g_rand_int_range (rand, 1, 256);
  result = ics_srtp_unprotect (pair->in, 0, ICS_RTP_RTP, (guint8 *)copy, &len);
  ck_assert (!spoilt || result != ICS_SRTP_OK);
  if (result == ICS_SRTP_OK)
    {
      Buffer expected;
      guint16 sequence = ics_rtp_get_sequence ((guint8 *)copy);
      guint32 ssrc = ics_rtp_get_ssrc ((guint8 *)copy, ICS_RTP_RTP);

      ck_assert_uint_eq (len, make_rtp (expected, ssrc, sequence));
      ck_assert_mem_eq (copy, expected, len);
      ck_assert_uint_eq (arrived[ssrc * 65536 + sequence]++, 0);
    }
  /* Some stay under way, and come again. */
  if (g_rand_int_range (rand, 0, 10) > 0)
    packet->len = 0;
}

START_TEST (test_random_schedules)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)g_ascii_strtoull (fixed, NULL, 10) : g_random_int ();
  GRand *rand = g_rand_new_with_seed (seed);
  Flying *flight = g_new0 (Flying, FLIGHT);
  guint *arrived = g_new0 (guint, 4 * 65536);
  guint16 next[4] = { 0 };
  guint n = 0;
  Pair pair;

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  pair_init (&pair, (guint)_i);
  for (guint i = 0; i < 40000; i++)
    {
      guint ssrc = (guint)g_rand_int_range (rand, 0, 4);
      Flying *packet = &flight[g_rand_int_range (rand, 0, FLIGHT)];

      if (g_rand_boolean (rand))
        packet->len = protect_rtp (pair.out, packet->buf, ssrc, next[ssrc]++);
      else
        fly (&pair, rand, flight, arrived);
    }
  for (guint i = 0; i < 4 * 65536; i++)
    n += arrived[i];
  ck_assert_uint_gt (n, 5000);
  ck_assert_uint_gt (ics_srtp_get_lost (pair.in), 0);
  pair_clear (&pair);
  g_free (flight);
  g_free (arrived);
  g_rand_free (rand);
}
END_TEST

/* RFC 3550 A.3, through two wraps, with packets that come late. */
START_TEST (test_lost)
{
  IcsRtpSource source = { .ssrc = 7 };
  guint16 sequence = 65530;
  guint missing = 0;

  for (guint i = 0; i < 140000; i++, sequence++)
    if (i % 7 != 3)
      ics_rtp_source_received (&source, sequence, 0);
    else
      missing++;
  ck_assert_uint_eq (ics_rtp_source_lost (&source), missing);
  ics_rtp_source_received (&source, (guint16)(sequence - 10), 0);
  ck_assert_uint_eq (ics_rtp_source_lost (&source), missing - 1);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_vectors, 1 },
    { test_key_layout, 1 },
    { test_choice_of_profile, 1 },
    { test_first_bytes, 1 },
    { test_header_lengths, 1 },
    { test_replay, ICS_N_SRTP_PROFILES },
    { test_replayed_rtcp, ICS_N_SRTP_PROFILES },
    { test_forgery, ICS_N_SRTP_PROFILES },
    { test_several_sources, ICS_N_SRTP_PROFILES },
    { test_key_lifetime, 2 },
    { test_key_lifetime_of_the_receiver, 1 },
    { test_long_outage, 1 },
    { test_forgeries_in_an_outage, ICS_N_SRTP_PROFILES },
    { test_random_schedules, ICS_N_SRTP_PROFILES },
    { test_lost, 1 },
  };

  ics_secret_init ();
  return run_loops ("srtp", tests, G_N_ELEMENTS (tests));
}
