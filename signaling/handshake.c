/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/handshake.h"
#include "base/secret.h"
#include "signaling/handshake-keys.h"
#include "signaling/hello.h"
#include <sodium.h>
#include <string.h>

#define HANDSHAKE_VERSION 1
#define CHANNEL_IDENTIFIER "ice-session v1" /* CI of CPace */
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

static const char used_up[]
    = "the codes of the two hosts differ, or somebody guessed at the code; it is used up, make a new one";
static const char peer_says_used_up[] = "the other host says that its code is a different one, or somebody "
                                        "is in between; the code is used up, make a new one";
static const char altered[]
    = "somebody in between altered the handshake, or the other host's program is broken";

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

static IcsRole
other (IcsRole role)
{
  return role == ICS_ROLE_JOINER ? ICS_ROLE_LISTENER : ICS_ROLE_JOINER;
}

static void
system_random (guint8 *buf, gsize len, gpointer user_data)
{
  randombytes_buf (buf, len);
}

static void
wipe_cpace (IcsHandshake *self)
{
  g_clear_pointer (&self->code, ics_secret_free);
  sodium_memzero (self->y, sizeof self->y);
}

static void
set_state (IcsHandshake *self, IcsHandshakeState state)
{
  static const char *const names[] = { "running", "done", "failed" };

  g_debug ("handshake: %s -> %s", names[self->state], names[state]);
  self->state = state;
  self->expected = MESSAGE_NONE;
  wipe_cpace (self);
  if (state == ICS_HANDSHAKE_FAILED)
    sodium_memzero (&self->keys, sizeof self->keys);
  else
    ics_handshake_keys_forget (&self->keys);
}

static void
fail_take_message (IcsHandshake *self, IcsError code, char *message)
{
  self->failure = code;
  g_free (self->failure_message);
  self->failure_message = message;
  set_state (self, ICS_HANDSHAKE_FAILED);
}

/* There is nothing more to say, and so nothing to repeat: what ends the ping-pong of repeats. */
static void
be_silent (IcsHandshake *self)
{
  g_clear_pointer (&self->sent, g_bytes_unref);
  self->pending = FALSE;
}

static void
queue (IcsHandshake *self, const IcsWriter *writer)
{
  g_assert (ics_writer_finish (writer));
  g_clear_pointer (&self->sent, g_bytes_unref);
  self->sent = g_bytes_new (writer->data, writer->len);
  self->pending = TRUE;
}

/* Tells the peer, and fails. The tag proves that the reject comes from somebody who knows the code; a joiner
 * whose check of the listener has failed must not give one away, it has all zeros instead. */
static void
reject (IcsHandshake *self, RejectReason reason, IcsError code, const char *message)
{
  guint8 buf[REJECT_COVERED_SIZE + ICS_TAG_SIZE] = { HANDSHAKE_VERSION, MESSAGE_REJECT, reason };
  IcsWriter writer;

  if (self->have_keys)
    ics_tag_make (buf + REJECT_COVERED_SIZE, self->keys.role[self->role].reject,
                  ICS_SPAN (buf, REJECT_COVERED_SIZE));
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_reserve (&writer, sizeof buf);
  queue (self, &writer);
  fail_take_message (self, code, g_strdup (message));
}

/* Makes the own secret y and share Y = y * g, for which the code is needed, and from then on not any more. */
static void
make_share (IcsHandshake *self)
{
  guint8 g[ICS_CPACE_POINT_SIZE], seed[ICS_CPACE_SEED_SIZE];
  gboolean ok;

  ics_cpace_generator (g, ICS_SPAN ((const guint8 *)self->code, strlen (self->code)),
                       ICS_SPAN ((const guint8 *)CHANNEL_IDENTIFIER, strlen (CHANNEL_IDENTIFIER)),
                       ICS_SPAN (self->sid, SID_SIZE));
  self->random (seed, sizeof seed, self->random_data);
  ics_cpace_scalar (self->y, seed);
  ok = ics_cpace_scalar_mult (self->share, self->y, g);
  sodium_memzero (g, sizeof g);
  sodium_memzero (seed, sizeof seed);
  g_clear_pointer (&self->code, ics_secret_free);
  if (!ok)
    g_error ("the random source yields only zeros");
}

static void
current_transcript (const IcsHandshake *self, guint8 hash[ICS_HASH_SIZE])
{
  crypto_hash_sha512_state copy = self->transcript;

  crypto_hash_sha512_final (&copy, hash);
}

