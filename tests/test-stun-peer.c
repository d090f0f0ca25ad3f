/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* STUN checks between two hosts that ICE has joined: honest, forged, repeated, mangled. */
#include "agent/stun-peer.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const IcsStunCredentials ours = { "abcd", "abcdefghijklmnopqrstuv", "efgh", "efghijklmnopqrstuvwxyz" };
static const IcsStunCredentials theirs
    = { "efgh", "efghijklmnopqrstuvwxyz", "abcd", "abcdefghijklmnopqrstuv" };

static const struct sockaddr *
address (gboolean ipv6)
{
  static struct sockaddr_in v4 = { .sin_family = AF_INET };
  static struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

  v4.sin_port = v6.sin6_port = htons (5000);
  ck_assert_int_eq (inet_pton (AF_INET, "192.0.2.1", &v4.sin_addr), 1);
  ck_assert_int_eq (inet_pton (AF_INET6, "2001:db8::1", &v6.sin6_addr), 1);
  return ipv6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
}

typedef struct
{
  IcsStunPeer *asks, *answers;
  guint8 check[ICS_STUN_MESSAGE_MAX];
  gsize len;
  guint8 id[ICS_STUN_ID_LEN];
  IcsStunInput input;
} Talk;

static void
talk_init (Talk *talk, const IcsStunCredentials *other)
{
  memset (talk, 0, sizeof *talk);
  talk->asks = ics_stun_peer_new (&ours, TRUE);
  talk->answers = ics_stun_peer_new (other, FALSE);
  talk->len = ics_stun_peer_write_check (talk->asks, TRUE, talk->check, talk->id);
  ck_assert_uint_gt (talk->len, 0);
  ck_assert (ics_stun_matches (talk->check, talk->len));
}

static void
talk_clear (Talk *talk)
{
  ics_stun_peer_free (talk->asks);
  ics_stun_peer_free (talk->answers);
}

START_TEST (check_and_answer)
{
  IcsStunInput answer;
  Talk talk;

  talk_init (&talk, &theirs);
  ics_stun_peer_read (talk.answers, talk.check, talk.len, address (_i), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_REQUEST);
  ck_assert (talk.input.nominated);
  /* Not even the authentic one gets more than it sent. */
  ck_assert_uint_le (talk.input.reply_len, talk.len);

  ics_stun_peer_read (talk.asks, talk.input.reply, talk.input.reply_len, address (_i), &answer);
  ck_assert_int_eq (answer.type, ICS_STUN_ANSWER);
  ck_assert_mem_eq (answer.id, talk.id, sizeof talk.id);
  /* An answer counts once. */
  ics_stun_peer_read (talk.asks, talk.input.reply, talk.input.reply_len, address (_i), &answer);
  ck_assert_int_eq (answer.type, ICS_STUN_DROPPED);

  talk.len = ics_stun_peer_write_check (talk.asks, FALSE, talk.check, talk.id);
  ics_stun_peer_read (talk.answers, talk.check, talk.len, address (_i), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_REQUEST);
  ck_assert (!talk.input.nominated);
  /* The controlled host nominates nothing, whatever it wishes. */
  talk.len = ics_stun_peer_write_check (talk.answers, TRUE, talk.check, talk.id);
  ics_stun_peer_read (talk.asks, talk.check, talk.len, address (_i), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_REQUEST);
  ck_assert (!talk.input.nominated);
  talk_clear (&talk);
}
END_TEST

START_TEST (wrong_credentials)
{
  static const IcsStunCredentials others[] = {
    { "efgh", "another_password_of_22_", "abcd", "abcdefghijklmnopqrstuv" },
    { "efgh", "efghijklmnopqrstuvwxyz", "abce", "abcdefghijklmnopqrstuv" },
    { "efgi", "efghijklmnopqrstuvwxyz", "abcd", "abcdefghijklmnopqrstuv" },
  };
  Talk talk;

  talk_init (&talk, &others[_i]);
  ics_stun_peer_read (talk.answers, talk.check, talk.len, address (FALSE), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_DROPPED);
  talk_clear (&talk);
}
END_TEST

