/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/peer.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Two CliPeers, one for each host, whose streams are socket pairs. */
typedef struct
{
  CliPeer peer; /* first */
  CliStreamQueue *incoming;
  gpointer other;
  guint opened; /* streams */
} FakePeer;

typedef struct
{
  FakePeer joiner; /* the initiator */
  FakePeer listener;
} FakeLink;

FakeLink *fake_link_new (void);
void fake_link_free (FakeLink *self);

/* A side of a test: its function runs on a thread of its own, the main loop runs meanwhile. */
typedef gboolean (*FakeWork) (gpointer data, GCancellable *cancellable, GError **error);

typedef struct
{
  FakeWork work;
  gpointer data;
  GCancellable *cancellable; /* (nullable) */
  gboolean good;
  GError *error;
} FakeSide;

/* Runs both sides to their end. */
void fake_run (FakeSide *a, FakeSide *b);
void fake_side_clear (FakeSide *self);
/* Runs one main loop until *flag; fails the test after a generous while. */
void fake_wait (gint *flag);

GIOStream *fake_wrap_fd (int fd);
void fake_socketpair (GIOStream **a, GIOStream **b);

/* A new folder, and its removal with all that is in it. */
char *fake_folder_new (void);
void fake_folder_free (char *path);
guint fake_folder_count (const char *path);
void fake_write_file (const char *folder, const char *name, const void *data, gsize length);
/* Pseudo-random bytes, always the same for one seed. */
guint8 *fake_bytes (gsize length, guint32 seed);
/* From ICS_TEST_SEED, else by chance; printed. */
guint32 fake_seed (void);

G_END_DECLS
