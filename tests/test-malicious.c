/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include "base/fingerprint.h"
#include "base/identity.h"
#include "path/channel-batch.h"
#include "tests/link-exchange.h"
#include "tests/spy.h"
#include "tests/suite.h"
#include "transport/quic-conn-private.h"

#include <string.h>

/* A rendezvous server that reads along, swaps, and steps in between. The hosts are real links with real ICE
 * on this host. */

#define STREAM_MARK "what only these two hosts may know: the stream."
#define DATAGRAM_MARK "what only these two hosts may know: the datagram."
#define STREAM_SIZE (32 * 1024)

static GBytes *
make_payload (void)
{
  GString *text = g_string_new (NULL);

  while (text->len < STREAM_SIZE)
    g_string_append (text, STREAM_MARK);
  return g_string_free_to_bytes (text);
}

/* --- reading --- */

static GBytes *
listen_in (IcsChannelKind kind, GBytes *message, gpointer spy)
{
  spy_hear (spy, kind, message);
  return g_bytes_ref (message);
}

static void
bug (LinkPair *pair, Spy *spy)
{
  for (guint i = 0; i < 2; i++)
    memory_channel_set_tap (pair->channel[i], listen_in, spy);
}

static gboolean
datagrams_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->datagrams[0]) && !g_queue_is_empty (&pair->datagrams[1]);
}

static void
exchange_datagrams (LinkPair *pair)
{
  g_autoptr (GBytes) payload = g_bytes_new_static (DATAGRAM_MARK, strlen (DATAGRAM_MARK));

  for (guint i = 0; i < 2; i++)
    ck_assert (ics_link_send_datagram (pair->link[i], payload));
  link_pair_run (pair, datagrams_arrived);
  for (guint i = 0; i < 2; i++)
    ck_assert (g_bytes_equal (g_queue_peek_head (&pair->datagrams[i]), payload));
}

static void
check_endpoint_unknown (Spy *spy, const char *endpoint)
{
  g_autoptr (GSocketConnectable) parsed = NULL;
  g_autoptr (GInetAddress) address = NULL;
  GNetworkAddress *network;

  ck_assert_msg (!spy_finds_text (spy, endpoint), "%s is in the record", endpoint);
  parsed = g_network_address_parse (endpoint, 0, NULL);
  ck_assert_ptr_nonnull (parsed);
  network = G_NETWORK_ADDRESS (parsed);
  address = g_inet_address_new_from_string (g_network_address_get_hostname (network));
  ck_assert_msg (address != NULL, "%s", endpoint);
  ck_assert_msg (!spy_finds_address (spy, address, g_network_address_get_port (network)),
                 "%s is in the record", endpoint);
}

/* The paths the traffic took, and all addresses of this host with the ports in use. */
static void
check_addresses_unknown (LinkPair *pair, Spy *spy)
{
  g_autoptr (GPtrArray) own = ics_local_addresses_get (0);
  guint direct = 0;

  ck_assert_uint_gt (own->len, 0);
  for (guint side = 0; side < 2; side++)
    for (guint i = 0; i < pair->paths[side]->len; i++)
      {
        IcsPathInfo *path = g_ptr_array_index (pair->paths[side], i);
        const char *colon = strrchr (ics_path_info_get_local (path), ':');

        if (ics_path_info_get_kind (path) == ICS_PATH_CHANNEL)
          continue;
        direct++;
        check_endpoint_unknown (spy, ics_path_info_get_local (path));
        check_endpoint_unknown (spy, ics_path_info_get_remote (path));
        for (guint a = 0; a < own->len; a++)
          ck_assert (!spy_finds_address (spy, g_ptr_array_index (own, a), (guint16)atoi (colon + 1)));
      }
  for (guint a = 0; a < own->len; a++)
    ck_assert (!spy_finds_address (spy, g_ptr_array_index (own, a), 9));
  if (link_pair_is_direct (pair))
    ck_assert_uint_ge (direct, 2);
}

