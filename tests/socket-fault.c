/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/socket-fault.h"
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

typedef ssize_t (*SendMessage) (int fd, const struct msghdr *message, int flags);

static gint is_blocked, n_sent;

void
socket_fault_block (gboolean blocked)
{
  g_atomic_int_set (&is_blocked, blocked);
}

guint
socket_fault_count_sent (void)
{
  return (guint)g_atomic_int_get (&n_sent);
}

__attribute__ ((visibility ("default"))) ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  SendMessage next = (SendMessage)(gsize)dlsym (RTLD_NEXT, "sendmsg");
  ssize_t sent;

  if (g_atomic_int_get (&is_blocked))
    {
      errno = EAGAIN;
      return -1;
    }
  sent = next (fd, message, flags);
  if (sent >= 0)
    g_atomic_int_inc (&n_sent);
  return sent;
}