/* @answer: the head of message 2, with the listener's share. FALSE when the peer's share is none. */
static gboolean
derive_keys (IcsHandshake *self, const guint8 *peer_share, const guint8 answer[SHARE_SIZE])
{
  gboolean joiner = self->role == ICS_ROLE_JOINER;
  IcsCpaceTranscript cpace = {
    .ya = ICS_SPAN (joiner ? self->share : peer_share, ICS_CPACE_POINT_SIZE),
    .ada = ICS_SPAN (start_header, HEADER_SIZE),
    .yb = ICS_SPAN (joiner ? peer_share : self->share, ICS_CPACE_POINT_SIZE),
    .adb = ICS_SPAN (answer_header, HEADER_SIZE),
  };
  guint8 k[ICS_CPACE_POINT_SIZE], isk[ICS_CPACE_ISK_SIZE], hash[ICS_HASH_SIZE];
  gboolean ok = ics_cpace_scalar_mult (k, self->y, peer_share);

  sodium_memzero (self->y, sizeof self->y);
  if (ok)
    {
      ics_cpace_isk_ir (isk, ICS_SPAN (self->sid, SID_SIZE), k, &cpace);
      crypto_hash_sha512_update (&self->transcript, answer, SHARE_SIZE);
      current_transcript (self, hash);
      ics_handshake_keys_derive (&self->keys, isk, hash);
    }
  sodium_memzero (k, sizeof k);
  sodium_memzero (isk, sizeof isk);
  return ok;
}

/* Ends message 2 or 3: the tag over the messages so far, then the sealed hello, bound to all that stands
 * before it. */
static void
write_proof (IcsHandshake *self, IcsWriter *writer)
{
  const IcsRoleKeys *keys = &self->keys.role[self->role];
  g_autoptr (IcsSeal) seal = ics_seal_new (keys->seal);
  guint8 hash[ICS_HASH_SIZE], hello[ICS_HELLO_SIZE];
  IcsSpan head;

  current_transcript (self, hash);
  ics_tag_make (ics_writer_reserve (writer, ICS_TAG_SIZE), keys->confirm, ICS_SPAN (hash, ICS_HASH_SIZE));
  head = ICS_SPAN (writer->data, writer->len);
  ics_hello_write (&self->own, hello);
  ics_seal_seal (seal, ics_writer_reserve (writer, SEALED_SIZE), ICS_SPAN (hello, ICS_HELLO_SIZE), head);
  queue (self, writer);
}

/* Checks the same of the peer; @message is the whole message. FALSE: it is rejected and the handshake has
 * failed. */
static gboolean
check_proof (IcsHandshake *self, IcsSpan message, const guint8 *tag, IcsSpan sealed)
{
  const IcsRoleKeys *keys = &self->keys.role[other (self->role)];
  g_autoptr (IcsSeal) seal = ics_seal_new (keys->seal);
  guint8 hash[ICS_HASH_SIZE], hello[ICS_HELLO_SIZE];

  current_transcript (self, hash);
  if (!ics_tag_verify (tag, keys->confirm, ICS_SPAN (hash, ICS_HASH_SIZE)))
    {
      reject (self, REJECT_CODE, ICS_ERROR_CODE_REJECTED, used_up);
      return FALSE;
    }
  self->have_keys = TRUE;
  if (!ics_seal_open (seal, hello, sealed, ICS_SPAN (message.data, message.len - sealed.len))
      || !ics_hello_read (&self->peer, hello))
    {
      reject (self, REJECT_PROTOCOL, ICS_ERROR_PROTOCOL, altered);
      return FALSE;
    }
  return TRUE;
}

/* The last step of either side. */
static void
conclude (IcsHandshake *self)
{
  IcsError failure;
  char *message = NULL;

  if (ics_hello_matches (&self->own, &self->peer, &failure, &message))
    set_state (self, ICS_HANDSHAKE_DONE);
  else
    fail_take_message (self, failure, message);
}

static void
send_start (IcsHandshake *self)
{
  guint8 buf[MESSAGE_MAX_SIZE];
  IcsWriter writer;

  self->random (self->sid, SID_SIZE, self->random_data);
  make_share (self);
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_bytes (&writer, start_header, HEADER_SIZE);
  ics_writer_bytes (&writer, self->sid, SID_SIZE);
  ics_writer_bytes (&writer, self->share, ICS_CPACE_POINT_SIZE);
  crypto_hash_sha512_update (&self->transcript, writer.data, writer.len);
  self->expected = MESSAGE_ANSWER;
  queue (self, &writer);
}

