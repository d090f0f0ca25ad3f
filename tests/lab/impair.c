/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Forwards all frames between two interfaces, and makes their way worse as it is told.
 *
 * usage: impair SEED NEAR FAR
 *
 * It reads lines: "up SETTINGS" for what comes from NEAR, "down SETTINGS" for what comes from FAR (see
 * impair-settings.h; each line says all about its direction), "stats". It answers each with a line, "ok", a
 * JSON object, or "error: …", when that is in force. It ends with its input. The interfaces must not leave
 * checksums or segments to hardware. */
#define _GNU_SOURCE /* ppoll() */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/lab/impair-frame.h"
#include "tests/lab/impair-port.h"
#include "tests/lab/impair-queue.h"

#define NS_PER_S G_GINT64_CONSTANT (1000000000)
#define BATCH 64 /* frames per system call */
#define TURN 512 /* frames that are taken from one side before the other has its turn */
#define LINE_MAX_LEN 1024

typedef struct
{
  const char *name;
  ImpairPort *from, *to;
  ImpairQueue *queue;
} Direction;

typedef struct
{
  Direction directions[2];
  char line[LINE_MAX_LEN];
  gsize line_len;
} Impair;

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
answer_too_big (Direction *direction, const guint8 *frame, gsize len)
{
  guint8 answer[IMPAIR_FRAME_MAX];
  const guint8 *frames[] = { answer };
  gsize answer_len
      = impair_frame_too_big (frame, len, (guint16)impair_queue_settings (direction->queue)->mtu, answer);

  if (answer_len > 0)
    impair_port_send (direction->from, frames, &answer_len, 1);
}

static void
take_in (Direction *direction, gint64 now)
{
  const guint8 *frame;
  gsize len;

  for (guint i = 0; i < TURN && (frame = impair_port_receive (direction->from, &len)) != NULL; i++)
    if (impair_queue_push (direction->queue, now, frame, len))
      answer_too_big (direction, frame, len);
}

static void
give_out (Direction *direction, gint64 now)
{
  ImpairPacket *packets[BATCH];
  const guint8 *frames[BATCH];
  gsize lens[BATCH];
  guint n;

  do
    {
      for (n = 0; n < BATCH && (packets[n] = impair_queue_pop (direction->queue, now)) != NULL; n++)
        {
          frames[n] = packets[n]->data;
          lens[n] = packets[n]->len;
        }
      impair_port_send (direction->to, frames, lens, n);
      for (guint i = 0; i < n; i++)
        g_free (packets[i]);
    }
  while (n == BATCH);
}

static void
print_stats (Impair *self)
{
  static const char *const names[IMPAIR_N_COUNTS] = { "in",         "out",        "lost",
                                                      "blackholed", "too_big",    "queue_full",
                                                      "reordered",  "duplicated", "corrupted" };

  printf ("{");
  for (guint i = 0; i < 2; i++)
    {
      Direction *direction = &self->directions[i];

      printf ("%s\"%s\": {\"bytes_out\": %" G_GUINT64_FORMAT ", \"dropped\": %" G_GUINT64_FORMAT,
              i > 0 ? ", " : "", direction->name, impair_queue_bytes_out (direction->queue),
              impair_port_dropped (direction->from));
      for (guint k = 0; k < IMPAIR_N_COUNTS; k++)
        printf (", \"%s\": %" G_GUINT64_FORMAT, names[k], impair_queue_count (direction->queue, k));
      printf ("}");
    }
  printf ("}\n");
}

static void
obey (Impair *self, const char *line)
{
  g_autofree char *problem = NULL;
  ImpairSettings settings;

  if (g_str_equal (line, "stats"))
    {
      print_stats (self);
      return;
    }
  for (guint i = 0; i < 2; i++)
    {
      gsize len = strlen (self->directions[i].name);

      if (strncmp (line, self->directions[i].name, len) != 0 || (line[len] != ' ' && line[len] != '\0'))
        continue;
      if (impair_settings_parse (line + len, &settings, &problem))
        impair_queue_set (self->directions[i].queue, &settings);
      printf ("%s%s\n", problem != NULL ? "error: " : "ok", problem != NULL ? problem : "");
      return;
    }
  printf ("error: %s\n", line);
}

/* FALSE at the end of the input. */
static gboolean
read_lines (Impair *self)
{
  ssize_t got = read (STDIN_FILENO, self->line + self->line_len, LINE_MAX_LEN - 1 - self->line_len);
  char *end;

  if (got <= 0)
    return got < 0 && (errno == EINTR || errno == EAGAIN);
  self->line_len += (gsize)got;
  while ((end = memchr (self->line, '\n', self->line_len)) != NULL)
    {
      gsize used = (gsize)(end + 1 - self->line);

      *end = '\0';
      obey (self, self->line);
      self->line_len -= used;
      memmove (self->line, end + 1, self->line_len);
    }
  fflush (stdout);
  return self->line_len < LINE_MAX_LEN - 1;
}

static void
wait_until (struct pollfd *fds, guint n, gint64 when)
{
  gint64 left = when != G_MAXINT64 ? MAX (when - now_ns (), 0) : 0;
  struct timespec timeout = { .tv_sec = (time_t)(left / NS_PER_S), .tv_nsec = (long)(left % NS_PER_S) };

  if (ppoll (fds, n, when != G_MAXINT64 ? &timeout : NULL, NULL) < 0)
    for (guint i = 0; i < n; i++)
      fds[i].revents = 0;
}

static void
run (Impair *self)
{
  Direction *directions = self->directions;
  struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
                          { .fd = impair_port_fd (directions[0].from), .events = POLLIN },
                          { .fd = impair_port_fd (directions[1].from), .events = POLLIN } };

  do
    {
      wait_until (fds, G_N_ELEMENTS (fds),
                  MIN (impair_queue_next (directions[0].queue), impair_queue_next (directions[1].queue)));
      for (guint i = 0; i < 2; i++)
        take_in (&directions[i], now_ns ());
      for (guint i = 0; i < 2; i++)
        give_out (&directions[i], now_ns ());
    }
  while (fds[0].revents == 0 || read_lines (self));
}

int
main (int argc, char **argv)
{
  g_autoptr (ImpairPort) near = argc == 4 ? impair_port_open (argv[2]) : NULL;
  g_autoptr (ImpairPort) far = near != NULL ? impair_port_open (argv[3]) : NULL;
  guint32 seed = argc == 4 ? (guint32)strtoul (argv[1], NULL, 10) : 0;
  g_autoptr (ImpairQueue) up = impair_queue_new (seed);
  g_autoptr (ImpairQueue) down = impair_queue_new (~seed);
  Impair self = { .directions = { { "up", near, far, up }, { "down", far, near, down } } };

  if (far == NULL)
    {
      fprintf (stderr, "usage: impair SEED NEAR FAR%s%s\n", argc == 4 ? ": " : "",
               argc == 4 ? g_strerror (errno) : "");
      return EXIT_FAILURE;
    }
  /* The default slack of 50 µs is several packets at the rates meant. First among equals where that is
   * allowed: what waits for it would look like the network's doing. */
  prctl (PR_SET_TIMERSLACK, 1UL);
  setpriority (PRIO_PROCESS, 0, -10);
  run (&self);
  return EXIT_SUCCESS;
}
