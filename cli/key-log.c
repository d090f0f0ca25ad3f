/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/key-log.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_PRIVATE 0600

static void
set_error (GError **error, const char *what)
{
  int code = errno;

  g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (code), "%s the key log: %s", what,
               g_strerror (code));
}

int
cli_key_log_open (const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, MODE_PRIVATE);

  if (fd >= 0 && fchmod (fd, MODE_PRIVATE) == 0)
    return fd;
  set_error (error, "cannot open");
  if (fd >= 0)
    close (fd);
  return -1;
}

gboolean
cli_key_log_write (int fd, const char *line, GError **error)
{
  g_autofree char *whole = g_strconcat (line, "\n", NULL);
  gsize len = strlen (whole);
  gboolean good = write (fd, whole, len) == (gssize)len;

  if (!good)
    set_error (error, "cannot write");
  sodium_memzero (whole, len);
  return good;
}
