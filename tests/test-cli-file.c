/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "file/1" between honest hosts. */
#include "base/ics-error.h"
#include "cli/hash.h"
#include "cli/stripe.h"
#include "tests/cli-exchange.h"
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
check_received (const char *name, const void *data, gsize length)
{
  g_autofree char *path = g_build_filename (fixture->to, name, NULL);
  g_autofree char *text = NULL;
  gsize got;

  ck_assert (g_file_get_contents (path, &text, &got, NULL));
  ck_assert_uint_eq (got, length);
  ck_assert_int_eq (memcmp (text, data, length), 0);
}

static void
check_good (void)
{
  if (fixture->sender.error != NULL || fixture->receiver.error != NULL)
    ck_abort_msg ("sender: %s; receiver: %s",
                  fixture->sender.error != NULL ? fixture->sender.error->message : "good",
                  fixture->receiver.error != NULL ? fixture->receiver.error->message : "good");
  ck_assert (fixture->sender.good && fixture->receiver.good);
  ck_assert_str_eq (fixture->send.totals.sha256, fixture->receive.totals.sha256);
  ck_assert_uint_eq (fixture->send.totals.bytes, fixture->receive.totals.bytes);
}

/* Around the sizes of buffers and blocks. */
static const gsize sizes[] = { 0,
                               1,
                               CLI_STRIPE_BLOCK - 1,
                               CLI_STRIPE_BLOCK,
                               CLI_STRIPE_BLOCK + 1,
                               CLI_STRIPE_COUNT *CLI_STRIPE_BLOCK - 32,
                               5 * 1024 * 1024 + 77 };

START_TEST (test_one_file)
{
  gsize length = sizes[_i];
  g_autofree guint8 *data = fake_bytes (length, (guint32)_i);
  g_autoptr (CliHash) hash = cli_hash_new ();
  g_autofree char *sha256 = NULL;
  guint64 sum = 0;

  fake_write_file (fixture->from, "talk.mp4", data, length);
  exchange_collect ("talk.mp4");
  fake_run (&fixture->sender, &fixture->receiver);
  check_good ();
  check_received ("talk.mp4", data, length);
  ck_assert_uint_eq (fake_folder_count (fixture->to), 1);
  cli_hash_update (hash, data, length);
  sha256 = cli_hash_finish (hash, NULL);
  ck_assert_str_eq (fixture->send.totals.sha256, sha256);
  for (guint kind = 0; kind < ICS_N_PATH_KINDS; kind++)
    sum += fixture->receive.totals.by_kind[kind];
  ck_assert_uint_eq (sum, length);
  ck_assert_uint_eq (fixture->received.bytes, length);
}
END_TEST

/* The sender may be the one who joined, too. */
START_TEST (test_joining_sender)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  exchange_collect ("a");
  fixture->send.peer = &fixture->link->joiner.peer;
  fixture->receive.peer = &fixture->link->listener.peer;
  fake_run (&fixture->sender, &fixture->receiver);
  check_good ();
  check_received ("a", "abc", 3);
}
END_TEST

START_TEST (test_tree)
{
  g_autofree char *dir = g_build_filename (fixture->from, "dir", NULL);
  g_autofree char *empty = g_build_filename (dir, "empty", NULL);
  g_autofree char *link = g_build_filename (dir, "link", NULL);
  g_autofree char *arrived = g_build_filename (fixture->to, "dir", NULL);
  g_autofree char *arrived_empty = g_build_filename (arrived, "empty", NULL);
  char *names[] = { dir, NULL };
  guint skipped = 0;

  g_mkdir (dir, 0755);
  g_mkdir (empty, 0755);
  ck_assert_int_eq (symlink ("/etc/passwd", link), 0);
  for (guint i = 0; i < 500; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);

      fake_write_file (dir, name, name, strlen (name));
    }
  fixture->send.manifest = cli_manifest_collect (names, exchange_count_skipped, &skipped, NULL);
  ck_assert_uint_eq (skipped, 1);
  fake_run (&fixture->sender, &fixture->receiver);
  check_good ();
  check_received ("dir/file-499", "file-499", 8);
  ck_assert_uint_eq (fake_folder_count (arrived), 501);
  ck_assert_uint_eq (fake_folder_count (arrived_empty), 0);
  /* No stream per file. */
  ck_assert_uint_eq (fixture->link->listener.opened + fixture->link->joiner.opened, 1 + CLI_STRIPE_COUNT);
}
END_TEST

