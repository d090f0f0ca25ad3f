/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/file-receive.h"
#include "cli/file-send.h"
#include "tests/cli-fixture.h"

G_BEGIN_DECLS

/* A sender and a receiver of "file/1" over a link of socket pairs, with a folder each. One at a time. */
typedef struct
{
  FakeLink *link;
  char *from;
  char *to;
  CliProgress sent;
  CliProgress received;
  CliFileSend send;
  CliFileReceive receive;
  FakeSide sender;
  FakeSide receiver;
} Exchange;

extern Exchange *fixture;

void exchange_open (void);
void exchange_close (void);
gboolean exchange_work_send (gpointer data, GCancellable *cancellable, GError **error);
/* Offers the file or folder @name of the sender's folder. */
void exchange_collect (const char *name);
void exchange_count_skipped (const char *name, const char *why, gpointer user_data);

G_END_DECLS
