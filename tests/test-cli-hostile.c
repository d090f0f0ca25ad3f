/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "file/1" against hostile hosts. */
#include "base/ics-error.h"
#include "cli/hash.h"
#include "cli/stripe.h"
#include "tests/cli-exchange.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

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
  exchange_collect ("a");
  fake_run (&fixture->sender, &liar);
  ck_assert (!fixture->sender.good);
  ck_assert_msg (g_error_matches (fixture->sender.error, ICS_ERROR, lies[_i].code), "%s",
                 fixture->sender.error->message);
  fake_side_clear (&liar);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-hostile");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  tcase_set_timeout (tcase, 120);
  tcase_add_checked_fixture (tcase, exchange_open, exchange_close);
  suite_add_tcase (suite, tcase);
  tcase_add_loop_test (tcase, test_bad_manifest, 0, G_N_ELEMENTS (bad_manifests));
  tcase_add_test (tcase, test_bracket_bomb);
  tcase_add_loop_test (tcase, test_bad_hello, 0, G_N_ELEMENTS (bad_hellos));
  tcase_add_test (tcase, test_altered);
  tcase_add_test (tcase, test_too_short);
  tcase_add_test (tcase, test_too_much);
  tcase_add_loop_test (tcase, test_lying_receiver, 0, G_N_ELEMENTS (lies));
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
