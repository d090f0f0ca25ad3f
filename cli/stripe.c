/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stripe.h"
#include "base/ics-error.h"

/* Where in the sequence one direction stands. */
typedef struct
{
  GPtrArray *streams;
  gsize block;
  guint current;
  gsize used; /* bytes of the current block */
} Cursor;

static GIOStream *
cursor_stream (const Cursor *cursor)
{
  return g_ptr_array_index (cursor->streams, cursor->current);
}

static gsize
cursor_room (const Cursor *cursor, gsize count)
{
  return MIN (count, cursor->block - cursor->used);
}

static void
cursor_advance (Cursor *cursor, gsize count)
{
  cursor->used += count;
  if (cursor->used < cursor->block)
    return;
  cursor->used = 0;
  cursor->current = (cursor->current + 1) % cursor->streams->len;
}

#define CLI_TYPE_STRIPE_INPUT (cli_stripe_input_get_type ())
G_DECLARE_FINAL_TYPE (CliStripeInput, cli_stripe_input, CLI, STRIPE_INPUT, GInputStream)

struct _CliStripeInput
{
  GInputStream parent;
  Cursor cursor;
};

G_DEFINE_FINAL_TYPE (CliStripeInput, cli_stripe_input, G_TYPE_INPUT_STREAM)

static gssize
stripe_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable, GError **error)
{
  Cursor *cursor = &CLI_STRIPE_INPUT (stream)->cursor;
  GInputStream *in = g_io_stream_get_input_stream (cursor_stream (cursor));
  gssize n = g_input_stream_read (in, buffer, cursor_room (cursor, count), cancellable, error);

  if (n > 0)
    cursor_advance (cursor, (gsize)n);
  else if (n < 0)
    cli_peer_translate_error (error);
  return n;
}

static void
cli_stripe_input_finalize (GObject *object)
{
  g_clear_pointer (&CLI_STRIPE_INPUT (object)->cursor.streams, g_ptr_array_unref);
  G_OBJECT_CLASS (cli_stripe_input_parent_class)->finalize (object);
}

static void
cli_stripe_input_class_init (CliStripeInputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cli_stripe_input_finalize;
  G_INPUT_STREAM_CLASS (klass)->read_fn = stripe_read;
}

static void
cli_stripe_input_init (CliStripeInput *self)
{
}

#define CLI_TYPE_STRIPE_OUTPUT (cli_stripe_output_get_type ())
G_DECLARE_FINAL_TYPE (CliStripeOutput, cli_stripe_output, CLI, STRIPE_OUTPUT, GOutputStream)

struct _CliStripeOutput
{
  GOutputStream parent;
  Cursor cursor;
};

G_DEFINE_FINAL_TYPE (CliStripeOutput, cli_stripe_output, G_TYPE_OUTPUT_STREAM)

static gssize
stripe_write (GOutputStream *stream, const void *buffer, gsize count, GCancellable *cancellable,
              GError **error)
{
  Cursor *cursor = &CLI_STRIPE_OUTPUT (stream)->cursor;
  GOutputStream *out = g_io_stream_get_output_stream (cursor_stream (cursor));
  gssize n = g_output_stream_write (out, buffer, cursor_room (cursor, count), cancellable, error);

  if (n > 0)
    cursor_advance (cursor, (gsize)n);
  else if (n < 0)
    cli_peer_translate_error (error);
  return n;
}

static gboolean
stripe_close (GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  Cursor *cursor = &CLI_STRIPE_OUTPUT (stream)->cursor;

  for (guint i = 0; i < cursor->streams->len; i++)
    if (!cli_peer_half_close (g_ptr_array_index (cursor->streams, i), error))
      return FALSE;
  return TRUE;
}

static void
cli_stripe_output_finalize (GObject *object)
{
  G_OBJECT_CLASS (cli_stripe_output_parent_class)->finalize (object);
  g_clear_pointer (&CLI_STRIPE_OUTPUT (object)->cursor.streams, g_ptr_array_unref);
}

static void
cli_stripe_output_class_init (CliStripeOutputClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = cli_stripe_output_finalize;
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = stripe_write;
  G_OUTPUT_STREAM_CLASS (klass)->close_fn = stripe_close;
}

static void
cli_stripe_output_init (CliStripeOutput *self)
{
}

static CliStripes *
stripes_new (guint count, gsize block)
{
  CliStripes *self = g_new0 (CliStripes, 1);

  self->count = count;
  self->block = block;
  self->streams = g_ptr_array_new_with_free_func (g_object_unref);
  return self;
}