static void
check_fingerprint_unknown (Spy *spy, const char *hex)
{
  guint8 raw[ICS_FINGERPRINT_SIZE];

  ck_assert_uint_eq (strlen (hex), 2 * sizeof raw);
  for (guint i = 0; i < sizeof raw; i++)
    raw[i] = (guint8)(g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  ck_assert (!spy_finds (spy, raw, sizeof raw));
  ck_assert (!spy_finds (spy, raw, 8));
  ck_assert (!spy_finds_text (spy, hex));
}

static void
check_code_unknown (Spy *spy, const char *code)
{
  g_auto (GStrv) parts = g_strsplit (code, "-", -1);
  g_autofree char *words = g_strdup_printf ("%s-%s", parts[1], parts[2]);

  ck_assert_uint_eq (g_strv_length (parts), 3);
  ck_assert (!spy_finds_text (spy, code));
  ck_assert (!spy_finds_text (spy, words));
  for (guint i = 1; i < 3; i++)
    ck_assert (strlen (parts[i]) < SPY_MIN || !spy_finds_text (spy, parts[i]));
}

static void
check_words_unknown (Spy *spy)
{
  /* The payload, the application's name, and what candidates, credentials and their messages are written
   * with. */
  const char *const secrets[]
      = { STREAM_MARK, "the stream.", DATAGRAM_MARK, "the datagram.", "test/1", "candidate",
          "\"ufrag\"", "typ host",    "typ srflx",   "\"attempt\"",   "direct" };

  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++)
    ck_assert_msg (!spy_finds_text (spy, secrets[i]), "\"%s\" is in the record", secrets[i]);
}

/* Else all of the above would be found nowhere by a search that finds nothing. */
static void
check_spy_is_not_blind (Spy *spy)
{
  ck_assert_uint_ge (spy_count (spy, ICS_CHANNEL_SIGNAL), 3);
  ck_assert_uint_gt (spy_count (spy, ICS_CHANNEL_DATA), 4);
  ck_assert_uint_ge (spy_count_opened (spy), 2);
  ck_assert_msg (spy_finds_text (spy, "ice-session/1"), "the ALPN of QUIC is there for all to read");
}

/* 0: with a direct path found; 1: all payload through the relay. */
START_TEST (test_reader_learns_nothing)
{
  LinkPair pair;
  Spy *spy = spy_new ();
  g_autoptr (GBytes) payload = make_payload ();

  link_pair_init (&pair);
  bug (&pair, spy);
  for (guint i = 0; i < 2; i++)
    g_object_set (pair.link[i], "policy", _i == 0 ? ICS_PATH_POLICY_AUTO : ICS_PATH_POLICY_RELAY, NULL);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  for (guint i = 0; i < 2; i++)
    {
      guint64 relayed = link_exchange (&pair, i, payload);

      ck_assert (_i == 0 || relayed == g_bytes_get_size (payload));
    }
  exchange_datagrams (&pair);
  if (_i == 0)
    link_pair_run (&pair, link_pair_is_direct);
  check_spy_is_not_blind (spy);
  check_words_unknown (spy);
  check_addresses_unknown (&pair, spy);
  check_code_unknown (spy, ics_link_get_code (pair.link[0]));
  for (guint i = 0; i < 2; i++)
    check_fingerprint_unknown (spy, ics_link_get_peer_fingerprint (pair.link[i]));
  link_pair_close (&pair, 1, 0, "");
  check_words_unknown (spy);
  link_pair_clear (&pair);
  spy_free (spy);
}
END_TEST

