/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The configuration file of a coturn child. Pure text: no files, no sockets. */

typedef struct
{
  char *local;  /* an address of this host: listened on, relayed from */
  char *public; /* what the world sees instead, or NULL */
} IcsCoturnAddress;

typedef struct
{
  const char *dir; /* where coturn may write: an absolute path without newlines */
  const char *secret;
  const char *realm;
  const IcsCoturnAddress *addresses;
  guint n_addresses;
  const char *const *allow_peers; /* "ADDR", "ADDR/PREFIX" or "ADDR-ADDR"; may be NULL */
  guint16 port;
  guint16 tls_port;               /* 0 = no TLS */
  const char *tls_cert, *tls_key; /* absolute paths (PEM); with tls_port */
  guint16 min_port;
  guint16 max_port;
  guint lifetime; /* of an allocation and of a nonce at most, in seconds */
} IcsCoturnSettings;

/* NULL and ICS_ERROR_INVALID_ARGUMENT when a range or an address does not parse. */
char *ics_coturn_compose (const IcsCoturnSettings *settings, GError **error);

G_END_DECLS