void
cli_stripes_free (CliStripes *self)
{
  g_ptr_array_unref (self->streams);
  g_free (self);
}

void
cli_stripes_describe (JsonObject *hello)
{
  json_object_set_int_member (hello, "streams", CLI_STRIPE_COUNT);
  json_object_set_int_member (hello, "block", CLI_STRIPE_BLOCK);
}

gboolean
cli_stripes_read_hello (JsonObject *hello, guint *count, gsize *block, GError **error)
{
  gint64 streams = 0;
  gint64 size = 0;

  if (!cli_json_int (hello, "streams", 1, CLI_STRIPE_COUNT_MAX, &streams)
      || !cli_json_int (hello, "block", CLI_STRIPE_BLOCK_MIN, CLI_STRIPE_BLOCK_MAX, &size))
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the other side does not say how it cuts the data");
      return FALSE;
    }
  *count = (guint)streams;
  *block = (gsize)size;
  return TRUE;
}

CliStripes *
cli_stripes_open (CliPeer *peer, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliStripes) self = stripes_new (CLI_STRIPE_COUNT, CLI_STRIPE_BLOCK);

  for (guint i = 0; i < self->count; i++)
    {
      GIOStream *stream = cli_peer_open (peer, CLI_STREAM_DATA, (guint8)i, cancellable, error);

      if (stream == NULL)
        return NULL;
      g_ptr_array_add (self->streams, stream);
    }
  return g_steal_pointer (&self);
}

CliStripes *
cli_stripes_accept (CliPeer *peer, guint count, gsize block, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliStripes) self = stripes_new (count, block);

  g_ptr_array_set_size (self->streams, (gint)count);
  for (guint i = 0; i < count; i++)
    {
      CliStreamKind kind;
      guint8 index;
      GIOStream *stream = cli_peer_accept (peer, &kind, &index, cancellable, error);

      if (stream == NULL)
        return NULL;
      if (kind != CLI_STREAM_DATA || index >= count || self->streams->pdata[index] != NULL)
        {
          g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL,
                       "the other side opened a stream that was not due");
          g_object_unref (stream);
          return NULL;
        }
      self->streams->pdata[index] = stream;
    }
  return g_steal_pointer (&self);
}

void
cli_stripes_reset (CliStripes *self, CliPeer *peer)
{
  for (guint i = 0; i < self->streams->len; i++)
    cli_peer_reset (peer, g_ptr_array_index (self->streams, i));
}

static void
cursor_init (Cursor *cursor, const CliStripes *stripes)
{
  cursor->streams = g_ptr_array_ref (stripes->streams);
  cursor->block = stripes->block;
}

GInputStream *
cli_stripes_new_input (CliStripes *self)
{
  CliStripeInput *input = g_object_new (CLI_TYPE_STRIPE_INPUT, NULL);

  cursor_init (&input->cursor, self);
  return G_INPUT_STREAM (input);
}

GOutputStream *
cli_stripes_new_output (CliStripes *self)
{
  CliStripeOutput *output = g_object_new (CLI_TYPE_STRIPE_OUTPUT, NULL);

  cursor_init (&output->cursor, self);
  return G_OUTPUT_STREAM (output);
}

void
cli_stripes_count (CliStripes *self, CliPeer *peer, gboolean sent, guint64 payload,
                   guint64 by_kind[ICS_N_PATH_KINDS])
{
  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    {
      by_kind[kind] = 0;
      for (guint i = 0; i < self->streams->len; i++)
        by_kind[kind] += peer->vtable->count (peer, self->streams->pdata[i], sent, (IcsPathKind)kind);
    }
  cli_stripes_apportion (payload, by_kind);
}

void
cli_stripes_apportion (guint64 payload, guint64 by_kind[ICS_N_PATH_KINDS])
{
  guint64 total = 0;
  guint64 given = 0;
  guint largest = 0;

  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    {
      total += by_kind[kind];
      if (by_kind[kind] > by_kind[largest])
        largest = kind;
    }
  for (guint kind = 0; kind < ICS_N_PATH_KINDS && total > 0; kind++)
    {
      long double share = (long double)by_kind[kind] / (long double)total;

      by_kind[kind] = MIN ((guint64)((long double)payload * share), payload - given);
      given += by_kind[kind];
    }
  by_kind[largest] += payload - given;
}
