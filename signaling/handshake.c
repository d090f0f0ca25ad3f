/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/handshake.h"
#include "base/secret.h"
#include "signaling/handshake-private.h"
#include <string.h>

static const char used_up[]
    = "the codes of the two hosts differ, or somebody guessed at the code; it is used up, make a new one";
static const char peer_says_used_up[] = "the other host says that its code is a different one, or somebody "
                                        "is in between; the code is used up, make a new one";
static const char altered[]
    = "somebody in between altered the handshake, or the other host's program is broken";

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
  guint8 buf[REJECT_COVERED_SIZE + ICS_TAG_SIZE] = { HANDSHAKE_VERSION, MESSAGE_REJECT, (guint8)reason };
  IcsWriter writer;

  if (self->have_keys)
    ics_tag_make (buf + REJECT_COVERED_SIZE, self->keys.role[self->role].reject,
                  ICS_SPAN (buf, REJECT_COVERED_SIZE));
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_reserve (&writer, sizeof buf);
  queue (self, &writer);
  fail_take_message (self, code, g_strdup (message));
}

/* Checks the proof that ends a message of the peer; @message is the whole message. FALSE: it is rejected and
 * the handshake has failed. */
static gboolean
check_proof (IcsHandshake *self, IcsSpan message, const guint8 *tag, IcsSpan sealed)
{
  if (!ics_handshake_verify_tag (self, tag))
    {
      reject (self, REJECT_CODE, ICS_ERROR_CODE_REJECTED, used_up);
      return FALSE;
    }
  self->have_keys = TRUE;
  if (!ics_handshake_open_hello (self, message, sealed))
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
  ics_handshake_make_share (self);
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
  ics_handshake_make_share (self);
  crypto_hash_sha512_update (&self->transcript, message.data, message.len);
  ics_writer_init (&writer, buf, sizeof buf);
  ics_writer_bytes (&writer, answer_header, HEADER_SIZE);
  ics_writer_bytes (&writer, self->share, ICS_CPACE_POINT_SIZE);
  if (!ics_handshake_derive_keys (self, peer_share.data, buf))
    {
      reject (self, REJECT_PROTOCOL, ICS_ERROR_PROTOCOL, altered);
      return TRUE;
    }
  self->have_keys = TRUE;
  ics_handshake_write_proof (self, &writer);
  queue (self, &writer);
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
  if (!ics_handshake_derive_keys (self, peer_share.data, message.data))
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
  ics_handshake_write_proof (self, &writer);
  queue (self, &writer);
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
  genuine = ics_handshake_verify_reject (self, message, tag.data);
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
  self->own.policy = config->policy;
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

const guint8 *
ics_handshake_get_peer_fingerprint (IcsHandshake *self)
{
  return self->state == ICS_HANDSHAKE_DONE ? self->peer.fingerprint : NULL;
}

IcsPathPolicy
ics_handshake_get_peer_policy (IcsHandshake *self)
{
  return self->state == ICS_HANDSHAKE_DONE ? self->peer.policy : ICS_PATH_POLICY_AUTO;
}

guint64
ics_handshake_get_dropped (IcsHandshake *self)
{
  return self->dropped;
}
