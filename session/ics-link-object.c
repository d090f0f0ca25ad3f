/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

#include "base/secret.h"

/* The type of a link: its signals and its end. */

guint ics_link_signals[ICS_LINK_N_SIGNALS];

G_DEFINE_FINAL_TYPE (IcsLink, ics_link, G_TYPE_OBJECT)

static void
ics_link_finalize (GObject *object)
{
  IcsLink *self = ICS_LINK (object);

  if (self->thread != NULL && !self->finished)
    ics_link_thread_close (self->thread, 0, "");
  g_clear_pointer (&self->thread, ics_link_thread_unref);
  g_clear_pointer (&self->hub, ics_stream_hub_unref);
  g_clear_pointer (&self->path, ics_path_info_unref);
  g_free (self->why_not_direct);
  g_queue_clear_full (&self->record, g_free);
  g_queue_clear_full (&self->incoming, g_object_unref);
  g_clear_object (&self->channel);
  g_main_context_unref (self->context);
  g_clear_error (&self->close_error);
  g_strfreev (self->turn_uris);
  g_free (self->turn_ca_file);
  g_free (self->server_uri);
  g_free (self->nameplate);
  g_free (self->application);
  ics_secret_free (self->code);
  g_free (self->fingerprint);
  g_free (self->peer_fingerprint);
  ics_tally_unref (self->tally);
  G_OBJECT_CLASS (ics_link_parent_class)->finalize (object);
}

static void
new_signal (IcsLinkSignal id, const char *name, GType type)
{
  ics_link_signals[id]
      = g_signal_new (name, ICS_TYPE_LINK, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, type);
}

static void
install_signals (void)
{
  /**
   * IcsLink::code:
   * @self: the link
   * @code: the code, "7-cable-otter"
   *
   * This host listens: the code is to be given to the other host.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_CODE, "code", G_TYPE_STRING);

  /**
   * IcsLink::path-changed:
   * @self: the link
   * @path: the path it is on now
   *
   * The traffic that this host sends moved; the first path included.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_PATH_CHANGED, "path-changed", ICS_TYPE_PATH_INFO);

  /**
   * IcsLink::stall:
   * @self: the link
   * @ms: the longest pause, in milliseconds
   *
   * A shift of the traffic, which is over, held up what the application receives.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_STALL, "stall", G_TYPE_UINT);

  /**
   * IcsLink::incoming-stream:
   * @self: the link
   * @stream: the stream
   *
   * The peer opened a stream. While nobody is connected to this signal, or an
   * [method@Link.accept_stream_async] is under way, the stream is kept for that instead.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_INCOMING_STREAM, "incoming-stream", ICS_TYPE_STREAM);

  /**
   * IcsLink::datagram:
   * @self: the link
   * @payload: what it carries
   *
   * A datagram came (RFC 9221). When this context is blocked, 256 of them wait; what comes beyond is
   * lost.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_DATAGRAM, "datagram", G_TYPE_BYTES);

  /**
   * IcsLink::record:
   * @self: the link
   * @line: the line, in people's words
   *
   * There is a new line of the record ([method@Link.get_record]).
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_RECORD, "record", G_TYPE_STRING);

  /**
   * IcsLink::closed:
   * @self: the link
   * @error: (nullable): why; %NULL after a clean close by either side
   *
   * The link ended, in whatever way, also when its connect failed; nothing comes after it. What it holds on
   * servers and gateways is given back after that: [method@Link.close_async] tells when, also now.
   *
   * Since: 0.1
   */
  new_signal (ICS_LINK_SIGNAL_CLOSED, "closed", G_TYPE_ERROR);
}

static void
ics_link_class_init (IcsLinkClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize = ics_link_finalize;
  ics_link_install_properties (object_class);
  install_signals ();
}

static void
ics_link_init (IcsLink *self)
{
  self->context = g_main_context_ref_thread_default ();
  self->tally = ics_tally_new ();
}
