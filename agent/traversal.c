/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/traversal.h"

gboolean
ics_traversal_start (IcsTraversal *self, GError **error)
{
  return self->class->start (self, error);
}

void
ics_traversal_get_credentials (IcsTraversal *self, const char **ufrag, const char **pwd)
{
  self->class->get_credentials (self, ufrag, pwd);
}

void
ics_traversal_set_remote_credentials (IcsTraversal *self, const char *ufrag, const char *pwd)
{
  self->class->set_remote_credentials (self, ufrag, pwd);
}

gboolean
ics_traversal_add_remote_candidate (IcsTraversal *self, const char *line)
{
  return self->class->add_remote_candidate (self, line);
}

void
ics_traversal_end_of_candidates (IcsTraversal *self)
{
  self->class->end_of_candidates (self);
}

IcsIceState
ics_traversal_get_state (IcsTraversal *self)
{
  return self->class->get_state (self);
}

IcsSendResult
ics_traversal_send (IcsTraversal *self, const guint8 *data, gsize len)
{
  gsize taken;

  return self->class->send_segments (self, data, len, len, &taken);
}

IcsSendResult
ics_traversal_send_segments (IcsTraversal *self, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  return self->class->send_segments (self, data, len, segment, taken);
}

GInetAddress *
ics_traversal_get_base (IcsTraversal *self)
{
  return self->class->get_base (self);
}

void
ics_traversal_graduate (IcsTraversal *self, gint64 rtt_us)
{
  if (self->class->graduate != NULL)
    self->class->graduate (self, rtt_us);
}

void
ics_traversal_confirm_consent (IcsTraversal *self, gint64 asked_at)
{
  self->class->confirm_consent (self, asked_at);
}

gboolean
ics_traversal_get_pair (IcsTraversal *self, IcsIcePair *pair)
{
  return self->class->get_pair (self, pair);
}

void
ics_traversal_free (IcsTraversal *self, void (*closed) (gpointer), gpointer closed_data)
{
  self->class->free (self, closed, closed_data);
}
