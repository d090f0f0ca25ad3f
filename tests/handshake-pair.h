/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "signaling/handshake.h"

#define CODE "7-cable-otter"
#define OTHER_CODE "7-cable-lamp"
#define START_SIZE 50
#define ANSWER_SIZE 210
#define FINISH_SIZE 178
#define REJECT_SIZE 35
#define SID_SIZE 16
#define HEADER_SIZE 2

/* Two hosts that want to pair, their messages in the test's hands. */
typedef struct
{
  IcsHandshake *joiner;
  IcsHandshake *listener;
} Pair;

/* @name: 'J' a joiner, 'L' a listener, 'j' and 'l' those of somebody else; the fingerprint is full of it.
 * @rand is NULL for the system's random source. */
IcsHandshake *new_host (char name, const char *code, const char *application, GRand *rand);
Pair new_pair (const char *joiner_code, const char *listener_code);
void free_pair (Pair *pair);
IcsHandshake *other_host (Pair *pair, IcsHandshake *host);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pair, free_pair)

void deliver (IcsHandshake *to, GBytes *message);
GBytes *expect_message (IcsHandshake *from, gsize size);
void expect_silence (IcsHandshake *from);

/* Lets an honest relay work until nothing is said any more. */
void settle (Pair *pair);

/* Lets @n messages through and gives the next one, with its receiver. */
GBytes *run_to_message (Pair *pair, guint n, IcsHandshake **receiver);

void expect_running (IcsHandshake *host);
void expect_done (IcsHandshake *host, char peer);
void expect_both_done (Pair *pair);
void expect_failed (IcsHandshake *host, IcsError code);

/* How many messages each has dropped. */
void expect_dropped (Pair *pair, guint joiner, guint listener);

/* What must hold whatever the relay does. */
void check_invariant (Pair *pair);

GBytes *changed_byte (GBytes *message, gsize offset, guint8 mask);
GBytes *relabelled (GBytes *message, guint8 type);
GBytes *forged_reject (guint8 reason);
