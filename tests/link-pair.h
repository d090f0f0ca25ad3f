/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ice-session.h"
#include "tests/memory-channel.h"

/* Two links in one process over a memory channel, and what they said. [0] listens, [1] joins. */
typedef struct
{
  IcsLink *link[2];
  MemoryChannel *channel[2];
  char *code[2];             /* what each side is told; set by the "code" signal unless set before */
  GCancellable *cancellable; /* of the listener's connect; may be NULL */
  gboolean answered[2];      /* connect has finished, one way or the other */
  gboolean connected[2];
  GError *error[2]; /* of connect, or of the end */
  gboolean closed[2];
  gboolean finished[2];
  GPtrArray *paths[2]; /* IcsPathInfo */
  GQueue streams[2];   /* IcsStream */
  GQueue datagrams[2]; /* GBytes */
  gboolean alone;      /* the joiner never comes */
  gboolean timed_out;
} LinkPair;

void link_pair_init (LinkPair *pair);
void link_pair_clear (LinkPair *pair);

/* Begins to connect both; the joiner as soon as the code is known. @wrong: the joiner uses another code. */
void link_pair_start (LinkPair *pair, gboolean wrong);

/* Runs the main loop until @done; a safety limit of 60 s fails the test. */
void link_pair_run (LinkPair *pair, gboolean (*done) (LinkPair *pair));
gboolean link_pair_is_connected (LinkPair *pair);
gboolean link_pair_is_over (LinkPair *pair);
gboolean link_pair_is_direct (LinkPair *pair);
IcsPathKind link_pair_kind (LinkPair *pair, guint side);

/* Closes from @side and waits until both have ended. */
void link_pair_close (LinkPair *pair, guint side, guint64 code, const char *reason);
