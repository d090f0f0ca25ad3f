/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-path-info.h"

G_BEGIN_DECLS

struct _IcsPathInfo
{
  gatomicrefcount refs;
  IcsPathKind kind;
  const char *transport; /* static */
  char *local, *remote;
  const char *local_type, *remote_type; /* static */
  double rtt_ms;
  IcsPathReason reason;
};

/* Copies the addresses; NULL becomes "". */
IcsPathInfo *ics_path_info_new (IcsPathKind kind, const char *transport, const char *local,
                                const char *remote);

/* "direct: udp 198.51.100.7:50112 (srflx) <-> 203.0.113.9:40311 (host), 21 ms, because better" */
char *ics_path_info_describe (IcsPathInfo *self);

G_END_DECLS
