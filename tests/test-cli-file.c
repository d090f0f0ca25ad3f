/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "file/1" between honest hosts, and against hostile ones. */
#include "base/ics-error.h"
#include "cli/file-receive.h"
#include "cli/file-send.h"
#include "cli/hash.h"
#include "cli/stripe.h"
#include "tests/cli-fixture.h"
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
} Fixture;

static Fixture *fixture;

static gboolean
work_send (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_file_send_run (data, cancellable, error);
}

static gboolean
work_receive (gpointer data, GCancellable *cancellable, GError **error)
{
  return cli_file_receive_run (data, cancellable, error);
}

static void
setup (void)
{
  fixture = g_new0 (Fixture, 1);
  fixture->link = fake_link_new ();
  fixture->from = fake_folder_new ();
  fixture->to = fake_folder_new ();
  fixture->send = (CliFileSend){ .peer = &fixture->link->listener.peer, .progress = &fixture->sent };
  fixture->receive = (CliFileReceive){ .peer = &fixture->link->joiner.peer,
                                       .target = fixture->to,
                                       .progress = &fixture->received };
  fixture->sender = (FakeSide){ .work = work_send, .data = &fixture->send };
  fixture->receiver = (FakeSide){ .work = work_receive, .data = &fixture->receive };
}

static void
teardown (void)
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

static void
count_skipped (const char *name, const char *why, gpointer user_data)
{
  (*(guint *)user_data)++;
}

static void
collect (const char *name)
{
  g_autofree char *path = g_build_filename (fixture->from, name, NULL);
  char *names[] = { path, NULL };
  guint skipped = 0;

  fixture->send.manifest = cli_manifest_collect (names, count_skipped, &skipped, NULL);
  ck_assert_ptr_nonnull (fixture->send.manifest);
}

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
  collect ("talk.mp4");
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
  collect ("a");
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
  fixture->send.manifest = cli_manifest_collect (names, count_skipped, &skipped, NULL);
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

static gboolean
decline (CliManifest *manifest, gpointer user_data)
{
  return FALSE;
}

START_TEST (test_declined)
{
  fake_write_file (fixture->from, "a", "abc", 3);
  collect ("a");
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
  collect ("a");
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
  collect ("a");
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
  collect ("a");
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
  FakeSide side = { .work = work_send, .data = &other };

  fake_write_file (fixture->from, "a", "abc", 3);
  collect ("a");
  other = fixture->send;
  other.peer = &fixture->link->joiner.peer;
  fake_run (&fixture->sender, &side);
  ck_assert (g_error_matches (fixture->sender.error, ICS_ERROR, ICS_ERROR_REFUSED));
  ck_assert (g_error_matches (side.error, ICS_ERROR, ICS_ERROR_REFUSED));
  fake_side_clear (&side);
}
END_TEST

/* A sender that says what it likes: @manifest as JSON, then @data. */
typedef struct
{
  const char *hello; /* NULL: the right one */
  const char *manifest;
  const void *data;
  gsize length;
  const char *announced; /* whose SHA-256 follows, NULL: none */
} Hostile;

static gboolean
write_json (GIOStream *control, const char *json)
{
  guint32 length = GUINT32_TO_BE ((guint32)strlen (json));
  GOutputStream *out = g_io_stream_get_output_stream (control);

  return cli_peer_write_all (out, &length, sizeof length, NULL, NULL)
         && cli_peer_write_all (out, json, strlen (json), NULL, NULL);
}

static void
write_hostile_data (const Hostile *self, CliStripes *stripes)
{
  g_autoptr (GOutputStream) out = cli_stripes_new_output (stripes);
  g_autoptr (CliHash) hash = cli_hash_new ();
  guint8 digest[CLI_SHA256_LENGTH];
  g_autofree char *hex = NULL;

  cli_peer_write_all (out, self->data, self->length, NULL, NULL);
  if (self->announced == NULL)
    return;
  cli_hash_update (hash, self->announced, strlen (self->announced));
  hex = cli_hash_finish (hash, digest);
  cli_peer_write_all (out, digest, sizeof digest, NULL, NULL);
}

