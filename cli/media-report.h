/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/media.h"
#include "cli/verbs.h"
#include <session/ice-session.h>

G_BEGIN_DECLS

/* What the verb media tells of its channel. */

/* The "media" event. */
void cli_media_report_statistics (CliContext *context, const CliMedia *media, IcsMediaChannel *channel);
/* The "done" event, and a sentence for people. */
void cli_media_report_done (CliContext *context, IcsMediaChannel *channel);

G_END_DECLS
