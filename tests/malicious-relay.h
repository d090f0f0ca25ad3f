/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/link-exchange.h"

/* A relay that repeats, reorders, drops and reflects the messages of a pair of links by a random schedule,
 * and what must hold for the links. */

/* Of a hundred messages: that many are ... */
typedef struct
{
  guint dropped, doubled, reflected, held;
} Mischief;

typedef struct
{
  LinkPair *pair;
  GRand *rand;
  Mischief mischief[2]; /* by kind */
  GQueue held[2];       /* GBytes of DATA or SIGNAL as @held_kind says, by the side that sent them */
  GQueue held_kind[2];
  GPtrArray *recorded[2]; /* GBytes, NULL unless recording */
  GArray *recorded_kind[2];
  guint count[2]; /* messages by kind */
} Relay;

typedef struct
{
  Relay *relay;
  guint side; /* that sends */
} RelayEnd;

/* The seed is printed; ICS_TEST_SEED repeats it. */
GRand *relay_make_rand (void);
GBytes *relay_random_bytes (GRand *rand, gsize len);

/* Does nothing until its mischief is set. */
void relay_init (Relay *self, RelayEnd ends[2], LinkPair *pair, GRand *rand);
void relay_record (Relay *self);
/* Says all again that was recorded so far, to those of @pair. */
void relay_replay (Relay *self, LinkPair *pair);
void relay_clear (Relay *self);

void link_set_policy (LinkPair *pair, IcsPathPolicy policy);
void link_set_limit (LinkPair *pair, guint ms);

/* Each host is connected or has ended. */
gboolean link_is_settled (LinkPair *pair);
/* Starts the link and fails the test, with what the hosts say, if they do not come together. */
void link_connect (LinkPair *pair);
void link_exchange_both_ways (LinkPair *pair, GRand *rand, gsize size);

/* Both hosts send a series of numbered datagrams; none may come twice. */
void link_send_numbered (LinkPair *pair);
void link_check_numbered (LinkPair *pair);

void link_close_cleanly (LinkPair *pair);

/* Fails the test unless @error is a failure that a relay can cause, told in a sentence. */
void check_clear_failure (const GError *error);
