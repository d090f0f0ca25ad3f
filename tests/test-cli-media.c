/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "media/1" with real sockets on the loopback; the packets go through memory. */
#include "base/ics-error.h"
#include "cli/key-log.h"
#include "cli/media.h"
#include "cli/pump.h"
#include "tests/cli-fixture.h"
#include "tests/suite.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define IN 5004
#define OUT 5010
#define SOURCE 0x11110000u

static GPtrArray *
parse_in (const char *text)
{
  char *texts[] = { (char *)text, NULL };

  return cli_rtp_in_parse (texts, NULL);
}

static GPtrArray *
parse_out (const char *text)
{
  char *texts[] = { (char *)text, NULL };

  return cli_rtp_out_parse (texts, NULL);
}

START_TEST (test_ports)
{
  const struct
  {
    GPtrArray *(*parse) (const char *text);
    const char *text, *host;
    guint16 port;
  } good[] = {
    { parse_in, "5004", "127.0.0.1", 5004 },   { parse_in, "0.0.0.0:1", "0.0.0.0", 1 },
    { parse_in, "[::1]:65534", "::1", 65534 }, { parse_out, "localhost:5004", "localhost", 5004 },
    { parse_out, "[::1]:9", "::1", 9 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GPtrArray) all = good[i].parse (good[i].text);

      ck_assert_msg (all != NULL && all->len == 1, "%s", good[i].text);
      ck_assert_str_eq (((CliRtpPorts *)all->pdata[0])->host, good[i].host);
      ck_assert_uint_eq (((CliRtpPorts *)all->pdata[0])->port, good[i].port);
    }
}
END_TEST

