/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/quic-sim.h"

/* A bulk transfer whose content is a function of the offset, so that any lost, doubled or swapped byte shows.
 */
typedef struct
{
  IcsQuicStream *tx, *rx;
  guint from;
  guint64 size, written, read, wrong;
  gboolean finished, ended;
} Bulk;

/* Opens a stream of side @from. */
void bulk_start (Sim *sim, Bulk *b, guint from, guint64 size);
void bulk_write (Bulk *b);
void bulk_read (Sim *sim, Bulk *b);
/* For sim_run(): writes and reads what is possible; TRUE when all has arrived and is acknowledged.
 * @user_data: a Bulk. */
gboolean bulk_done (Sim *sim, gpointer user_data);
/* Fails the test when a byte was wrong. */
void bulk_clear (Bulk *b);