/* A listener answers one message 1, ever: each answer lets the sender test one guess. */
static gboolean
take_start (IcsHandshake *self, IcsSpan message, IcsReader *reader)
{
  IcsSpan sid = ics_reader_bytes (reader, SID_SIZE);
  IcsSpan peer_share = ics_reader_bytes (reader, ICS_CPACE_POINT_SIZE);
  guint8 buf[MESSAGE_MAX_SIZE];
  IcsWriter writer;

  if (!ics_reader_finish (reader))
    return FALSE;
  memcpy (self->sid, sid.data, SID_SIZE);
  make_share (self);
  crypto_hash_sha512_update (&self->transcript, message.data, message.len);
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_bytes (&writer, answer_header, HEADER_SIZE);
  ics_writer_bytes (&writer, self->share, ICS_CPACE_POINT_SIZE);
  if (!derive_keys (self, peer_share.data, buf))
    {
      reject (self, REJECT_PROTOCOL, ICS_ERROR_PROTOCOL, altered);
      return TRUE;
    }
  self->have_keys = TRUE;
  write_proof (self, &writer);
  crypto_hash_sha512_update (&self->transcript, buf + SHARE_SIZE, writer.len - SHARE_SIZE);
  self->expected = MESSAGE_FINISH;
  return TRUE;
}

/* Message 3 goes out also when the hellos do not match, so that the listener can tell its user the same. */
static gboolean
take_answer (IcsHandshake *self, IcsSpan message, IcsReader *reader)
{
  IcsSpan peer_share = ics_reader_bytes (reader, ICS_CPACE_POINT_SIZE);
  IcsSpan tag = ics_reader_bytes (reader, ICS_TAG_SIZE);
  IcsSpan sealed = ics_reader_bytes (reader, SEALED_SIZE);
  guint8 buf[MESSAGE_MAX_SIZE];
  IcsWriter writer;

  if (!ics_reader_finish (reader))
    return FALSE;
  if (!derive_keys (self, peer_share.data, message.data))
    {
      reject (self, REJECT_PROTOCOL, ICS_ERROR_PROTOCOL, altered);
      return TRUE;
    }
  if (!check_proof (self, message, tag.data, sealed))
    return TRUE;
  crypto_hash_sha512_update (&self->transcript, message.data + SHARE_SIZE, message.len - SHARE_SIZE);
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_u8 (&writer, HANDSHAKE_VERSION);
  ics_writer_u8 (&writer, MESSAGE_FINISH);
  write_proof (self, &writer);
  conclude (self);
  return TRUE;
}

static gboolean
take_finish (IcsHandshake *self, IcsSpan message, IcsReader *reader)
{
  IcsSpan tag = ics_reader_bytes (reader, ICS_TAG_SIZE);
  IcsSpan sealed = ics_reader_bytes (reader, SEALED_SIZE);

  if (!ics_reader_finish (reader))
    return FALSE;
  if (check_proof (self, message, tag.data, sealed))
    {
      be_silent (self);
      conclude (self);
    }
  return TRUE;
}

static void
accept_reject (IcsHandshake *self, RejectReason reason)
{
  be_silent (self);
  switch (reason)
    {
    case REJECT_CODE:
      fail_take_message (self, ICS_ERROR_CODE_REJECTED, g_strdup (peer_says_used_up));
      break;
    case REJECT_PROTOCOL:
      fail_take_message (self, ICS_ERROR_PROTOCOL, g_strdup (altered));
      break;
    }
}

/* Two hosts whose codes differ share no key, so a reject cannot be proved genuine in general. While this side
 * runs, any reject ends it: a relay that forges one could as well have dropped a message. But the relay is
 * not believed why: a reject without a genuine tag only ever means that the code is used up.
 *
 * The joiner is DONE before the listener is, and the listener may yet refuse message 3 (it was altered on its
 * way). Then the joiner should hear of it, but no relay may undo what both ends have proved to one another: a
 * joiner that is DONE takes a reject only with the listener's genuine tag. A listener is DONE last, nothing
 * undoes that. A listener that nobody has spoken to has nothing that could be rejected. */
