/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/code.h"
#include "base/ics-error.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CODE_MAX 128
#define MODE_PRIVATE 0600

char *
cli_code_take (char *secret)
{
  char *copy = g_strdup (secret);

  sodium_memzero (secret, strlen (secret));
  return copy;
}

char *
cli_code_take_environment (const char *name)
{
  char *value = (char *)g_getenv (name);
  char *copy = value != NULL && *value != '\0' ? cli_code_take (value) : NULL;

  g_unsetenv (name);
  return copy;
}

void
cli_code_free (char *code)
{
  if (code != NULL)
    sodium_memzero (code, strlen (code));
  g_free (code);
}

/* One line from @in, without its end; NULL when it is empty or too long. */
static char *
read_line (FILE *in)
{
  char line[CODE_MAX + 2];
  char *code = NULL;

  if (fgets (line, sizeof line, in) != NULL && strlen (line) <= CODE_MAX)
    code = g_strdup (g_strstrip (line));
  sodium_memzero (line, sizeof line);
  if (code != NULL && *code == '\0')
    g_clear_pointer (&code, g_free);
  return code;
}

char *
cli_code_read_file (const char *path, GError **error)
{
  FILE *in = fopen (path, "re");
  char *code;

  if (in == NULL && errno == ENOENT)
    return NULL;
  if (in == NULL)
    {
      g_set_error (error, G_FILE_ERROR, (gint)g_file_error_from_errno (errno),
                   "cannot read the code file %s: %s", path, g_strerror (errno));
      return NULL;
    }
  code = read_line (in);
  fclose (in);
  return code;
}

gboolean
cli_code_write_file (const char *path, const char *code, GError **error)
{
  g_autofree char *line = g_strconcat (code, "\n", NULL);
  gboolean good
      = g_file_set_contents_full (path, line, -1, G_FILE_SET_CONTENTS_CONSISTENT, MODE_PRIVATE, error);

  sodium_memzero (line, strlen (line));
  /* An empty file that was there keeps its mode otherwise. */
  if (good)
    g_chmod (path, MODE_PRIVATE);
  else
    g_prefix_error (error, "cannot write the code file: ");
  return good;
}

void
cli_code_remove_file (const char *path, const char *code)
{
  char *now = cli_code_read_file (path, NULL);

  if (g_strcmp0 (now, code) == 0)
    g_unlink (path);
  cli_code_free (now);
}

char *
cli_code_ask (gboolean use_stdin, GError **error)
{
  FILE *terminal = fopen ("/dev/tty", "r+e");
  FILE *in = terminal != NULL ? terminal : use_stdin ? stdin : NULL;
  char *code = NULL;

  if (terminal != NULL)
    {
      fputs ("code: ", terminal);
      fflush (terminal);
    }
  if (in != NULL)
    code = read_line (in);
  if (terminal != NULL)
    fclose (terminal);
  if (code == NULL)
    g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                 "no code was given; type it when asked, or use --code-file or ICE_SESSION_CODE");
  return code;
}
