/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000
#define ERASE_LINE "\r\033[K"

struct _Terminal
{
  void (*typed) (const char *line, gpointer user_data);
  gpointer user_data;
  struct termios before;
  guint source;
  char *prompt;
  GString *line;
  enum
  {
    PLAIN,
    ESCAPE,  /* after ESC */
    SEQUENCE /* after ESC [, until the letter that ends it: keys that this editor does not have */
  } state;
};

static void
put (const char *text)
{
  for (gsize left = strlen (text); left > 0;)
    {
      gssize n = write (STDOUT_FILENO, text, left);

      if (n < 0)
        return;
      text += n;
      left -= (gsize)n;
    }
}

static glong
columns (void)
{
  struct winsize size = { 0 };

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static char *
make_harmless (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *harmless = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p))
    {
      GUnicodeType type = g_unichar_type (g_utf8_get_char (p));

      g_string_append_unichar (
          harmless, type == G_UNICODE_CONTROL || type == G_UNICODE_FORMAT ? '?' : g_utf8_get_char (p));
    }
  return g_string_free (harmless, FALSE);
}

/* The prompt, and of the line the end, as much as there is room for. */
static void
draw (Terminal *self)
{
  g_autofree char *line = make_harmless (self->line->str); /* the last character may not be complete yet */
  glong room = MAX (columns () - g_utf8_strlen (self->prompt, -1) - 1, 1);

  put (ERASE_LINE);
  put (self->prompt);
  put (g_utf8_offset_to_pointer (line, MAX (g_utf8_strlen (line, -1) - room, 0)));
}

static void
erase_character (GString *line)
{
  const char *last = g_utf8_find_prev_char (line->str, line->str + line->len);

  if (last != NULL)
    g_string_truncate (line, (gsize)(last - line->str));
}

static void
enter (Terminal *self)
{
  g_autofree char *line = g_utf8_make_valid (self->line->str, -1);

  g_string_truncate (self->line, 0);
  self->typed (line, self->user_data);
}

static void
take_key (Terminal *self, char key)
{
  if (self->state != PLAIN)
    self->state = self->state == ESCAPE && key == '['                               ? SEQUENCE
                  : self->state == SEQUENCE && !g_ascii_isalpha (key) && key != '~' ? SEQUENCE
                                                                                    : PLAIN;
  else if (key == '\033')
    self->state = ESCAPE;
  else if (key == '\r' || key == '\n')
    enter (self);
  else if (key == '\b' || key == '\177')
    erase_character (self->line);
  else if (key == '\025') /* Ctrl-U */
    g_string_truncate (self->line, 0);
  else if (key == '\004' && self->line->len == 0) /* Ctrl-D */
    self->typed (NULL, self->user_data);
  else if ((guchar)key >= ' ' && self->line->len < LINE_MAX_BYTES)
    g_string_append_c (self->line, key);
}

static gboolean
on_keys (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer user_data)
{
  Terminal *self = user_data;
  char keys[256];
  gssize n = read (fd, keys, sizeof keys);

  for (gssize i = 0; i < n; i++)
    take_key (self, keys[i]);
  if (n > 0)
    {
      draw (self);
      return G_SOURCE_CONTINUE;
    }
  /* The terminal is gone: its window was closed. */
  self->source = 0;
  self->typed (NULL, self->user_data);
  return G_SOURCE_REMOVE;
}

Terminal *
terminal_open (void (*typed) (const char *line, gpointer user_data), gpointer user_data)
{
  struct termios before, raw;
  Terminal *self;

  if (tcgetattr (STDIN_FILENO, &before) != 0 || !isatty (STDOUT_FILENO))
    return NULL;
  raw = before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO); /* each key as it comes; Ctrl-C stays a signal */
  tcsetattr (STDIN_FILENO, TCSANOW, &raw);
  self = g_new0 (Terminal, 1);
  self->typed = typed;
  self->user_data = user_data;
  self->before = before;
  self->prompt = g_strdup ("> ");
  self->line = g_string_new (NULL);
  self->source = g_unix_fd_add (STDIN_FILENO, G_IO_IN | G_IO_HUP, on_keys, self);
  draw (self);
  return self;
}

void
terminal_close (Terminal *self)
{
  put (ERASE_LINE);
  tcsetattr (STDIN_FILENO, TCSANOW, &self->before);
  if (self->source != 0)
    g_source_remove (self->source);
  g_free (self->prompt);
  g_string_free (self->line, TRUE);
  g_free (self);
}

void
terminal_set_prompt (Terminal *self, const char *prompt)
{
  g_free (self->prompt);
  self->prompt = g_strdup (prompt);
  draw (self);
}

void
terminal_show (Terminal *self, const char *text)
{
  g_autofree char *harmless = make_harmless (text);

  put (ERASE_LINE);
  put (harmless);
  put ("\n");
  draw (self);
}
