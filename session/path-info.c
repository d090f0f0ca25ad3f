/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/path-info-private.h"

G_DEFINE_BOXED_TYPE (IcsPathInfo, ics_path_info, ics_path_info_ref, ics_path_info_unref)

IcsPathInfo *
ics_path_info_new (IcsPathKind kind, const char *transport, const char *local, const char *remote)
{
  IcsPathInfo *self = g_new0 (IcsPathInfo, 1);

  g_atomic_ref_count_init (&self->refs);
  self->kind = kind;
  self->transport = transport;
  self->local = g_strdup (local != NULL ? local : "");
  self->remote = g_strdup (remote != NULL ? remote : "");
  self->local_type = "host";
  self->remote_type = "host";
  return self;
}

IcsPathInfo *
ics_path_info_ref (IcsPathInfo *self)
{
  g_atomic_ref_count_inc (&self->refs);
  return self;
}

void
ics_path_info_unref (IcsPathInfo *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_free (self->local);
  g_free (self->remote);
  g_free (self);
}

IcsPathKind
ics_path_info_get_kind (IcsPathInfo *self)
{
  return self->kind;
}

const char *
ics_path_info_get_transport (IcsPathInfo *self)
{
  return self->transport;
}

const char *
ics_path_info_get_local (IcsPathInfo *self)
{
  return self->local;
}

const char *
ics_path_info_get_local_type (IcsPathInfo *self)
{
  return self->local_type;
}

const char *
ics_path_info_get_remote (IcsPathInfo *self)
{
  return self->remote;
}

const char *
ics_path_info_get_remote_type (IcsPathInfo *self)
{
  return self->remote_type;
}

double
ics_path_info_get_rtt_ms (IcsPathInfo *self)
{
  return self->rtt_ms;
}

IcsPathReason
ics_path_info_get_reason (IcsPathInfo *self)
{
  return self->reason;
}

char *
ics_path_info_describe (IcsPathInfo *self)
{
  return g_strdup_printf ("%s: %s %s (%s) <-> %s (%s), %.0f ms, %s", ics_path_kind_to_string (self->kind),
                          self->transport, self->local, self->local_type, self->remote, self->remote_type,
                          self->rtt_ms, ics_path_reason_to_string (self->reason));
}
