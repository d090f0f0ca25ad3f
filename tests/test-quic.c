/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-bulk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST (test_transfer_both_ways)
{
  Sim sim;
  Bulk up, down;

  sim_init (&sim, 1, -1);
  sim_connect (&sim);
  bulk_start (&sim, &up, 0, 3000000);
  bulk_start (&sim, &down, 1, 3000000);
  ck_assert (sim_run (&sim, 60 * G_USEC_PER_SEC, bulk_done, &up));
  ck_assert (sim_run (&sim, 60 * G_USEC_PER_SEC, bulk_done, &down));
  ck_assert_uint_eq (up.read, 3000000);
  ck_assert_uint_eq (down.read, 3000000);
  ck_assert_uint_eq (ics_quic_stream_get_sent (up.tx, ICS_PATH_CHANNEL), 3000000);
  ck_assert_uint_eq (ics_quic_stream_get_received (up.rx, ICS_PATH_CHANNEL), 3000000);
  bulk_clear (&up);
  bulk_clear (&down);
  sim_clear (&sim);
}
END_TEST

START_TEST (test_wrong_certificate)
{
  Sim sim;

  /* _i: the side that expects another certificate; both must end, none may be used. */
  sim_init (&sim, 2, _i);
  sim_run (&sim, 40 * G_USEC_PER_SEC, sim_is_closed, NULL);
  ck_assert (sim.closed[_i]);
  ck_assert (g_error_matches (sim.error[_i], ICS_ERROR, ICS_ERROR_KEY_REJECTED));
  ck_assert (sim.closed[1 - _i]);
  ck_assert (g_error_matches (sim.error[1 - _i], ICS_ERROR, ICS_ERROR_KEY_REJECTED));
  ck_assert (!sim.ready[_i]);
  sim_clear (&sim);
}
END_TEST

/* While a transfer runs in either direction the client moves over all paths; the bytes stay exact. */
typedef struct
{
  Bulk bulk;
  guint step;
  guint64 next_move_at;
  guint path;
  gboolean immediate;
} Moves;

static gboolean
moving (Sim *sim, gpointer user_data)
{
  Moves *m = user_data;

  if (m->bulk.read >= m->next_move_at)
    {
      guint path = 1 + m->step % 3;

      /* Enough moves seen by both: the writer may come to its end. */
      if (MIN (sim->moved[0], sim->moved[1]) >= 12 && m->bulk.size > m->bulk.written)
        m->bulk.size = m->bulk.written;
      else if (ics_quic_move (sim->quic[0], sim->now, path, m->immediate) == ICS_QUIC_MOVE_STARTED)
        {
          m->step++;
          m->next_move_at += 400000;
        }
    }
  return bulk_done (sim, &m->bulk);
}

