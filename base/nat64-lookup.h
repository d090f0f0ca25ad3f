/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/nat64.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* Asks this network's name server for the prefix of its NAT64 (RFC 7050), bounded in time. Whoever answers
 * could as well have answered any other name: what is reached through the prefix has to prove who it is. */

typedef struct
{
  IcsNat64Prefix prefix;
  GList *addresses; /* (element-type GInetAddress): the host's IPv4 addresses, as IPv6 ones; at most 8 */
} IcsNat64Answer;

void ics_nat64_answer_free (IcsNat64Answer *self);

/* This host has a way to IPv6 addresses at large, and none to IPv4 ones. No packet is sent. */
gboolean ics_nat64_is_needed (void);

/* @host: a name or a literal whose IPv4 addresses are wanted too; NULL: the prefix alone. They are asked for
 * whether or not the host has IPv6 addresses of its own. The callback runs on the caller's thread-default
 * context. */
void ics_nat64_lookup_async (const char *host, guint timeout_ms, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
/* NULL with G_IO_ERROR_NOT_FOUND: the network has no NAT64 that it tells of; G_IO_ERROR_CANCELLED: also when
 * it took too long. (transfer full) */
IcsNat64Answer *ics_nat64_lookup_finish (GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNat64Answer, ics_nat64_answer_free)

G_END_DECLS
