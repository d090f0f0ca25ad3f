/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/peer.h"
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* The control stream: JSON objects, each after its length (u32, network order), at most 1 MiB. */
#define CLI_FRAME_MAX (1024 * 1024)
#define CLI_FRAME_DEPTH_MAX 16

JsonObject *cli_frame_new (const char *type);
/* (transfer full) @frame */
gboolean cli_frame_write (GIOStream *stream, JsonObject *frame, GCancellable *cancellable, GError **error);
JsonObject *cli_frame_read (GIOStream *stream, GCancellable *cancellable, GError **error);
/* A frame of this type; "abort" becomes ICS_ERROR_REFUSED (or ICS_ERROR_INTEGRITY) with the peer's reason,
 * another ICS_ERROR_PROTOCOL. */
JsonObject *cli_frame_expect (GIOStream *stream, const char *type, GCancellable *cancellable, GError **error);

/* Parses one JSON object from outside; bounded depth. NULL if it is not one. */
JsonObject *cli_json_parse (const char *text, gsize length);
char *cli_json_serialize (JsonObject *object);
/* Typed readers; NULL or FALSE when the member is missing or of another type. */
const char *cli_json_string (JsonObject *object, const char *name);
gboolean cli_json_int (JsonObject *object, const char *name, gint64 min, gint64 max, gint64 *value);
gboolean cli_json_bool (JsonObject *object, const char *name);
JsonArray *cli_json_array (JsonObject *object, const char *name);

/* Opens the control stream, or accepts it when the peer initiates, and writes @hello (transfer full). */
GIOStream *cli_control_start (CliPeer *peer, JsonObject *hello, GCancellable *cancellable, GError **error);
/* Reads the peer's hello, whose role must be @role. */
JsonObject *cli_control_read_hello (GIOStream *control, const char *role, GCancellable *cancellable,
                                    GError **error);
JsonObject *cli_control_new_hello (const char *role);
/* Tells the peer why this side gives up. Bounded, best effort. */
void cli_control_abort (GIOStream *control, const GError *error);
/* Ends a conversation that failed with *error: tells the peer of an error of this side, or replaces an error
 * that came from the peer's side by what the peer says about it, if it does so soon. */
void cli_control_fail (GIOStream *control, GCancellable *cancellable, GError **error);
/* Ends this side's half and waits, bounded, until the peer ended the other: it has read everything then. */
void cli_control_farewell (GIOStream *control, GCancellable *cancellable);

G_END_DECLS
