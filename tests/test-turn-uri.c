/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/turn-uri.h"
#include "tests/suite.h"
#include <string.h>

typedef struct
{
  const char *uri;
  gboolean is_stun;
  const char *host;
  guint16 port;
  IcsTurnTransport transport;
  const char *username;
  const char *password;
  const char *plain; /* ics_turn_server_to_uri() */
} Case;

static const Case good[] = {
  /* RFC 7064 Appendix A, RFC 7065 Appendix A */
  { "stun:example.org", TRUE, "example.org", 3478, ICS_TURN_UDP, NULL, NULL, "stun:example.org:3478" },
  { "stun:example.org:8000", TRUE, "example.org", 8000, ICS_TURN_UDP, NULL, NULL, "stun:example.org:8000" },
  { "turn:example.org", FALSE, "example.org", 3478, ICS_TURN_UDP, NULL, NULL,
    "turn:example.org:3478?transport=udp" },
  { "turns:example.org", FALSE, "example.org", 5349, ICS_TURN_TLS, NULL, NULL,
    "turns:example.org:5349?transport=tcp" },
  { "turn:example.org:8000", FALSE, "example.org", 8000, ICS_TURN_UDP, NULL, NULL,
    "turn:example.org:8000?transport=udp" },
  { "turn:example.org?transport=udp", FALSE, "example.org", 3478, ICS_TURN_UDP, NULL, NULL,
    "turn:example.org:3478?transport=udp" },
  { "turn:example.org?transport=tcp", FALSE, "example.org", 3478, ICS_TURN_TCP, NULL, NULL,
    "turn:example.org:3478?transport=tcp" },
  { "turns:example.org?transport=tcp", FALSE, "example.org", 5349, ICS_TURN_TLS, NULL, NULL,
    "turns:example.org:5349?transport=tcp" },
  /* and what else is allowed */
  { "TURN:192.0.2.1:443?Transport=TCP", FALSE, "192.0.2.1", 443, ICS_TURN_TCP, NULL, NULL,
    "turn:192.0.2.1:443?transport=tcp" },
  { "turn:[2001:db8::1]:443", FALSE, "2001:db8::1", 443, ICS_TURN_UDP, NULL, NULL,
    "turn:[2001:db8::1]:443?transport=udp" },
  { "stun:[2001:db8::1]", TRUE, "2001:db8::1", 3478, ICS_TURN_UDP, NULL, NULL, "stun:[2001:db8::1]:3478" },
  { "turn:example.org:", FALSE, "example.org", 3478, ICS_TURN_UDP, NULL, NULL,
    "turn:example.org:3478?transport=udp" },
  { "turn:user:secret@example.org", FALSE, "example.org", 3478, ICS_TURN_UDP, "user", "secret",
    "turn:example.org:3478?transport=udp" },
  { "turns:1700000000%3Auser:p%40ss:w%2f@[::1]:1", FALSE, "::1", 1, ICS_TURN_TLS, "1700000000:user",
    "p@ss:w/", "turns:[::1]:1?transport=tcp" },
};

static const char *const bad[] = {
  "",
  "turn",
  "turn:",
  "example.org",
  "http://example.org",
  "turn://example.org",
  "stuns:example.org",
  "turn:example.org:0",
  "turn:example.org:65536",
  "turn:example.org:-1",
  "turn:example.org:+80",
  "turn:example.org:80x",
  "turn:example.org:80:90",
  "turn:example.org?",
  "turn:example.org?transport=",
  "turn:example.org?transport=sctp",
  "turn:example.org?transport=udp&x=y",
  "turn:example.org?x=y",
  "turns:example.org?transport=udp",
  "stun:example.org?transport=udp",
  "stun:user:secret@example.org",
  "turn:2001:db8::1",
  "turn:[2001:db8::1",
  "turn:[2001:db8::1]x",
  "turn:[192.0.2.1]",
  "turn:[]",
  "turn:exam ple.org",
  "turn:-example.org",
  "turn:ex\nample.org",
  "turn:user@example.org",
  "turn::secret@example.org",
  "turn:user:@example.org",
  "turn:us%00er:secret@example.org",
  "turn:us%zzer:secret@example.org",
  "turn:user:sec@ret@example.org",
};

static void
check_server (const IcsTurnServer *server, const Case *expected)
{
  g_autofree char *plain = ics_turn_server_to_uri (server);

  ck_assert_int_eq (server->is_stun, expected->is_stun);
  ck_assert_str_eq (server->host, expected->host);
  ck_assert_uint_eq (server->port, expected->port);
  ck_assert_int_eq (server->transport, expected->transport);
  ck_assert_pstr_eq (server->username, expected->username);
  ck_assert_pstr_eq (server->password, expected->password);
  ck_assert_int_eq (server->expires_unix, 0);
  ck_assert_str_eq (plain, expected->plain);
}

START_TEST (parses_the_rfc_forms)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (IcsTurnServer) server = ics_turn_server_parse (good[i].uri, &error);
      g_autoptr (IcsTurnServer) copy = NULL;

      ck_assert_msg (server != NULL, "refused %s", good[i].uri);
      check_server (server, &good[i]);
      copy = ics_turn_server_copy (server);
      g_clear_pointer (&server, ics_turn_server_free);
      check_server (copy, &good[i]);
    }
}
END_TEST

START_TEST (own_uris_parse_to_the_same)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (IcsTurnServer) server = ics_turn_server_parse (good[i].plain, NULL);
      g_autofree char *again = NULL;

      ck_assert_msg (server != NULL, "refused %s", good[i].plain);
      again = ics_turn_server_to_uri (server);
      ck_assert_str_eq (again, good[i].plain);
      ck_assert_ptr_null (server->password);
    }
}
END_TEST

START_TEST (refuses_the_rest)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      ck_assert_msg (ics_turn_server_parse (bad[i], &error) == NULL, "accepted %s", bad[i]);
      ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
      ck_assert_ptr_null (strstr (error->message, "secret"));
    }
}
END_TEST

START_TEST (refuses_endless_text)
{
  g_autofree char *name = g_strnfill (100000, 'a');
  g_autofree char *uri = g_strconcat ("turn:", name, NULL);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (ics_turn_server_parse (uri, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { parses_the_rfc_forms, own_uris_parse_to_the_same, refuses_the_rest, refuses_endless_text, NULL };

  return run_suite ("turn-uri", tests);
}