static gboolean
work_hostile (gpointer data, GCancellable *cancellable, GError **error)
{
  const Hostile *self = data;
  CliPeer *peer = &fixture->link->listener.peer;
  JsonObject *hello = cli_control_new_hello ("send");
  g_autoptr (GIOStream) control = NULL;
  g_autoptr (JsonObject) answer = NULL;
  g_autoptr (CliStripes) stripes = NULL;

  cli_stripes_describe (hello);
  if (self->hello != NULL)
    {
      g_autoptr (JsonObject) own = cli_json_parse (self->hello, strlen (self->hello));

      json_object_unref (hello);
      hello = json_object_ref (own);
    }
  control = cli_control_start (peer, hello, cancellable, error);
  write_json (control, self->manifest);
  answer = cli_control_read_hello (control, "receive", cancellable, NULL);
  g_clear_pointer (&answer, json_object_unref);
  answer = cli_frame_expect (control, "accept", cancellable, error);
  if (answer == NULL)
    return FALSE;
  stripes = cli_stripes_open (peer, cancellable, error);
  write_hostile_data (self, stripes);
  g_clear_pointer (&answer, json_object_unref);
  answer = cli_frame_expect (control, "verdict", cancellable, error);
  return answer != NULL;
}

static GError *
run_hostile (const Hostile *hostile)
{
  FakeSide side = { .work = work_hostile, .data = (gpointer)hostile };

  fake_run (&side, &fixture->receiver);
  ck_assert (!side.good);
  ck_assert (!fixture->receiver.good);
  ck_assert_uint_eq (fake_folder_count (fixture->to), 0);
  fake_side_clear (&side);
  return fixture->receiver.error;
}

#define ONE(path, rest) "{\"type\":\"manifest\",\"entries\":[{\"path\":\"" path "\"" rest "}],\"more\":false}"

static const char *const bad_manifests[] = {
  ONE ("../x", ",\"size\":1,\"mtime\":0"),
  ONE ("/tmp/ice-session-escaped", ",\"size\":1,\"mtime\":0"),
  ONE ("a/b", ",\"size\":1,\"mtime\":0"),
  ONE ("a\\u0000b", ",\"size\":-1,\"mtime\":0"),
  ONE ("a", ",\"size\":1e300,\"mtime\":0"),
  ONE ("a", ",\"size\":\"1\",\"mtime\":0"),
  ONE ("a", ",\"size\":1,\"mtime\":9223372036854775807"),
  ONE ("a", ""),
  "{\"type\":\"manifest\",\"entries\":[],\"more\":true}",
  "{\"type\":\"manifest\",\"entries\":[1],\"more\":false}",
  "{\"type\":\"manifest\",\"entries\":{},\"more\":false}",
  "{\"type\":\"manifest\",\"entries\":[{\"path\":\"a\",\"folder\":true},{\"path\":\"a\",\"size\":1,\"mtime\":"
  "0}]}",
  "{\"type\":\"manifest\",\"entries\":[{\"path\":\"a\",\"size\":9223372036854775807,\"mtime\":0},"
  "{\"path\":\"b\",\"size\":9223372036854775807,\"mtime\":0}]}",
  "{\"type\":\"verdict\"}",
  "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
  "{\"type\":1}",
  "nonsense",
  "",
};

START_TEST (test_bad_manifest)
{
  Hostile hostile = { .manifest = bad_manifests[_i] };
  const GError *error = run_hostile (&hostile);

  ck_assert_msg (g_error_matches (error, ICS_ERROR, ICS_ERROR_PROTOCOL), "%s", error->message);
}
END_TEST

/* json-glib alone would run out of stack here. */
START_TEST (test_bracket_bomb)
{
  g_autofree char *bomb = g_strnfill (CLI_FRAME_MAX, '[');
  static const char honest[] = "{\"path\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}";
  g_autoptr (JsonObject) parsed = cli_json_parse (honest, strlen (honest));

  ck_assert_ptr_null (cli_json_parse (bomb, CLI_FRAME_MAX));
  ck_assert_str_eq (cli_json_string (parsed, "path"), "[[[[[[[[[[[[[[[[[[[[[[\"[[");
}
END_TEST

static const char *const bad_hellos[]
    = { "{\"type\":\"hello\",\"role\":\"send\",\"streams\":0,\"block\":262144}",
        "{\"type\":\"hello\",\"role\":\"send\",\"streams\":4,\"block\":0}",
        "{\"type\":\"hello\",\"role\":\"send\",\"streams\":100000,\"block\":262144}",
        "{\"type\":\"hello\",\"role\":\"send\"}" };

