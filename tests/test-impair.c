/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What impair does to packets, on a virtual clock. Shares are measured over so many packets that a right
 * program misses the bounds less than once in a million seeds (five standard deviations). */
#include <math.h>
#include <string.h>

#include "tests/lab/impair-frame.h"
#include "tests/lab/impair-queue.h"
#include "tests/suite.h"

#define MS G_GINT64_CONSTANT (1000000)
#define S (1000 * MS)
#define IP_LEN 1250
#define LEN (IMPAIR_ETHERNET + IP_LEN)
#define MANY 20000

static guint32
seed (void)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 value = fixed != NULL ? (guint32)strtoul (fixed, NULL, 10) : g_random_int ();

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", value, value);
  return value;
}

static ImpairQueue *
queue_with (const char *text)
{
  ImpairQueue *queue = impair_queue_new (seed ());
  g_autofree char *problem = NULL;
  ImpairSettings settings;

  ck_assert_msg (impair_settings_parse (text, &settings, &problem), "%s", problem);
  impair_queue_set (queue, &settings);
  return queue;
}

/* An IPv4 packet of UDP, numbered, from 192.0.2.1 to 192.0.2.2. */
static void
make_frame (guint8 *frame, gsize ip_len, guint32 number)
{
  static const guint8 start[] = { 2, 0,  0,  0, 0, 2,   2, 0, 0, 0,   0, 1, 8, 0, 0x45, 0, 0, 0, 0x12, 3, 0,
                                  0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 1, 2,    3, 4, 0, 0,    0, 0 };

  memset (frame, 0x5a, IMPAIR_ETHERNET + ip_len);
  memcpy (frame, start, sizeof start);
  frame[16] = (guint8)(ip_len >> 8);
  frame[17] = (guint8)ip_len;
  frame[38] = (guint8)((ip_len - 20) >> 8);
  frame[39] = (guint8)(ip_len - 20);
  memcpy (frame + 42, &number, sizeof number);
}

static guint32
number_of (const ImpairPacket *packet)
{
  guint32 number;

  memcpy (&number, packet->data + 42, sizeof number);
  return number;
}

static void
push (ImpairQueue *queue, gint64 now, guint32 number)
{
  guint8 frame[LEN];

  make_frame (frame, IP_LEN, number);
  ck_assert (!impair_queue_push (queue, now, frame, LEN));
}

/* The numbers in the order in which they come out, and the time of each (may be NULL). */
static GArray *
drain (ImpairQueue *queue, GArray *times)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint32));
  gint64 next;

  while ((next = impair_queue_next (queue)) != G_MAXINT64)
    {
      g_autofree ImpairPacket *packet = NULL;
      guint32 number;

      ck_assert_ptr_null (impair_queue_pop (queue, next - 1));
      packet = impair_queue_pop (queue, next);
      number = number_of (packet);
      g_array_append_val (numbers, number);
      if (times != NULL)
        g_array_append_val (times, next);
    }
  return numbers;
}

static GArray *
pass_many (ImpairQueue *queue)
{
  for (guint32 i = 0; i < MANY; i++)
    push (queue, i * MS, i);
  return drain (queue, NULL);
}

/* Five standard deviations of a share of so many independent events. */
static void
check_share (guint64 count, double share, double n)
{
  double bound = 5 * sqrt (share * (1 - share) / n);

  ck_assert_msg (fabs ((double)count / n - share) <= bound, "%" G_GUINT64_FORMAT " of %g, expected %g", count,
                 n, share);
}

START_TEST (test_nothing)
{
  g_autoptr (ImpairQueue) queue = queue_with ("");
  g_autofree ImpairPacket *packet = NULL;
  guint8 frame[LEN];

  make_frame (frame, IP_LEN, 7);
  ck_assert_int_eq (impair_queue_next (queue), G_MAXINT64);
  impair_queue_push (queue, 5, frame, LEN);
  packet = impair_queue_pop (queue, 5);
  ck_assert_ptr_nonnull (packet);
  ck_assert_uint_eq (packet->len, LEN);
  ck_assert_mem_eq (packet->data, frame, LEN);
}
END_TEST

