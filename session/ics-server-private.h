/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "session/ics-server.h"
#include "signaling/server.h"
#include "turn-fallback/coturn.h"

G_BEGIN_DECLS

struct _IcsServer
{
  GObject parent_instance;

  char **listen;
  char *tls_cert_file;
  char *tls_key_file;
  char **public_addresses;
  char **turn_uris;
  char *turn_secret_file;
  char **turn_allow_peers;
  guint turn_lifetime;
  char *state_dir;

  gboolean own_state_dir; /* made at start, removed at the end */
  char *secret;           /* of the TURN REST scheme; NULL = none */
  IcsRvServer *rendezvous;
  IcsCoturn *coturn;
  GArray *turn_addresses; /* IcsCoturnAddress */
  char *turn_tls_host;    /* what the certificate is for; NULL = no TURN over TLS is handed out */
  GPtrArray *turn_given;  /* (element-type IcsTurnServer): from turn-uris */
  guint stopping;         /* parts that have not ended yet */
  GTask *stop_task;
};

/* ics-server-turn.c: what this server knows of TURN, and the coturn that it may start. */
/* @certificate: of the --tls-cert file; NULL = none. */
gboolean ics_server_turn_start (IcsServer *self, GTlsCertificate *certificate, GError **error);
/* What one member is handed: the servers known now, each with credentials made for it. (transfer full)
 * (element-type IcsTurnServer) */
GPtrArray *ics_server_turn_issue (IcsServer *self);
void ics_server_turn_clear (IcsServer *self);

G_END_DECLS
