/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A cancellable that is cancelled with its parent, or when its time is up. The timer runs on the default main
 * context. */
typedef struct _CliDeadline CliDeadline;

CliDeadline *cli_deadline_new (GCancellable *parent, guint ms);
GCancellable *cli_deadline_get_cancellable (CliDeadline *self);
void cli_deadline_free (CliDeadline *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliDeadline, cli_deadline_free)

G_END_DECLS
