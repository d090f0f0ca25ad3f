/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line, its settings, codes, and figures. */
#include "base/ics-error.h"
#include "cli/code.h"
#include "cli/exits.h"
#include "cli/forward-spec.h"
#include "cli/human.h"
#include "cli/rate.h"
#include "cli/settings.h"
#include "tests/cli-fixture.h"
#include <check.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_WORDS 16

/* A writable argv from one line. */
typedef struct
{
  char *words[MAX_WORDS];
  int n;
} Line;

static Line
line_new (const char *text)
{
  Line line = { { NULL }, 0 };
  g_auto (GStrv) words = g_strsplit (text, " ", -1);

  for (; words[line.n] != NULL && *text != '\0'; line.n++)
    line.words[line.n] = g_strdup (words[line.n]);
  return line;
}

static void
line_clear (Line *line)
{
  for (int i = 0; i < line->n; i++)
    g_free (line->words[i]);
}

static CliArguments *
parse_good (Line *line)
{
  GError *error = NULL;
  CliArguments *arguments
      = cli_arguments_parse (CLI_OPTS_LINK | CLI_OPT_BIT (CLI_OPT_OUTPUT), line->n, line->words, &error);

  if (error != NULL)
    ck_abort_msg ("%s", error->message);
  return arguments;
}

START_TEST (test_forms)
{
  Line line = line_new ("-o dir --server=ws://a -qv code --timeout 3 --turn a --turn b -- -q");
  g_autoptr (CliArguments) arguments = parse_good (&line);
  g_auto (GStrv) turns = cli_arguments_get_all (arguments, CLI_OPT_TURN);

  ck_assert_str_eq (cli_arguments_get (arguments, CLI_OPT_OUTPUT), "dir");
  ck_assert_str_eq (cli_arguments_get (arguments, CLI_OPT_SERVER), "ws://a");
  ck_assert (cli_arguments_has (arguments, CLI_OPT_QUIET) && cli_arguments_has (arguments, CLI_OPT_VERBOSE));
  ck_assert_str_eq (cli_arguments_get (arguments, CLI_OPT_TIMEOUT), "3");
  ck_assert_uint_eq (g_strv_length (turns), 2);
  ck_assert_uint_eq (arguments->operands->len, 2);
  ck_assert_str_eq (arguments->operands->pdata[1], "-q");
  line_clear (&line);
}
END_TEST

START_TEST (test_short_value)
{
  Line line = line_new ("-qodir -");
  g_autoptr (CliArguments) arguments = parse_good (&line);

  ck_assert_str_eq (cli_arguments_get (arguments, CLI_OPT_OUTPUT), "dir");
  ck_assert_str_eq (arguments->operands->pdata[0], "-");
  line_clear (&line);
}
END_TEST

static const char *const bad_lines[]
    = { "--nonsense",    "-x", "--server", "--json=1", "--tcp a:1", "-o", "--server a --server b",
        "--serve ws://a" };

