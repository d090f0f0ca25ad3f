/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/std-streams.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the flags of a socket are put back at the end; they belong to all who share it. */
static int shared_fd = -1;
static int shared_flags;

void
cli_stdio_guard (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF)
      {
        /* The lowest free number is this one. */
        int opened = open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);

        if (opened != fd)
          _exit (1);
      }
}

/* A descriptor of our own for @fd, whose number then stands for /dev/null. */
static int
take_fd (int fd)
{
  int own = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int null = own >= 0 ? open ("/dev/null", O_RDWR | O_CLOEXEC) : -1;

  if (null >= 0)
    {
      dup2 (null, fd);
      close (null);
    }
  return own;
}

/* A pipe can be opened anew, with flags that nobody shares; a socket cannot. */
static int
make_nonblocking (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  struct stat info;
  int again;

  if (fstat (fd, &info) < 0 || (!S_ISFIFO (info.st_mode) && !S_ISSOCK (info.st_mode)))
    return fd;
  again = S_ISFIFO (info.st_mode) ? open (path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
  if (again >= 0)
    {
      close (fd);
      return again;
    }
  shared_flags = fcntl (fd, F_GETFL);
  shared_fd = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  fcntl (fd, F_SETFL, shared_flags | O_NONBLOCK);
  return fd;
}

GIOStream *
cli_stdio_take (GError **error)
{
  int in_fd = take_fd (STDIN_FILENO);
  int out_fd = take_fd (STDOUT_FILENO);
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GOutputStream) out = NULL;

  if (in_fd < 0 || out_fd < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   "cannot use standard input and output: %s", g_strerror (errno));
      return NULL;
    }
  in = g_unix_input_stream_new (in_fd, TRUE);
  out = g_unix_output_stream_new (make_nonblocking (out_fd), TRUE);
  return g_simple_io_stream_new (in, out);
}

void
cli_stdio_restore (void)
{
  if (shared_fd < 0)
    return;
  fcntl (shared_fd, F_SETFL, shared_flags);
  close (shared_fd);
  shared_fd = -1;
}
