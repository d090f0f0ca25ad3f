/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/malicious-relay.h"
#include "tests/suite.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A rendezvous server that invents messages. */

#define PAYLOAD_SIZE (384 * 1024)

/* --- inventions --- */

/* A signal with a good header and size and no truth in it (docs/protocol.md: types 1 to 4). */
static GBytes *
forge_signal (GRand *rand, guint type)
{
  static const gsize sizes[] = { 0, 50, 210, 178, 35 };
  g_autoptr (GBytes) noise = relay_random_bytes (rand, sizes[type]);
  gsize len;
  guint8 *data = g_bytes_unref_to_data (g_steal_pointer (&noise), &len);

  data[0] = 1;
  data[1] = (guint8)type;
  if (type == 4)
    data[2] = 1;
  return g_bytes_new_take (data, len);
}

/* Datagrams behind lengths: @first is what the link tells kinds apart by. */
static GBytes *
forge_batch (GRand *rand, guint8 first, gsize size)
{
  g_autoptr (GBytes) noise = relay_random_bytes (rand, size + 2);
  gsize len;
  guint8 *data = g_bytes_unref_to_data (g_steal_pointer (&noise), &len);

  data[0] = (guint8)(size >> 8);
  data[1] = (guint8)size;
  data[2] = first;
  return g_bytes_new_take (data, len);
}

static void
inject_and_forget (MemoryChannel *victim, IcsChannelKind kind, GBytes *message)
{
  memory_channel_inject (victim, kind, message);
  g_bytes_unref (message);
}

static void
flood (MemoryChannel *victim, GRand *rand)
{
  /* Probe, STUN, TURN channel data, RTP, QUIC with short and long headers. */
  static const guint8 firsts[] = { 0x04, 0x00, 0x01, 0x40, 0x80, 0x43, 0x5a, 0xc0, 0xe3, 0xff };
  static const gsize sizes[] = { 1, 2, 3, 35, 36, 40, 1200, 1452, 60000 };

  for (int kind = 0; kind < 2; kind++)
    {
      inject_and_forget (victim, (IcsChannelKind)kind, g_bytes_new (NULL, 0));
      for (guint i = 0; i < 12; i++)
        inject_and_forget (victim, (IcsChannelKind)kind,
                           relay_random_bytes (rand, (gsize)g_rand_int_range (rand, 1, 3000)));
      inject_and_forget (victim, (IcsChannelKind)kind, relay_random_bytes (rand, ICS_CHANNEL_DATA_MAX + 1));
    }
  for (guint i = 0; i < G_N_ELEMENTS (firsts); i++)
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      inject_and_forget (victim, ICS_CHANNEL_DATA, forge_batch (rand, firsts[i], sizes[k]));
}

typedef struct
{
  LinkPair *pair;
  GRand *rand;
  guint seen[2][2]; /* messages by kind and side */
} Flood;

static Flood the_flood;

/* Around the first messages of each kind: while the hosts pair, and while they secure the link. */
static GBytes *
flood_now_and_then (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  guint side = GPOINTER_TO_UINT (user_data);

  if (the_flood.seen[kind][side]++ < 4)
    for (guint i = 0; i < 2; i++)
      flood (the_flood.pair->channel[i], the_flood.rand);
  return g_bytes_ref (message);
}

static void
on_code_flood (IcsLink *link, const char *code, gpointer user_data)
{
  flood (the_flood.pair->channel[0], the_flood.rand);
}

/* The line of the record that says so. */
static gboolean
record_says (IcsLink *link, const char *what)
{
  g_auto (GStrv) lines = ics_link_get_record (link);

  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], what) != NULL)
      return TRUE;
  return FALSE;
}

/* In every state, at both hosts: it costs nothing but the time to drop it. */
START_TEST (test_garbage_in_every_state)
{
  LinkPair pair;
  GRand *rand = relay_make_rand ();

  link_pair_init (&pair);
  the_flood = (Flood){ .pair = &pair, .rand = rand };
  for (guint i = 0; i < 2; i++)
    memory_channel_set_tap (pair.channel[i], flood_now_and_then, GUINT_TO_POINTER (i));
  g_signal_connect (pair.link[0], "code", G_CALLBACK (on_code_flood), NULL);
  link_set_policy (&pair, _i == 0 ? ICS_PATH_POLICY_RELAY : ICS_PATH_POLICY_AUTO);
  link_connect (&pair);
  for (guint i = 0; i < 2; i++)
    {
      flood (pair.channel[i], rand);
      for (guint type = 1; type <= 4; type++)
        inject_and_forget (pair.channel[i], ICS_CHANNEL_SIGNAL, forge_signal (rand, type));
    }
  link_exchange_both_ways (&pair, rand, 20000);
  if (_i == 1)
    link_pair_run (&pair, link_pair_is_direct);
  for (guint i = 0; i < 2; i++)
    flood (pair.channel[i], rand);
  link_close_cleanly (&pair);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_msg (record_says (pair.link[i], "were not the peer's, and dropped"),
                     "the record does not say what happened");
      flood (pair.channel[i], rand);
    }
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