START_TEST (test_bad_lines)
{
  Line line = line_new (bad_lines[_i]);
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (
      cli_arguments_parse (CLI_OPTS_LINK | CLI_OPT_BIT (CLI_OPT_OUTPUT), line.n, line.words, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  ck_assert_int_eq (cli_exit_from_error (error), 2);
  line_clear (&line);
}
END_TEST

static CliSettings *
settings_from (const char *text, GError **error)
{
  Line line = line_new (text);
  g_autoptr (CliArguments) arguments = parse_good (&line);
  CliSettings *settings = cli_settings_new (arguments, error);

  line_clear (&line);
  return settings;
}

START_TEST (test_precedence)
{
  char *folder = fake_folder_new ();
  g_autofree char *file = g_build_filename (folder, "config", NULL);
  g_autofree char *text = g_strdup_printf ("--config %s --server ws://option", file);
  g_autofree char *plain = g_strdup_printf ("--config %s", file);
  static const char config[]
      = "[ice-session]\nserver=ws://config\npath=relay\nturn=none;turn:h\nlimit-rate=2K\ntimeout=1.5\nno-port-mapping=true\n";
  g_autoptr (CliSettings) option = NULL;
  g_autoptr (CliSettings) environment = NULL;
  g_autoptr (CliSettings) from_file = NULL;

  fake_write_file (folder, "config", config, strlen (config));
  g_setenv ("ICE_SESSION_SERVER", "ws://environment", TRUE);
  option = settings_from (text, NULL);
  environment = settings_from (plain, NULL);
  g_unsetenv ("ICE_SESSION_SERVER");
  from_file = settings_from (plain, NULL);
  ck_assert_str_eq (option->server, "ws://option");
  ck_assert_str_eq (environment->server, "ws://environment");
  ck_assert_str_eq (from_file->server, "ws://config");
  ck_assert_int_eq (from_file->policy, ICS_PATH_POLICY_RELAY);
  ck_assert (from_file->no_server_turn);
  ck_assert (from_file->no_port_mapping);
  ck_assert_str_eq (from_file->turn_uris[0], "turn:h");
  ck_assert_uint_eq (from_file->limit_rate, 2000);
  ck_assert_uint_eq (from_file->timeout_ms, 1500);
  fake_folder_free (folder);
}
END_TEST

static const char *const bad_settings[]
    = { "--path sideways", "--limit-rate fast", "--limit-rate 0", "--timeout soon",         "--timeout -1",
        "--events-fd 987", "--events-fd x",     "-4 -6",          "--config /nonexistent/x" };

START_TEST (test_bad_settings)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (settings_from (bad_settings[_i], &error));
  ck_assert_int_eq (cli_exit_from_error (error), 2);
}
END_TEST

static const char *const bad_servers[]
    = { "", "--server rv.example.org", "--server ftp://a", "--server ws://" };

START_TEST (test_bad_server)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CliSettings) settings = NULL;

  g_unsetenv ("ICE_SESSION_SERVER");
  g_setenv ("XDG_CONFIG_HOME", "/nonexistent", TRUE);
  settings = settings_from (bad_servers[_i], NULL);
  ck_assert_ptr_nonnull (settings);
  ck_assert (!cli_settings_check_server (settings, &error));
  ck_assert_int_eq (cli_exit_from_error (error), 2);
}
END_TEST

START_TEST (test_secrets_are_wiped)
{
  Line line = line_new ("7-cable-otter --turn turn:u:hush@h");
  g_autoptr (CliArguments) arguments = parse_good (&line);
  g_autoptr (CliSettings) settings = NULL;
  char *variable;
  char *code;

  g_setenv ("ICE_SESSION_CODE", "9-river-lamp", TRUE);
  variable = (char *)g_getenv ("ICE_SESSION_CODE");
  settings = cli_settings_new (arguments, NULL);
  ck_assert_str_eq (settings->code, "9-river-lamp");
  ck_assert_ptr_null (g_getenv ("ICE_SESSION_CODE"));
  ck_assert_int_eq (variable[0], 0);
  ck_assert_str_eq (settings->turn_uris[0], "turn:u:hush@h");
  for (gsize i = 0; i < strlen ("turn:u:hush@h"); i++)
    ck_assert_int_eq (line.words[2][i], 0);

  code = cli_code_take (arguments->operands->pdata[0]);
  ck_assert_str_eq (code, "7-cable-otter");
  for (gsize i = 0; i < strlen (code); i++)
    ck_assert_int_eq (line.words[0][i], 0);
  cli_code_free (code);
  line_clear (&line);
}
END_TEST

