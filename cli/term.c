/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/term.h"
#include "cli/human.h"
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_MAX_CHARS 2000
#define ANSWER_MAX 256
#define CLEAR_LINE "\r\033[K"

struct _CliTerm
{
  GMutex lock;
  CliTermMode mode;
  gboolean fancy; /* a terminal that takes control sequences */
  gboolean colour;
  gboolean drawn; /* a progress line stands on the terminal */
};

CliTerm *
cli_term_new (CliTermMode mode)
{
  CliTerm *self = g_new0 (CliTerm, 1);
  const char *no_color = g_getenv ("NO_COLOR");

  g_mutex_init (&self->lock);
  self->mode = mode;
  self->fancy = isatty (STDERR_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->colour = self->fancy && (no_color == NULL || *no_color == '\0');
  return self;
}

void
cli_term_free (CliTerm *self)
{
  cli_term_progress (self, NULL);
  g_mutex_clear (&self->lock);
  g_free (self);
}

gboolean
cli_term_can_ask (CliTerm *self)
{
  return self->mode != CLI_TERM_SILENT && isatty (STDIN_FILENO) && isatty (STDERR_FILENO);
}

static void
clear_progress (CliTerm *self)
{
  if (self->drawn)
    fputs (CLEAR_LINE, stderr);
  self->drawn = FALSE;
}

static void
write_line (CliTerm *self, const char *prefix, const char *text)
{
  g_autofree char *clean = cli_human_sanitize (text, LINE_MAX_CHARS);

  g_mutex_lock (&self->lock);
  clear_progress (self);
  fprintf (stderr, "%s%s\n", prefix, clean);
  fflush (stderr);
  g_mutex_unlock (&self->lock);
}

G_GNUC_PRINTF (2, 0)
static void
say_lines (CliTerm *self, const char *format, va_list args)
{
  g_autofree char *text = g_strdup_vprintf (format, args);

  write_line (self, "", text);
}

void
cli_term_say (CliTerm *self, const char *format, ...)
{
  va_list args;

  if (self->mode != CLI_TERM_NORMAL)
    return;
  va_start (args, format);
  say_lines (self, format, args);
  va_end (args);
}

void
cli_term_must_say (CliTerm *self, const char *format, ...)
{
  va_list args;

  if (self->mode == CLI_TERM_SILENT)
    return;
  va_start (args, format);
  say_lines (self, format, args);
  va_end (args);
}

void
cli_term_fail (CliTerm *self, const char *message)
{
  if (self->mode != CLI_TERM_SILENT)
    write_line (self,
                self->colour ? "ice-session: \033[1;31merror:\033[0m " : "ice-session: error: ", message);
}

static gsize
terminal_width (void)
{
  struct winsize size;

  return ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? (gsize)(size.ws_col - 1) : 79;
}

void
cli_term_progress (CliTerm *self, const char *line)
{
  if (self->mode != CLI_TERM_NORMAL || !self->fancy)
    return;
  g_mutex_lock (&self->lock);
  clear_progress (self);
  if (line != NULL)
    {
      g_autofree char *clean = cli_human_sanitize (line, terminal_width ());

      fputs (clean, stderr);
      self->drawn = TRUE;
    }
  fflush (stderr);
  g_mutex_unlock (&self->lock);
}

/* FALSE when cancelled: reading a line cannot be interrupted. */
static gboolean
wait_for_input (GCancellable *cancellable)
{
  GPollFD fds[2] = { { .fd = STDIN_FILENO, .events = G_IO_IN }, { .fd = -1 } };
  gboolean pollable = g_cancellable_make_pollfd (cancellable, &fds[1]);

  while (fds[0].revents == 0 && !g_cancellable_is_cancelled (cancellable))
    g_poll (fds, pollable ? 2 : 1, -1);
  if (pollable)
    g_cancellable_release_fd (cancellable);
  return !g_cancellable_is_cancelled (cancellable);
}

char *
cli_term_ask (CliTerm *self, const char *question, GCancellable *cancellable)
{
  char answer[ANSWER_MAX];

  g_mutex_lock (&self->lock);
  clear_progress (self);
  fputs (question, stderr);
  fflush (stderr);
  g_mutex_unlock (&self->lock);
  if (!wait_for_input (cancellable) || fgets (answer, sizeof answer, stdin) == NULL)
    return NULL;
  return g_strstrip (g_strdup (answer));
}
