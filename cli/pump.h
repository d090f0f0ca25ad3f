/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/hash.h"
#include "cli/rate.h"
#include <gio/gio.h>

G_BEGIN_DECLS

#define CLI_PUMP_BUFFER (128 * 1024)

typedef enum
{
  CLI_PUMP_GOOD,
  CLI_PUMP_READ_FAILED,
  CLI_PUMP_WRITE_FAILED
} CliPumpResult;

/* One direction: everything from @in to @out, until the end of @in. Neither is closed. */
typedef struct
{
  GInputStream *in;
  GOutputStream *out;
  CliHash *hash;  /* (nullable) of what was written */
  CliRate *rate;  /* (nullable) */
  guint64 *bytes; /* (nullable) written so far; read it atomically */
} CliPump;

CliPumpResult cli_pump_run (const CliPump *self, GCancellable *cancellable, GError **error);

/* Adds to and reads a counter that another thread shows as progress. */
void cli_counter_add (guint64 *counter, guint64 bytes);
guint64 cli_counter_get (const guint64 *counter);

G_END_DECLS