START_TEST (test_code_file)
{
  char *folder = fake_folder_new ();
  g_autofree char *path = g_build_filename (folder, "code", NULL);
  GError *error = NULL;
  struct stat info;
  char *code;

  ck_assert_ptr_null (cli_code_read_file (path, &error));
  fake_write_file (folder, "code", "\n", 1);
  ck_assert_ptr_null (cli_code_read_file (path, &error));
  ck_assert_ptr_null (error);
  ck_assert (cli_code_write_file (path, "9-river-lamp", NULL));
  ck_assert_int_eq (g_stat (path, &info), 0);
  ck_assert_int_eq (info.st_mode & 0777, 0600);
  code = cli_code_read_file (path, NULL);
  ck_assert_str_eq (code, "9-river-lamp");
  cli_code_free (code);
  cli_code_remove_file (path, "other");
  ck_assert (g_file_test (path, G_FILE_TEST_EXISTS));
  cli_code_remove_file (path, "9-river-lamp");
  ck_assert (!g_file_test (path, G_FILE_TEST_EXISTS));
  ck_assert_ptr_null (cli_code_read_file ("/proc/self/mem", NULL));
  fake_folder_free (folder);
}
END_TEST

static const struct
{
  const char *text;
  const char *name;
  const char *host;
  guint16 port;
} targets[] = { { "22", "22", "localhost", 22 },
                { "ssh=22", "ssh", "localhost", 22 },
                { "web=[::1]:80", "web", "::1", 80 },
                { "host.example:5900", "5900", "host.example", 5900 } };

START_TEST (test_target)
{
  g_autoptr (CliTarget) target = cli_target_parse (targets[_i].text, NULL);

  ck_assert_ptr_nonnull (target);
  ck_assert_str_eq (target->name, targets[_i].name);
  ck_assert_str_eq (target->host, targets[_i].host);
  ck_assert_uint_eq (target->port, targets[_i].port);
}
END_TEST

static const char *const bad_targets[]
    = { "", "ssh=", "=22", "0", "65536", "::1:22", "host:", "a b=22", "x=host:0", "[::1:22", "-1" };

START_TEST (test_bad_target)
{
  g_autoptr (GError) error = NULL;

  ck_assert_ptr_null (cli_target_parse (bad_targets[_i], &error));
  ck_assert_int_eq (cli_exit_from_error (error), 2);
}
END_TEST

static const struct
{
  const char *text;
  const char *bind;
  guint16 port;
  const char *name;
} listens[] = { { "8080:web", "127.0.0.1", 8080, "web" },
                { "0:22", "127.0.0.1", 0, "22" },
                { "[::1]:80:web", "::1", 80, "web" },
                { "0.0.0.0:80:web", "0.0.0.0", 80, "web" } };

START_TEST (test_listen)
{
  g_autoptr (CliListen) listen = cli_listen_parse (listens[_i].text, NULL);

  ck_assert_ptr_nonnull (listen);
  ck_assert_str_eq (listen->bind, listens[_i].bind);
  ck_assert_uint_eq (listen->port, listens[_i].port);
  ck_assert_str_eq (listen->name, listens[_i].name);
}
END_TEST

static const char *const bad_listens[]
    = { "", "8080", "8080:", ":web", "::1:80:web", "somewhere:80:web", "70000:web", "1:2:3:4" };

START_TEST (test_bad_listen) { ck_assert_ptr_null (cli_listen_parse (bad_listens[_i], NULL)); }
END_TEST

START_TEST (test_same_target_twice)
{
  char *specs[] = { (char *)"a=1", (char *)"a=2", NULL };

  ck_assert_ptr_null (cli_targets_parse (specs, NULL));
}
END_TEST

START_TEST (test_rate)
{
  CliRate rate = { 1000, 0 };
  CliRate none = { 0, 0 };

  ck_assert_int_eq (cli_rate_take (&rate, 5000000, 500), 5500000);
  ck_assert_int_eq (cli_rate_take (&rate, 5100000, 500), 6000000);
  /* Idle time earns nothing. */
  ck_assert_int_eq (cli_rate_take (&rate, 9000000, 1000), 10000000);
  ck_assert_int_eq (cli_rate_take (&none, 7, 1000000), 7);
  ck_assert_uint_eq (cli_rate_chunk (&none, 4096), 4096);
  ck_assert_uint_eq (cli_rate_chunk (&rate, 4096), 512);
}
END_TEST