static gboolean
take_reject (IcsHandshake *self, IcsSpan message, IcsReader *reader)
{
  guint8 reason = ics_reader_u8 (reader);
  IcsSpan tag = ics_reader_bytes (reader, ICS_TAG_SIZE);
  gboolean genuine;

  if (!ics_reader_finish (reader) || (reason != REJECT_CODE && reason != REJECT_PROTOCOL))
    return FALSE;
  if (self->state == ICS_HANDSHAKE_FAILED || self->expected == MESSAGE_START)
    return FALSE;
  genuine = self->have_keys
            && ics_tag_verify (tag.data, self->keys.role[other (self->role)].reject,
                               ICS_SPAN (message.data, REJECT_COVERED_SIZE));
  if (self->state == ICS_HANDSHAKE_DONE && (self->role == ICS_ROLE_LISTENER || !genuine))
    return FALSE;
  accept_reject (self, genuine ? reason : REJECT_CODE);
  return TRUE;
}

/* FALSE: nothing was done with the message. */
static gboolean
take_message (IcsHandshake *self, IcsSpan message)
{
  IcsReader reader;
  guint8 version, type;

  ics_reader_init (&reader, message.data, message.len);
  version = ics_reader_u8 (&reader);
  type = ics_reader_u8 (&reader);
  if (version != HANDSHAKE_VERSION)
    return FALSE;
  if (type == MESSAGE_REJECT)
    return take_reject (self, message, &reader);
  if (type == MESSAGE_NONE || type != self->expected)
    return FALSE;
  if (type == MESSAGE_START)
    return take_start (self, message, &reader);
  if (type == MESSAGE_ANSWER)
    return take_answer (self, message, &reader);
  return take_finish (self, message, &reader);
}

static gboolean
is_repeat (const IcsHandshake *self, const guint8 *data, gsize len)
{
  gsize received_len;
  const guint8 *received;

  if (self->received == NULL)
    return FALSE;
  received = g_bytes_get_data (self->received, &received_len);
  return received_len == len && memcmp (received, data, len) == 0;
}

void
ics_handshake_handle_message (IcsHandshake *self, const guint8 *data, gsize len)
{
  if (is_repeat (self, data, len))
    {
      ics_handshake_resend (self); /* the peer has not seen the answer */
      return;
    }
  if (!take_message (self, ICS_SPAN (data, len)))
    {
      self->dropped++;
      return;
    }
  g_clear_pointer (&self->received, g_bytes_unref);
  self->received = g_bytes_new (data, len);
}

IcsHandshake *
ics_handshake_new (const IcsHandshakeConfig *config)
{
  g_autoptr (IcsHandshake) self = g_new0 (IcsHandshake, 1);

  g_return_val_if_fail (config->code != NULL && config->application != NULL, NULL);
  g_return_val_if_fail (ics_hello_init (&self->own, config->fingerprint, config->application), NULL);
  ics_secret_init ();
  self->role = config->joiner ? ICS_ROLE_JOINER : ICS_ROLE_LISTENER;
  self->state = ICS_HANDSHAKE_RUNNING;
  self->expected = MESSAGE_START;
  self->random = config->random != NULL ? config->random : system_random;
  self->random_data = config->random_data;
  self->code = g_strdup (config->code);
  crypto_hash_sha512_init (&self->transcript);
  if (config->joiner)
    send_start (self);
  return g_steal_pointer (&self);
}

void
ics_handshake_free (IcsHandshake *self)
{
  if (self == NULL)
    return;
  wipe_cpace (self);
  g_clear_pointer (&self->sent, g_bytes_unref);
  g_clear_pointer (&self->received, g_bytes_unref);
  g_free (self->failure_message);
  sodium_memzero (self, sizeof *self);
  g_free (self);
}

GBytes *
ics_handshake_poll_message (IcsHandshake *self)
{
  if (!self->pending)
    return NULL;
  self->pending = FALSE;
  return g_bytes_ref (self->sent);
}

void
ics_handshake_resend (IcsHandshake *self)
{
  self->pending = self->sent != NULL;
}

IcsHandshakeState
ics_handshake_get_state (IcsHandshake *self)
{
  return self->state;
}

IcsError
ics_handshake_get_failure (IcsHandshake *self, const char **message)
{
  if (message != NULL)
    *message = self->failure_message;
  return self->failure;
}

void
ics_handshake_fail (IcsHandshake *self, IcsError code, const char *message)
{
  if (self->state != ICS_HANDSHAKE_RUNNING)
    return;
  be_silent (self);
  fail_take_message (self, code, g_strdup (message));
}

const guint8 *
ics_handshake_get_peer_fingerprint (IcsHandshake *self)
{
  return self->state == ICS_HANDSHAKE_DONE ? self->peer.fingerprint : NULL;
}

guint64
ics_handshake_get_dropped (IcsHandshake *self)
{
  return self->dropped;
}
