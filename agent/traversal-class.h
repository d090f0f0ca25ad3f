/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/attempt-events.h"
#include "agent/remote-offer.h"
#include "agent/traversal.h"

G_BEGIN_DECLS

/* What the kinds of attempts have in common, and where they differ. */

/* The functions of one kind. */
typedef struct
{
  gboolean (*start) (IcsTraversal *self, GError **error);
  /* The peer has said something that counts: its credentials, one candidate more, the end of them. */
  void (*credentials_came) (IcsTraversal *self);
  void (*candidate_came) (IcsTraversal *self);
  void (*candidates_ended) (IcsTraversal *self);
  void (*state_changed) (IcsTraversal *self); /* before the owner is told; may be NULL */
  /* While connected only; else as ics_traversal_send_segments(). */
  IcsSendResult (*send_segments) (IcsTraversal *self, const guint8 *data, gsize len, gsize segment,
                                  gsize *taken);
  GInetAddress *(*get_base) (IcsTraversal *self);
  void (*graduate) (IcsTraversal *self, gint64 rtt_us);          /* may be NULL */
  void (*confirm_consent) (IcsTraversal *self, gint64 asked_at); /* not in the future */
  gboolean (*get_pair) (IcsTraversal *self, IcsIcePair *pair);
  /* The end: nothing may run any more but what holds the attempt; then what is left is freed. */
  void (*stop) (IcsTraversal *self);
  void (*clear) (IcsTraversal *self);
} IcsTraversalClass;

/* The first member of each kind's struct. */
struct _IcsTraversal
{
  const IcsTraversalClass *class;
  IcsIceConfig config;      /* its servers are copies, its limit is set */
  IcsAttemptEvents *events; /* NULL after the stop */
  IcsIceState state;
  IcsRemoteOffer *remote; /* made by each kind, by its own rules */
  char *ufrag, *pwd;      /* likewise, or by ics_traversal_make_credentials() */
  guint holds;            /* once it ends */
  void (*closed) (gpointer);
  gpointer closed_data;
};

/* @size: of the kind's struct, which is zero behind this one. */
gpointer ics_traversal_new (const IcsTraversalClass *class, gsize size, const IcsIceConfig *config,
                            const IcsIceCallbacks *callbacks, gpointer user_data);
void ics_traversal_make_credentials (IcsTraversal *self);

/* From failed there is no way back. */
void ics_traversal_set_state (IcsTraversal *self, IcsIceState state);
/* The peer has been silent for too long (RFC 7675 §5.1). */
void ics_traversal_lose_consent (IcsTraversal *self);

/* From within stop(): what takes its time, and calls ics_traversal_release() in the end. */
void ics_traversal_hold (IcsTraversal *self);
void ics_traversal_release (gpointer self);

G_END_DECLS
