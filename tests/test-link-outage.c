/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-exchange.h"
#include "tests/suite.h"

#include <string.h>

/* The only path goes away and comes back. */

static gboolean
has_noted (LinkPair *pair, guint side, const char *what)
{
  g_auto (GStrv) record = ics_link_get_record (pair->link[side]);
  gboolean found = FALSE;

  for (guint i = 0; record[i] != NULL; i++)
    found = found || strstr (record[i], what) != NULL;
  return found;
}

static gboolean
path_is_dead (LinkPair *pair)
{
  return has_noted (pair, 1, "-> dead");
}

static gboolean
path_starts_afresh (LinkPair *pair)
{
  return has_noted (pair, 1, "starts afresh");
}

static gboolean
both_are_closing (LinkPair *pair)
{
  return has_noted (pair, 0, "-> closing") && has_noted (pair, 1, "-> closing");
}

static gboolean
stream_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[0]) || !g_queue_is_empty (&pair->streams[1]);
}

#define IDLE_MESSAGES 12 /* last acknowledgements, then probes: a second and more */

static guint n_messages;

static GBytes *
count_message (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  n_messages++;
  return g_bytes_ref (message);
}

static gboolean
has_idled (LinkPair *pair)
{
  return n_messages >= IDLE_MESSAGES;
}

/* What spins only as long as nothing happens is seen by vain-poll.c. */
static void
idle (LinkPair *pair)
{
  n_messages = 0;
  memory_channel_set_tap (pair->channel[1], count_message, NULL);
  link_pair_run (pair, has_idled);
}

/* _i & 1: whether the ends are told; _i >> 1: who has something to send meanwhile. */
START_TEST (test_only_path_returns)
{
  LinkPair pair;
  g_autofree guint8 *bytes = g_malloc0 (300000);
  g_autoptr (GBytes) payload = g_bytes_new (bytes, 300000);
  g_autoptr (IcsStream) stream = NULL;

  link_pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    g_object_set (pair.link[i], "policy", ICS_PATH_POLICY_RELAY, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_exchange (&pair, 1, payload);
  memory_channel_cut (pair.channel[0], _i & 1);
  /* Something unacknowledged, for which QUIC backs off. */
  stream = ics_link_open_stream (pair.link[_i >> 1], NULL);
  g_output_stream_write (g_io_stream_get_output_stream (G_IO_STREAM (stream)), "x", 1, NULL, NULL);
  link_pair_run (&pair, path_is_dead);
  memory_channel_mend (pair.channel[0]);
  link_pair_run (&pair, path_starts_afresh);
  link_pair_run (&pair, stream_arrived);
  g_queue_clear_full (&pair.streams[0], g_object_unref);
  g_queue_clear_full (&pair.streams[1], g_object_unref);
  link_exchange (&pair, 1, payload);
  idle (&pair);
  link_pair_close (&pair, 0, 0, "");
  ck_assert_ptr_null (pair.error[0]);
  ck_assert_ptr_null (pair.error[1]);
  link_pair_clear (&pair);
}
END_TEST

/* Neither has heard of the other's goodbye when it says its own. An error beats a clean end, and whoever ends
 * with an error hears of the other's. */
START_TEST (test_both_close_at_once)
{
  static const guint64 codes[][2] = { { 0, 0 }, { 0, 7 }, { 7, 0 }, { 7, 9 } };
  static const char *const reasons[2] = { "the listener is tired", "the joiner is tired" };
  LinkPair pair;

  link_pair_init (&pair);
  for (guint i = 0; i < 2; i++)
    g_object_set (pair.link[i], "policy", ICS_PATH_POLICY_RELAY, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  memory_channel_cut (pair.channel[0], FALSE);
  for (guint i = 0; i < 2; i++)
    ics_link_close_async (pair.link[i], codes[_i][i], reasons[i], NULL, NULL, NULL);
  link_pair_run (&pair, both_are_closing);
  memory_channel_mend (pair.channel[0]);
  link_pair_run (&pair, link_pair_is_over);
  for (guint i = 0; i < 2; i++)
    {
      if (codes[_i][1 - i] == 0)
        ck_assert_ptr_null (pair.error[i]);
      else
        check_says (pair.error[i], ICS_ERROR_REFUSED, reasons[1 - i]);
    }
  link_pair_clear (&pair);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_only_path_returns, 4 }, { test_both_close_at_once, 4 } };

  return run_loops ("link-outage", tests, G_N_ELEMENTS (tests));
}
