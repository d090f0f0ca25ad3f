/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/meter.h"

#include <gio/gio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static double
seconds_of (const struct timeval *time)
{
  return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void
processor_time (double *user, double *system)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  *user = seconds_of (&usage.ru_utime);
  *system = seconds_of (&usage.ru_stime);
}

void
meter_start (Meter *self)
{
  processor_time (&self->user, &self->system);
}

void
meter_count (Meter *self, gint64 now, gsize len)
{
  if (self->first == 0)
    {
      self->first = now;
      if (self->user + self->system == 0)
        meter_start (self);
    }
  self->last = now;
  self->total += len;
  if (now - self->first >= self->skip_us)
    self->bytes += len;
}

void
meter_report (const Meter *self, const char *name)
{
  gint64 span = self->last - self->first - self->skip_us;
  double seconds = span > 0 ? (double)span / 1e6 : 0, user, system;

  processor_time (&user, &system);
  printf ("{\"name\":\"%s\",\"bytes\":%" G_GUINT64_FORMAT ",\"total_bytes\":%" G_GUINT64_FORMAT
          ",\"seconds\":%.6f,\"bits_per_second\":%.0f,\"user_s\":%.6f,\"system_s\":%.6f,\"peak_kb\":"
          "%" G_GINT64_FORMAT "}\n",
          name, self->bytes, self->total, seconds, seconds > 0 ? (double)self->bytes * 8 / seconds : 0.0,
          user - self->user, system - self->system, bench_memory ("VmHWM"));
  fflush (stdout);
}

/* Not getrusage(): its peak includes that of the program before exec(). */
gint64
bench_memory (const char *field)
{
  g_autofree char *content = NULL;
  const char *at;

  if (!g_file_get_contents ("/proc/self/status", &content, NULL, NULL)
      || (at = strstr (content, field)) == NULL)
    return 0;
  return g_ascii_strtoll (at + strlen (field) + 1, NULL, 10);
}

GSocketAddress *
bench_address (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnectable) connectable = g_network_address_parse (text, 0, &error);
  const char *host
      = connectable != NULL ? g_network_address_get_hostname (G_NETWORK_ADDRESS (connectable)) : NULL;
  GSocketAddress *address = host != NULL ? g_inet_socket_address_new_from_string (
                                host, g_network_address_get_port (G_NETWORK_ADDRESS (connectable)))
                                         : NULL;

  if (address == NULL)
    bench_fail ("%s is no ADDRESS:PORT", text);
  return address;
}

void
bench_fail (const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  vfprintf (stderr, format, arguments);
  va_end (arguments);
  fputc ('\n', stderr);
  exit (1);
}
