/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "path/replay-window.h"

gboolean
ics_replay_window_accept (IcsReplayWindow *self, guint64 seq)
{
  guint64 *slot = &self->highest[seq % ICS_REPLAY_WINDOW_LEN];

  if (seq <= *slot)
    return FALSE;
  *slot = seq;
  return TRUE;
}
