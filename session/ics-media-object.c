/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/media-private.h"

struct _IcsMediaChannel
{
  GObject parent_instance;

  IcsMediaHub *hub;
  struct _Bell *bell;
  gboolean has_profile;
  gboolean told_end;
};

G_DEFINE_FLAGS_TYPE (IcsMediaFlags, ics_media_flags, G_DEFINE_ENUM_VALUE (ICS_MEDIA_FLAGS_NONE, "none"),
                     G_DEFINE_ENUM_VALUE (ICS_MEDIA_FLAGS_KEEP_KEYS, "keep-keys"))

G_DEFINE_FINAL_TYPE (IcsMediaChannel, ics_media_channel, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_PROFILE,
  N_PROPS
};

enum
{
  SIGNAL_RTP,
  SIGNAL_RTCP,
  SIGNAL_ENDED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* So many packets in one turn of the loop: other sources have a right to theirs. */
#define PACKETS_PER_DISPATCH 256

/* What the I/O thread rings; it never touches the object, which may be on its way out. Atomically counted. */
typedef struct _Bell
{
  GWeakRef channel;
  GMainContext *context;
  gint scheduled; /* atomic: a dispatch is on its way */
} Bell;

static void ring (gpointer user_data);

static gboolean
has_listener (IcsMediaChannel *self)
{
  return g_signal_has_handler_pending (self, signals[SIGNAL_RTP], 0, TRUE)
         || g_signal_has_handler_pending (self, signals[SIGNAL_RTCP], 0, TRUE);
}

static void
emit_packets (IcsMediaChannel *self)
{
  for (guint i = 0; i < PACKETS_PER_DISPATCH; i++)
    {
      IcsRtpKind kind;
      g_autoptr (GBytes) packet = has_listener (self) ? ics_media_hub_take (self->hub, &kind) : NULL;

      if (packet == NULL)
        return;
      g_signal_emit (self, signals[kind == ICS_RTP_RTCP ? SIGNAL_RTCP : SIGNAL_RTP], 0, packet);
    }
  ring (self->bell);
}

static void
tell_profile (IcsMediaChannel *self)
{
  if (self->has_profile || ics_media_hub_get_profile (self->hub) == NULL)
    return;
  self->has_profile = TRUE;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PROFILE]);
}

static void
tell_end (IcsMediaChannel *self)
{
  if (self->told_end)
    return;
  self->told_end = TRUE;
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
}

static gboolean
dispatch (gpointer user_data)
{
  Bell *bell = user_data;
  g_autoptr (IcsMediaChannel) self = g_weak_ref_get (&bell->channel);
  gboolean ended;

  /* Before the queue is looked at: who comes now asks for another one. */
  g_atomic_int_set (&bell->scheduled, FALSE);
  if (self == NULL)
    return G_SOURCE_REMOVE;
  ended = ics_media_hub_is_ended (self->hub);
  tell_profile (self);
  emit_packets (self);
  if (ended)
    tell_end (self);
  return G_SOURCE_REMOVE;
}

static void
bell_clear (gpointer data)
{
  Bell *bell = data;

  g_weak_ref_clear (&bell->channel);
  g_main_context_unref (bell->context);
}

static void
bell_unref (gpointer bell)
{
  g_atomic_rc_box_release_full (bell, bell_clear);
}

/* Any thread. */
static void
ring (gpointer user_data)
{
  Bell *bell = user_data;
  g_autoptr (GSource) source = NULL;

  if (!g_atomic_int_compare_and_exchange (&bell->scheduled, FALSE, TRUE))
    return;
  source = g_idle_source_new ();
  g_source_set_static_name (source, "ice-session media");
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, dispatch, g_atomic_rc_box_acquire (bell), bell_unref);
  g_source_attach (source, bell->context);
}

static void
ics_media_channel_finalize (GObject *object)
{
  IcsMediaChannel *self = ICS_MEDIA_CHANNEL (object);

  g_clear_pointer (&self->hub, ics_media_hub_unref);
  bell_unref (self->bell);
  G_OBJECT_CLASS (ics_media_channel_parent_class)->finalize (object);
}

static void
ics_media_channel_dispose (GObject *object)
{
  ics_media_hub_set_reader (ICS_MEDIA_CHANNEL (object)->hub, NULL, NULL);
  G_OBJECT_CLASS (ics_media_channel_parent_class)->dispose (object);
}

static void
ics_media_channel_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_PROFILE:
      g_value_set_string (value, ics_media_channel_get_profile (ICS_MEDIA_CHANNEL (object)));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static guint
new_packet_signal (const char *name)
{
  return g_signal_new (name, ICS_TYPE_MEDIA_CHANNEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                       G_TYPE_BYTES);
}

static void
ics_media_channel_class_init (IcsMediaChannelClass *class)
{
  GObjectClass *object_class = G_OBJECT_CLASS (class);

  object_class->dispose = ics_media_channel_dispose;
  object_class->finalize = ics_media_channel_finalize;
  object_class->get_property = ics_media_channel_get_property;

  /**
   * IcsMediaChannel:profile:
   *
   * The protection profile that the hosts agreed on, by its name in RFC 5764 or RFC 7714. %NULL until both
   * have opened the channel; media flows from its notification on. It stays %NULL when they have none in
   * common, and when the other host's program knows no media; the link's record says the former.
   *
   * Since: 0.1
   */
  properties[PROP_PROFILE]
      = g_param_spec_string ("profile", NULL, NULL, NULL, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * IcsMediaChannel::rtp:
   * @self: the channel
   * @packet: one RTP packet, as the other application sent it
   *
   * A packet came. Packets wait, at most 1,024, while no handler is connected to this or
   * #IcsMediaChannel::rtcp.
   *
   * Since: 0.1
   */
  signals[SIGNAL_RTP] = new_packet_signal ("rtp");

  /**
   * IcsMediaChannel::rtcp:
   * @self: the channel
   * @packet: one compound RTCP packet, as the other application sent it
   *
   * A control packet came; see #IcsMediaChannel::rtp.
   *
   * Since: 0.1
   */
  signals[SIGNAL_RTCP] = new_packet_signal ("rtcp");

  /**
   * IcsMediaChannel::ended:
   * @self: the channel
   *
   * The link has ended: nothing comes or goes any more. Once.
   *
   * Since: 0.1
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", ICS_TYPE_MEDIA_CHANNEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                        NULL, G_TYPE_NONE, 0);
}

static void
ics_media_channel_init (IcsMediaChannel *self)
{
  self->bell = g_atomic_rc_box_new0 (Bell);
  self->bell->context = g_main_context_ref_thread_default ();
  g_weak_ref_init (&self->bell->channel, self);
}

IcsMediaChannel *
ics_media_channel_new (IcsMediaHub *hub)
{
  IcsMediaChannel *self = g_object_new (ICS_TYPE_MEDIA_CHANNEL, NULL);

  self->hub = ics_media_hub_ref (hub);
  ics_media_hub_set_reader (hub, ring, self->bell);
  return self;
}

IcsMediaHub *
ics_media_channel_get_hub (IcsMediaChannel *self)
{
  return self->hub;
}
