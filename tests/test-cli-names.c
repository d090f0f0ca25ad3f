/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a hostile sender may call its files, and where they may land. */
#include "base/ics-error.h"
#include "cli/safe-name.h"
#include "cli/staging.h"
#include "tests/cli-fixture.h"
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANDOM_NAMES 20000

static const char *const bad_paths[]
    = { "",     "/",  "/etc/passwd", "..",  "../x", "a/../b",   "a/..",     ".",     "a/./b",
        "a//b", "a/", "...",         "..x", "a\nb", "a\033[2J", "\xff\xfe", "a\x7f", "a/\xc2\x85" };

START_TEST (test_bad_path) { ck_assert_msg (!cli_safe_path (bad_paths[_i]), "\"%s\" passed", bad_paths[_i]); }
END_TEST

static const char *const good_paths[] = { "a", ".bashrc", "a b", "Grüße/été.txt", "a..b", "a\\b", "-rf" };

START_TEST (test_good_path)
{
  ck_assert_msg (cli_safe_path (good_paths[_i]), "\"%s\" was refused", good_paths[_i]);
}
END_TEST

START_TEST (test_lengths)
{
  g_autofree char *longest = g_strnfill (CLI_SAFE_COMPONENT_MAX, 'x');
  g_autofree char *too_long = g_strnfill (CLI_SAFE_COMPONENT_MAX + 1, 'x');
  GString *deep = g_string_new ("d");

  ck_assert (cli_safe_path (longest));
  ck_assert (!cli_safe_path (too_long));
  for (guint i = 1; i < CLI_SAFE_DEPTH_MAX; i++)
    g_string_append (deep, "/d");
  ck_assert (cli_safe_path (deep->str));
  g_string_append (deep, "/d");
  ck_assert (!cli_safe_path (deep->str));
  g_string_free (deep, TRUE);
}
END_TEST

/* Whatever passes the check must land below the folder. */
START_TEST (test_random_names_stay_inside)
{
  static const char *const parts[]
      = { "..", ".", "/", "a", "b", "\n", "\xc3", "é", "~", "\\", "...", "//", "\x01", " " };
  char *folder = fake_folder_new ();
  g_autofree char *target = g_build_filename (folder, "target", NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (fake_seed ());
  g_autofree char *prefix = g_strconcat (target, "/", NULL);

  for (guint i = 0; i < RANDOM_NAMES; i++)
    {
      GString *name = g_string_new (NULL);
      g_autofree char *joined = NULL;
      g_autofree char *canonical = NULL;

      for (gint32 n = g_rand_int_range (random, 0, 8); n > 0; n--)
        g_string_append (name, parts[g_rand_int_range (random, 0, G_N_ELEMENTS (parts))]);
      joined = g_strconcat (target, "/", name->str, NULL);
      canonical = g_canonicalize_filename (joined, "/");
      if (cli_safe_path (name->str))
        ck_assert_msg (g_str_has_prefix (canonical, prefix) && strlen (canonical) > strlen (prefix), "%s",
                       name->str);
      g_string_free (name, TRUE);
    }
  fake_folder_free (folder);
}
END_TEST

static CliEntry *
entry_new (const char *path, gboolean is_folder)
{
  CliEntry *entry = g_new0 (CliEntry, 1);

  entry->path = g_strdup (path);
  entry->is_folder = is_folder;
  entry->executable = strstr (path, "run") != NULL;
  entry->mtime = 1000000000;
  return entry;
}

static void
stage_file (CliStaging *staging, CliEntry *entry, const char *text)
{
  int fd = cli_staging_create_file (staging, entry->path, NULL);

  ck_assert_int_ge (fd, 0);
  ck_assert_int_eq (write (fd, text, strlen (text)), (ssize_t)strlen (text));
  ck_assert (cli_staging_finish_file (entry, fd, NULL));
}

static CliManifest *
stage_tree (CliStaging *staging)
{
  CliManifest *manifest = cli_manifest_new ();

  cli_manifest_add (manifest, entry_new ("dir", TRUE), NULL);
  cli_manifest_add (manifest, entry_new ("dir/run", FALSE), NULL);
  cli_manifest_add (manifest, entry_new ("plain", FALSE), NULL);
  ck_assert (cli_staging_add_folder (staging, "dir", NULL));
  stage_file (staging, cli_manifest_get (manifest, 1), "new");
  stage_file (staging, cli_manifest_get (manifest, 2), "new");
  return manifest;
}

static void
check_file (const char *folder, const char *name, const char *expected, guint mode)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  struct stat info;

  ck_assert (g_file_get_contents (path, &text, NULL, NULL));
  ck_assert_str_eq (text, expected);
  ck_assert_int_eq (g_lstat (path, &info), 0);
  ck_assert_uint_eq (info.st_mode & 0777, mode);
}

START_TEST (test_commit)
{
  char *folder = fake_folder_new ();
  g_autoptr (CliStaging) staging = cli_staging_new (folder, "dir", NULL);
  g_autoptr (CliManifest) manifest = NULL;
  g_autofree char *dir = g_build_filename (folder, "dir", NULL);
  struct stat info;

  umask (027);
  manifest = stage_tree (staging);
  ck_assert_uint_eq (fake_folder_count (folder), 1);
  ck_assert (cli_staging_commit (staging, manifest, FALSE, NULL));
  ck_assert_uint_eq (fake_folder_count (folder), 2);
  check_file (folder, "dir/run", "new", 0750);
  check_file (folder, "plain", "new", 0640);
  ck_assert_int_eq (g_stat (dir, &info), 0);
  ck_assert_uint_eq (info.st_mode & 0777, 0750);
  fake_folder_free (folder);
}
END_TEST

