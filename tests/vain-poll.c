/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A timer that is due and that nothing serves takes a whole processor, and no test would see it: all goes on.
 * So GLib calls this poll(), linked into a test or preloaded into a program, and a thread that asks again and
 * again without waiting, and finds nothing, ends the process. */
#define _GNU_SOURCE /* ppoll() */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#define IN_VAIN_MAX 5000 /* some 10 ms */

static const char message[] = "vain-poll-CRITICAL **: a thread polls in vain, again and again\n";

__attribute__ ((visibility ("default"))) int
poll (struct pollfd *fds, nfds_t n, int timeout)
{
  static __thread unsigned int in_vain;
  struct timespec wait = { timeout / 1000, timeout % 1000 * 1000000L };
  int ready = ppoll (fds, n, timeout < 0 ? NULL : &wait, NULL);

  in_vain = ready == 0 && timeout == 0 ? in_vain + 1 : 0;
  if (in_vain == IN_VAIN_MAX)
    {
      if (write (STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit (1);
      abort ();
    }
  return ready;
}