START_TEST (test_bad_ports)
{
  const char *const bad_in[] = { "",         "0",     "65535",  "65536",
                                 "-1",       "5004x", ":5004",  "localhost:5004",
                                 "::1:5004", "[::1]", "1.2.3.4" };
  const char *const bad_out[] = { "", "5004", "host", "host:", ":5004", "host:0", "host:65535", "a b:5004" };
  char *many[CLI_MEDIA_STREAMS_MAX + 2] = { NULL };
  g_autoptr (GPtrArray) none = cli_rtp_in_parse (NULL, NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (bad_in); i++)
    ck_assert_msg (parse_in (bad_in[i]) == NULL, "%s", bad_in[i]);
  for (guint i = 0; i < G_N_ELEMENTS (bad_out); i++)
    ck_assert_msg (parse_out (bad_out[i]) == NULL, "%s", bad_out[i]);
  ck_assert_uint_eq (none->len, 0);
  for (guint i = 0; i <= CLI_MEDIA_STREAMS_MAX; i++)
    many[i] = (char *)"5004";
  ck_assert_ptr_null (cli_rtp_in_parse (many, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
}
END_TEST

static void
fill_packet (guint8 *packet, guint8 type, guint32 ssrc)
{
  guint at = type >= 192 && type <= 223 ? 4 : 8;

  memset (packet, 0, 16);
  packet[0] = 0x80;
  packet[1] = type;
  for (guint i = 0; i < 4; i++)
    packet[at + i] = (guint8)(ssrc >> (24 - 8 * i));
}

START_TEST (test_peek)
{
  guint8 packet[16];
  gboolean rtcp;
  guint32 ssrc;

  for (guint type = 0; type < 256; type++)
    {
      fill_packet (packet, (guint8)type, 0xfedcba98);
      ck_assert (cli_media_peek (packet, sizeof packet, &rtcp, &ssrc));
      ck_assert_int_eq (rtcp, type >= 192 && type <= 223);
      ck_assert_uint_eq (ssrc, 0xfedcba98);
      ck_assert_int_eq (cli_media_peek (packet, 11, &rtcp, &ssrc), type >= 192 && type <= 223);
      ck_assert (!cli_media_peek (packet, 7, &rtcp, &ssrc));
    }
  for (guint first = 0; first < 256; first++)
    {
      packet[0] = (guint8)first;
      ck_assert_int_eq (cli_media_peek (packet, sizeof packet, &rtcp, &ssrc), first >= 128 && first < 192);
    }
}
END_TEST

START_TEST (test_sources)
{
  CliMediaSources *sources = cli_media_sources_new ();
  guint stream;

  ck_assert (!cli_media_sources_get (sources, 0, &stream));
  for (guint32 i = 0; i < CLI_MEDIA_SOURCES_MAX; i++)
    ck_assert (cli_media_sources_set (sources, i, i % 3));
  ck_assert (!cli_media_sources_set (sources, 5, 0));
  ck_assert (!cli_media_sources_set (sources, CLI_MEDIA_SOURCES_MAX, 0));
  ck_assert (!cli_media_sources_get (sources, CLI_MEDIA_SOURCES_MAX, &stream));
  for (guint32 i = 0; i < CLI_MEDIA_SOURCES_MAX; i++)
    {
      ck_assert (cli_media_sources_get (sources, i, &stream));
      ck_assert_uint_eq (stream, i % 3);
    }
  cli_media_sources_free (sources);
}
END_TEST

/* --- a session --- */

typedef struct
{
  gboolean rtcp;
  GBytes *bytes;
} Packet;

/* One side's channel: what is given to it comes to the other. */
typedef struct _Carrier
{
  GAsyncQueue *arrived; /* Packet */
  struct _Carrier *other;
} Carrier;

static void
packet_free (gpointer data)
{
  g_bytes_unref (((Packet *)data)->bytes);
  g_free (data);
}

static void
carry (Carrier *to, gboolean rtcp, GBytes *bytes)
{
  Packet *packet = g_new (Packet, 1);

  *packet = (Packet){ rtcp, g_bytes_ref (bytes) };
  g_async_queue_push (to->arrived, packet);
}

static gboolean
carrier_send (gpointer data, gboolean rtcp, GBytes *bytes)
{
  carry (((Carrier *)data)->other, rtcp, bytes);
  return TRUE;
}

static GBytes *
carrier_receive (gpointer data, gboolean *rtcp, GCancellable *cancellable, GError **error)
{
  Packet *packet = NULL;
  GBytes *bytes;

  while (packet == NULL && !g_cancellable_set_error_if_cancelled (cancellable, error))
    packet = g_async_queue_timeout_pop (((Carrier *)data)->arrived, 10 * 1000);
  if (packet == NULL)
    return NULL;
  *rtcp = packet->rtcp;
  bytes = g_bytes_ref (packet->bytes);
  packet_free (packet);
  return bytes;
}

static const CliMediaCarrier carrier_vtable = { carrier_send, carrier_receive };

typedef struct
{
  FakeLink *link;
  Carrier carriers[2];
  CliMedia media[2];
  FakeSide sides[2];
  char *address; /* of this test alone, of 127.0.0.0/8 */
  GSocket *listeners[4];
  gboolean (*script) (void);
  gboolean passed;
} Session;

static Session *fixture;

static GSocket *
open_socket (const char *address, guint16 port)
{
  g_autoptr (GSocketAddress) bound = g_inet_socket_address_new_from_string (address, port);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);

  ck_assert (g_socket_bind (socket, bound, FALSE, NULL));
  g_socket_set_timeout (socket, 60); /* a safety limit */
  return socket;
}

static GPtrArray *
ports_at (guint16 first, guint n, gboolean in)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) texts = NULL;

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *text = g_strdup_printf ("%s:%u", fixture->address, first + 2 * i);

      g_strv_builder_add (builder, text);
    }
  texts = g_strv_builder_end (builder);
  return in ? cli_rtp_in_parse (texts, NULL) : cli_rtp_out_parse (texts, NULL);
}

static gboolean
work (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_media_run (data, cancellable, error);
}