/* What the search must find, in every form, at any place of a message. */
START_TEST (test_search_finds)
{
  const guint8 raw[] = { 1, 192, 168, 77, 5, 0xc3, 0x51, 2 };
  g_autoptr (GInetAddress) v4 = g_inet_address_new_from_string ("192.168.77.5");
  g_autoptr (GInetAddress) v6 = g_inet_address_new_from_string ("fd00::77");
  g_autofree char *whole = g_base64_encode (raw, sizeof raw);
  const struct
  {
    GInetAddress *address;
    const char *text;
    IcsChannelKind kind;
  } cases[] = {
    { v4, "xx192.168.77.5xx", ICS_CHANNEL_DATA },
    { v4, "3139322e3136382e37372e35", ICS_CHANNEL_DATA },
    { v4, "C0A84D05C351", ICS_CHANNEL_DATA },
    { v4, whole, ICS_CHANNEL_DATA },
    { v4, "\xc0\xa8\x4d\x05\xc3\x51", ICS_CHANNEL_DATA },
    { v4, "\xc3\x51\xc0\xa8\x4d\x05", ICS_CHANNEL_DATA },
    { v4, "\xe2\x43\xe1\xba\xe9\x47", ICS_CHANNEL_DATA },
    { v4, "..\xc0\xa8\x4d\x05..", ICS_CHANNEL_SIGNAL },
    { v6, "a=fd00::77 ", ICS_CHANNEL_DATA },
    { v6, "fd000000000000000000000000000077", ICS_CHANNEL_DATA },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Spy *spy = spy_new ();
      g_autoptr (GBytes) message = g_bytes_new_static (cases[i].text, strlen (cases[i].text));

      ck_assert (!spy_finds_address (spy, cases[i].address, 50001));
      spy_hear (spy, cases[i].kind, message);
      ck_assert_msg (spy_finds_address (spy, cases[i].address, 50001), "case %u", i);
      spy_free (spy);
    }
}
END_TEST

/* --- in the middle, by guessing --- */

/* A host that connects is over too: the test is lost. */
static gboolean
is_over_or_lost (LinkPair *pair)
{
  return link_pair_is_over (pair) || pair->connected[0] || pair->connected[1];
}

/* The relay plays each host for the other. It does not know the code: the listener towards the joiner has one
 * of its own, the joiner towards the listener guesses. */
START_TEST (test_guessing_in_the_middle)
{
  LinkPair with_listener, with_joiner;

  link_pair_init (&with_listener);
  link_pair_init (&with_joiner);
  link_pair_start (&with_listener, TRUE);
  link_pair_run (&with_listener, is_over_or_lost);
  with_joiner.code[1] = g_strdup (ics_link_get_code (with_listener.link[0]));
  link_pair_start (&with_joiner, FALSE);
  link_pair_run (&with_joiner, is_over_or_lost);
  check_says (with_listener.error[0], ICS_ERROR_CODE_REJECTED, "code");
  check_says (with_joiner.error[1], ICS_ERROR_CODE_REJECTED, "code");
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!with_listener.connected[i]);
      ck_assert (!with_joiner.connected[i]);
    }
  link_pair_clear (&with_listener);
  link_pair_clear (&with_joiner);
}
END_TEST

/* --- two sessions, crossed --- */

typedef struct
{
  LinkPair pairs[2];
  gboolean cross[2][2]; /* by kind and by the side that sends */
  GQueue early;         /* Crossed, until all four hosts are there */
} Crossing;

typedef struct
{
  Crossing *crossing;
  guint pair, side;
} CrossingEnd;

typedef struct
{
  MemoryChannel *to;
  IcsChannelKind kind;
  GBytes *message;
} Crossed;

static gboolean
all_there (Crossing *crossing)
{
  gboolean there = TRUE;

  for (guint p = 0; p < 2; p++)
    there &= ics_channel_get_state (ICS_CHANNEL (crossing->pairs[p].channel[1])) >= ICS_CHANNEL_OPEN;
  return there;
}

static void
hand_over (Crossing *crossing)
{
  Crossed *crossed;

  while (all_there (crossing) && (crossed = g_queue_pop_head (&crossing->early)) != NULL)
    {
      memory_channel_inject (crossed->to, crossed->kind, crossed->message);
      g_bytes_unref (crossed->message);
      g_free (crossed);
    }
}

