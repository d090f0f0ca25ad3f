/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-exchange.h"
#include "tests/suite.h"

#include <string.h>

/* The only path goes away and comes back. */

static gboolean
joiner_has_noted (LinkPair *pair, const char *what)
{
  g_auto (GStrv) record = ics_link_get_record (pair->link[1]);
  gboolean found = FALSE;

  for (guint i = 0; record[i] != NULL; i++)
    found = found || strstr (record[i], what) != NULL;
  return found;
}

static gboolean
path_is_dead (LinkPair *pair)
{
  return joiner_has_noted (pair, "-> dead");
}

static gboolean
path_starts_afresh (LinkPair *pair)
{
  return joiner_has_noted (pair, "starts afresh");
}

static gboolean
stream_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[0]) || !g_queue_is_empty (&pair->streams[1]);
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
  link_pair_close (&pair, 0, 0, "");
  ck_assert_ptr_null (pair.error[0]);
  ck_assert_ptr_null (pair.error[1]);
  link_pair_clear (&pair);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { test_only_path_returns, 4 } };

  return run_loops ("link-outage", tests, G_N_ELEMENTS (tests));
}