START_TEST (test_nothing_is_overwritten)
{
  char *folder = fake_folder_new ();
  CliStaging *staging = cli_staging_new (folder, "plain", NULL);
  g_autoptr (CliManifest) manifest = stage_tree (staging);
  g_autoptr (GError) error = NULL;

  fake_write_file (folder, "plain", "old", 3);
  ck_assert (!cli_staging_check (folder, manifest, FALSE, &error));
  ck_assert (!cli_staging_commit (staging, manifest, FALSE, NULL));
  cli_staging_free (staging);
  check_file (folder, "plain", "old", 0644 & ~022);
  fake_folder_free (folder);
}
END_TEST

START_TEST (test_overwrite_merges)
{
  char *folder = fake_folder_new ();
  g_autofree char *dir = g_build_filename (folder, "dir", NULL);
  g_autoptr (CliStaging) staging = cli_staging_new (folder, "plain", NULL);
  g_autoptr (CliManifest) manifest = stage_tree (staging);

  g_mkdir (dir, 0755);
  fake_write_file (dir, "run", "old", 3);
  fake_write_file (dir, "kept", "old", 3);
  fake_write_file (folder, "plain", "old", 3);
  ck_assert (cli_staging_check (folder, manifest, TRUE, NULL));
  ck_assert (cli_staging_commit (staging, manifest, TRUE, NULL));
  check_file (folder, "plain", "new", 0644);
  check_file (folder, "dir/run", "new", 0755);
  check_file (folder, "dir/kept", "old", 0644);
  ck_assert_uint_eq (fake_folder_count (folder), 2);
  fake_folder_free (folder);
}
END_TEST

/* A link in the target folder leads nowhere: neither a file nor a folder goes through it. */
START_TEST (test_links_are_not_followed)
{
  char *folder = fake_folder_new ();
  char *outside = fake_folder_new ();
  g_autofree char *dir = g_build_filename (folder, "dir", NULL);
  g_autofree char *plain = g_build_filename (folder, "plain", NULL);
  g_autofree char *victim = g_build_filename (outside, "victim", NULL);
  CliStaging *staging = cli_staging_new (folder, "plain", NULL);
  g_autoptr (CliManifest) manifest = stage_tree (staging);

  fake_write_file (outside, "victim", "old", 3);
  ck_assert_int_eq (symlink (outside, dir), 0);
  ck_assert_int_eq (symlink (victim, plain), 0);
  ck_assert (!cli_staging_commit (staging, manifest, FALSE, NULL));
  ck_assert (!cli_staging_commit (staging, manifest, TRUE, NULL));
  cli_staging_free (staging);
  check_file (outside, "victim", "old", 0644);
  ck_assert_uint_eq (fake_folder_count (outside), 1);
  ck_assert_uint_eq (fake_folder_count (folder), 2);
  fake_folder_free (folder);
  fake_folder_free (outside);
}
END_TEST

START_TEST (test_leftovers_are_removed)
{
  char *folder = fake_folder_new ();
  CliStaging *staging = cli_staging_new (folder, "plain", NULL);
  g_autoptr (CliManifest) manifest = stage_tree (staging);

  ck_assert_uint_eq (fake_folder_count (folder), 1);
  cli_staging_free (staging);
  ck_assert_uint_eq (fake_folder_count (folder), 0);
  fake_folder_free (folder);
}
END_TEST

START_TEST (test_room)
{
  g_autoptr (CliManifest) manifest = cli_manifest_new ();
  CliEntry *entry = entry_new ("huge", FALSE);
  g_autoptr (GError) error = NULL;

  entry->size = G_MAXINT64;
  ck_assert (cli_manifest_add (manifest, entry, NULL));
  ck_assert (!cli_staging_check (g_get_tmp_dir (), manifest, FALSE, &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE));
}
END_TEST

START_TEST (test_manifest_rules)
{
  g_autoptr (CliManifest) manifest = cli_manifest_new ();
  CliEntry *first = entry_new ("big", FALSE);
  CliEntry *second = entry_new ("bigger", FALSE);

  first->size = G_MAXINT64;
  second->size = 1;
  ck_assert (cli_manifest_add (manifest, first, NULL));
  ck_assert (!cli_manifest_add (manifest, second, NULL));
  ck_assert (!cli_manifest_add (manifest, entry_new ("big", FALSE), NULL));
  ck_assert (!cli_manifest_add (manifest, entry_new ("missing/x", FALSE), NULL));
  ck_assert (!cli_manifest_add (manifest, entry_new ("big/x", FALSE), NULL));
  ck_assert (cli_manifest_add (manifest, entry_new ("d", TRUE), NULL));
  ck_assert (cli_manifest_add (manifest, entry_new ("d/x", FALSE), NULL));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-names");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  umask (022);
  tcase_set_timeout (tcase, 120);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_bad_path, 0, G_N_ELEMENTS (bad_paths));
  tcase_add_loop_test (tcase, test_good_path, 0, G_N_ELEMENTS (good_paths));
  tcase_add_test (tcase, test_lengths);
  tcase_add_test (tcase, test_random_names_stay_inside);
  tcase_add_test (tcase, test_commit);
  tcase_add_test (tcase, test_nothing_is_overwritten);
  tcase_add_test (tcase, test_overwrite_merges);
  tcase_add_test (tcase, test_links_are_not_followed);
  tcase_add_test (tcase, test_leftovers_are_removed);
  tcase_add_test (tcase, test_room);
  tcase_add_test (tcase, test_manifest_rules);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