typedef struct
{
  LinkPair *pair;
  GRand *rand;
  guint type;
  gboolean done;
} Forgery;

/* In front of the message whose place it takes. */
static GBytes *
forge_one (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  Forgery *forgery = user_data;
  const guint8 *data = g_bytes_get_data (message, NULL);
  guint to = forgery->type == 2 || forgery->type == 5 ? 1 : 0;
  guint type = MIN (forgery->type, 4), before = type == 4 ? (to == 1 ? 2 : 3) : type;

  if (kind != ICS_CHANNEL_SIGNAL || forgery->done || data[1] != before)
    return g_bytes_ref (message);
  forgery->done = TRUE;
  inject_and_forget (forgery->pair->channel[to], ICS_CHANNEL_SIGNAL, forge_signal (forgery->rand, type));
  return g_bytes_ref (message);
}

/* 0 to 3: messages 1, 2, 3 and a reject to the listener, 4: a reject to the joiner. A handshake that somebody
 * else has spoken in fails, on both sides. */
START_TEST (test_forged_signals)
{
  LinkPair pair;
  GRand *rand = relay_make_rand ();
  Forgery forgery = { &pair, rand, (guint)_i + 1, FALSE };

  link_pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    memory_channel_set_tap (pair.channel[i], forge_one, &forgery);
  link_set_limit (&pair, 20000);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_over);
  ck_assert (forgery.done);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!pair.connected[i]);
      check_clear_failure (pair.error[i]);
      ck_assert (!g_error_matches (pair.error[i], ICS_ERROR, ICS_ERROR_TIMED_OUT));
    }
  ck_assert (!g_error_matches (pair.error[0], ICS_ERROR, ICS_ERROR_LINK_LOST));
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

/* Before each genuine message comes a copy with one bit turned, or cut short. */
static GBytes *
spoil (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  RelayEnd *end = user_data;
  gsize len;
  g_autofree guint8 *copy = NULL;

  if (kind == ICS_CHANNEL_SIGNAL)
    return g_bytes_ref (message);
  copy = g_memdup2 (g_bytes_get_data (message, &len), g_bytes_get_size (message));
  if (g_rand_boolean (end->relay->rand))
    copy[g_rand_int_range (end->relay->rand, 0, (gint)len)]
        ^= (guint8)(1u << g_rand_int_range (end->relay->rand, 0, 8));
  else
    len = (gsize)g_rand_int_range (end->relay->rand, 0, (gint)len);
  inject_and_forget (end->relay->pair->channel[1 - end->side], kind, g_bytes_new (copy, len));
  return g_bytes_ref (message);
}

START_TEST (test_spoiled_copies)
{
  LinkPair pair;
  Relay relay;
  RelayEnd ends[2];
  GRand *rand = relay_make_rand ();

  link_pair_init (&pair);
  relay_init (&relay, ends, &pair, rand);
  for (guint i = 0; i < 2; i++)
    memory_channel_set_tap (pair.channel[i], spoil, &ends[i]);
  link_set_policy (&pair, ICS_PATH_POLICY_RELAY);
  link_connect (&pair);
  link_send_numbered (&pair);
  link_exchange_both_ways (&pair, rand, PAYLOAD_SIZE);
  link_check_numbered (&pair);
  link_close_cleanly (&pair);
  relay_clear (&relay);
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

/* --- memory --- */

#define HUGE_SIZE (16 * 1024 * 1024)
#define N_HUGE 64

static gsize
resident (void)
{
  gulong size = 0, pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  ck_assert_msg (file != NULL, "%s", g_strerror (errno));
  ck_assert_int_eq (fscanf (file, "%lu %lu", &size, &pages), 2);
  fclose (file);
  return pages * (gsize)sysconf (_SC_PAGESIZE);
}

/* A gigabyte of messages far over every limit, all the same bytes: whoever kept what it is sent would grow by
 * as much. */
START_TEST (test_memory_is_bounded)
{
  LinkPair pair;
  GRand *rand = relay_make_rand ();
  g_autoptr (GBytes) huge = relay_random_bytes (rand, HUGE_SIZE);
  gsize before;

  link_pair_init (&pair);
  link_set_policy (&pair, ICS_PATH_POLICY_RELAY);
  link_connect (&pair);
  link_exchange_both_ways (&pair, rand, 1000);
  before = resident ();
  for (guint i = 0; i < N_HUGE; i++)
    memory_channel_inject (pair.channel[i % 2], (IcsChannelKind)(i / 2 % 2), huge);
  /* The channel keeps the order: when these have come, the huge ones have been dealt with. */
  link_exchange_both_ways (&pair, rand, 1000);
  ck_assert_uint_lt (resident (), before + (gsize)N_HUGE * HUGE_SIZE / 4);
  link_close_cleanly (&pair);
  link_pair_clear (&pair);
  g_rand_free (rand);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_garbage_in_every_state, 2 },
    { test_forged_signals, 5 },
    { test_spoiled_copies, 1 },
    { test_memory_is_bounded, 1 },
  };

  return run_loops ("malicious garbage", tests, G_N_ELEMENTS (tests));
}