/* Two ways in at the joiner; ways out at the listener, with its applications. */
static void
session_open (guint outs, gboolean mux)
{
  fixture = g_new0 (Session, 1);
  fixture->link = fake_link_new ();
  fixture->address = g_strdup_printf ("127.%d.%d.%d", 1 + getpid () % 250, getpid () / 250 % 250,
                                      1 + getpid () / 62500 % 250);
  for (guint i = 0; i < 2; i++)
    {
      fixture->carriers[i].arrived = g_async_queue_new_full (packet_free);
      fixture->carriers[i].other = &fixture->carriers[1 - i];
      fixture->media[i]
          = (CliMedia){ .peer = i == 0 ? &fixture->link->joiner.peer : &fixture->link->listener.peer,
                        .ins = ports_at (IN, i == 0 ? 2 : 0, TRUE),
                        .outs = ports_at (OUT, i == 0 ? 0 : outs, FALSE),
                        .mux = mux,
                        .carrier = &carrier_vtable,
                        .carrier_data = &fixture->carriers[i] };
      fixture->sides[i] = (FakeSide){ .work = work, .data = &fixture->media[i] };
    }
  for (guint i = 0; i < 4; i++)
    fixture->listeners[i] = open_socket (fixture->address, (guint16)(OUT + i));
}

static void
session_close (void)
{
  for (guint i = 0; i < 2; i++)
    {
      g_async_queue_unref (fixture->carriers[i].arrived);
      g_ptr_array_unref (fixture->media[i].ins);
      g_ptr_array_unref (fixture->media[i].outs);
      fake_side_clear (&fixture->sides[i]);
    }
  for (guint i = 0; i < 4; i++)
    g_clear_object (&fixture->listeners[i]);
  fake_link_free (fixture->link);
  g_free (fixture->address);
  g_clear_pointer (&fixture, g_free);
}

static gpointer
run_script (gpointer data)
{
  fixture->passed = fixture->script ();
  g_cancellable_cancel (fixture->sides[0].cancellable);
  return NULL;
}

