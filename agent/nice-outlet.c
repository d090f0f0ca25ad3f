/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nice-outlet.h"

#define COMPONENT NICE_COMPONENT_TYPE_RTP

/* When there is no socket to poll. */
#define RETRY_MS 3

struct _IcsNiceOutlet
{
  NiceAgent *agent;
  guint stream;
  GMainContext *context;
  void (*writable) (gpointer);
  gpointer user_data;
  GSource *source; /* while waiting */
};

IcsNiceOutlet *
ics_nice_outlet_new (NiceAgent *agent, guint stream, GMainContext *context, void (*writable) (gpointer),
                     gpointer user_data)
{
  IcsNiceOutlet *self = g_new0 (IcsNiceOutlet, 1);

  self->agent = agent;
  self->stream = stream;
  self->context = g_main_context_ref (context);
  self->writable = writable;
  self->user_data = user_data;
  return self;
}

static void
stop_waiting (IcsNiceOutlet *self)
{
  if (self->source == NULL)
    return;
  g_source_destroy (self->source);
  g_clear_pointer (&self->source, g_source_unref);
}

void
ics_nice_outlet_free (IcsNiceOutlet *self)
{
  stop_waiting (self);
  g_main_context_unref (self->context);
  g_free (self);
}

static gboolean
on_retry (gpointer user_data)
{
  IcsNiceOutlet *self = user_data;

  stop_waiting (self);
  self->writable (self->user_data);
  return G_SOURCE_REMOVE;
}

static gboolean
on_socket_writable (G_GNUC_UNUSED GSocket *socket, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
  return on_retry (user_data);
}

/* On a relay leg the selected socket is not to be had, but the one socket below it is. (transfer full)
 * (nullable) */
static GSocket *
find_socket (IcsNiceOutlet *self)
{
  GSocket *socket = nice_agent_get_selected_socket (self->agent, self->stream, COMPONENT);
  g_autoptr (GPtrArray) sockets = NULL;

  if (socket != NULL)
    return socket;
  sockets = nice_agent_get_sockets (self->agent, self->stream, COMPONENT);
  if (sockets == NULL || sockets->len != 1)
    return NULL;
  return g_object_ref (g_ptr_array_index (sockets, 0));
}

/* A non-reliable agent never emits reliable-transport-writable. */
static void
start_waiting (IcsNiceOutlet *self)
{
  g_autoptr (GSocket) socket = NULL;

  if (self->source != NULL)
    return;
  socket = find_socket (self);
  if (socket != NULL)
    {
      self->source = g_socket_create_source (socket, G_IO_OUT, NULL);
      g_source_set_callback (self->source, G_SOURCE_FUNC (on_socket_writable), self, NULL);
    }
  else
    {
      self->source = g_timeout_source_new (RETRY_MS);
      g_source_set_callback (self->source, on_retry, self, NULL);
    }
  g_source_attach (self->source, self->context);
}

IcsSendResult
ics_nice_outlet_send (IcsNiceOutlet *self, const guint8 *data, gsize len)
{
  GOutputVector vector = { data, len };
  NiceOutputMessage message = { &vector, 1 };
  g_autoptr (GError) error = NULL;
  int sent = nice_agent_send_messages_nonblocking (self->agent, self->stream, COMPONENT, &message, 1, NULL,
                                                   &error);

  if (sent == 1)
    return ICS_SEND_OK;
  if (sent < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return ICS_SEND_FAILED;
  start_waiting (self);
  return ICS_SEND_BLOCKED;
}
