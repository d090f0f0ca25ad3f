/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A pair of candidates that ICE has selected. */
typedef struct
{
  char *local; /* "192.0.2.1:5000", "[2001:db8::1]:5000" */
  char *remote;
  const char *local_type; /* "host", "srflx", "prflx", "relay", "mapped" */
  const char *remote_type;
  const char *transport; /* "udp", "tcp"; that of the way to its relay where this host has one, "tls" too */
} IcsIcePair;

/* What it points to, not the struct. */
void ics_ice_pair_clear (IcsIcePair *self);

/* Policy "lan" wants host candidates at both ends: a peer-reflexive one means that a check came from, or was
 * seen at, an address that is not the host's own (RFC 8445 §7.2.5.3.1, §7.3.1.3). */
gboolean ics_ice_pair_is_wanted (const IcsIcePair *self, gboolean host_only);

G_END_DECLS