START_TEST (test_delay_and_jitter)
{
  g_autoptr (ImpairQueue) queue = queue_with ("delay 50 jitter 10");
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) numbers = NULL;
  gint64 least = G_MAXINT64, most = 0;

  for (guint32 i = 0; i < 1000; i++)
    push (queue, i * 100 * MS, i);
  numbers = drain (queue, times);
  for (guint32 i = 0; i < 1000; i++)
    {
      gint64 way = g_array_index (times, gint64, i) - i * 100 * MS;

      ck_assert_uint_eq (g_array_index (numbers, guint32, i), i);
      least = MIN (least, way);
      most = MAX (most, way);
    }
  ck_assert (least >= 40 * MS && least < 42 * MS && most <= 60 * MS && most > 58 * MS);
}
END_TEST

START_TEST (test_jitter_keeps_order)
{
  g_autoptr (ImpairQueue) queue = queue_with ("delay 50 jitter 50");
  g_autoptr (GArray) numbers = pass_many (queue);

  for (guint32 i = 0; i < numbers->len; i++)
    ck_assert_uint_eq (g_array_index (numbers, guint32, i), i);
}
END_TEST

START_TEST (test_loss)
{
  g_autoptr (ImpairQueue) queue = queue_with ("loss 10");
  g_autoptr (GArray) numbers = pass_many (queue);

  check_share (MANY - numbers->len, 0.1, MANY);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_LOST), MANY - numbers->len);
}
END_TEST

START_TEST (test_bursts)
{
  g_autoptr (ImpairQueue) queue = queue_with ("loss 25 burst 8");
  g_autoptr (GArray) numbers = pass_many (queue);
  double lost = MANY - numbers->len, bursts = 0;

  for (guint i = 1; i < numbers->len; i++)
    bursts += g_array_index (numbers, guint32, i) != g_array_index (numbers, guint32, i - 1) + 1;
  /* 625 bursts: the deviation of their mean length is that of a geometric distribution, sqrt(56/625). */
  ck_assert_msg (fabs (lost / bursts - 8) < 1.5, "mean burst %g", lost / bursts);
  /* The share varies with both lengths, 8 and 24: by the renewal theorem no more than 0.009. */
  ck_assert_msg (fabs (lost / MANY - 0.25) < 0.045, "lost %g", lost / MANY);
}
END_TEST

START_TEST (test_bursts_by_the_clock)
{
  g_autoptr (ImpairQueue) queue = queue_with ("loss 25 burst-ms 8");
  g_autoptr (GArray) numbers = pass_many (queue);
  double lost = MANY - numbers->len, bursts = 0;

  for (guint i = 1; i < numbers->len; i++)
    bursts += g_array_index (numbers, guint32, i) != g_array_index (numbers, guint32, i - 1) + 1;
  /* A packet each ms: 1/(1 - (0.25 + 0.75 exp (-1/6))) = 8.7 of them in a row. The mean of 575 bursts
   * deviates by 0.34. */
  ck_assert_msg (fabs (lost / bursts - 8.7) < 1.7, "mean burst %g", lost / bursts);
  ck_assert_msg (fabs (lost / MANY - 0.25) < 0.05, "lost %g", lost / MANY);
  /* Long after the last packet nothing is known any more: single packets are lost with the share. */
  for (guint32 i = 0; i < MANY; i++)
    push (queue, MANY * MS + i * S, i);
  check_share (impair_queue_count (queue, IMPAIR_LOST) - (guint64)lost, 0.25, MANY);
}
END_TEST

START_TEST (test_rate_and_queue)
{
  /* 1250 bytes at 10 Mbit/s are 1 ms; 5000 bytes are four packets. */
  g_autoptr (ImpairQueue) queue = queue_with ("rate 10M queue 5k delay 3");
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_autoptr (GArray) numbers = NULL;

  for (guint32 i = 0; i < 10; i++)
    push (queue, 0, i);
  numbers = drain (queue, times);
  ck_assert_uint_eq (numbers->len, 4);
  for (guint i = 0; i < 4; i++)
    ck_assert_int_eq (g_array_index (times, gint64, i), (i + 1) * MS + 3 * MS);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_QUEUE_FULL), 6);
  /* Rates do not add up rounding errors, and an idle line saves nothing up. */
  push (queue, S, 0);
  ck_assert_int_eq (impair_queue_next (queue), S + 4 * MS);
}
END_TEST

