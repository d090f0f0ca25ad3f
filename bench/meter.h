/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What one end of a measurement counted, printed as one line of JSON on standard output. */
typedef struct
{
  gint64 skip_us;      /* bytes of this time after the first one are not counted: start-up */
  gint64 first, last;  /* monotonic µs of the first byte, and of the last one so far */
  guint64 bytes;       /* counted */
  guint64 total;       /* all */
  double user, system; /* processor seconds of this process before the start */
} Meter;

/* Processor time counts from here, or from the first byte. */
void meter_start (Meter *self);
void meter_count (Meter *self, gint64 now, gsize len);

/* Bytes, seconds, bits per second, processor seconds of this process, its memory at the most. */
void meter_report (const Meter *self, const char *name);

/* The field of /proc/self/status ("VmRSS", "VmHWM"), in kB. */
gint64 bench_memory (const char *field);

/* "ADDRESS:PORT"; ends the program if it is none. */
typedef struct _GSocketAddress GSocketAddress;
GSocketAddress *bench_address (const char *text);

/* Prints a message and ends the program. */
void bench_fail (const char *format, ...) G_GNUC_PRINTF (1, 2) G_GNUC_NORETURN;
