/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A bare QUIC sender and receiver over ngtcp2: one thread an end, one path, nothing above and nothing below.
 * What a transport with paths, streams of an interface and a main loop costs is measured against it.
 *
 * The sender takes its bytes from one block of memory that never changes, so nothing is copied or kept for
 * it; the receiver drops what comes. No peer is authenticated. */
#include "bench/meter.h"
#include "bench/quic-bare-end.h"
#include "bench/udp-batch.h"

#include <poll.h>
#include <string.h>
#include <sys/prctl.h>

static char *local, *remote, *congestion = "bbr2";
static double seconds = 5;
static gboolean plain;
static int skip_ms, streams = 4, window_kib = 2048, packet = 1452, ack_every = 16;

static const GOptionEntry options[] = {
  { "local", 0, 0, G_OPTION_ARG_STRING, &local, "bind here", "ADDRESS:PORT" },
  { "remote", 0, 0, G_OPTION_ARG_STRING, &remote, "send there; without it: receive", "ADDRESS:PORT" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "send for so long", "S" },
  { "skip-ms", 0, 0, G_OPTION_ARG_INT, &skip_ms, "receiver: do not count the first of it", "MS" },
  { "plain", 0, 0, G_OPTION_ARG_NONE, &plain, "no segmentation offload", NULL },
  { "congestion", 0, 0, G_OPTION_ARG_STRING, &congestion, "bbr2, bbr, cubic or reno", "NAME" },
  { "streams", 0, 0, G_OPTION_ARG_INT, &streams, "streams at once", "N" },
  { "window", 0, 0, G_OPTION_ARG_INT, &window_kib, "receive window of a stream", "KIB" },
  { "packet", 0, 0, G_OPTION_ARG_INT, &packet, "largest UDP payload", "BYTES" },
  { "ack-every", 0, 0, G_OPTION_ARG_INT, &ack_every, "packets received for one acknowledgement", "N" },
  { NULL },
};

static ngtcp2_cc_algo
algorithm (void)
{
  static const struct
  {
    const char *name;
    ngtcp2_cc_algo value;
  } known[]
      = { { "reno", NGTCP2_CC_ALGO_RENO },
          { "cubic", NGTCP2_CC_ALGO_CUBIC },
          { "bbr", NGTCP2_CC_ALGO_BBR },
#if NGTCP2_VERSION_NUM < 0x010000
          { "bbr2", NGTCP2_CC_ALGO_BBR2 },
#else
          { "bbr2", NGTCP2_CC_ALGO_BBR },
#endif
        };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (strcmp (known[i].name, congestion) == 0)
      return known[i].value;
  bench_fail ("unknown congestion control %s", congestion);
}

/* Waits for packets, for room, or for the end's timer, whichever comes first. */
static void
wait_for (UdpBatch *udp, BareEnd *end)
{
  struct pollfd fd = { udp_batch_fd (udp), POLLIN, 0 };
  guint64 expiry = bare_end_expiry (end), now = bare_now ();
  struct timespec limit;

  if (bare_end_is_blocked (end))
    fd.events |= POLLOUT;
  else if (expiry <= now)
    return;
  expiry = MAX (expiry, now);
  if (expiry - now > NGTCP2_SECONDS)
    expiry = now + NGTCP2_SECONDS;
  limit = (struct timespec){ (time_t)((expiry - now) / NGTCP2_SECONDS),
                             (long)((expiry - now) % NGTCP2_SECONDS) };
  ppoll (&fd, 1, &limit, NULL);
}

static void
on_datagram (const guint8 *data, gsize len, gpointer user_data)
{
  bare_end_read (user_data, data, len);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (UdpBatch) udp = NULL;
  g_autoptr (BareEnd) end = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || local == NULL)
    bench_fail ("%s", error != NULL ? error->message : "--local is missing");
  prctl (PR_SET_TIMERSLACK, 1UL);
  udp = udp_batch_new (local, remote, !plain);
  end = bare_end_new (&(BareConfig){
      .udp = udp,
      .sends = remote != NULL,
      .congestion = algorithm (),
      .streams = (guint)streams,
      .window = (guint64)window_kib << 10,
      .packet = (gsize)packet,
      .ack_every = (gsize)ack_every,
      .seconds = seconds,
      .skip_us = (gint64)skip_ms * 1000,
  });
  while (!bare_end_is_over (end))
    {
      if (!bare_end_write (end))
        wait_for (udp, end);
      bare_end_tick (end);
      udp_batch_receive (udp, on_datagram, end);
    }
  bare_end_report (end);
  return 0;
}
