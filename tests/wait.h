/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Runs the default main context until @condition holds. */
typedef gboolean (*Condition) (gpointer data);

void wait_for (Condition condition, gpointer data, const char *what);
#define WAIT(condition, data) wait_for (condition, data, #condition)

/* Fails the test when it is still there after a generous time. Remove with g_source_remove(). */
guint add_safety (const char *what);

/* Runs what is ready now. */
void spin (void);

/* A condition for a gboolean, and a callback that makes it true. */
gboolean is_true (gpointer data);
void set_true (gpointer data);
