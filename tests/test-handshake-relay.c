/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/handshake-pair.h"
#include "tests/suite.h"
#include <string.h>

/* A relay that does whatever comes to its mind, with everything it has ever seen. */
typedef struct
{
  GRand *rand;
  Pair pair;
  Pair guess;      /* the relay's own two hosts, which know a wrong code */
  GPtrArray *seen; /* of GBytes */
  GBytes *up;      /* the newest message of each host, until it is delivered or lost */
  GBytes *down;
} Relay;

static void
collect (Relay *relay, IcsHandshake *from, GBytes **newest)
{
  GBytes *message = ics_handshake_poll_message (from);

  if (message == NULL)
    return;
  g_ptr_array_add (relay->seen, g_bytes_ref (message));
  if (newest != NULL)
    {
      g_clear_pointer (newest, g_bytes_unref);
      *newest = g_bytes_ref (message);
    }
  g_bytes_unref (message);
}

static GBytes *
any_seen (Relay *relay)
{
  return g_ptr_array_index (relay->seen, g_rand_int_range (relay->rand, 0, (gint32)relay->seen->len));
}

static IcsHandshake *
any_host (Relay *relay)
{
  IcsHandshake *hosts[]
      = { relay->pair.joiner, relay->pair.listener, relay->guess.joiner, relay->guess.listener };

  return hosts[g_rand_int_range (relay->rand, 0, G_N_ELEMENTS (hosts))];
}

/* The front of one message and the end of another, with some bytes changed. */
static GBytes *
concoct (Relay *relay)
{
  GBytes *front = any_seen (relay), *end = any_seen (relay);
  gsize front_len = g_bytes_get_size (front), end_len = g_bytes_get_size (end);
  gsize cut = (gsize)g_rand_int_range (relay->rand, 0, (gint32)MIN (front_len, end_len) + 1);
  guint8 *data = g_memdup2 (g_bytes_get_data (end, NULL), end_len);

  memcpy (data, g_bytes_get_data (front, NULL), cut);
  for (gint32 i = g_rand_int_range (relay->rand, 0, 3); i > 0; i--)
    data[g_rand_int_range (relay->rand, 0, (gint32)end_len)] ^= (guint8)(1 << g_rand_int_range (relay->rand, 0, 8));
  return g_bytes_new_take (data, end_len);
}

static void
pass_on (GBytes **newest, IcsHandshake *to)
{
  g_autoptr (GBytes) message = g_steal_pointer (newest);

  if (message != NULL)
    deliver (to, message);
}

/* @malice: of ten steps, how many are not honest. */
static void
step (Relay *relay, gint32 malice)
{
  g_autoptr (GBytes) concocted = NULL;

  if (g_rand_int_range (relay->rand, 0, 10) >= malice)
    {
      if (g_rand_boolean (relay->rand))
        pass_on (&relay->up, relay->pair.listener);
      else
        pass_on (&relay->down, relay->pair.joiner);
      return;
    }
  switch (g_rand_int_range (relay->rand, 0, 5))
    {
    case 0:
      g_clear_pointer (g_rand_boolean (relay->rand) ? &relay->up : &relay->down, g_bytes_unref);
      break;
    case 1:
      ics_handshake_resend (any_host (relay));
      break;
    case 2:
    case 3:
      deliver (any_host (relay), any_seen (relay));
      break;
    default:
      concocted = concoct (relay);
      deliver (any_host (relay), concocted);
    }
}

/* Returns whether both hosts were DONE at the end. */
static gboolean
run_schedule (GRand *rand, gint32 malice)
{
  Relay relay = { .rand = rand, .seen = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref) };
  gboolean done;

  relay.pair = (Pair){ new_host ('J', CODE, "file/1", rand), new_host ('L', CODE, "file/1", rand) };
  relay.guess
      = (Pair){ new_host ('j', OTHER_CODE, "file/1", rand), new_host ('l', OTHER_CODE, "file/1", rand) };
  for (guint i = 0; i < 40; i++)
    {
      collect (&relay, relay.pair.joiner, &relay.up);
      collect (&relay, relay.pair.listener, &relay.down);
      collect (&relay, relay.guess.joiner, NULL);
      collect (&relay, relay.guess.listener, NULL);
      step (&relay, malice);
      check_invariant (&relay.pair);
    }
  done = ics_handshake_get_state (relay.pair.joiner) == ICS_HANDSHAKE_DONE
         && ics_handshake_get_state (relay.pair.listener) == ICS_HANDSHAKE_DONE;
  g_clear_pointer (&relay.up, g_bytes_unref);
  g_clear_pointer (&relay.down, g_bytes_unref);
  g_ptr_array_unref (relay.seen);
  free_pair (&relay.pair);
  free_pair (&relay.guess);
  return done;
}

START_TEST (random_relay_never_gets_in_between)
{
  const char *wish = g_getenv ("ICS_TEST_SEED");
  guint32 seed = wish != NULL ? (guint32)g_ascii_strtoull (wish, NULL, 10) : g_random_int ();
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  guint done = 0;

  g_print ("ICS_TEST_SEED=%u\n", seed);
  for (guint i = 0; i < 500; i++)
    done += run_schedule (rand, (gint32)(i % 11));
  /* Of the 46 wholly honest schedules alone (malice 0) nearly all come through. */
  ck_assert_uint_ge (done, 40);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { random_relay_never_gets_in_between, NULL };

  return run_suite ("handshake-relay", tests);
}