/* Every flipped bit, every length: dropped, without an answer. */
START_TEST (mangled)
{
  Talk talk;

  talk_init (&talk, &theirs);
  for (gsize bit = 0; bit < talk.len * 8; bit++)
    {
      talk.check[bit / 8] ^= (guint8)(1u << bit % 8);
      ics_stun_peer_read (talk.answers, talk.check, talk.len, address (FALSE), &talk.input);
      ck_assert_int_eq (talk.input.type, ICS_STUN_DROPPED);
      talk.check[bit / 8] ^= (guint8)(1u << bit % 8);
    }
  for (gsize len = 0; len < talk.len; len++)
    {
      g_autofree guint8 *copy = g_memdup2 (talk.check, len + 1); /* so that a sanitizer sees the end */

      ics_stun_peer_read (talk.answers, copy, len, address (FALSE), &talk.input);
      ck_assert_int_eq (talk.input.type, ICS_STUN_DROPPED);
    }
  ics_stun_peer_read (talk.answers, talk.check, talk.len, address (FALSE), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_REQUEST);

  /* The same for answers. */
  for (gsize bit = 0; bit < talk.input.reply_len * 8; bit++)
    {
      IcsStunInput answer;

      talk.input.reply[bit / 8] ^= (guint8)(1u << bit % 8);
      ics_stun_peer_read (talk.asks, talk.input.reply, talk.input.reply_len, address (FALSE), &answer);
      ck_assert_int_eq (answer.type, ICS_STUN_DROPPED);
      talk.input.reply[bit / 8] ^= (guint8)(1u << bit % 8);
    }
  talk_clear (&talk);
}
END_TEST

START_TEST (oversized_and_random)
{
  guint32 seed
      = g_getenv ("ICS_TEST_SEED") != NULL ? (guint32)atoi (g_getenv ("ICS_TEST_SEED")) : g_random_int ();
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);
  g_autofree guint8 *large = g_malloc0 (65536);
  Talk talk;

  g_print ("ICS_TEST_SEED=%u\n", seed);
  talk_init (&talk, &theirs);
  memcpy (large, talk.check, talk.len);
  ics_stun_peer_read (talk.answers, large, 65535, address (FALSE), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_DROPPED);
  for (guint i = 0; i < 20000; i++)
    {
      gsize len = (gsize)g_rand_int_range (random, 0, 200);
      g_autofree guint8 *data = g_malloc (len + 1);

      for (gsize k = 0; k < len; k++)
        data[k] = (guint8)g_rand_int (random);
      /* Half of them with a header that is right. */
      if (len >= 20 && i % 2 == 0)
        {
          memcpy (data, talk.check, 8);
          data[2] = 0;
          data[3] = (guint8)((len - 20) & ~3u);
        }
      ics_stun_peer_read (talk.answers, data, len, address (FALSE), &talk.input);
      ck_assert_int_eq (talk.input.type, ICS_STUN_DROPPED);
    }
  talk_clear (&talk);
}
END_TEST

/* Checks that nobody answers do not fill the memory of the library, and old ones are forgotten. */
START_TEST (thousands_of_checks)
{
  guint8 first[ICS_STUN_MESSAGE_MAX];
  IcsStunInput answer;
  gsize first_len;
  Talk talk;

  talk_init (&talk, &theirs);
  memcpy (first, talk.check, first_len = talk.len);
  for (guint i = 0; i < 5000; i++)
    {
      talk.len = ics_stun_peer_write_check (talk.asks, TRUE, talk.check, talk.id);
      ck_assert_uint_gt (talk.len, 0);
    }
  ics_stun_peer_read (talk.answers, first, first_len, address (FALSE), &talk.input);
  ck_assert_int_eq (talk.input.type, ICS_STUN_REQUEST);
  ics_stun_peer_read (talk.asks, talk.input.reply, talk.input.reply_len, address (FALSE), &answer);
  ck_assert_int_eq (answer.type, ICS_STUN_DROPPED);
  ics_stun_peer_read (talk.answers, talk.check, talk.len, address (FALSE), &talk.input);
  ics_stun_peer_read (talk.asks, talk.input.reply, talk.input.reply_len, address (FALSE), &answer);
  ck_assert_int_eq (answer.type, ICS_STUN_ANSWER);
  talk_clear (&talk);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { check_and_answer, 2 },     { wrong_credentials, 3 },   { mangled, 1 },
    { oversized_and_random, 1 }, { thousands_of_checks, 1 },
  };

  return run_loops ("stun-peer", tests, G_N_ELEMENTS (tests));
}
