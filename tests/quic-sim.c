/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/quic-sim.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  gint64 at;
  guint64 order;
  guint to, path;
  gsize len;
  guint8 data[];
} Flying;

static guint64 order;

guint32
sim_seed (void)
{
  const char *fixed = g_getenv ("ICS_TEST_SEED");
  guint32 seed = fixed != NULL ? (guint32)strtoul (fixed, NULL, 10) : g_random_int ();

  g_print ("seed %u (repeat with ICS_TEST_SEED=%u)\n", seed, seed);
  return seed;
}

static void
on_wake (gpointer user_data)
{
  Sim *sim = user_data;

  if (sim->wake != NULL)
    sim->wake (sim->wake_data);
}

static gint
by_time (gconstpointer a, gconstpointer b)
{
  const Flying *x = a, *y = b;

  if (x->at != y->at)
    return x->at < y->at ? -1 : 1;
  return x->order < y->order ? -1 : 1;
}

static void
sim_send (Sim *sim, guint from, guint path, const guint8 *data, gsize len)
{
  SimPath *p = &sim->paths[path == 1 && sim->detour > 0 ? sim->detour : path];
  gint64 start = MAX (sim->now, p->busy_until[from]);
  GList *later;
  Flying *f;

  sim->packets[from][path]++;
  sim->without_quic_bit += (data[0] & 0x40) == 0;
  sim->largest[from] = MAX (sim->largest[from], len);
  p->bytes[from] += len;
  if (p->dead[from] || (p->mtu > 0 && len > p->mtu) || (p->loss > 0 && g_rand_double (sim->rand) < p->loss))
    return;
  if (p->rate > 0)
    {
      if ((guint64)(start - sim->now) * p->rate / G_USEC_PER_SEC > p->queue)
        {
          p->overflowed[from]++;
          return;
        }
      start += (gint64)(len * G_USEC_PER_SEC / p->rate);
      p->busy_until[from] = start;
    }
  f = g_malloc (sizeof *f + len);
  *f = (Flying){ .at = start + p->delay_us, .order = order++, .to = 1 - from, .path = path, .len = len };
  memcpy (f->data, data, len);
  /* From the end: most arrive in the order in which they were sent. */
  later = sim->flight.tail;
  while (later != NULL && by_time (later->data, f) > 0)
    later = later->prev;
  g_queue_insert_after (&sim->flight, later, f);
}

static void
sim_send_batch (Sim *sim, guint from, const IcsQuicBatch *batch)
{
  sim->batches[from]++;
  if (batch->segment == 0 || batch->segment > ICS_QUIC_MAX_PACKET || batch->len > ICS_QUIC_BATCH_SIZE
      || batch->len > ICS_QUIC_BATCH_PACKETS * batch->segment)
    ck_abort_msg ("a batch of %u bytes, each %u", (guint)batch->len, (guint)batch->segment);
  for (gsize at = 0, n; at < batch->len; at += n)
    {
      n = ics_quic_batch_packet (batch, at);
      sim_send (sim, from, batch->path, batch->data + at, n);
    }
}

static void
drain (Sim *sim, guint side)
{
  IcsQuic *q = sim->quic[side];
  guint8 buf[ICS_QUIC_MAX_PACKET];
  gsize n;
  IcsQuicBatch batch;
  IcsQuicEvent event;

  ics_quic_tell_readers (q);
  ics_quic_serve_streams (q);
  while (ics_quic_write (q, sim->now, ICS_QUIC_BATCH_SIZE, &batch))
    sim_send_batch (sim, side, &batch);
  while (ics_quic_poll_event (q, &event))
    {
      switch (event.type)
        {
        case ICS_QUIC_EVENT_READY:
          sim->ready[side] = TRUE;
          break;
        case ICS_QUIC_EVENT_CONFIRMED:
          sim->confirmed[side] = TRUE;
          break;
        case ICS_QUIC_EVENT_STREAM:
          g_queue_push_tail (&sim->incoming[side], g_steal_pointer (&event.stream));
          break;
        case ICS_QUIC_EVENT_DATAGRAM:
          g_queue_push_tail (&sim->datagrams[side], g_steal_pointer (&event.datagram));
          break;
        case ICS_QUIC_EVENT_MOVED:
          sim->moved[side]++;
          sim->last_path[side] = event.path;
          break;
        case ICS_QUIC_EVENT_MOVE_FAILED:
          sim->move_failed[side]++;
          break;
        case ICS_QUIC_EVENT_CLOSED:
          sim->closed[side] = TRUE;
          sim->error[side] = g_steal_pointer (&event.error);
          n = ics_quic_write_error (q, sim->now, buf, sizeof buf);
          if (n > 0)
            sim_send (sim, side, ics_quic_get_path (q), buf, n);
          break;
        }
      ics_quic_event_clear (&event);
    }
}

