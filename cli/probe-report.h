/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <json-glib/json-glib.h>
#include <session/ice-session.h>

G_BEGIN_DECLS

/* What a probe of the network found, with the help of the rendezvous server @server. */

/* In the words of IcsServerState. */
const char *cli_probe_state_name (IcsServerState state);
/* The event "probe". (transfer full) */
JsonObject *cli_probe_to_event (const char *server, IcsNetworkReport *report);
/* A screenful for people. (transfer full) */
char *cli_probe_describe (const char *server, IcsNetworkReport *report);

G_END_DECLS
