/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/ice-attempt.h"
#include <check.h>

G_BEGIN_DECLS

/* Two ICE attempts that signal to each other, and what each of them said. */

#define SAFETY_S 60

typedef struct _Side Side;

struct _Side
{
  IcsTraversal *attempt;
  Side *peer;
  GMainContext *context;
  gboolean hold; /* keep what is for the peer until release() */
  GPtrArray *lines;
  GPtrArray *notes;
  GPtrArray *received;
  GArray *states;
  gboolean gathered;
  gboolean closed;
  guint n_writable;
  gboolean free_on_state;
};

/* How the attempts are made; at first ics_ice_attempt_new(). */
extern IcsTraversalNew side_make;
extern const char *side_transport; /* of its pairs; "udp" */

gboolean side_on_safety (gpointer late);

/* Iterates until the condition holds; the limit only ends a test that has failed already. */
#define WAIT_WITH(context, condition, iterate)                                                               \
  do                                                                                                         \
    {                                                                                                        \
      gboolean late_ = FALSE;                                                                                \
      GSource *safety_ = g_timeout_source_new_seconds (SAFETY_S);                                            \
      g_source_set_callback (safety_, side_on_safety, &late_, NULL);                                         \
      g_source_attach (safety_, context);                                                                    \
      while (!(condition) && !late_)                                                                         \
        iterate;                                                                                             \
      g_source_destroy (safety_);                                                                            \
      g_source_unref (safety_);                                                                              \
      ck_assert_msg (!late_, "never came: %s", #condition);                                                  \
    }                                                                                                        \
  while (0)

#define WAIT_FOR(context, condition) WAIT_WITH (context, condition, g_main_context_iteration (context, TRUE))

void side_init (Side *side, IcsIceConfig config);
/* Frees the attempt, if the test has not, and waits until it is closed. */
void side_clear (Side *side);
gboolean side_has_note (Side *side, const char *part);
guint side_count_state (Side *side, IcsIceState state);
gboolean side_is_in (Side *side, IcsIceState state);
void side_give_credentials (Side *from);
/* Tells the peer all that was held back, and holds no more. */
void side_release (Side *side);

/* The first controls. */
void pair_init (Side sides[2], const IcsIceConfig *base);
void pair_start (Side sides[2]);
gboolean pair_is_connected (Side sides[2]);
/* Starts them, too. */
void pair_connect (Side sides[2]);
void pair_clear (Side sides[2]);
/* Datagrams each way, small and large. */
void pair_exchange (Side sides[2]);
void pair_check_agreement (Side sides[2]);

/* Says so when there is none. */
gboolean have_family (int family);

/* A network of its own with nothing but loopback, where the system allows it: what else the machine has is no
 * matter then. Makes warnings fatal, too. */
void isolate (void);

G_END_DECLS
