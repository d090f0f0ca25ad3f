/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into a program, shifts its wall clock by what a file says, at any time, while the monotonic
 * clocks stay true: what setting the machine's clock does, for one program. (A time namespace shifts the
 * monotonic clocks, and only them.) ICS_LAB_CLOCK names the file: one int64 in the machine's byte order,
 * nanoseconds. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S INT64_C (1000000000)
#define EXPORTED __attribute__ ((visibility ("default")))

static _Atomic int64_t *offset;
static int (*real_clock_gettime) (clockid_t, struct timespec *);

__attribute__ ((constructor)) static void
set_up (void)
{
  const char *name = getenv ("ICS_LAB_CLOCK");
  int file = name != NULL ? open (name, O_RDONLY | O_CLOEXEC) : -1;
  void *mapped = file >= 0 ? mmap (NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;

  if (file >= 0)
    close (file);
  if (mapped != MAP_FAILED)
    offset = mapped;
}

static int
call_real (clockid_t clock, struct timespec *when)
{
  /* Other libraries' constructors may ask for the time before ours ran. */
  if (real_clock_gettime == NULL)
    *(void **)&real_clock_gettime = dlsym (RTLD_NEXT, "clock_gettime");
  return real_clock_gettime (clock, when);
}

static int
is_wall_clock (clockid_t clock)
{
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

EXPORTED int
clock_gettime (clockid_t clock, struct timespec *when)
{
  int result = call_real (clock, when);
  int64_t shifted;

  if (result == 0 && offset != NULL && is_wall_clock (clock))
    {
      shifted = when->tv_sec * NS_PER_S + when->tv_nsec + atomic_load (offset);
      when->tv_sec = (time_t)(shifted / NS_PER_S);
      when->tv_nsec = (long)(shifted % NS_PER_S);
    }
  return result;
}

EXPORTED int
gettimeofday (struct timeval *restrict when, void *restrict zone)
{
  struct timespec now;

  (void)zone;
  if (clock_gettime (CLOCK_REALTIME, &now) != 0)
    return -1;
  when->tv_sec = now.tv_sec;
  when->tv_usec = now.tv_nsec / 1000;
  return 0;
}

EXPORTED time_t
time (time_t *where)
{
  struct timespec now;

  clock_gettime (CLOCK_REALTIME, &now);
  if (where != NULL)
    *where = now.tv_sec;
  return now.tv_sec;
}