static GBytes *
cross (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  CrossingEnd *from = user_data;
  Crossing *crossing = from->crossing;
  guint to = crossing->cross[kind][from->side] ? 1 - from->pair : from->pair;
  Crossed *crossed = g_new0 (Crossed, 1);

  crossed->to = crossing->pairs[to].channel[1 - from->side];
  crossed->kind = kind;
  crossed->message = g_bytes_ref (message);
  g_queue_push_tail (&crossing->early, crossed);
  hand_over (crossing);
  return NULL;
}

static Crossing *crossing_under_way;

static gboolean
all_over (LinkPair *pair)
{
  return is_over_or_lost (&crossing_under_way->pairs[0]) && is_over_or_lost (&crossing_under_way->pairs[1]);
}

static void
run_crossing (Crossing *crossing)
{
  CrossingEnd ends[2][2];

  crossing_under_way = crossing;
  for (guint p = 0; p < 2; p++)
    {
      link_pair_init (&crossing->pairs[p]);
      for (guint side = 0; side < 2; side++)
        {
          ends[p][side] = (CrossingEnd){ crossing, p, side };
          memory_channel_set_tap (crossing->pairs[p].channel[side], cross, &ends[p][side]);
          memory_channel_hide_end (crossing->pairs[p].channel[side]);
          /* Only against hanging: what is expected happens long before. */
          g_object_set (crossing->pairs[p].link[side], "timeout-ms", 20000, NULL);
        }
    }
  for (guint p = 0; p < 2; p++)
    link_pair_start (&crossing->pairs[p], FALSE);
  link_pair_run (&crossing->pairs[0], all_over);
  ck_assert_str_ne (crossing->pairs[0].code[1], crossing->pairs[1].code[1]);
}

static void
clear_crossing (Crossing *crossing)
{
  for (guint p = 0; p < 2; p++)
    link_pair_clear (&crossing->pairs[p]);
}

/* 0: all is crossed; 1: what the listeners say; 2: what the joiners say. */
START_TEST (test_crossed_signals)
{
  Crossing crossing = { 0 };

  for (guint side = 0; side < 2; side++)
    crossing.cross[ICS_CHANNEL_SIGNAL][side] = crossing.cross[ICS_CHANNEL_DATA][side]
        = _i == 0 || _i == 1 + (int)side;
  run_crossing (&crossing);
  for (guint p = 0; p < 2; p++)
    for (guint side = 0; side < 2; side++)
      {
        ck_assert (!crossing.pairs[p].connected[side]);
        check_says (crossing.pairs[p].error[side], ICS_ERROR_CODE_REJECTED, "code");
      }
  clear_crossing (&crossing);
}
END_TEST

/* The handshakes are let through; then each host is given the QUIC packets of another one, who is genuine in
 * a session of its own. */
START_TEST (test_crossed_packets)
{
  Crossing crossing = { .cross = { [ICS_CHANNEL_DATA] = { TRUE, TRUE } } };

  run_crossing (&crossing);
  for (guint p = 0; p < 2; p++)
    for (guint side = 0; side < 2; side++)
      {
        ck_assert (!crossing.pairs[p].connected[side]);
        check_says (crossing.pairs[p].error[side], ICS_ERROR_KEY_REJECTED, "interfere");
      }
  clear_crossing (&crossing);
}
END_TEST

/* --- in the middle of QUIC --- */

typedef struct
{
  IcsQuic *quic;
  IcsIdentity *identity;
  MemoryChannel *victim;
} Impostor;

typedef struct
{
  LinkPair pair;
  Impostor faces[2]; /* by the side they deceive: to the listener a joiner, and the other way round */
} Middle;

/* The one in the middle takes any certificate. */
static int
accept_anybody (gnutls_session_t session)
{
  return 0;
}

static void
no_wake (gpointer user_data)
{
}

static void
impostor_begin (Impostor *self, MemoryChannel *victim, gboolean client)
{
  guint8 none[ICS_FINGERPRINT_SIZE] = { 0 };
  IcsQuicConfig config
      = { .client = client, .peer_fingerprint = none, .path = 1, .kind = ICS_PATH_CHANNEL, .wake = no_wake };

  self->identity = ics_identity_new (NULL);
  config.credentials = ics_identity_get_credentials (self->identity);
  self->victim = victim;
  self->quic = ics_quic_new (&config, g_get_monotonic_time (), NULL);
  ck_assert_ptr_nonnull (self->quic);
  gnutls_session_set_verify_function (self->quic->tls.session, accept_anybody);
}

