/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/deadline.h"
#include "cli/forward.h"
#include "cli/pump.h"
#include <string.h>

gboolean
cli_forward_header_write (GIOStream *stream, JsonObject *object, GCancellable *cancellable, GError **error)
{
  g_autofree char *text = cli_json_serialize (object);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint16 prefix = GUINT16_TO_BE ((guint16)strlen (text));

  json_object_unref (object);
  g_return_val_if_fail (strlen (text) <= CLI_FORWARD_HEADER_MAX, FALSE);
  g_byte_array_append (bytes, (const guint8 *)&prefix, sizeof prefix);
  g_byte_array_append (bytes, (const guint8 *)text, (guint)strlen (text));
  return cli_peer_write_all (g_io_stream_get_output_stream (stream), bytes->data, bytes->len, cancellable,
                             error);
}

JsonObject *
cli_forward_header_read (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  GInputStream *in = g_io_stream_get_input_stream (stream);
  g_autoptr (CliDeadline) deadline = cli_deadline_new (cancellable, CLI_HEADER_TIMEOUT_MS);
  GCancellable *bounded = cli_deadline_get_cancellable (deadline);
  char text[CLI_FORWARD_HEADER_MAX];
  JsonObject *object = NULL;
  guint16 length;

  if (!cli_peer_read_all (in, &length, sizeof length, bounded, error))
    return NULL;
  length = GUINT16_FROM_BE (length);
  if (length <= sizeof text)
    {
      if (!cli_peer_read_all (in, text, length, bounded, error))
        return NULL;
      object = cli_json_parse (text, length);
    }
  if (object == NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the header of a stream cannot be read");
  return object;
}

/* One direction of one connection. */
typedef struct
{
  GIOStream *from;
  GIOStream *to;
  CliRate *rate;             /* (nullable) */
  GCancellable *cancellable; /* of the connection */
  gboolean good;
} Direction;

static gpointer
carry_direction (gpointer user_data)
{
  Direction *self = user_data;
  CliPump pump = { g_io_stream_get_input_stream (self->from), g_io_stream_get_output_stream (self->to), NULL,
                   self->rate, NULL };

  self->good = cli_pump_run (&pump, self->cancellable, NULL) == CLI_PUMP_GOOD
               && cli_peer_half_close (self->to, NULL);
  /* What broke in one direction cannot go on in the other. */
  if (!self->good)
    g_cancellable_cancel (self->cancellable);
  return NULL;
}

static void
carry_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_cancellable_cancel (G_CANCELLABLE (user_data));
}

gboolean
cli_forward_carry (GIOStream *stream, GIOStream *socket, CliRate *rate, GCancellable *cancellable)
{
  g_autoptr (GCancellable) own = g_cancellable_new ();
  Direction up = { socket, stream, rate, own, FALSE };
  Direction down = { stream, socket, NULL, own, FALSE };
  gulong handler
      = g_cancellable_connect (cancellable, G_CALLBACK (carry_cancelled), g_object_ref (own), g_object_unref);
  GThread *thread = g_thread_try_new ("forward-up", carry_direction, &up, NULL);

  if (thread != NULL)
    {
      carry_direction (&down);
      g_thread_join (thread);
    }
  g_cancellable_disconnect (cancellable, handler);
  return up.good && down.good;
}