START_TEST (test_figures)
{
  g_autofree char *bytes = cli_human_bytes (2000000000);
  g_autofree char *edge = cli_human_bytes (999999);
  g_autofree char *time = cli_human_duration (181 * G_USEC_PER_SEC);
  g_autofree char *clean = cli_human_sanitize ("a\033[2Jb\nc\xff\u202e", 100);
  guint64 rate;

  ck_assert_str_eq (bytes, "2.0 GB");
  ck_assert_str_eq (edge, "1.0 MB");
  ck_assert_str_eq (time, "3:01");
  ck_assert_str_eq (clean, "a\uFFFD[2Jb\uFFFDc\uFFFD\uFFFD");
  ck_assert (cli_human_parse_rate ("1.5M", &rate) && rate == 1500000);
  ck_assert (!cli_human_parse_rate ("nan", &rate) && !cli_human_parse_rate ("1KB", &rate)
             && !cli_human_parse_rate ("", &rate));
}
END_TEST

static const struct
{
  int code;
  int exit;
} exits[] = { { ICS_ERROR_SERVER_UNREACHABLE, 3 },
              { ICS_ERROR_SERVER_REFUSED, 3 },
              { ICS_ERROR_NO_PEER, 4 },
              { ICS_ERROR_TIMED_OUT, 4 },
              { ICS_ERROR_CODE_REJECTED, 5 },
              { ICS_ERROR_KEY_REJECTED, 5 },
              { ICS_ERROR_PATH_UNAVAILABLE, 6 },
              { ICS_ERROR_REFUSED, 7 },
              { ICS_ERROR_LINK_LOST, 8 },
              { ICS_ERROR_CLOSED, 8 },
              { ICS_ERROR_PROTOCOL, 8 },
              { ICS_ERROR_INTEGRITY, 9 },
              { ICS_ERROR_INVALID_ARGUMENT, 2 } };

START_TEST (test_exit)
{
  g_autoptr (GError) error = g_error_new_literal (ICS_ERROR, exits[_i].code, "x");
  g_autoptr (GError) local = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NO_SPACE, "x");

  ck_assert_int_eq (cli_exit_from_error (error), exits[_i].exit);
  ck_assert_int_eq (cli_exit_from_error (local), 1);
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("cli-parse");
  TCase *tcase = tcase_create ("all");
  SRunner *runner = srunner_create (suite);
  int failed;

  suite_add_tcase (suite, tcase);
  tcase_add_test (tcase, test_forms);
  tcase_add_test (tcase, test_short_value);
  tcase_add_loop_test (tcase, test_bad_lines, 0, G_N_ELEMENTS (bad_lines));
  tcase_add_test (tcase, test_precedence);
  tcase_add_loop_test (tcase, test_bad_settings, 0, G_N_ELEMENTS (bad_settings));
  tcase_add_loop_test (tcase, test_bad_server, 0, G_N_ELEMENTS (bad_servers));
  tcase_add_test (tcase, test_secrets_are_wiped);
  tcase_add_test (tcase, test_code_file);
  tcase_add_loop_test (tcase, test_target, 0, G_N_ELEMENTS (targets));
  tcase_add_loop_test (tcase, test_bad_target, 0, G_N_ELEMENTS (bad_targets));
  tcase_add_loop_test (tcase, test_listen, 0, G_N_ELEMENTS (listens));
  tcase_add_loop_test (tcase, test_bad_listen, 0, G_N_ELEMENTS (bad_listens));
  tcase_add_test (tcase, test_same_target_twice);
  tcase_add_test (tcase, test_rate);
  tcase_add_test (tcase, test_figures);
  tcase_add_loop_test (tcase, test_exit, 0, G_N_ELEMENTS (exits));
  srunner_run_all (runner, CK_ENV);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