static void
impostor_speak (Impostor *self)
{
  gint64 now = g_get_monotonic_time ();
  IcsQuicBatch packet;

  ics_quic_handle_timeout (self->quic, now);
  while (ics_quic_write (self->quic, now, ICS_QUIC_MAX_PACKET, &packet))
    {
      GByteArray *batch = g_byte_array_new ();
      g_autoptr (GBytes) message = NULL;

      ics_batch_append (batch, packet.data, packet.len);
      message = g_byte_array_free_to_bytes (batch);
      memory_channel_inject (self->victim, ICS_CHANNEL_DATA, message);
    }
}

static void
impostor_hear (Impostor *self, GBytes *message)
{
  gsize left, len;
  const guint8 *cursor = g_bytes_get_data (message, &left), *data;
  gboolean malformed = FALSE;

  while (ics_batch_next (&cursor, &left, &data, &len, &malformed))
    ics_quic_read (self->quic, g_get_monotonic_time (), 1, data, len);
  impostor_speak (self);
}

static GBytes *
step_in (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  Impostor *self = user_data;

  if (kind == ICS_CHANNEL_SIGNAL)
    return g_bytes_ref (message);
  impostor_hear (self, message);
  return NULL;
}

static gboolean
on_tick (gpointer user_data)
{
  Middle *middle = user_data;

  for (guint i = 0; i < 2; i++)
    impostor_speak (&middle->faces[i]);
  return G_SOURCE_CONTINUE;
}

static gboolean
impostor_is_ready (Impostor *self)
{
  IcsQuicEvent event;
  gboolean ready = FALSE;

  while (ics_quic_poll_event (self->quic, &event))
    {
      ready |= event.type == ICS_QUIC_EVENT_STREAM || event.type == ICS_QUIC_EVENT_DATAGRAM
               || event.type == ICS_QUIC_EVENT_CONFIRMED;
      ics_quic_event_clear (&event);
    }
  return ready;
}

/* The pairing is forwarded honestly; then the relay runs a QUIC connection of its own with each host, with
 * certificates of its own, and does not mind whose certificate it sees. */
START_TEST (test_quic_in_the_middle)
{
  Middle middle;
  guint tick;

  link_pair_init (&middle.pair);
  for (guint i = 0; i < 2; i++)
    {
      impostor_begin (&middle.faces[i], middle.pair.channel[i], i == 0);
      memory_channel_set_tap (middle.pair.channel[i], step_in, &middle.faces[i]);
      memory_channel_hide_end (middle.pair.channel[i]);
      g_object_set (middle.pair.link[i], "timeout-ms", 20000, NULL);
    }
  /* Only for the impostor's own timers. */
  tick = g_timeout_add (20, on_tick, &middle);
  link_pair_start (&middle.pair, FALSE);
  link_pair_run (&middle.pair, is_over_or_lost);
  for (guint i = 0; i < 2; i++)
    {
      ck_assert (!middle.pair.connected[i]);
      ck_assert (!impostor_is_ready (&middle.faces[i]));
      check_says (middle.pair.error[i], ICS_ERROR_KEY_REJECTED, "interfere");
    }
  g_source_remove (tick);
  link_pair_clear (&middle.pair);
  for (guint i = 0; i < 2; i++)
    {
      ics_quic_free (middle.faces[i].quic);
      ics_identity_free (middle.faces[i].identity);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_search_finds, 1 },    { test_reader_learns_nothing, 2 }, { test_guessing_in_the_middle, 1 },
    { test_crossed_signals, 3 }, { test_crossed_packets, 1 },       { test_quic_in_the_middle, 1 },
  };

  return run_loops ("malicious", tests, G_N_ELEMENTS (tests));
}
