/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An attempt may be freed at any time. */
#include "tests/ice-side.h"
#include "tests/suite.h"

/* How far each side has come when it is freed. Leaks and late callbacks are the sanitizers' to find. */
START_TEST (free_in_every_state)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = 9 };
  IcsTurnServer named = { .is_stun = TRUE, .host = (char *)"localhost", .port = 9 };
  IcsIceConfig config = { .context = context };
  Side sides[2];

  if (_i == 1)
    config.stun = &stun;
  if (_i == 2)
    config.stun = &named;
  pair_init (sides, &config);
  if (_i >= 1 && _i <= 4)
    pair_start (sides);
  if (_i == 3)
    WAIT_FOR (context, sides[0].gathered && sides[1].gathered);
  if (_i == 4)
    {
      side_give_credentials (&sides[0]);
      side_give_credentials (&sides[1]);
      WAIT_FOR (context, side_is_in (&sides[0], ICS_ICE_CHECKING));
    }
  if (_i == 5)
    pair_connect (sides);
  pair_clear (sides);
}
END_TEST

/* With a STUN server, one iteration later each time: libnice's look-up must not find its stream gone. */
START_TEST (free_while_gathering)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsTurnServer stun = { .is_stun = TRUE, .host = (char *)"127.0.0.1", .port = 9 };
  IcsIceConfig config = { .stun = &stun, .context = context };

  for (guint n = 0; n < 12; n++)
    {
      Side side;

      side_init (&side, config);
      ck_assert (ics_traversal_start (side.attempt, NULL));
      for (guint i = 0; i < n; i++)
        g_main_context_iteration (context, FALSE);
      side_clear (&side);
    }
}
END_TEST

START_TEST (free_inside_callback)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  IcsIceConfig config = { .context = context };
  Side sides[2];

  pair_init (sides, &config);
  pair_start (sides);
  sides[_i].free_on_state = TRUE;
  sides[_i].peer = NULL;
  sides[1 - _i].peer = &sides[_i];
  WAIT_FOR (context, sides[0].gathered && sides[1].gathered);
  for (guint i = 0; i < sides[_i].lines->len; i++)
    ics_traversal_add_remote_candidate (sides[1 - _i].attempt, g_ptr_array_index (sides[_i].lines, i));
  sides[_i].peer = &sides[1 - _i];
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_FOR (context, sides[_i].closed);
  pair_clear (sides);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { free_in_every_state, 6 },
    { free_while_gathering, 1 },
    { free_inside_callback, 2 },
  };

  isolate ();
  return run_loops ("ice-free", tests, G_N_ELEMENTS (tests));
}
