/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libnice's own reliable mode (its pseudo-TCP) with host candidates, as it comes: what an application that
 * stays on libnice has. The two programs tell each other their candidates through files. */
#include "bench/meter.h"

#include <nice/agent.h>

#define BLOCK (64 << 10)
#define POLL_MS 20
#define SILENCE_MS 1500
#define COMPONENT NICE_COMPONENT_TYPE_RTP

static char *address, *own_file, *peer_file;
static double seconds = 5;
static int skip_ms;
static gboolean sends;

static const GOptionEntry options[] = {
  { "local", 0, 0, G_OPTION_ARG_STRING, &address, "the only address to use", "ADDRESS" },
  { "own", 0, 0, G_OPTION_ARG_FILENAME, &own_file, "write the own candidates here", "FILE" },
  { "peer", 0, 0, G_OPTION_ARG_FILENAME, &peer_file, "wait for the peer's here", "FILE" },
  { "send", 0, 0, G_OPTION_ARG_NONE, &sends, "send; without it: receive", NULL },
  { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &seconds, "send for so long", "S" },
  { "skip-ms", 0, 0, G_OPTION_ARG_INT, &skip_ms, "receiver: do not count the first of it", "MS" },
  { NULL },
};

typedef struct
{
  GMainLoop *loop;
  NiceAgent *agent;
  guint stream;
  gint64 end; /* sender: monotonic µs, 0 before the start */
  Meter meter;
  char block[BLOCK];
} Bench;

static gboolean
on_silence (gpointer user_data)
{
  Bench *self = user_data;

  if (self->meter.last == 0 || g_get_monotonic_time () - self->meter.last < SILENCE_MS * 1000)
    return G_SOURCE_CONTINUE;
  meter_report (&self->meter, sends ? "nice-sender" : "nice-receiver");
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
fill (Bench *self)
{
  gint64 now = g_get_monotonic_time ();
  gint n = 0;

  while (now < self->end
         && (n = nice_agent_send (self->agent, self->stream, COMPONENT, BLOCK, self->block)) > 0)
    {
      meter_count (&self->meter, now, (gsize)n);
      now = g_get_monotonic_time ();
    }
}

static void
on_writable (NiceAgent *agent, guint stream, guint component, gpointer user_data)
{
  Bench *self = user_data;

  if (!sends)
    return;
  if (self->end == 0)
    {
      meter_start (&self->meter);
      self->end = g_get_monotonic_time () + (gint64)(seconds * 1e6);
    }
  fill (self);
}

static void
on_data (NiceAgent *agent, guint stream, guint component, guint len, gchar *data, gpointer user_data)
{
  Bench *self = user_data;

  meter_count (&self->meter, g_get_monotonic_time (), len);
}

static gboolean
on_poll (gpointer user_data)
{
  Bench *self = user_data;
  g_autofree char *text = NULL;

  if (!g_file_get_contents (peer_file, &text, NULL, NULL))
    return G_SOURCE_CONTINUE;
  if (nice_agent_parse_remote_sdp (self->agent, text) <= 0)
    bench_fail ("the peer's candidates are none");
  return G_SOURCE_REMOVE;
}

static void
on_gathered (NiceAgent *agent, guint stream, gpointer user_data)
{
  g_autofree char *text = nice_agent_generate_local_sdp (agent);
  g_autoptr (GError) error = NULL;

  if (!g_file_set_contents (own_file, text, -1, &error))
    bench_fail ("%s", error->message);
  g_timeout_add (POLL_MS, on_poll, user_data);
}

static void
run (Bench *self)
{
  NiceAddress local;

  self->loop = g_main_loop_new (NULL, FALSE);
  self->agent = nice_agent_new_reliable (NULL, NICE_COMPATIBILITY_RFC5245);
  g_object_set (self->agent, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode", sends, NULL);
  nice_address_init (&local);
  if (!nice_address_set_from_string (&local, address))
    bench_fail ("%s is no address", address);
  nice_agent_add_local_address (self->agent, &local);
  self->stream = nice_agent_add_stream (self->agent, 1);
  nice_agent_set_stream_name (self->agent, self->stream, "application");
  g_signal_connect (self->agent, "candidate-gathering-done", G_CALLBACK (on_gathered), self);
  g_signal_connect (self->agent, "reliable-transport-writable", G_CALLBACK (on_writable), self);
  nice_agent_attach_recv (self->agent, self->stream, COMPONENT, NULL, on_data, self);
  if (!nice_agent_gather_candidates (self->agent, self->stream))
    bench_fail ("no candidates");
  g_timeout_add (POLL_MS, on_silence, self);
  g_main_loop_run (self->loop);
  g_object_unref (self->agent);
  g_main_loop_unref (self->loop);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  Bench *self = g_new0 (Bench, 1);

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || !address || !own_file || !peer_file)
    bench_fail ("%s", error != NULL ? error->message : "--local, --own and --peer are needed");
  self->meter.skip_us = (gint64)skip_ms * 1000;
  run (self);
  g_free (self);
  return 0;
}