void
sim_init (Sim *sim, guint32 seed, int wrong_fingerprint)
{
  memset (sim, 0, sizeof *sim);
  sim->now = 1000000;
  sim->rand = g_rand_new_with_seed (seed);
  for (guint i = 0; i < SIM_PATHS; i++)
    sim->paths[i] = (SimPath){ .delay_us = 10000, .queue = 256 * 1024 };
  for (guint i = 0; i < 2; i++)
    sim->identity[i] = ics_identity_new (NULL);
  for (guint i = 0; i < 2; i++)
    {
      guint expected = (int)i == wrong_fingerprint ? i : 1 - i;
      IcsQuicConfig config = {
        .client = i == 0,
        .credentials = ics_identity_get_credentials (sim->identity[i]),
        .peer_fingerprint = ics_identity_get_fingerprint (sim->identity[expected]),
        .path = 1,
        .kind = ICS_PATH_CHANNEL,
        .wake = on_wake,
        .user_data = sim,
      };

      sim->quic[i] = ics_quic_new (&config, sim->now, NULL);
      ck_assert_ptr_nonnull (sim->quic[i]);
      ics_quic_set_path_kind (sim->quic[i], 2, ICS_PATH_TURN);
      ics_quic_set_path_kind (sim->quic[i], 3, ICS_PATH_DIRECT);
    }
}

void
sim_clear (Sim *sim)
{
  g_queue_clear_full (&sim->flight, g_free);
  for (guint i = 0; i < 2; i++)
    {
      g_queue_clear_full (&sim->incoming[i], (GDestroyNotify)ics_quic_stream_unref);
      g_queue_clear_full (&sim->datagrams[i], (GDestroyNotify)g_bytes_unref);
      ics_quic_free (sim->quic[i]);
      ics_identity_free (sim->identity[i]);
      g_clear_error (&sim->error[i]);
    }
  g_rand_free (sim->rand);
}

static gint64
next_due (Sim *sim)
{
  Flying *first = g_queue_peek_head (&sim->flight);
  gint64 next = first != NULL ? first->at : G_MAXINT64;

  for (guint i = 0; i < 2; i++)
    next = MIN (next, ics_quic_next_timeout (sim->quic[i]));
  return next;
}

/* The first packet in flight arrives; FALSE when none is due. */
static gboolean
land (Sim *sim)
{
  Flying *f = g_queue_peek_head (&sim->flight);

  if (f == NULL || f->at > sim->now)
    return FALSE;
  g_queue_pop_head (&sim->flight);
  ics_quic_read (sim->quic[f->to], sim->now, f->path, f->data, f->len);
  g_free (f);
  return TRUE;
}

static void
handle_timeouts (Sim *sim)
{
  for (guint i = 0; i < 2; i++)
    ics_quic_handle_timeout (sim->quic[i], sim->now);
}

static void
advance (Sim *sim)
{
  /* Something may have become possible by what the test did: step a little when nothing else is due. */
  sim->now = MAX (sim->now, MIN (next_due (sim), sim->now + 10000));
  land (sim);
  handle_timeouts (sim);
}

gint64
sim_serve (Sim *sim, gint64 now)
{
  sim->now = now;
  while (land (sim))
    continue;
  handle_timeouts (sim);
  drain (sim, 0);
  drain (sim, 1);
  return next_due (sim);
}

gboolean
sim_run (Sim *sim, gint64 limit_us, gboolean (*done) (Sim *, gpointer), gpointer user_data)
{
  gint64 end = sim->now + limit_us;

  while (sim->now < end)
    {
      drain (sim, 0);
      drain (sim, 1);
      if (done != NULL && done (sim, user_data))
        return TRUE;
      advance (sim);
    }
  return done == NULL;
}

gboolean
sim_is_confirmed (Sim *sim, gpointer unused)
{
  return sim->confirmed[0] && sim->confirmed[1];
}

gboolean
sim_is_closed (Sim *sim, gpointer unused)
{
  return sim->closed[0] && sim->closed[1];
}

void
sim_connect (Sim *sim)
{
  ck_assert (sim_run (sim, 10 * G_USEC_PER_SEC, sim_is_confirmed, NULL));
}
