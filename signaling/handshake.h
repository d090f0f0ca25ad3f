/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/fingerprint.h"
#include "base/ics-error.h"
#include "base/ics-types.h"
#include <glib.h>

G_BEGIN_DECLS

/* The pairing handshake: CPace, key confirmation, and a sealed hello from each side that carries its
 * certificate fingerprint. Sans-IO: no sockets, no clock, no GObject. Three messages:
 *
 *   joiner   -> listener   1: ADa, sid, Ya
 *   listener -> joiner     2: ADb, Yb, confirmation tag, sealed hello of the listener
 *   joiner   -> listener   3: confirmation tag, sealed hello of the joiner
 *   either   -> the other  4: reject (reason)           in the clear; tells the peer the code was wrong
 *
 * After a channel interruption the last message may be sent again (ics_handshake_resend): a repeated message
 * is recognized, and answered with a repeat of the own last one if the peer still needs that.
 *
 * The joiner is DONE once it has made message 3, before the listener is. Should the listener refuse that
 * message, its authenticated reject still takes the joiner from DONE to FAILED; nothing else does, and
 * nothing takes the listener. So the joiner's owner goes on handing in messages and looks at the state until
 * the link is up. */

typedef struct _IcsHandshake IcsHandshake;

typedef enum
{
  ICS_HANDSHAKE_RUNNING,
  ICS_HANDSHAKE_DONE,
  ICS_HANDSHAKE_FAILED
} IcsHandshakeState;

typedef struct
{
  gboolean joiner;
  const char *code; /* the whole code in canonical form (ics_code_parse), the PAKE password */
  guint8 fingerprint[ICS_FINGERPRINT_SIZE]; /* of the own certificate */
  const char *application; /* what runs over the link, like an ALPN name ("file/1"); both must match.
                            * 1 to 64 printable ASCII characters, no blanks */
  IcsPathPolicy policy;    /* told to the peer */
  void (*random) (guint8 *buf, gsize len, gpointer user_data); /* NULL = the system's */
  gpointer random_data;
} IcsHandshakeConfig;

/* Copies @config and what it points to. NULL only for a @config against its rules, which is a programmer's
 * error. */
IcsHandshake *ics_handshake_new (const IcsHandshakeConfig *config);
void ics_handshake_free (IcsHandshake *self);

/* Takes one signalling message of the peer. A message that does not parse or comes out of turn is dropped and
 * counted. */
void ics_handshake_handle_message (IcsHandshake *self, const guint8 *data, gsize len);

/* The next message to send, or NULL. (transfer full) The joiner has one at once. A handshake that FAILED may
 * have one too: the peer is to be told. */
GBytes *ics_handshake_poll_message (IcsHandshake *self);

/* Queues the last sent message again, after an interruption of the channel. */
void ics_handshake_resend (IcsHandshake *self);

IcsHandshakeState ics_handshake_get_state (IcsHandshake *self);

/* When FAILED: ICS_ERROR_CODE_REJECTED, ICS_ERROR_REFUSED (applications differ) or ICS_ERROR_PROTOCOL; a
 * sentence for people in @message. */
IcsError ics_handshake_get_failure (IcsHandshake *self, const char **message);

/* When DONE, else NULL. */
const guint8 *ics_handshake_get_peer_fingerprint (IcsHandshake *self);
/* When DONE, else ICS_PATH_POLICY_AUTO. */
IcsPathPolicy ics_handshake_get_peer_policy (IcsHandshake *self);
guint64 ics_handshake_get_dropped (IcsHandshake *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsHandshake, ics_handshake_free)

G_END_DECLS
