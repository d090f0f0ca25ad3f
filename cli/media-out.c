/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/media.h"
#include "cli/pump.h"

/* Packets that came before the word on their source: so many, and for so long. */
#define WAITING_MAX 256
#define WAITING_US (2 * G_USEC_PER_SEC)

typedef struct
{
  GBytes *bytes;
  gboolean rtcp;
  gint64 until;
} Waiting;

typedef struct
{
  GSocket *socket;
  GSocketAddress *address[2]; /* RTP, RTCP */
} Out;

struct _CliMediaOut
{
  CliMedia *job;
  GPtrArray *outs; /* of Out */
  GQueue waiting;
};

static void
out_free (gpointer data)
{
  Out *out = data;

  g_clear_object (&out->socket);
  g_clear_object (&out->address[0]);
  g_clear_object (&out->address[1]);
  g_free (out);
}

static void
waiting_free (gpointer data)
{
  Waiting *waiting = data;

  g_bytes_unref (waiting->bytes);
  g_free (waiting);
}

static GInetAddress *
resolve (const char *host, GCancellable *cancellable, GError **error)
{
  g_autoptr (GResolver) resolver = g_resolver_get_default ();
  GList *found = g_resolver_lookup_by_name (resolver, host, cancellable, error);
  GInetAddress *first = found != NULL ? g_object_ref (found->data) : NULL;

  g_resolver_free_addresses (found);
  return first;
}

static Out *
out_new (const CliRtpPorts *ports, gboolean mux, GCancellable *cancellable, GError **error)
{
  g_autoptr (GInetAddress) host = resolve (ports->host, cancellable, error);
  Out *out;

  if (host == NULL)
    return NULL;
  out = g_new0 (Out, 1);
  out->socket
      = g_socket_new (g_inet_address_get_family (host), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  for (guint i = 0; i < 2; i++)
    out->address[i] = g_inet_socket_address_new (host, (guint16)(ports->port + (mux ? 0 : i)));
  if (out->socket != NULL)
    return out;
  out_free (out);
  return NULL;
}

CliMediaOut *
cli_media_out_new (CliMedia *job, GCancellable *cancellable, GError **error)
{
  CliMediaOut *self = g_new0 (CliMediaOut, 1);

  self->job = job;
  self->outs = g_ptr_array_new_with_free_func (out_free);
  for (guint i = 0; i < job->outs->len; i++)
    {
      Out *out = out_new (job->outs->pdata[i], job->mux, cancellable, error);

      if (out == NULL)
        {
          cli_media_out_free (self);
          return NULL;
        }
      g_ptr_array_add (self->outs, out);
    }
  return self;
}

void
cli_media_out_free (CliMediaOut *self)
{
  g_ptr_array_unref (self->outs);
  g_queue_clear_full (&self->waiting, waiting_free);
  g_free (self);
}

/* What a local application does not take is lost, as on any network. */
static void
deliver (CliMediaOut *self, guint stream, gboolean rtcp, GBytes *packet)
{
  gsize len;
  const char *data = g_bytes_get_data (packet, &len);
  Out *out = stream < self->outs->len ? self->outs->pdata[stream] : NULL;

  if (out != NULL)
    g_socket_send_to (out->socket, out->address[rtcp ? 1 : 0], data, len, NULL, NULL);
  else
    cli_counter_add (&self->job->unassigned, 1);
}

/* One way out takes everything. */
static gboolean
find_stream (CliMediaOut *self, CliMediaRun *run, GBytes *packet, guint *stream)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (packet, &len);
  gboolean rtcp;
  guint32 ssrc;

  *stream = 0;
  return self->outs->len <= 1
         || (cli_media_peek (data, len, &rtcp, &ssrc) && cli_media_sources_get (run->received, ssrc, stream));
}

static void
give_up_waiting (CliMediaOut *self)
{
  waiting_free (g_queue_pop_head (&self->waiting));
  cli_counter_add (&self->job->unassigned, 1);
}

static void
flush_waiting (CliMediaOut *self, CliMediaRun *run)
{
  gint64 now = g_get_monotonic_time ();
  GList *next;

  for (GList *l = self->waiting.head; l != NULL; l = next)
    {
      Waiting *waiting = l->data;
      guint stream;

      next = l->next;
      if (!find_stream (self, run, waiting->bytes, &stream))
        continue;
      deliver (self, stream, waiting->rtcp, waiting->bytes);
      waiting_free (waiting);
      g_queue_delete_link (&self->waiting, l);
    }
  while (!g_queue_is_empty (&self->waiting) && ((Waiting *)self->waiting.head->data)->until < now)
    give_up_waiting (self);
}

static void
wait_for_word (CliMediaOut *self, gboolean rtcp, GBytes *packet)
{
  Waiting *waiting = g_new (Waiting, 1);

  if (g_queue_get_length (&self->waiting) >= WAITING_MAX)
    give_up_waiting (self);
  *waiting = (Waiting){ g_bytes_ref (packet), rtcp, g_get_monotonic_time () + WAITING_US };
  g_queue_push_tail (&self->waiting, waiting);
}

gboolean
cli_media_out_run (CliMediaOut *self, CliMediaRun *run, GError **error)
{
  const CliMedia *job = self->job;

  for (;;)
    {
      gboolean rtcp;
      g_autoptr (GBytes) packet = job->carrier->receive (job->carrier_data, &rtcp, run->cancellable, error);
      guint stream;

      if (packet == NULL)
        return FALSE;
      flush_waiting (self, run);
      if (find_stream (self, run, packet, &stream))
        deliver (self, stream, rtcp, packet);
      else
        wait_for_word (self, rtcp, packet);
    }
}