START_TEST (test_moves_under_load)
{
  Sim sim;
  Moves m = { .next_move_at = 400000, .step = 1, .immediate = _i & 1 };

  sim_init (&sim, sim_seed (), -1);
  for (guint i = 1; i < SIM_PATHS; i++)
    {
      sim.paths[i].rate = 2500000 * i;
      sim.paths[i].delay_us = 40000 / i;
      sim.paths[i].loss = 0.01;
    }
  sim_connect (&sim);
  bulk_start (&sim, &m.bulk, (guint)_i >> 1, 1000000000);
  ck_assert (sim_run (&sim, 600 * G_USEC_PER_SEC, moving, &m));
  ck_assert_uint_eq (m.bulk.read, m.bulk.size);
  for (int kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    ck_assert_uint_gt (ics_quic_stream_get_received (m.bulk.rx, kind), 0);
  bulk_clear (&m.bulk);
  sim_clear (&sim);
}
END_TEST

static gboolean
blackhole (Sim *sim, gpointer user_data)
{
  Moves *m = user_data;

  if (m->step == 0 && m->bulk.read > 1000000)
    {
      sim->paths[3].dead[0] = sim->paths[3].dead[1] = TRUE;
      m->step = 1;
    }
  /* as the path engine would: the decider leaves the dead path at once */
  if (m->step == 1 && ics_quic_move (sim->quic[0], sim->now, 1, TRUE) == ICS_QUIC_MOVE_STARTED)
    m->step = 2;
  return bulk_done (sim, &m->bulk);
}

START_TEST (test_blackhole_falls_back)
{
  Sim sim;
  Moves m = { 0 };

  sim_init (&sim, sim_seed (), -1);
  sim.paths[1].rate = 1000000;
  sim.paths[3].rate = 5000000;
  sim_connect (&sim);
  ck_assert_int_eq (ics_quic_move (sim.quic[0], sim.now, 3, FALSE), ICS_QUIC_MOVE_STARTED);
  bulk_start (&sim, &m.bulk, (guint)_i, 4000000);
  ck_assert (sim_run (&sim, 60 * G_USEC_PER_SEC, blackhole, &m));
  ck_assert_uint_eq (m.bulk.read, 4000000);
  ck_assert_uint_eq (sim.last_path[0], 1);
  ck_assert_uint_eq (sim.last_path[1], 1);
  bulk_clear (&m.bulk);
  sim_clear (&sim);
}
END_TEST

static gboolean
write_only (Sim *sim, gpointer user_data)
{
  bulk_write (user_data);
  return FALSE;
}

/* A reader that does not read: the sender stops at the windows, other streams go on. */
START_TEST (test_unread_stream_is_bounded)
{
  Sim sim;
  Bulk stuck, other;

  sim_init (&sim, 3, -1);
  sim_connect (&sim);
  ics_quic_stream_unref (ics_quic_open_stream (sim.quic[0])); /* the control stream */
  bulk_start (&sim, &stuck, 0, 64 * 1024 * 1024);
  sim_run (&sim, 20 * G_USEC_PER_SEC, write_only, &stuck);
  ck_assert_uint_le (stuck.written, ICS_STREAM_TX_MAX + ICS_QUIC_STREAM_WINDOW);
  ck_assert_uint_gt (ics_quic_get_delivered (sim.quic[1]), 0);
  ck_assert_uint_le (ics_quic_get_delivered (sim.quic[1]), ICS_QUIC_STREAM_WINDOW);
  stuck.rx = g_queue_pop_head (&sim.incoming[1]);
  bulk_start (&sim, &other, 0, 1000000);
  ck_assert (sim_run (&sim, 20 * G_USEC_PER_SEC, bulk_done, &other));
  bulk_clear (&stuck);
  bulk_clear (&other);
  sim_clear (&sim);
}
END_TEST

static gboolean
write_refused (Sim *sim, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  Bulk *b = user_data;

  if (b->rx == NULL && (b->rx = g_queue_pop_head (&sim->incoming[1])) != NULL)
    ics_quic_stream_reset (b->rx, 7);
  return ics_quic_stream_write (b->tx, "x", 1, FALSE, NULL, &error) < 0
         && g_error_matches (error, ICS_ERROR, ICS_ERROR_REFUSED);
}

START_TEST (test_reset)
{
  Sim sim;
  Bulk b;
  g_autoptr (GError) error = NULL;
  guint8 byte;

  sim_init (&sim, 4, -1);
  sim_connect (&sim);
  bulk_start (&sim, &b, 0, 1);
  ck_assert (sim_run (&sim, 5 * G_USEC_PER_SEC, write_refused, &b));
  ck_assert_int_eq (ics_quic_stream_read (b.tx, &byte, 1, FALSE, NULL, &error), -1);
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_REFUSED));
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

static gboolean
half_closed (Sim *sim, gpointer user_data)
{
  Bulk *b = user_data;

  return bulk_done (sim, b);
}

/* One direction ended long ago, the other still works. */
START_TEST (test_half_close)
{
  Sim sim;
  Bulk up, back;

  sim_init (&sim, 5, -1);
  sim_connect (&sim);
  bulk_start (&sim, &up, 0, 1000);
  ck_assert (sim_run (&sim, 5 * G_USEC_PER_SEC, half_closed, &up));
  back = (Bulk){ .from = 1, .size = 500000, .tx = up.rx, .rx = up.tx };
  ck_assert (sim_run (&sim, 20 * G_USEC_PER_SEC, bulk_done, &back));
  ck_assert_uint_eq (back.read, 500000);
  ck_assert_uint_eq (back.wrong, 0);
  bulk_clear (&up);
  sim_clear (&sim);
}
END_TEST

static gboolean
datagram_arrived (Sim *sim, gpointer user_data)
{
  return !g_queue_is_empty (&sim->datagrams[1]);
}

START_TEST (test_datagram)
{
  Sim sim;
  g_autofree guint8 *data = g_malloc0 (ICS_QUIC_MAX_DATAGRAM + 1);
  g_autoptr (GBytes) payload = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) too_large = g_bytes_new (data, ICS_QUIC_MAX_DATAGRAM + 1);
  const gsize sizes[] = { 0, 1, 5, ICS_QUIC_MAX_DATAGRAM };

  sim_init (&sim, 6, -1);
  sim_connect (&sim);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) sent = g_bytes_new (data, sizes[i]);
      g_autoptr (GBytes) received = NULL;

      ck_assert (ics_quic_send_datagram (sim.quic[0], sent));
      ck_assert (sim_run (&sim, 5 * G_USEC_PER_SEC, datagram_arrived, NULL));
      received = g_queue_pop_head (&sim.datagrams[1]);
      ck_assert (g_bytes_equal (sent, received));
    }
  ck_assert (!ics_quic_send_datagram (sim.quic[0], too_large));
  for (guint i = 0; i < 64; i++)
    ck_assert (ics_quic_send_datagram (sim.quic[0], payload));
  ck_assert (!ics_quic_send_datagram (sim.quic[0], payload));
  sim_clear (&sim);
}
END_TEST

typedef struct
{
  IcsQuicStream *streams[ICS_QUIC_MAX_STREAMS + 8];
  guint arrived;
} Many;

