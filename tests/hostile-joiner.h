/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/control.h"
#include "tests/memory-channel.h"
#include "transport/quic-conn.h"

/* A joiner that knows the code and keeps no rule: the protocol by hand, over the channel alone. It lives on
 * the main loop. */
typedef struct _HostileJoiner HostileJoiner;

HostileJoiner *hostile_joiner_new (MemoryChannel *channel, const char *code);
void hostile_joiner_free (HostileJoiner *self);

gboolean hostile_joiner_is_ready (HostileJoiner *self);
void hostile_joiner_say (HostileJoiner *self, const IcsControl *message);
IcsQuicStream *hostile_joiner_open (HostileJoiner *self);

/* The highest attempt that the listener has said anything about. */
guint hostile_joiner_get_answered (HostileJoiner *self);