START_TEST (test_bad_hello)
{
  Hostile hostile = { .hello = bad_hellos[_i], .manifest = ONE ("a", ",\"size\":1,\"mtime\":0") };

  ck_assert (g_error_matches (run_hostile (&hostile), ICS_ERROR, ICS_ERROR_PROTOCOL));
}
END_TEST

START_TEST (test_altered)
{
  Hostile hostile
      = { .manifest = ONE ("a", ",\"size\":3,\"mtime\":0"), .data = "abd", .length = 3, .announced = "abc" };

  ck_assert (g_error_matches (run_hostile (&hostile), ICS_ERROR, ICS_ERROR_INTEGRITY));
}
END_TEST

START_TEST (test_too_short)
{
  Hostile hostile = { .manifest = ONE ("a", ",\"size\":300,\"mtime\":0"), .data = "abc", .length = 3 };

  ck_assert (g_error_matches (run_hostile (&hostile), ICS_ERROR, ICS_ERROR_CLOSED));
}
END_TEST

START_TEST (test_too_much)
{
  static const char data[] = "abc\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61"
                             "\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2"
                             "\x00\x15\xad"
                             "more";
  Hostile hostile
      = { .manifest = ONE ("a", ",\"size\":3,\"mtime\":0"), .data = data, .length = sizeof data - 1 };

  ck_assert (g_error_matches (run_hostile (&hostile), ICS_ERROR, ICS_ERROR_PROTOCOL));
}
END_TEST

/* A receiver that claims to have something else. */
static gboolean
work_lying_receiver (gpointer data, GCancellable *cancellable, GError **error)
{
  g_autoptr (GIOStream) control = cli_control_start (&fixture->link->joiner.peer,
                                                     cli_control_new_hello ("receive"), cancellable, error);
  g_autoptr (CliManifest) manifest = NULL;
  g_autoptr (JsonObject) hello = cli_control_read_hello (control, "send", cancellable, error);

  manifest = cli_manifest_read (control, cancellable, error);
  write_json (control, "{\"type\":\"accept\"}");
  write_json (control, data);
  cli_control_farewell (control, cancellable);
  return manifest != NULL;
}

static const struct
{
  const char *verdict;
  int code;
} lies[] = { { "{\"type\":\"verdict\",\"sha256\":\"00\"}", ICS_ERROR_INTEGRITY },
             { "{\"type\":\"verdict\"}", ICS_ERROR_INTEGRITY },
             { "{\"type\":\"abort\",\"reason\":\"no room\"}", ICS_ERROR_REFUSED },
             { "{\"type\":\"abort\",\"code\":\"integrity\",\"reason\":\"altered\"}", ICS_ERROR_INTEGRITY },
             { "{\"type\":\"accept\"}", ICS_ERROR_PROTOCOL } };

START_TEST (test_lying_receiver)
{
  FakeSide liar = { .work = work_lying_receiver, .data = (gpointer)lies[_i].verdict };

  fake_write_file (fixture->from, "a", "abc", 3);
  collect ("a");
  fake_run (&fixture->sender, &liar);
  ck_assert (!fixture->sender.good);
  ck_assert_msg (g_error_matches (fixture->sender.error, ICS_ERROR, lies[_i].code), "%s",
                 fixture->sender.error->message);
  fake_side_clear (&liar);
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
  collect ("a");
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
  tcase_add_checked_fixture (tcase, setup, teardown);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_one_file, 0, G_N_ELEMENTS (sizes));
  tcase_add_test (tcase, test_joining_sender);
  tcase_add_test (tcase, test_tree);
  tcase_add_test (tcase, test_declined);
  tcase_add_test (tcase, test_exists);
  tcase_add_test (tcase, test_receiver_fails);
  tcase_add_loop_test (tcase, test_source_changes, 0, G_N_ELEMENTS (changes));
  tcase_add_test (tcase, test_two_senders);
  tcase_add_loop_test (tcase, test_bad_manifest, 0, G_N_ELEMENTS (bad_manifests));
  tcase_add_test (tcase, test_bracket_bomb);
  tcase_add_loop_test (tcase, test_bad_hello, 0, G_N_ELEMENTS (bad_hellos));
  tcase_add_test (tcase, test_altered);
  tcase_add_test (tcase, test_too_short);
  tcase_add_test (tcase, test_too_much);
  tcase_add_loop_test (tcase, test_lying_receiver, 0, G_N_ELEMENTS (lies));
  tcase_add_test (tcase, test_cancelled);
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
