/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/peer.h"
#include <session/ice-session.h>

G_BEGIN_DECLS

/* A CliPeer on a link. */
typedef struct _CliLinkPeer CliLinkPeer;

CliLinkPeer *cli_link_peer_new (IcsLink *link, gboolean initiator);
CliPeer *cli_link_peer_get (CliLinkPeer *self);
/* Begins to take the streams that the peer opens. On the main context. */
void cli_link_peer_start (CliLinkPeer *self);
/* No more streams will come. */
void cli_link_peer_end (CliLinkPeer *self, const GError *error);
void cli_link_peer_unref (CliLinkPeer *self);

G_END_DECLS
