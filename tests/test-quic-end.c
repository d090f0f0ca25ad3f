/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-sim.h"
#include "tests/suite.h"

#include <string.h>

/* The ends of streams: what was acknowledged has arrived, what is held is held. */

#define SIZE 60000
#define N_STREAMS 8

typedef struct
{
  IcsQuicStream *tx[N_STREAMS];
  guint64 arrived[N_STREAMS];
  gboolean ended[N_STREAMS];
  guint flushed;
} Ends;

static void
read_all (Sim *sim, Ends *ends)
{
  static guint8 buf[SIZE];

  for (GList *l = sim->incoming[1].head; l != NULL; l = l->next)
    {
      gint64 id = ics_quic_stream_get_id (l->data);
      gssize n;

      while (!ends->ended[id / 4]
             && (n = ics_quic_stream_read (l->data, buf, sizeof buf, FALSE, NULL, NULL)) >= 0)
        {
          ends->arrived[id / 4] += (guint64)n;
          ends->ended[id / 4] = n == 0;
        }
    }
}

/* Flushed means: the last byte and the end are with the peer. */
static gboolean
all_flushed (Sim *sim, gpointer user_data)
{
  Ends *ends = user_data;
  guint flushed = 0;

  read_all (sim, ends);
  for (guint i = 0; i < N_STREAMS; i++)
    {
      if (!ics_quic_stream_is_flushed (ends->tx[i], NULL))
        continue;
      flushed++;
      if (ends->arrived[i] != SIZE || !ends->ended[i])
        ck_abort_msg ("stream %u is flushed at %" G_GUINT64_FORMAT " bytes", i, ends->arrived[i]);
    }
  return flushed == N_STREAMS;
}

/* _i: whether the FIN is written with the last bytes or after they left. */
START_TEST (test_flushed_means_arrived)
{
  guint32 seed = sim_seed ();
  g_autofree guint8 *data = g_malloc0 (SIZE);

  for (guint round = 0; round < 12; round++)
    {
      Sim sim;
      Ends ends = { 0 };

      sim_init (&sim, seed + round, -1);
      sim_connect (&sim);
      sim.paths[1].loss = 0.25;
      for (guint i = 0; i < N_STREAMS; i++)
        {
          ends.tx[i] = ics_quic_open_stream (sim.quic[0]);
          ck_assert_int_eq (ics_quic_stream_write (ends.tx[i], data, SIZE, FALSE, NULL, NULL), SIZE);
          if (_i == 1)
            sim_run (&sim, 5000, NULL, NULL);
          ics_quic_stream_finish_write (ends.tx[i]);
        }
      ck_assert (sim_run (&sim, 600 * G_USEC_PER_SEC, all_flushed, &ends));
      for (guint i = 0; i < N_STREAMS; i++)
        ics_quic_stream_unref (ends.tx[i]);
      sim_clear (&sim);
    }
}
END_TEST

typedef struct
{
  IcsQuicStream *busy, *done, *rx[2];
} Busy;

static gboolean
is_flushed_among_traffic (Sim *sim, gpointer user_data)
{
  static guint8 buf[65536];
  Busy *b = user_data;

  ics_quic_stream_write (b->busy, buf, sizeof buf, FALSE, NULL, NULL);
  for (guint i = 0; i < 2; i++)
    {
      if (b->rx[i] == NULL)
        b->rx[i] = g_queue_pop_head (&sim->incoming[1]);
      while (b->rx[i] != NULL && ics_quic_stream_read (b->rx[i], buf, sizeof buf, FALSE, NULL, NULL) > 0)
        continue;
    }
  return ics_quic_stream_is_flushed (b->done, NULL);
}

/* One stream is over while another never rests. */
START_TEST (test_flush_beside_a_busy_stream)
{
  Sim sim;
  Busy b = { 0 };

  sim_init (&sim, 1, -1);
  sim.paths[1].rate = 2000000;
  sim_connect (&sim);
  b.busy = ics_quic_open_stream (sim.quic[0]);
  b.done = ics_quic_open_stream (sim.quic[0]);
  ics_quic_stream_write (b.done, "x", 1, FALSE, NULL, NULL);
  ics_quic_stream_finish_write (b.done);
  ck_assert (sim_run (&sim, 10 * G_USEC_PER_SEC, is_flushed_among_traffic, &b));
  ics_quic_stream_unref (b.busy);
  ics_quic_stream_unref (b.done);
  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&b.rx[i], ics_quic_stream_unref);
  sim_clear (&sim);
}
END_TEST

/* A flush of a stream whose FIN was acknowledged before its data ends when the link does. */
START_TEST (test_flush_ends_with_the_link)
{
  Sim sim;
  IcsQuicStream *stream;
  GError *error = NULL;

  sim_init (&sim, 1, -1);
  sim_connect (&sim);
  stream = ics_quic_open_stream (sim.quic[0]);
  ics_quic_stream_write (stream, "x", 1, FALSE, NULL, NULL);
  ics_quic_stream_finish_write (stream);
  ics_quic_serve_streams (sim.quic[0]);
  ics_quic_stream_sent (stream, 1, FALSE, ICS_PATH_CHANNEL);
  ics_quic_stream_sent (stream, 0, TRUE, ICS_PATH_CHANNEL);
  ics_quic_stream_fin_acked (stream);
  ck_assert (!ics_quic_stream_is_flushed (stream, NULL));
  ics_quic_abandon (sim.quic[0]);
  ck_assert (!ics_quic_stream_is_flushed (stream, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED));
  ck_assert (ics_quic_stream_is_ready (stream, G_IO_HUP));
  g_clear_error (&error);
  ics_quic_stream_unref (stream);
  sim_clear (&sim);
}
END_TEST

static gboolean
something_arrived (Sim *sim, gpointer user_data)
{
  return !g_queue_is_empty (&sim->datagrams[1]) || sim->incoming[1].length > 1;
}

static gboolean
both_arrived (Sim *sim, gpointer user_data)
{
  return !g_queue_is_empty (&sim->datagrams[1]) && sim->incoming[1].length > 1;
}

/* While held nothing of the application leaves, neither streams nor datagrams. */
START_TEST (test_hold)
{
  g_autoptr (GBytes) payload = g_bytes_new_static ("x", 1);
  IcsQuicStream *control, *stream;
  Sim sim;

  sim_init (&sim, 1, -1);
  sim_connect (&sim);
  control = ics_quic_open_stream (sim.quic[0]);
  stream = ics_quic_open_stream (sim.quic[0]);
  ics_quic_set_hold (sim.quic[0], TRUE);
  ics_quic_stream_write (stream, "x", 1, FALSE, NULL, NULL);
  ics_quic_stream_write (control, "x", 1, FALSE, NULL, NULL);
  ck_assert (ics_quic_send_datagram (sim.quic[0], payload));
  ck_assert (!sim_run (&sim, 2 * G_USEC_PER_SEC, something_arrived, NULL));
  ck_assert_uint_eq (sim.incoming[1].length, 1);
  ics_quic_set_hold (sim.quic[0], FALSE);
  ck_assert (sim_run (&sim, 2 * G_USEC_PER_SEC, both_arrived, NULL));
  ics_quic_stream_unref (control);
  ics_quic_stream_unref (stream);
  sim_clear (&sim);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_flushed_means_arrived, 2 },
    { test_flush_beside_a_busy_stream, 1 },
    { test_flush_ends_with_the_link, 1 },
    { test_hold, 1 },
  };

  return run_loops ("quic-end", tests, G_N_ELEMENTS (tests));
}