START_TEST (test_reorder)
{
  g_autoptr (ImpairQueue) queue = queue_with ("delay 20 reorder 10 reorder-by 4");
  g_autoptr (GArray) numbers = pass_many (queue);
  guint late = 0;

  ck_assert_uint_eq (numbers->len, MANY);
  for (guint i = 1; i < MANY; i++)
    late += g_array_index (numbers, guint32, i) < g_array_index (numbers, guint32, i - 1);
  check_share (impair_queue_count (queue, IMPAIR_REORDERED), 0.1, MANY);
  ck_assert_uint_gt (late, MANY / 20);
}
END_TEST

START_TEST (test_duplicate)
{
  g_autoptr (ImpairQueue) queue = queue_with ("duplicate 20");
  g_autoptr (GArray) numbers = pass_many (queue);

  check_share (numbers->len - MANY, 0.2, MANY);
}
END_TEST

static guint32
checksum (const guint8 *p, gsize len, guint32 sum)
{
  for (gsize i = 0; i < len; i++)
    sum += i % 2 == 0 ? (guint32)p[i] << 8 : p[i];
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

static guint32
udp_sum (const guint8 *frame, gsize ip_len)
{
  return checksum (frame + 34, ip_len - 20, checksum (frame + 26, 8, 17 + (guint32)ip_len - 20));
}

START_TEST (test_corruption_fits_the_checksum)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (seed ());
  guint8 frame[LEN], kept[LEN];

  for (guint i = 0; i < 5000; i++)
    {
      gsize ip_len = 29 + i % 100, bits = 0;
      guint32 sum;

      make_frame (frame, MAX (ip_len, 32), i);
      ip_len = MAX (ip_len, 32);
      sum = ~udp_sum (frame, ip_len) & 0xffff;
      frame[40] = (guint8)(sum >> 8);
      frame[41] = (guint8)sum;
      ck_assert_uint_eq (udp_sum (frame, ip_len), 0xffff);
      memcpy (kept, frame, sizeof kept);
      impair_frame_corrupt (frame, IMPAIR_ETHERNET + ip_len, g_rand_int (random));
      for (gsize k = 42; k < IMPAIR_ETHERNET + ip_len; k++)
        bits += (gsize)__builtin_popcount (frame[k] ^ kept[k]);
      ck_assert_uint_eq (bits, 1);
      ck_assert_mem_eq (frame, kept, 40);
      ck_assert_uint_eq (udp_sum (frame, ip_len), 0xffff);
    }
}
END_TEST

START_TEST (test_corrupt_share)
{
  g_autoptr (ImpairQueue) queue = queue_with ("corrupt 5");
  g_autoptr (GArray) numbers = pass_many (queue);

  ck_assert_uint_eq (numbers->len, MANY);
  check_share (impair_queue_count (queue, IMPAIR_CORRUPTED), 0.05, MANY);
}
END_TEST

START_TEST (test_too_big)
{
  g_autoptr (ImpairQueue) queue = queue_with ("mtu 1280 icmp 1");
  g_autoptr (ImpairQueue) silent = queue_with ("mtu 1280");
  guint8 frame[IMPAIR_FRAME_MAX], answer[IMPAIR_FRAME_MAX];
  gsize len;

  make_frame (frame, 1280, 0);
  ck_assert (!impair_queue_push (queue, 0, frame, IMPAIR_ETHERNET + 1280));
  make_frame (frame, 1281, 0);
  ck_assert (!impair_queue_push (silent, 0, frame, IMPAIR_ETHERNET + 1281));
  ck_assert (impair_queue_push (queue, 0, frame, IMPAIR_ETHERNET + 1281));
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_TOO_BIG), 1);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_OUT), 0);

  len = impair_frame_too_big (frame, IMPAIR_ETHERNET + 1281, 1280, answer);
  ck_assert_uint_eq (len, IMPAIR_ETHERNET + 576);
  ck_assert_mem_eq (answer, frame + 6, 6);
  ck_assert_mem_eq (answer + 26, "\300\0\2\2\300\0\2\1", 8);
  ck_assert_uint_eq (checksum (answer + 14, 20, 0), 0xffff);
  ck_assert_uint_eq (checksum (answer + 34, 556, 0), 0xffff);
  ck_assert_mem_eq (answer + 34, "\3\4", 2);
  ck_assert_mem_eq (answer + 40, "\5\0", 2);
  ck_assert_mem_eq (answer + 42, frame + 14, 548);
}
END_TEST

