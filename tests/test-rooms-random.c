/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The room table under random schedules, against a model, and under random bytes. */
#include "tests/rooms-world.h"
#include "tests/suite.h"
#include <string.h>

/* Random schedules. The model: what each client sent to its peer carries a serial number per kind; what comes
 * out must be in order and never twice, within the credit, and the table must be empty when everybody has
 * gone. */

typedef struct
{
  guint32 sent[2];  /* next serial per kind */
  guint32 last[2];  /* highest serial seen per kind, of the peer */
  gsize budget;     /* credit towards the server */
  gsize unreturned; /* cost received and not yet credited */
} Model;

static void
model_receive (Client *c, Model *m)
{
  GBytes *frame;

  while ((frame = g_queue_pop_head (&c->frames)) != NULL)
    {
      const guint8 *data = g_bytes_get_data (frame, NULL);
      guint32 serial;

      memcpy (&serial, data + 1, sizeof serial);
      ck_assert_uint_gt (serial, m->last[data[0]]);
      m->last[data[0]] = serial;
      m->unreturned += ics_rv_frame_cost (frame);
      ck_assert_uint_le (m->unreturned, c->welcome.window + ICS_RV_SIGNAL_ALLOWANCE);
      g_bytes_unref (frame);
    }
  m->budget += c->granted;
  c->granted = 0;
  ck_assert_uint_le (m->budget, c->welcome.window);
}

static void
model_send (World *w, Client *c, Model *m, GRand *rand)
{
  guint8 kind = g_rand_boolean (rand) ? ICS_RV_FRAME_DATA : ICS_RV_FRAME_SIGNAL;
  guint8 payload[60000] = { 0 };
  gsize len = kind == ICS_RV_FRAME_DATA ? (gsize)g_rand_int_range (rand, 4, sizeof payload) : 40;

  if (kind == ICS_RV_FRAME_DATA && m->budget < 1 + len + ICS_RV_FRAME_OVERHEAD)
    return;
  if (kind == ICS_RV_FRAME_DATA)
    m->budget -= 1 + len + ICS_RV_FRAME_OVERHEAD;
  m->sent[kind]++;
  memcpy (payload, &m->sent[kind], sizeof m->sent[kind]);
  send_frame (w, c, kind, payload, len);
}

static void
model_fresh (Client *c, Model *m)
{
  m->budget = c->welcome.window;
  m->unreturned = 0;
  c->granted = 0;
}

static void
model_step (World *w, Model *models, GRand *rand)
{
  guint i = (guint)g_rand_int_range (rand, 0, 2);
  Client *c = &w->clients[i];

  switch (g_rand_int_range (rand, 0, 20))
    {
    case 0:
      if (c->connection != 0)
        cut (w, c);
      break;
    case 1:
      advance (w, g_rand_int_range (rand, 0, 4) * SECOND);
      break;
    case 2:
    case 3:
    case 4:
      if (c->connection != 0 && models[i].unreturned > 0)
        {
          send_credit (w, c, (guint32)models[i].unreturned);
          models[i].unreturned = 0;
        }
      break;
    default:
      if (c->connection != 0)
        model_send (w, c, &models[i], rand);
      break;
    }
  if (c->connection == 0 && c->peer != ICS_RV_PEER_GONE)
    {
      resume (w, c);
      ck_assert (c->welcomed);
      model_fresh (c, &models[i]);
    }
}

START_TEST (test_random_schedules)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)strtoul (given, NULL, 0) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  Model models[2] = { 0 };
  World w;
  Client *c[2];

  g_print ("ICS_TEST_SEED=%u\n", seed);
  world_init_pair (&w, ICS_RV_WINDOW_MIN, &c[0], &c[1]);
  for (guint i = 0; i < 2; i++)
    model_fresh (c[i], &models[i]);
  for (guint step = 0; step < 3000; step++)
    {
      model_step (&w, models, rand);
      for (guint i = 0; i < 2; i++)
        model_receive (c[i], &models[i]);
      ck_assert_uint_le (ics_rooms_get_queued (w.rooms), 2 * (ICS_RV_WINDOW_MIN + ICS_RV_SIGNAL_ALLOWANCE));
      ck_assert_uint_eq (c[0]->closed + c[1]->closed, 0);
    }
  ck_assert_uint_gt (models[0].last[ICS_RV_FRAME_DATA], 0);
  cut (&w, c[0]);
  cut (&w, c[1]);
  advance (&w, 31 * SECOND);
  ck_assert_uint_eq (ics_rooms_get_n_rooms (w.rooms), 0);
  ck_assert_uint_eq (ics_rooms_get_n_connections (w.rooms), 0);
  ck_assert_int_eq (ics_rooms_next_timeout (w.rooms), G_MAXINT64);
  world_clear (&w);
}
END_TEST

/* Any bytes in any order: nothing crashes, and the bounds hold. */
START_TEST (test_random_bytes)
{
  IcsRoomsConfig config = { .window = ICS_RV_WINDOW_MIN };
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  World w;

  world_init (&w, &config);
  for (guint step = 0; step < 3000; step++)
    {
      Client *c = &w.clients[g_rand_int_range (rand, 0, N_CLIENTS)];
      guint8 bytes[64];
      gsize len = (gsize)g_rand_int_range (rand, 0, sizeof bytes);

      for (gsize i = 0; i < len; i++)
        bytes[i] = (guint8)g_rand_int_range (rand, i == 0 ? 0 : 0, i == 0 ? 5 : 256);
      if (c->connection == 0)
        {
          client_reset (c);
          if (g_rand_boolean (rand))
            allocate (&w, (guint)(c - w.clients));
          else
            join (&w, (guint)(c - w.clients), (guint)g_rand_int_range (rand, 1, 10));
        }
      else
        send_frame (&w, c, bytes[0], bytes, len);
      if (step % 50 == 0)
        advance (&w, 10 * SECOND);
      ck_assert_uint_le (ics_rooms_get_n_connections (w.rooms), N_CLIENTS);
    }
  world_clear (&w);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_random_schedules, test_random_bytes, NULL };

  return run_suite ("rooms-random", tests);
}
