/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <session/ics-link.h>
#include <session/ics-media-statistics.h>

G_BEGIN_DECLS

/**
 * IcsMediaFlags:
 * @ICS_MEDIA_FLAGS_NONE: nothing of that
 * @ICS_MEDIA_FLAGS_KEEP_KEYS: keep the master keys for ics_media_channel_get_key_log(). For debugging: who
 * has them reads, and can forge, all media of the link
 *
 * How a media channel is opened.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_MEDIA_FLAGS_NONE = 0,
  ICS_MEDIA_FLAGS_KEEP_KEYS = 1 << 0
} IcsMediaFlags;

#define ICS_TYPE_MEDIA_FLAGS (ics_media_flags_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_media_flags_get_type (void) G_GNUC_CONST;

/**
 * IcsMediaChannel:
 *
 * RTP and RTCP of an application (RFC 3550) beside the streams of an #IcsLink, protected as SRTP and SRTCP
 * (RFC 3711, RFC 7714) with keys from the link's own handshake (RFC 5764 section 4.2). Packets go over the
 * path that the link's traffic is on, and are taken from every path of it; a change of path is invisible to
 * both applications, but for what is lost or overtakes. Nothing is repeated, ordered or slowed down here.
 *
 * Media flows when both hosts have opened the channel; until then what is sent is dropped. It lives as long
 * as its link.
 *
 * All functions may be called from any thread. Signals and property notifications arrive on the
 * thread-default main context of ics_link_open_media(), several packets in one turn of the loop. An
 * application that rather waits on a thread of its own calls ics_media_channel_receive(), and connects to no
 * signal of packets.
 *
 * Since: 0.1
 */
#define ICS_TYPE_MEDIA_CHANNEL (ics_media_channel_get_type ())
ICS_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (IcsMediaChannel, ics_media_channel, ICS, MEDIA_CHANNEL, GObject)

/**
 * ics_link_open_media:
 * @self: a link that is connected
 * @profiles: (nullable) (array zero-terminated=1): names of the protection profiles that will do, the
 * preferred one first, "SRTP_AEAD_AES_128_GCM" or "SRTP_AES128_CM_HMAC_SHA1_80"; %NULL: both, in this order.
 * Of what the joiner prefers the hosts take the first that the listener has, too
 * @flags: how
 * @error: return location for an error
 *
 * Opens the link's media channel. Once per link: its keys must not begin anew. From any thread.
 *
 * Returns: (transfer full): the channel, or %NULL with %ICS_ERROR_CLOSED when the link is not connected, with
 *   %ICS_ERROR_INVALID_ARGUMENT when a profile is unknown or media was opened before
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsMediaChannel *ics_link_open_media (IcsLink *self, const char *const *profiles,
                                                           IcsMediaFlags flags, GError **error);

/**
 * ics_media_channel_send_rtp:
 * @self: the channel
 * @packet: one RTP packet, of at most ics_media_channel_get_max_packet() bytes
 *
 * Hands a packet to the link, which sends it as soon as the path takes it. Sequence numbers may skip and come
 * out of order, but no source (SSRC) may use one twice.
 *
 * Returns: %FALSE when it was dropped at once, which the statistics count with the reason
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_media_channel_send_rtp (IcsMediaChannel *self, GBytes *packet);

/**
 * ics_media_channel_send_rtcp:
 * @self: the channel
 * @packet: one compound RTCP packet (or reduced-size one, RFC 5506), of at most
 *   ics_media_channel_get_max_packet() bytes
 *
 * The same as ics_media_channel_send_rtp() for control packets.
 *
 * Returns: %FALSE when it was dropped at once, which the statistics count with the reason
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_media_channel_send_rtcp (IcsMediaChannel *self, GBytes *packet);

/**
 * ics_media_channel_receive:
 * @self: the channel
 * @kind: (out): what the packet is
 * @cancellable: (nullable): ends the wait
 * @error: return location for an error
 *
 * Takes the next packet that came; blocks until there is one. Not for a thread whose main context other work
 * waits for. It takes what the signals would tell: use one or the other.
 *
 * Returns: (transfer full): the packet, or %NULL with %ICS_ERROR_CLOSED when the link has ended and all
 * packets are taken, or with %G_IO_ERROR_CANCELLED
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 GBytes *ics_media_channel_receive (IcsMediaChannel *self, IcsMediaKind *kind,
                                                        GCancellable *cancellable, GError **error);

/**
 * ics_media_channel_get_profile:
 * @self: the channel
 *
 * See [property@MediaChannel:profile].
 *
 * Returns: (transfer none) (nullable): its name
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_media_channel_get_profile (IcsMediaChannel *self);

/**
 * ics_media_channel_get_max_packet:
 * @self: the channel
 *
 * The largest packet that is taken. One of up to 1,180 bytes passes on every path; a larger one where the
 * path carries it, which is most often.
 *
 * Returns: bytes, RTP header included
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gsize ics_media_channel_get_max_packet (IcsMediaChannel *self);

/**
 * ics_media_channel_get_statistics:
 * @self: the channel
 *
 * What the channel has done so far; also after the end.
 *
 * Returns: (transfer full): a snapshot
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsMediaStatistics *ics_media_channel_get_statistics (IcsMediaChannel *self);

/**
 * ics_media_channel_get_key_log:
 * @self: the channel
 *
 * For debugging: the master keys, as one line "PROFILE client HEX server HEX". HEX is the master key and then
 * the master salt of what the joiner ("client") and the listener ("server") protect. Keep it as secret as the
 * media.
 *
 * Returns: (transfer full) (nullable): the line; %NULL before there is a profile, and without
 *   %ICS_MEDIA_FLAGS_KEEP_KEYS
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 char *ics_media_channel_get_key_log (IcsMediaChannel *self);

G_END_DECLS
