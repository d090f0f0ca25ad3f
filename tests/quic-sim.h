/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/identity.h"
#include "transport/quic-conn.h"

/* Two QUIC connections, a virtual clock and paths made of memory. */

#define SIM_PATHS 4

typedef struct
{
  gint64 delay_us; /* one way */
  guint64 rate;    /* bytes per second; 0 = no limit */
  gsize queue;     /* bytes that wait at most, when there is a rate */
  double loss;
  gsize mtu;        /* larger packets vanish; 0 = none does */
  gboolean dead[2]; /* direction 0: from the client */
  gint64 busy_until[2];
  guint64 bytes[2];      /* that were to be carried */
  guint64 overflowed[2]; /* packets that found the queue full */
} SimPath;

typedef struct
{
  IcsIdentity *identity[2];
  IcsQuic *quic[2]; /* 0 = client */
  gint64 now;
  SimPath paths[SIM_PATHS];
  GRand *rand;
  GQueue flight;
  gboolean ready[2], confirmed[2], closed[2];
  GError *error[2];
  GQueue incoming[2];  /* IcsQuicStream */
  GQueue datagrams[2]; /* GBytes */
  guint moved[2], move_failed[2];
  guint last_path[2];
  guint64 packets[2][SIM_PATHS];
  guint detour; /* 0, or the path that carries what is sent on path 1, of which QUIC knows nothing */
  guint64 without_quic_bit;
  guint64 batches[2];
  guint64 largest[2];                /* packet sent so far */
  void (*wake) (gpointer user_data); /* optional: a thread has work for the connections */
  gpointer wake_data;
} Sim;

/* @wrong_fingerprint: which side expects another certificate than it gets, or -1. */
void sim_init (Sim *sim, guint32 seed, int wrong_fingerprint);
void sim_clear (Sim *sim);

/* Runs until @done or until virtual time passed; TRUE when done. */
gboolean sim_run (Sim *sim, gint64 limit_us, gboolean (*done) (Sim *, gpointer), gpointer user_data);
/* The same by another clock: does what is due at @now and returns when it is to be called again. */
gint64 sim_serve (Sim *sim, gint64 now);
gboolean sim_is_confirmed (Sim *sim, gpointer unused);
gboolean sim_is_closed (Sim *sim, gpointer unused);
void sim_connect (Sim *sim);

guint32 sim_seed (void);
