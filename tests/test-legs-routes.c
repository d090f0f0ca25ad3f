/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/leg-routes.h"
#include "tests/suite.h"

#define A "turn:a.example:3478"
#define B "turn:b.example:3478"
#define C "turn:c.example:3478"
#define D "turn:d.example:3478"
#define TCP "turn:a.example:3478?transport=tcp"
#define TLS "turns:a.example:5349?transport=tcp"
#define TLS_B "turns:b.example:443?transport=tcp"

/* "J0 L1/1 B01/2": who relays, on which server of each, and the rung where it is not 0. */
static char *
describe (const IcsLegRoutes *routes)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < routes->len; i++)
    {
      const IcsLegRoute *route = &routes->items[i];

      g_string_append_printf (text, "%s%c", i > 0 ? " " : "", "-JLB"[route->relays]);
      if (ics_relays_include (route->relays, TRUE))
        g_string_append_printf (text, "%u", route->joiner_server);
      if (ics_relays_include (route->relays, FALSE))
        g_string_append_printf (text, "%u", route->listener_server);
      if (route->rung > 0)
        g_string_append_printf (text, "/%u", route->rung);
    }
  return g_string_free (text, FALSE);
}

START_TEST (test_relayed)
{
  static const struct
  {
    const char *joiner[7], *listener[7];
    gboolean joiner_plain, listener_plain, unknown;
    const char *routes;
  } cases[] = {
    { .routes = "", .joiner_plain = TRUE, .listener_plain = TRUE },
    { .joiner = { A, B }, .joiner_plain = TRUE, .unknown = TRUE, .routes = "J0 J1" },
    { .joiner = { A },
      .listener = { A },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 L0/1 B00/2" },
    { .joiner = { A },
      .listener = { B },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 L0 B00/2" },
    { .listener = { B }, .joiner_plain = TRUE, .listener_plain = TRUE, .routes = "L0" },
    { .joiner = { A }, .joiner_plain = TRUE, .listener_plain = TRUE, .routes = "J0" },
    /* A server of both, and one of each. */
    { .joiner = { A, C },
      .listener = { C, B },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 J1 L1 L0/1 B00/2 B11/2" },
    /* No more than three at once. */
    { .joiner = { A, B, C, D },
      .listener = { D, A },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 L0 J1 L1/1 B00/2 B21/2" },
    /* Who hides is the one with the relay. */
    { .joiner = { A }, .listener = { A }, .joiner_plain = TRUE, .routes = "L0 B00/2" },
    { .joiner = { A }, .listener = { A }, .listener_plain = TRUE, .routes = "J0 B00/2" },
    { .joiner = { A }, .listener = { A }, .routes = "B00/2" },
    { .joiner = { A }, .routes = "" },
    /* Streams come on later rungs: the two directions of one hop, and at last two hops. */
    { .joiner = { A, TLS, TCP },
      .listener = { A, TLS, TCP },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 J1/1 L1/1 J2/1 L2/1 L0/1 B00/2 B11/3 B22/3" },
    { .joiner = { TLS, A }, .joiner_plain = TRUE, .unknown = TRUE, .routes = "J1 J0/1" },
    { .joiner = { TLS }, .joiner_plain = TRUE, .listener_plain = TRUE, .routes = "J0/1" },
    { .joiner = { TLS },
      .listener = { TLS },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0/1 L0/1 B00/3" },
    /* One has streams alone, and the other UDP alone. */
    { .joiner = { A },
      .listener = { TLS },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 L0/1 B00/3" },
    /* Who hides has no one hop over the other's stream, so either may need one of its own. */
    { .joiner = { A, TLS },
      .listener = { A, TLS },
      .listener_plain = TRUE,
      .routes = "J0 J1/1 B00/2 B11/3 B10/3 B01/3" },
    /* The most there can be, and no more than two streams of each. */
    { .joiner = { A, B, C, TLS, TCP, TLS_B },
      .listener = { A, B, C, TLS, TCP, TLS_B },
      .joiner_plain = TRUE,
      .listener_plain = TRUE,
      .routes = "J0 J1 J2 J3/1 L3/1 J4/1 L4/1 L0/1 L1/1 L2/1 B00/2 B22/2 B33/3 B44/3" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      IcsLegEnd joiner = { .servers = cases[i].joiner, .plain = cases[i].joiner_plain };
      IcsLegEnd listener = { .servers = cases[i].listener, .plain = cases[i].listener_plain };
      g_autofree char *text = NULL;
      IcsLegRoutes routes;

      ics_leg_routes_relayed (&routes, &joiner, cases[i].unknown ? NULL : &listener);
      text = describe (&routes);
      ck_assert_msg (g_str_equal (text, cases[i].routes), "case %u: %s, not %s", i, text, cases[i].routes);
    }
}
END_TEST

START_TEST (test_direct)
{
  IcsLegRoutes routes;
  g_autofree char *text = NULL;

  ics_leg_routes_direct (&routes);
  text = describe (&routes);
  ck_assert_str_eq (text, "-");
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_relayed, test_direct, NULL };

  return run_suite ("leg routes", tests);
}
