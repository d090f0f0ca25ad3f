/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/cli-exchange.h"
#include <check.h>

Exchange *fixture;

gboolean
exchange_work_send (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_file_send_run (data, cancellable, error);
}

static gboolean
work_receive (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_file_receive_run (data, cancellable, error);
}

void
exchange_open (void)
{
  fixture = g_new0 (Exchange, 1);
  fixture->link = fake_link_new ();
  fixture->from = fake_folder_new ();
  fixture->to = fake_folder_new ();
  fixture->send = (CliFileSend){ .peer = &fixture->link->listener.peer, .progress = &fixture->sent };
  fixture->receive = (CliFileReceive){ .peer = &fixture->link->joiner.peer,
                                       .target = fixture->to,
                                       .progress = &fixture->received };
  fixture->sender = (FakeSide){ .work = exchange_work_send, .data = &fixture->send };
  fixture->receiver = (FakeSide){ .work = work_receive, .data = &fixture->receive };
}

void
exchange_close (void)
{
  g_clear_pointer (&fixture->send.manifest, cli_manifest_free);
  g_clear_pointer (&fixture->receive.manifest, cli_manifest_free);
  cli_totals_clear (&fixture->send.totals);
  cli_totals_clear (&fixture->receive.totals);
  fake_side_clear (&fixture->sender);
  fake_side_clear (&fixture->receiver);
  fake_folder_free (fixture->from);
  fake_folder_free (fixture->to);
  fake_link_free (fixture->link);
  g_clear_pointer (&fixture, g_free);
}

void
exchange_count_skipped (const char *name, const char *why, gpointer user_data)
{
  (*(guint *)user_data)++;
}

void
exchange_collect (const char *name)
{
  g_autofree char *path = g_build_filename (fixture->from, name, NULL);
  char *names[] = { path, NULL };
  guint skipped = 0;

  fixture->send.manifest = cli_manifest_collect (names, exchange_count_skipped, &skipped, NULL);
  ck_assert_ptr_nonnull (fixture->send.manifest);
}