/* The joiner is interrupted when the script is through; the listener's side ends well. */
static void
session_run (gboolean (*script) (void))
{
  GThread *thread;

  fixture->script = script;
  for (guint i = 0; i < 2; i++)
    fixture->sides[i].cancellable = g_cancellable_new ();
  thread = g_thread_new ("script", run_script, NULL);
  fake_run (&fixture->sides[0], &fixture->sides[1]);
  g_thread_join (thread);
  ck_assert (fixture->passed);
  ck_assert (g_error_matches (fixture->sides[0].error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  ck_assert (fixture->sides[1].good);
}

static void
send_to (guint16 port, const void *data, gsize len)
{
  g_autoptr (GSocket) socket = open_socket (fixture->address, 0);
  g_autoptr (GSocketAddress) to = g_inet_socket_address_new_from_string (fixture->address, port);

  g_socket_send_to (socket, to, data, len, NULL, NULL);
}

/* Until it arrives: the port may not be open yet. What came before is the same packet. */
static gboolean
passes (guint16 port, guint8 type, guint32 ssrc, guint listener)
{
  guint8 packet[16], got[64];

  fill_packet (packet, type, ssrc);
  for (;;)
    {
      gssize n;

      send_to (port, packet, sizeof packet);
      if (!g_socket_condition_timed_wait (fixture->listeners[listener], G_IO_IN, 50 * 1000, NULL, NULL))
        continue;
      n = g_socket_receive (fixture->listeners[listener], (char *)got, sizeof got, NULL, NULL);
      if (n == sizeof packet && memcmp (got, packet, sizeof packet) == 0)
        return TRUE;
    }
}

static gboolean
script_routes (void)
{
  return passes (IN, 96, SOURCE, 0) && passes (IN + 2, 97, SOURCE + 1, 2) && passes (IN + 1, 200, SOURCE, 1)
         && passes (IN + 3, 200, SOURCE + 1, 3) && passes (IN, 201, SOURCE, 1)
         && passes (IN, 96, SOURCE + 2, 0);
}

/* Each medium comes out where it belongs, RTCP at its own port, whichever port it came to. */
START_TEST (test_routes)
{
  session_open (2, FALSE);
  session_run (script_routes);
  ck_assert_uint_eq (fixture->media[1].unassigned, 0);
  session_close ();
}
END_TEST

static gboolean
script_one_way_out (void)
{
  return passes (IN, 96, SOURCE, 0) && passes (IN + 2, 97, SOURCE + 1, 0) && passes (IN + 1, 200, SOURCE, 0)
         && passes (IN + 3, 200, SOURCE + 1, 0);
}

START_TEST (test_one_way_out)
{
  session_open (1, TRUE);
  session_run (script_one_way_out);
  session_close ();
}
END_TEST

static gboolean
script_no_rtp (void)
{
  gboolean passed = passes (IN, 96, SOURCE, 0);

  send_to (IN, "GET / HTTP/1.0", 14);
  send_to (IN, "", 0);
  send_to (IN + 1, "\200", 1);
  while (passed && cli_counter_get (&fixture->media[0].refused) < 3)
    passed = passes (IN, 96, SOURCE, 0);
  return passed;
}

START_TEST (test_no_rtp)
{
  session_open (1, FALSE);
  session_run (script_no_rtp);
  ck_assert_uint_eq (fixture->media[0].refused, 3);
  session_close ();
}
END_TEST

/* Of a source that nobody announced: they wait, but not without bounds, and the others go on. */
#define UNKNOWN 1000
#define MAY_WAIT 256

static gboolean
script_unknown (void)
{
  guint8 packet[16];
  g_autoptr (GBytes) bytes = NULL;

  fill_packet (packet, 96, SOURCE + 99);
  bytes = g_bytes_new (packet, sizeof packet);
  for (guint i = 0; i < UNKNOWN; i++)
    carry (&fixture->carriers[1], FALSE, bytes);
  while (cli_counter_get (&fixture->media[1].unassigned) < UNKNOWN - MAY_WAIT)
    if (!passes (IN, 96, SOURCE, 0))
      return FALSE;
  return TRUE;
}

START_TEST (test_unknown_source)
{
  session_open (2, FALSE);
  session_run (script_unknown);
  ck_assert_uint_ge (fixture->media[1].unassigned, UNKNOWN - MAY_WAIT);
  session_close ();
}
END_TEST

/* A port that is taken. */
START_TEST (test_taken_port)
{
  GSocket *taken;

  session_open (1, FALSE);
  taken = open_socket (fixture->address, IN + 1);
  ck_assert (!cli_media_run (&fixture->media[0], NULL, &fixture->sides[0].error));
  ck_assert (g_error_matches (fixture->sides[0].error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE));
  g_object_unref (taken);
  session_close ();
}
END_TEST

/* Only for its owner, also one that was there; added to; never through a link. */
START_TEST (test_key_log)
{
  char *folder = fake_folder_new ();
  g_autofree char *path = g_build_filename (folder, "keys", NULL);
  g_autofree char *link = g_build_filename (folder, "link", NULL);
  g_autofree char *content = NULL;
  GStatBuf status;

  ck_assert (g_file_set_contents (path, "before\n", -1, NULL));
  ck_assert_int_eq (g_chmod (path, 0644), 0);
  ck_assert_int_eq (symlink (path, link), 0);
  for (guint i = 0; i < 2; i++)
    {
      int fd = cli_key_log_open (path, NULL);

      ck_assert_int_ge (fd, 0);
      ck_assert (cli_key_log_write (fd, "line", NULL));
      close (fd);
    }
  ck_assert_int_eq (g_stat (path, &status), 0);
  ck_assert_uint_eq (status.st_mode & 0777, 0600);
  ck_assert (g_file_get_contents (path, &content, NULL, NULL));
  ck_assert_str_eq (content, "before\nline\nline\n");
  ck_assert_int_lt (cli_key_log_open (link, NULL), 0);
  ck_assert_int_lt (cli_key_log_open (folder, NULL), 0);
  fake_folder_free (folder);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_ports,  test_bad_ports,      test_peek,       test_sources, test_routes, test_one_way_out,
          test_no_rtp, test_unknown_source, test_taken_port, test_key_log, NULL };

  return run_suite ("cli-media", tests);
}
