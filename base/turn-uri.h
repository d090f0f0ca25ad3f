/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/ics-error.h"
#include <glib.h>

G_BEGIN_DECLS

/* A STUN (RFC 7064) or TURN (RFC 7065) server with its credentials. Plain data. */
typedef enum
{
  ICS_TURN_UDP,
  ICS_TURN_TCP,
  ICS_TURN_TLS
} IcsTurnTransport;

typedef struct
{
  gboolean is_stun; /* stun: URI; no credentials */
  char *host;       /* name or IP literal, without brackets */
  guint16 port;     /* default 3478, 5349 for turns: */
  IcsTurnTransport transport;
  char *username;      /* NULL if none yet */
  char *password;      /* wiped on free */
  gint64 expires_unix; /* seconds since the epoch, 0 = never */
} IcsTurnServer;

/* Parses "stun:host[:port]", "turn:[user:password@]host[:port][?transport=udp|tcp]", "turns:...". The
 * userinfo form is this project's convenience for --turn; percent-decoding applies to it. Returns NULL and
 * sets ICS_ERROR_INVALID_ARGUMENT when it does not parse. */
IcsTurnServer *ics_turn_server_parse (const char *uri, GError **error);
IcsTurnServer *ics_turn_server_copy (const IcsTurnServer *self);
void ics_turn_server_free (IcsTurnServer *self);

/* The URI without credentials; IPv6 literals in brackets. (transfer full) */
char *ics_turn_server_to_uri (const IcsTurnServer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsTurnServer, ics_turn_server_free)

G_END_DECLS
