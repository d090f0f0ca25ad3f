/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plain UDP as fast as it goes: the limit of what a datagram transport can reach on this machine. The
 * receiver counts what arrives; what is lost is lost. */
#include "bench/meter.h"
#include "bench/udp-batch.h"

#include <poll.h>
#include <string.h>

#define DATAGRAM 1452
/* Ends the receiver; repeated, since it may be lost. */
#define LAST 1
#define LAST_TIMES 50
#define SILENCE_MS 3000

static char *local, *remote;
static double seconds = 5;
static gboolean plain;
static int skip_ms;

static const GOptionEntry options[] = {
  { "local", 0, 0, G_OPTION_ARG_STRING, &local, "bind here", "ADDRESS:PORT" },
  { "remote", 0, 0, G_OPTION_ARG_STRING, &remote, "send there; without it: receive", "ADDRESS:PORT" },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "send for so long", "S" },
  { "skip-ms", 0, 0, G_OPTION_ARG_INT, &skip_ms, "receiver: do not count the first of it", "MS" },
  { "plain", 0, 0, G_OPTION_ARG_NONE, &plain, "no segmentation offload", NULL },
  { NULL },
};

typedef struct
{
  Meter meter;
  gint64 now;
  gboolean ended;
} Receiver;

static void
on_datagram (const guint8 *data, gsize len, gpointer user_data)
{
  Receiver *self = user_data;

  if (len == LAST)
    self->ended = TRUE;
  else
    meter_count (&self->meter, self->now, len);
}

static void
receive (UdpBatch *udp)
{
  Receiver self = { .meter = { .skip_us = skip_ms * 1000 } };
  struct pollfd fd = { udp_batch_fd (udp), POLLIN, 0 };

  while (!self.ended && poll (&fd, 1, self.meter.total > 0 ? SILENCE_MS : -1) > 0)
    {
      self.now = g_get_monotonic_time ();
      while (!self.ended && udp_batch_receive (udp, on_datagram, &self))
        self.now = g_get_monotonic_time ();
    }
  meter_report (&self.meter, "udp-receiver");
}

static void
transmit (UdpBatch *udp)
{
  Meter meter = { 0 };
  struct pollfd fd = { udp_batch_fd (udp), POLLOUT, 0 };
  gint64 end = g_get_monotonic_time () + (gint64)(seconds * 1e6);
  gsize len = UDP_BATCH_MAX / DATAGRAM * DATAGRAM;
  guint8 *data = g_malloc (len);

  memset (data, 0x5a, len);
  meter_start (&meter);
  for (gint64 now = 0; now < end;)
    {
      now = g_get_monotonic_time ();
      gsize sent = udp_batch_send (udp, data, len, DATAGRAM);
      if (sent > 0)
        meter_count (&meter, now, sent);
      else
        poll (&fd, 1, -1);
    }
  meter_report (&meter, "udp-sender");
  for (guint i = 0; i < LAST_TIMES; i++)
    {
      udp_batch_send (udp, data, LAST, LAST);
      g_usleep (2000);
    }
  g_free (data);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (UdpBatch) udp = NULL;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || local == NULL)
    bench_fail ("%s", error != NULL ? error->message : "--local is missing");
  udp = udp_batch_new (local, remote, !plain);
  if (remote != NULL)
    transmit (udp);
  else
    receive (udp);
  return 0;
}
