/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/wire.h"
#include "signaling/handshake-keys.h"
#include "signaling/handshake.h"
#include "signaling/hello.h"
#include <sodium.h>

G_BEGIN_DECLS

/* Between handshake.c (whose turn it is, what comes next) and handshake-proof.c (what is computed from the
 * code and the messages). */

#define HANDSHAKE_VERSION 1
#define SID_SIZE 16
#define HEADER_SIZE 2
#define SHARE_SIZE                                                                                           \
  (HEADER_SIZE + ICS_CPACE_POINT_SIZE) /* of message 2, what the listener's tag covers of it */
#define SEALED_SIZE (ICS_HELLO_SIZE + ICS_SEAL_OVERHEAD)
#define MESSAGE_MAX_SIZE (SHARE_SIZE + ICS_TAG_SIZE + SEALED_SIZE)
#define REJECT_COVERED_SIZE (HEADER_SIZE + 1)

typedef enum
{
  MESSAGE_NONE = 0,
  MESSAGE_START = 1,
  MESSAGE_ANSWER = 2,
  MESSAGE_FINISH = 3,
  MESSAGE_REJECT = 4
} MessageType;

typedef enum
{
  REJECT_CODE = 1,
  REJECT_PROTOCOL = 2
} RejectReason;

/* The headers of messages 1 and 2, which differ by role, are the associated data of CPace. */
static const guint8 start_header[HEADER_SIZE] = { HANDSHAKE_VERSION, MESSAGE_START };
static const guint8 answer_header[HEADER_SIZE] = { HANDSHAKE_VERSION, MESSAGE_ANSWER };

struct _IcsHandshake
{
  IcsRole role;
  IcsHandshakeState state;
  MessageType expected; /* what the peer sends next */
  void (*random) (guint8 *buf, gsize len, gpointer user_data);
  gpointer random_data;

  char *code;                      /* until the generator is made of it */
  guint8 y[ICS_CPACE_SCALAR_SIZE]; /* until K is made with it */
  guint8 sid[SID_SIZE];
  guint8 share[ICS_CPACE_POINT_SIZE];  /* own Y */
  crypto_hash_sha512_state transcript; /* of the messages so far */
  IcsHandshakeKeys keys;
  gboolean have_keys; /* the peer may be shown tags made with them */

  IcsHello own;
  IcsHello peer;

  GBytes *sent; /* the last message of either side, for repeats */
  GBytes *received;
  gboolean pending; /* @sent has still to be polled */

  IcsError failure;
  char *failure_message;
  guint64 dropped;
};

/* handshake-proof.c */

/* Makes the own secret y and share Y = y * g, for which the code is needed, and from then on not any more. */
void ics_handshake_make_share (IcsHandshake *self);

/* @answer: the head of message 2, with the listener's share. FALSE when the peer's share is none. */
gboolean ics_handshake_derive_keys (IcsHandshake *self, const guint8 *peer_share,
                                    const guint8 answer[SHARE_SIZE]);

/* Ends message 2 or 3: the tag over the messages so far, then the sealed hello, bound to all that stands
 * before it. */
void ics_handshake_write_proof (IcsHandshake *self, IcsWriter *writer);

/* The same of the peer, part by part; @message is the whole message. */
gboolean ics_handshake_verify_tag (const IcsHandshake *self, const guint8 *tag);
gboolean ics_handshake_open_hello (IcsHandshake *self, IcsSpan message, IcsSpan sealed);

/* Of a reject of the peer. */
gboolean ics_handshake_verify_reject (const IcsHandshake *self, IcsSpan message, const guint8 *tag);

G_END_DECLS