/* Files and digests lie across the boundaries of what is written and read at once. */
START_TEST (test_several_files)
{
  const gsize length = CLI_STRIPE_BLOCK / 5 * 2 - CLI_SHA256_LENGTH / 2;
  g_autofree char *dir = g_build_filename (fixture->from, "dir", NULL);
  g_autofree guint8 *data = fake_bytes (length + 20, 7);
  char *names[] = { dir, NULL };
  guint skipped = 0;

  g_mkdir (dir, 0755);
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);

      fake_write_file (dir, name, data + i, length);
    }
  fixture->send.manifest = cli_manifest_collect (names, exchange_count_skipped, &skipped, NULL);
  fake_run (&fixture->sender, &fixture->receiver);
  check_good ();
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *name = g_strdup_printf ("dir/file-%u", i);

      check_received (name, data + i, length);
    }
}
END_TEST

static gboolean
decline (CliManifest *manifest, gpointer user_data)
{
  return FALSE;
}

START_TEST (test_declined)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  exchange_collect ("a");
  fixture->receive.accept = decline;
  fake_run (&fixture->sender, &fixture->receiver);
  ck_assert (g_error_matches (fixture->sender.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert (g_error_matches (fixture->receiver.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert_ptr_nonnull (strstr (fixture->sender.error->message, "declined"));
  ck_assert_uint_eq (fake_folder_count (fixture->to), 0);
}
END_TEST

START_TEST (test_exists)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  fake_write_file (fixture->to, "a", "old", 3);
  exchange_collect ("a");
  fake_run (&fixture->sender, &fixture->receiver);
  ck_assert (g_error_matches (fixture->receiver.error, G_IO_ERROR, G_IO_ERROR_EXISTS));
  ck_assert (g_error_matches (fixture->sender.error, ICS_ERROR, ICS_ERROR_REFUSED));
  check_received ("a", "old", 3);
}
END_TEST

static gboolean
remove_target (CliManifest *manifest, gpointer user_data)
{
  g_rmdir (fixture->to);
  return TRUE;
}

/* The receiver fails while the sender writes more than all buffers hold: the sender must not hang, and hears
 * why. */
START_TEST (test_receiver_fails)
{
  gsize length = 20 * 1024 * 1024;
  g_autofree guint8 *data = fake_bytes (length, 1);

  fake_write_file (fixture->from, "a", data, length);
  exchange_collect ("a");
  fixture->receive.accept = remove_target;
  fake_run (&fixture->sender, &fixture->receiver);
  ck_assert (fixture->receiver.error->domain == G_IO_ERROR);
  ck_assert (g_error_matches (fixture->sender.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert_ptr_nonnull (strstr (fixture->sender.error->message, "cannot open the folder"));
}
END_TEST

static gboolean
change_source (CliManifest *manifest, gpointer user_data)
{
  fake_write_file (fixture->from, "a", user_data, strlen (user_data));
  return TRUE;
}

static const char *const changes[] = { "ab", "abcd" };

START_TEST (test_source_changes)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  exchange_collect ("a");
  fixture->receive.accept = change_source;
  fixture->receive.accept_data = (gpointer)changes[_i];
  fake_run (&fixture->sender, &fixture->receiver);
  ck_assert (fixture->sender.error->domain == G_IO_ERROR);
  ck_assert_ptr_nonnull (strstr (fixture->sender.error->message, "changed while"));
  ck_assert (g_error_matches (fixture->receiver.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert_uint_eq (fake_folder_count (fixture->to), 0);
}
END_TEST

START_TEST (test_two_senders)
{
  CliFileSend other;
  FakeSide side = { .work = exchange_work_send, .data = &other };

  fake_write_file (fixture->from, "a", "abc", 3);
  exchange_collect ("a");
  other = fixture->send;
  other.peer = &fixture->link->joiner.peer;
  fake_run (&fixture->sender, &side);
  ck_assert (g_error_matches (fixture->sender.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert (g_error_matches (side.error, ICS_ERROR, ICS_ERROR_REFUSED));
  fake_side_clear (&side);
}
END_TEST

static gboolean
cancel_receiver (CliManifest *manifest, gpointer user_data)
{
  g_cancellable_cancel (fixture->receiver.cancellable);
  g_cancellable_cancel (fixture->sender.cancellable);
  return TRUE;
}

START_TEST (test_cancelled)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  exchange_collect ("a");
  fixture->receive.accept = cancel_receiver;
  fake_run (&fixture->sender, &fixture->receiver);
  ck_assert (g_error_matches (fixture->receiver.error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  ck_assert_uint_eq (fake_folder_count (fixture->to), 0);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-file");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, exchange_open, exchange_close);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_one_file, 0, G_N_ELEMENTS (sizes));
  tcase_add_test (tcase, test_joining_sender);
  tcase_add_test (tcase, test_tree);
  tcase_add_test (tcase, test_several_files);
  tcase_add_test (tcase, test_declined);
  tcase_add_test (tcase, test_exists);
  tcase_add_test (tcase, test_receiver_fails);
  tcase_add_loop_test (tcase, test_source_changes, 0, G_N_ELEMENTS (changes));
  tcase_add_test (tcase, test_two_senders);
  tcase_add_test (tcase, test_cancelled);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
