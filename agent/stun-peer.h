/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/socket.h>

G_BEGIN_DECLS

/* The STUN checks of a pair that ICE has found (RFC 8445 §7, RFC 7675), with libnice's STUN library: makes
 * those of this host, answers the peer's. Sans-IO. What is not authentic gets no answer. */

/* The cookie and the transaction id (RFC 8489 §5). */
#define ICS_STUN_ID_LEN 16
/* A check and its answer are far smaller: the username takes at most 513 bytes (RFC 8489 §14.3). */
#define ICS_STUN_MESSAGE_MAX 1024

typedef struct _IcsStunPeer IcsStunPeer;

typedef struct
{
  const char *local_ufrag, *local_pwd;
  const char *remote_ufrag, *remote_pwd;
} IcsStunCredentials;

typedef enum
{
  ICS_STUN_DROPPED, /* malformed, not authentic, an answer to nothing, or of no use */
  ICS_STUN_REQUEST, /* the peer's check: send the reply to where it came from */
  ICS_STUN_ANSWER   /* to the check with this id */
} IcsStunType;

typedef struct
{
  IcsStunType type;
  guint8 id[ICS_STUN_ID_LEN]; /* the answer's */
  gboolean nominated;         /* the request has USE-CANDIDATE, from the controlling host */
  guint8 reply[ICS_STUN_MESSAGE_MAX];
  gsize reply_len;
} IcsStunInput;

IcsStunPeer *ics_stun_peer_new (const IcsStunCredentials *credentials, gboolean controlling);
void ics_stun_peer_free (IcsStunPeer *self);

/* RFC 7983 §7: the first byte of STUN is 0 to 3. */
gboolean ics_stun_matches (const guint8 *data, gsize len);

/* A check with a new transaction id; it stays in memory until it is answered, or one of the 16 that follow
 * takes its place. @nominate counts with the controlling host only. Returns its length. */
gsize ics_stun_peer_write_check (IcsStunPeer *self, gboolean nominate, guint8 buf[ICS_STUN_MESSAGE_MAX],
                                 guint8 id[ICS_STUN_ID_LEN]);

void ics_stun_peer_read (IcsStunPeer *self, const guint8 *data, gsize len, const struct sockaddr *from,
                         IcsStunInput *input);

G_END_DECLS