static gboolean
many_arrived (Sim *sim, gpointer user_data)
{
  Many *m = user_data;
  IcsQuicStream *s;

  while ((s = g_queue_pop_head (&sim->incoming[1])) != NULL)
    {
      m->arrived++;
      ics_quic_stream_finish_write (s);
      ics_quic_stream_stop_read (s);
      ics_quic_stream_unref (s);
    }
  return m->arrived == G_N_ELEMENTS (m->streams);
}

/* More streams than the peer allows at once: the rest is opened as the first ones close. */
START_TEST (test_many_streams)
{
  Sim sim;
  Many m = { 0 };

  sim_init (&sim, 7, -1);
  sim_connect (&sim);
  for (guint i = 0; i < G_N_ELEMENTS (m.streams); i++)
    {
      m.streams[i] = ics_quic_open_stream (sim.quic[0]);
      ics_quic_stream_write (m.streams[i], "x", 1, FALSE, NULL, NULL);
      ics_quic_stream_finish_write (m.streams[i]);
    }
  ck_assert (sim_run (&sim, 10 * G_USEC_PER_SEC, many_arrived, &m));
  for (guint i = 0; i < G_N_ELEMENTS (m.streams); i++)
    ics_quic_stream_unref (m.streams[i]);
  sim_clear (&sim);
}
END_TEST

START_TEST (test_close_codes)
{
  Sim sim;
  guint8 buf[ICS_QUIC_MAX_PACKET];
  gsize n;

  sim_init (&sim, 8, -1);
  sim_connect (&sim);
  n = ics_quic_write_close (sim.quic[0], sim.now, (guint64)_i, "a reason", buf, sizeof buf);
  ck_assert_uint_gt (n, 0);
  /* over another path than the current one: close goes out on all that may live */
  ck_assert (ics_quic_read (sim.quic[1], sim.now, 2, buf, n) == FALSE);
  sim_run (&sim, 1000, NULL, NULL);
  ck_assert (sim.closed[1]);
  if (_i == 0)
    ck_assert_ptr_null (sim.error[1]);
  else
    ck_assert (g_error_matches (sim.error[1], ICS_ERROR, ICS_ERROR_REFUSED)
               && strstr (sim.error[1]->message, "a reason") != NULL);
  sim_clear (&sim);
}
END_TEST

/* RFC 9443 §3: the QUIC bit tells QUIC from RTP on a shared path, so it is always there. By chance it would
 * be in half of the connections only. */
START_TEST (test_quic_bit_is_set)
{
  for (guint i = 0; i < 20; i++)
    {
      Sim sim;
      Bulk b;

      sim_init (&sim, i, -1);
      sim_connect (&sim);
      bulk_start (&sim, &b, i % 2, 20000);
      ck_assert (sim_run (&sim, 5 * G_USEC_PER_SEC, bulk_done, &b));
      ck_assert_uint_eq (sim.without_quic_bit, 0);
      bulk_clear (&b);
      sim_clear (&sim);
    }
}
END_TEST

START_TEST (test_strangers_packets)
{
  Sim sim;
  g_autoptr (GRand) rand = g_rand_new_with_seed (sim_seed ());
  guint8 buf[1400];
  Bulk b;

  sim_init (&sim, 9, -1);
  sim_connect (&sim);
  for (guint i = 0; i < 20000; i++)
    {
      gsize len = (gsize)g_rand_int_range (rand, 0, sizeof buf);

      for (gsize k = 0; k < len; k++)
        buf[k] = (guint8)g_rand_int_range (rand, 0, 256);
      if (i % 2 && len > 0)
        buf[0] = (guint8)((buf[0] & 0x3f) | 0x40);
      ics_quic_read (sim.quic[i % 2], sim.now, 1 + i % 3, buf, len);
    }
  ck_assert (!sim.closed[0] && !sim.closed[1]);
  ck_assert_uint_gt (ics_quic_get_dropped (sim.quic[0]), 0);
  bulk_start (&sim, &b, 0, 100000);
  ck_assert (sim_run (&sim, 20 * G_USEC_PER_SEC, bulk_done, &b));
  bulk_clear (&b);
  sim_clear (&sim);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("quic");
  TCase *tcase = tcase_create ("sim");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_set_timeout (tcase, 300);
  tcase_add_test (tcase, test_transfer_both_ways);
  tcase_add_loop_test (tcase, test_wrong_certificate, 0, 2);
  tcase_add_loop_test (tcase, test_moves_under_load, 0, 4);
  tcase_add_loop_test (tcase, test_blackhole_falls_back, 0, 2);
  tcase_add_test (tcase, test_unread_stream_is_bounded);
  tcase_add_test (tcase, test_reset);
  tcase_add_test (tcase, test_half_close);
  tcase_add_test (tcase, test_datagram);
  tcase_add_test (tcase, test_many_streams);
  tcase_add_loop_test (tcase, test_close_codes, 0, 2);
  tcase_add_test (tcase, test_quic_bit_is_set);
  tcase_add_test (tcase, test_strangers_packets);
  suite_add_tcase (suite, tcase);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
