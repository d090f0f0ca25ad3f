/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hosts without a rendezvous server of ice-session's: an MQTT broker is what both can reach.
 *
 *   ./mqtt BROKER PORT                                   prints a code
 *   ICE_SESSION_CODE=4711-cable-otter ./mqtt BROKER PORT
 *
 * The number in the code says on which topics they meet; its words are what they trust each other by. There
 * is no server that names a STUN or TURN server either, so ICE_SESSION_TURN may: "stun:HOST" or
 * "turn:USER:PASSWORD@HOST". Without it a direct path is found only where no NAT is between the hosts, and
 * all else goes through the broker. mqtt-channel.c is the channel. */
#include "mqtt-channel.h"

#include <glib-unix.h>
#include <stdlib.h>
#include <string.h>

typedef struct
{
  GMainLoop *loop;
  IcsLink *link;
  int status;
} Host;

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  ics_link_close_finish (ICS_LINK (source), result, NULL);
  g_main_loop_quit (((Host *)user_data)->loop);
}

static void
end (Host *self, const char *what, const GError *error)
{
  if (error != NULL)
    {
      g_printerr ("%s: %s\n", what, error->message);
      self->status = 1;
    }
  ics_link_close_async (self->link, error != NULL, error != NULL ? error->message : NULL, NULL, on_ended,
                        self);
}

/* --- a greeting over each path --- */

/* One of a stream; what it belongs to. */
typedef struct
{
  Host *host;
  IcsStream *stream;
  gboolean last;
} Greeting;

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Greeting *self = user_data;
  g_autoptr (GBytes) words = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, NULL);

  if (words != NULL)
    g_print ("heard: %.*s\n", (int)g_bytes_get_size (words), (const char *)g_bytes_get_data (words, NULL));
  if (self->last)
    end (self->host, NULL, NULL);
  g_object_unref (self->stream);
  g_free (self);
}

static void
greet (Host *self, IcsStream *stream, const char *words, gboolean last)
{
  GIOStream *io = G_IO_STREAM (stream);
  Greeting *greeting = g_new0 (Greeting, 1);

  *greeting = (Greeting){ self, g_object_ref (stream), last };
  /* A new stream has room for this: nothing waits here. */
  g_output_stream_write_all (g_io_stream_get_output_stream (io), words, strlen (words), NULL, NULL, NULL);
  g_input_stream_read_bytes_async (g_io_stream_get_input_stream (io), 80, G_PRIORITY_DEFAULT, NULL, on_read,
                                   greeting);
}

static void
on_stream (Host *self, IcsStream *stream)
{
  greet (self, stream, "hello to you", FALSE);
}

/* The joiner greets over each path; the broker has done its part when an answer has come over the direct one.
 */
static void
on_path (Host *self, IcsPathInfo *path)
{
  IcsPathKind kind = ics_path_info_get_kind (path);
  g_autofree char *words = g_strdup_printf ("hello, %s", ics_path_kind_to_string (kind));
  g_autoptr (IcsStream) stream = NULL;

  g_print ("path: %s\n", ics_path_kind_to_string (kind));
  if (ics_link_get_code (self->link) != NULL)
    return;
  stream = ics_link_open_stream (self->link, NULL);
  if (stream != NULL)
    greet (self, stream, words, kind == ICS_PATH_DIRECT);
}

/* --- the link --- */

static void
on_code (IcsLink *link G_GNUC_UNUSED, const char *code)
{
  g_print ("code: %s\n", code);
}

static void
on_closed (Host *self, const GError *error)
{
  end (self, "no link", self->status == 0 ? error : NULL);
}

static gboolean
on_interrupt (gpointer user_data)
{
  end (user_data, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* NULL when the code is none. */
static IcsLink *
make_link (const char *broker, guint16 port, const char *code, GError **error)
{
  const char *turn[] = { g_getenv ("ICE_SESSION_TURN"), NULL };
  g_autofree char *room = NULL;
  g_autoptr (IcsChannel) channel = NULL;

  if (code != NULL)
    room = ics_code_get_nameplate (code, error);
  else
    room = g_strdup_printf ("%d", g_random_int_range (1000, 1000000));
  if (room == NULL)
    return NULL;
  channel = mqtt_channel_new (broker, port, room, code == NULL);
  return g_object_new (ICS_TYPE_LINK, "channel", channel, "nameplate", code == NULL ? room : NULL,
                       "application", "mqtt/1", "turn-uris", turn[0] != NULL ? turn : NULL, NULL);
}

int
main (int argc, char **argv)
{
  const char *code = g_getenv ("ICE_SESSION_CODE");
  g_autoptr (GError) error = NULL;
  Host self = { 0 };

  if (argc == 3)
    self.link = make_link (argv[1], (guint16)atoi (argv[2]), code, &error);
  if (self.link == NULL)
    {
      g_printerr ("%s\n", error != NULL ? error->message : "usage: mqtt BROKER PORT");
      return 2;
    }
  self.loop = g_main_loop_new (NULL, FALSE);
  g_signal_connect (self.link, "code", G_CALLBACK (on_code), NULL);
  g_signal_connect_swapped (self.link, "path-changed", G_CALLBACK (on_path), &self);
  g_signal_connect_swapped (self.link, "incoming-stream", G_CALLBACK (on_stream), &self);
  g_signal_connect_swapped (self.link, "closed", G_CALLBACK (on_closed), &self);
  g_unix_signal_add (SIGINT, on_interrupt, &self);
  g_unix_signal_add (SIGTERM, on_interrupt, &self);
  ics_link_connect_async (self.link, code, NULL, NULL, NULL);
  g_main_loop_run (self.loop);

  g_clear_object (&self.link);
  g_main_loop_unref (self.loop);
  return self.status;
}