START_TEST (test_blackhole_spares_neighbours)
{
  static const guint8 arp[60] = { [12] = 8, [13] = 6 };
  static const guint8 solicitation[86] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 58, [54] = 135 };
  static const guint8 echo[86] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 58, [54] = 128 };
  g_autoptr (ImpairQueue) queue = queue_with ("blackhole 1 delay 100");

  impair_queue_push (queue, 0, arp, sizeof arp);
  impair_queue_push (queue, 0, solicitation, sizeof solicitation);
  impair_queue_push (queue, 0, echo, sizeof echo);
  push (queue, 0, 1);
  for (guint i = 0; i < 2; i++)
    g_free (impair_queue_pop (queue, 0));
  ck_assert_int_eq (impair_queue_next (queue), G_MAXINT64);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_OUT), 2);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_BLACKHOLED), 2);
}
END_TEST

/* What waits is bounded without any setting of a queue. */
START_TEST (test_bounded)
{
  g_autoptr (ImpairQueue) queue = queue_with ("delay 1000");

  for (guint32 i = 0; i < 60000; i++)
    push (queue, 0, i);
  ck_assert_uint_eq (impair_queue_count (queue, IMPAIR_QUEUE_FULL), 60000 - IMPAIR_QUEUE_MAX_BYTES / LEN);
  g_array_unref (drain (queue, NULL));
  push (queue, 2 * S, 0);
  ck_assert_int_eq (impair_queue_next (queue), 3 * S);
}
END_TEST

START_TEST (test_repeatable)
{
  g_autoptr (ImpairQueue) first = impair_queue_new (42);
  g_autoptr (ImpairQueue) second = impair_queue_new (42);
  ImpairSettings settings
      = { .loss = 10, .burst = 3, .jitter_ms = 5, .reorder = 10, .duplicate = 10, .corrupt = 10 };
  g_autoptr (GArray) a = NULL;
  g_autoptr (GArray) b = NULL;

  impair_queue_set (first, &settings);
  impair_queue_set (second, &settings);
  a = pass_many (first);
  b = pass_many (second);
  ck_assert_uint_eq (a->len, b->len);
  ck_assert_mem_eq (a->data, b->data, a->len * sizeof (guint32));
}
END_TEST

START_TEST (test_garbage)
{
  static const char *const bad[] = { "delay",    "delay x",  "loss 101", "rate 5T",     "speed 5",
                                     "delay -1", "loss nan", "rate 5kk", "delay 5 loss" };
  g_autoptr (ImpairQueue) queue = queue_with ("corrupt 100 mtu 1400 icmp 1");
  g_autoptr (GRand) random = g_rand_new_with_seed (seed ());
  guint8 frame[200], answer[IMPAIR_FRAME_MAX];

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      ImpairSettings settings = { .delay_ms = 3 };
      g_autofree char *problem = NULL;

      ck_assert_msg (!impair_settings_parse (bad[i], &settings, &problem), "%s", bad[i]);
      ck_assert_ptr_nonnull (problem);
      ck_assert (settings.delay_ms == 3);
    }
  for (guint i = 0; i < 20000; i++)
    {
      gsize len = (gsize)g_rand_int_range (random, 1, sizeof frame);
      g_autofree guint8 *exact = NULL;

      for (gsize k = 0; k < len; k++)
        frame[k] = (guint8)g_rand_int (random);
      if (len > 14)
        memcpy (frame + 12, i % 2 ? "\x86\xdd\x60" : "\x08\x00\x4f", 3);
      exact = g_memdup2 (frame, len);
      impair_queue_push (queue, 0, exact, len);
      g_free (impair_queue_pop (queue, 0));
      ck_assert_uint_le (impair_frame_too_big (exact, len, 1280, answer), IMPAIR_FRAME_MAX);
    }
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_nothing,
                                 test_delay_and_jitter,
                                 test_jitter_keeps_order,
                                 test_loss,
                                 test_bursts,
                                 test_bursts_by_the_clock,
                                 test_rate_and_queue,
                                 test_reorder,
                                 test_duplicate,
                                 test_corruption_fits_the_checksum,
                                 test_corrupt_share,
                                 test_too_big,
                                 test_blackhole_spares_neighbours,
                                 test_bounded,
                                 test_repeatable,
                                 test_garbage,
                                 NULL };

  return run_suite ("impair", tests);
}
