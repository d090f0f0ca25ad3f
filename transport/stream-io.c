/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/ics-stream-private.h"
#include "transport/stream-source.h"

/* The two halves of an IcsStream as GIO streams. GIO builds the asynchronous calls from the pollable ones. */

#define ICS_TYPE_STREAM_INPUT (ics_stream_input_get_type ())
G_DECLARE_FINAL_TYPE (IcsStreamInput, ics_stream_input, ICS, STREAM_INPUT, GInputStream)

struct _IcsStreamInput
{
  GInputStream parent_instance;
  IcsQuicStream *core;
};

#define ICS_TYPE_STREAM_OUTPUT (ics_stream_output_get_type ())
G_DECLARE_FINAL_TYPE (IcsStreamOutput, ics_stream_output, ICS, STREAM_OUTPUT, GOutputStream)

struct _IcsStreamOutput
{
  GOutputStream parent_instance;
  IcsQuicStream *core;
};

static void ics_stream_input_pollable_init (GPollableInputStreamInterface *iface);
static void ics_stream_output_pollable_init (GPollableOutputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (IcsStreamInput, ics_stream_input, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_INPUT_STREAM,
                                                      ics_stream_input_pollable_init))
G_DEFINE_FINAL_TYPE_WITH_CODE (IcsStreamOutput, ics_stream_output, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_POLLABLE_OUTPUT_STREAM,
                                                      ics_stream_output_pollable_init))

static GSource *
create_source (gpointer stream, IcsQuicStream *core, GIOCondition condition, GCancellable *cancellable)
{
  g_autoptr (GSource) ready = ics_quic_stream_create_source (core, condition);
  GSource *source = g_pollable_source_new (stream);

  g_source_add_child_source (source, ready);
  ics_stream_source_add_cancellable (source, cancellable);
  return source;
}

/* --- input --- */

static gssize
ics_stream_input_read (GInputStream *stream, void *buffer, gsize count, GCancellable *cancellable,
                       GError **error)
{
  return ics_quic_stream_read (ICS_STREAM_INPUT (stream)->core, buffer, count, TRUE, cancellable, error);
}

static gssize
ics_stream_input_read_nonblocking (GPollableInputStream *stream, void *buffer, gsize count, GError **error)
{
  return ics_quic_stream_read (ICS_STREAM_INPUT (stream)->core, buffer, count, FALSE, NULL, error);
}

static gboolean
ics_stream_input_is_readable (GPollableInputStream *stream)
{
  return ics_quic_stream_is_ready (ICS_STREAM_INPUT (stream)->core, G_IO_IN);
}

static GSource *
ics_stream_input_create_source (GPollableInputStream *stream, GCancellable *cancellable)
{
  return create_source (stream, ICS_STREAM_INPUT (stream)->core, G_IO_IN, cancellable);
}

static gboolean
ics_stream_input_close (GInputStream *stream, GCancellable *cancellable, GError **error)
{
  ics_quic_stream_stop_read (ICS_STREAM_INPUT (stream)->core);
  return TRUE;
}

static void
ics_stream_input_dispose (GObject *object)
{
  IcsStreamInput *self = ICS_STREAM_INPUT (object);

  /* GInputStream closes itself here: it still needs the core. */
  G_OBJECT_CLASS (ics_stream_input_parent_class)->dispose (object);
  g_clear_pointer (&self->core, ics_quic_stream_unref);
}

static void
ics_stream_input_class_init (IcsStreamInputClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ics_stream_input_dispose;
  G_INPUT_STREAM_CLASS (klass)->read_fn = ics_stream_input_read;
  G_INPUT_STREAM_CLASS (klass)->close_fn = ics_stream_input_close;
}

static void
ics_stream_input_pollable_init (GPollableInputStreamInterface *iface)
{
  iface->is_readable = ics_stream_input_is_readable;
  iface->create_source = ics_stream_input_create_source;
  iface->read_nonblocking = ics_stream_input_read_nonblocking;
}

static void
ics_stream_input_init (IcsStreamInput *self)
{
}

GInputStream *
ics_stream_input_new (IcsQuicStream *core)
{
  IcsStreamInput *self = g_object_new (ICS_TYPE_STREAM_INPUT, NULL);

  self->core = ics_quic_stream_ref (core);
  return G_INPUT_STREAM (self);
}

/* --- output --- */

static gssize
ics_stream_output_write (GOutputStream *stream, const void *buffer, gsize count, GCancellable *cancellable,
                         GError **error)
{
  return ics_quic_stream_write (ICS_STREAM_OUTPUT (stream)->core, buffer, count, TRUE, cancellable, error);
}

static gssize
ics_stream_output_write_nonblocking (GPollableOutputStream *stream, const void *buffer, gsize count,
                                     GError **error)
{
  return ics_quic_stream_write (ICS_STREAM_OUTPUT (stream)->core, buffer, count, FALSE, NULL, error);
}

static gboolean
ics_stream_output_is_writable (GPollableOutputStream *stream)
{
  return ics_quic_stream_is_ready (ICS_STREAM_OUTPUT (stream)->core, G_IO_OUT);
}

static GSource *
ics_stream_output_create_source (GPollableOutputStream *stream, GCancellable *cancellable)
{
  return create_source (stream, ICS_STREAM_OUTPUT (stream)->core, G_IO_OUT, cancellable);
}

static gboolean
ics_stream_output_close (GOutputStream *stream, GCancellable *cancellable, GError **error)
{
  ics_quic_stream_finish_write (ICS_STREAM_OUTPUT (stream)->core);
  return TRUE;
}

static void
ics_stream_output_dispose (GObject *object)
{
  IcsStreamOutput *self = ICS_STREAM_OUTPUT (object);

  G_OBJECT_CLASS (ics_stream_output_parent_class)->dispose (object);
  g_clear_pointer (&self->core, ics_quic_stream_unref);
}

static void
ics_stream_output_class_init (IcsStreamOutputClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = ics_stream_output_dispose;
  G_OUTPUT_STREAM_CLASS (klass)->write_fn = ics_stream_output_write;
  G_OUTPUT_STREAM_CLASS (klass)->close_fn = ics_stream_output_close;
}

static void
ics_stream_output_pollable_init (GPollableOutputStreamInterface *iface)
{
  iface->is_writable = ics_stream_output_is_writable;
  iface->create_source = ics_stream_output_create_source;
  iface->write_nonblocking = ics_stream_output_write_nonblocking;
}

static void
ics_stream_output_init (IcsStreamOutput *self)
{
}

GOutputStream *
ics_stream_output_new (IcsQuicStream *core)
{
  IcsStreamOutput *self = g_object_new (ICS_TYPE_STREAM_OUTPUT, NULL);

  self->core = ics_quic_stream_ref (core);
  return G_OUTPUT_STREAM (self);
}
