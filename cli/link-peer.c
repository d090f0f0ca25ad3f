/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/link-peer.h"

/* Told to the peer when a stream is given up; the control stream says why. */
#define RESET_CODE 1

struct _CliLinkPeer
{
  CliPeer peer; /* first: the vtable's functions get this */
  IcsLink *link;
  CliStreamQueue *incoming;
};

static GIOStream *
link_open (CliPeer *peer, GError **error)
{
  return (GIOStream *)ics_link_open_stream (((CliLinkPeer *)peer)->link, error);
}

static GIOStream *
link_accept (CliPeer *peer, GCancellable *cancellable, GError **error)
{
  return cli_stream_queue_pop (((CliLinkPeer *)peer)->incoming, cancellable, error);
}

static void
link_reset (CliPeer *peer, GIOStream *stream)
{
  ics_stream_reset (ICS_STREAM (stream), RESET_CODE);
}

static guint64
link_count (CliPeer *peer, GIOStream *stream, gboolean sent, IcsPathKind kind)
{
  return sent ? ics_stream_get_sent (ICS_STREAM (stream), kind)
              : ics_stream_get_received (ICS_STREAM (stream), kind);
}

static const CliPeerVtable link_vtable = { link_open, link_accept, link_reset, link_count };

static void
clear (gpointer data)
{
  CliLinkPeer *self = data;

  g_object_unref (self->link);
  cli_stream_queue_free (self->incoming);
}

CliLinkPeer *
cli_link_peer_new (IcsLink *link, gboolean initiator)
{
  CliLinkPeer *self = g_rc_box_new0 (CliLinkPeer);

  self->peer.vtable = &link_vtable;
  self->peer.initiator = initiator;
  self->link = g_object_ref (link);
  self->incoming = cli_stream_queue_new ();
  return self;
}

CliPeer *
cli_link_peer_get (CliLinkPeer *self)
{
  return &self->peer;
}

static void accept_next (CliLinkPeer *self);

static void
on_accepted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  CliLinkPeer *self = user_data;
  g_autoptr (GError) error = NULL;
  IcsStream *stream = ics_link_accept_stream_finish (ICS_LINK (source), result, &error);

  if (stream != NULL)
    {
      cli_stream_queue_push (self->incoming, G_IO_STREAM (stream));
      accept_next (self);
    }
  else
    cli_stream_queue_end (self->incoming, error);
  cli_link_peer_unref (self);
}

static void
accept_next (CliLinkPeer *self)
{
  ics_link_accept_stream_async (self->link, NULL, on_accepted, g_rc_box_acquire (self));
}

void
cli_link_peer_start (CliLinkPeer *self)
{
  accept_next (self);
}

void
cli_link_peer_end (CliLinkPeer *self, const GError *error)
{
  cli_stream_queue_end (self->incoming, error);
}

void
cli_link_peer_unref (CliLinkPeer *self)
{
  g_rc_box_release_full (self, clear);
}
