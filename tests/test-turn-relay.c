/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ICE over a relay that is reached over TCP or TLS: libnice, the tunnel, and a real coturn. */
#include "tests/certificate.h"
#include "tests/coturn.h"
#include "tests/ice-side.h"
#include "tests/suite.h"
#include "turn-fallback/turn-tunnel.h"
#include <glib/gstdio.h>
#include <string.h>

typedef struct
{
  Side side;
  IcsTurnServer turn;
  IcsTurnTunnel *tunnel;
  GString *notes;
  gboolean ended;
} Relayed;

static void
on_ready (guint16 port, gpointer data)
{
  Relayed *relayed = data;

  ics_ice_attempt_set_tunnel (relayed->side.attempt, port);
  ck_assert (ics_traversal_start (relayed->side.attempt, NULL));
}

static void
on_ended (gpointer data)
{
  ((Relayed *)data)->ended = TRUE;
}

static void
on_note (const char *line, gpointer data)
{
  g_string_append_printf (((Relayed *)data)->notes, "%s\n", line);
}

static const IcsTurnTunnelCallbacks callbacks = { .ready = on_ready, .ended = on_ended, .note = on_note };

static void
relayed_init (Relayed *relayed, Coturn *coturn, IcsTurnTransport transport, const char *user,
              gboolean controlling)
{
  IcsTurnTunnelConfig tunnel = { .server = &relayed->turn };
  IcsIceConfig config = { .relay_only = TRUE, .controlling = controlling, .turn = &relayed->turn };

  memset (relayed, 0, sizeof *relayed);
  relayed->turn = (IcsTurnServer){ .host = (char *)"127.0.0.1",
                                   .port = transport == ICS_TURN_TLS ? coturn_get_tls_port (coturn)
                                                                     : coturn_get_port (coturn),
                                   .username = (char *)user,
                                   .password = (char *)"secret",
                                   .transport = transport };
  relayed->notes = g_string_new (NULL);
  config.context = g_main_context_default ();
  side_init (&relayed->side, config);
  relayed->tunnel = ics_turn_tunnel_new (&tunnel, &callbacks, relayed);
}

/* The allocation is given back through the tunnel. */
static void
relayed_clear (Relayed *relayed)
{
  ics_turn_tunnel_mute (relayed->tunnel);
  relayed->side.peer = NULL;
  side_clear (&relayed->side);
  ics_turn_tunnel_free (relayed->tunnel);
  g_string_free (relayed->notes, TRUE);
}

static Coturn *
start_coturn (char **dir, char **certificate)
{
  *dir = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);
  *certificate = certificate_write (*dir, "own.pem", "127.0.0.1");
  return coturn_start_streams ("127.0.0.1", "127.0.0.1", *certificate);
}

static void
stop_coturn (Coturn *coturn, char *dir, char *certificate)
{
  coturn_stop (coturn);
  g_unlink (certificate);
  g_rmdir (dir);
  g_free (certificate);
  g_free (dir);
}

static void
check_transport (Side *side, const char *expected)
{
  IcsIcePair pair;

  ck_assert (ics_traversal_get_pair (side->attempt, &pair));
  ck_assert_str_eq (pair.local_type, "relay");
  ck_assert_str_eq (pair.transport, expected);
  ics_ice_pair_clear (&pair);
}

/* A few at a time: coturn drops what a slow client can not take. */
static void
send_many (Side *from, guint n)
{
  guint8 data[1200];

  memset (data, 0x55, sizeof data);
  for (guint sent = 0, before = from->peer->received->len; sent < n;)
    {
      IcsSendResult result = ics_traversal_send (from->attempt, data, sizeof data);

      ck_assert_int_ne (result, ICS_SEND_FAILED);
      sent += result == ICS_SEND_OK;
      if (result == ICS_SEND_BLOCKED)
        g_main_context_iteration (NULL, TRUE);
      else if (sent % 10 == 0)
        WAIT_FOR (from->context, from->peer->received->len == before + sent);
    }
}

static void
relayed_connect (Relayed ends[2])
{
  for (guint i = 0; i < 2; i++)
    {
      ends[i].side.hold = TRUE;
      ends[i].side.peer = &ends[1 - i].side;
    }
  WAIT_FOR (g_main_context_default (), ends[0].side.gathered && ends[1].side.gathered);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert_uint_eq (ends[i].side.lines->len, 1);
      side_give_credentials (&ends[i].side);
      side_release (&ends[i].side);
    }
  WAIT_FOR (g_main_context_default (),
            side_is_in (&ends[0].side, ICS_ICE_CONNECTED) && side_is_in (&ends[1].side, ICS_ICE_CONNECTED));
}

