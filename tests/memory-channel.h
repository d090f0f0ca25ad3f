/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/ics-channel.h"

/* A channel as an application could write it: two ends in one process. Messages can be looked at, changed and
 * dropped on the way, as a malicious relay would. */
#define TYPE_MEMORY_CHANNEL (memory_channel_get_type ())
G_DECLARE_FINAL_TYPE (MemoryChannel, memory_channel, MEMORY, CHANNEL, GObject)

/* Called for each message; returns what is delivered instead, (transfer full), or NULL to drop it. */
typedef GBytes *(*MemoryChannelTap) (IcsChannelKind kind, GBytes *message, gpointer user_data);

void memory_channel_new_pair (MemoryChannel **a, MemoryChannel **b);
void memory_channel_set_tap (MemoryChannel *self, MemoryChannelTap tap, gpointer user_data);
/* Hands @message to the owner of @self as if the peer had sent it. */
void memory_channel_inject (MemoryChannel *self, IcsChannelKind kind, GBytes *message);
/* Nothing passes from now on, either way; the ends are told when @tell. */
void memory_channel_cut (MemoryChannel *self, gboolean tell);
/* Undoes a cut; what was sent meanwhile is lost. */
void memory_channel_mend (MemoryChannel *self);
/* A relay that does not tell the other end when this one closes. */
void memory_channel_hide_end (MemoryChannel *self);