/* The quota is one allocation a user, so the second round works only if the first gave its own back. */
START_TEST (relayed_over_a_stream)
{
  IcsTurnTransport transport = _i == 0 ? ICS_TURN_TCP : ICS_TURN_TLS;
  char *dir, *certificate;
  Coturn *coturn = start_coturn (&dir, &certificate);

  certificate_trust (certificate);
  for (guint round = 0; round < 2; round++)
    {
      Relayed ends[2];

      relayed_init (&ends[0], coturn, transport, "alice", TRUE);
      relayed_init (&ends[1], coturn, transport, "bob", FALSE);
      relayed_connect (ends);
      for (guint i = 0; i < 2; i++)
        check_transport (&ends[i].side, transport == ICS_TURN_TCP ? "tcp" : "tls");
      send_many (&ends[0].side, 1000);
      send_many (&ends[1].side, 1000);
      for (guint i = 0; i < 2; i++)
        relayed_clear (&ends[i]);
    }
  stop_coturn (coturn, dir, certificate);
}
END_TEST

/* The server has IPv6 relays only, which libnice can not ask for. */
START_TEST (ipv6_relay)
{
  Coturn *coturn;
  Relayed ends[2];

  if (!have_family (6))
    return;
  coturn = coturn_start_streams ("127.0.0.1", "::1", NULL);
  for (guint round = 0; round < 2; round++)
    {
      relayed_init (&ends[0], coturn, ICS_TURN_TCP, "alice", TRUE);
      relayed_init (&ends[1], coturn, ICS_TURN_TCP, "bob", FALSE);
      relayed_connect (ends);
      for (guint i = 0; i < 2; i++)
        {
          IcsIcePair pair;

          ck_assert_ptr_nonnull (strstr (ends[i].notes->str, "has no IPv4 relay: asked for an IPv6 one"));
          ck_assert (ics_traversal_get_pair (ends[i].side.attempt, &pair));
          ck_assert_msg (g_str_has_prefix (pair.local, "[::1]:"), "%s", pair.local);
          ck_assert_str_eq (pair.local_type, "relay");
          ics_ice_pair_clear (&pair);
        }
      send_many (&ends[0].side, 1000);
      send_many (&ends[1].side, 1000);
      for (guint i = 0; i < 2; i++)
        relayed_clear (&ends[i]);
    }
  coturn_stop (coturn);
}
END_TEST

START_TEST (wrong_password)
{
  char *dir, *certificate;
  Coturn *coturn = start_coturn (&dir, &certificate);
  Relayed end;

  certificate_trust (certificate);
  relayed_init (&end, coturn, ICS_TURN_TLS, "mallory", TRUE);
  WAIT_FOR (g_main_context_default (), side_is_in (&end.side, ICS_ICE_FAILED));
  ck_assert_msg (strstr (end.notes->str, "refused: wrong or expired credentials (401)") != NULL, "%s",
                 end.notes->str);
  ck_assert (ics_turn_tunnel_was_refused (end.tunnel));
  relayed_clear (&end);
  stop_coturn (coturn, dir, certificate);
}
END_TEST

/* The relay goes while the path is up: that is known at once. */
START_TEST (relay_dies)
{
  char *dir, *certificate;
  Coturn *coturn = start_coturn (&dir, &certificate);
  Relayed end;

  certificate_trust (certificate);
  relayed_init (&end, coturn, ICS_TURN_TLS, "alice", TRUE);
  WAIT_FOR (g_main_context_default (), end.side.gathered);
  ck_assert_uint_eq (end.side.lines->len, 1);
  stop_coturn (coturn, dir, certificate);
  WAIT_FOR (g_main_context_default (), end.ended);
  ck_assert_msg (strstr (end.notes->str, "broke") != NULL, "%s", end.notes->str);
  relayed_clear (&end);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[]
      = { { relayed_over_a_stream, 2 }, { ipv6_relay, 1 }, { wrong_password, 1 }, { relay_dies, 1 } };

  isolate ();
  return run_loops ("turn relay", tests, G_N_ELEMENTS (tests));
}
