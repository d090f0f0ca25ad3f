/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/code.h"
#include "path/channel-batch.h"
#include "session/engine-private.h"

#include <sodium.h>
#include <string.h>

/* The channel, and the handshake over it that ends with two pinned certificates. */

void
ics_pairing_forget_code (IcsEngine *self)
{
  if (self->code != NULL)
    sodium_memzero (self->code, strlen (self->code));
  g_clear_pointer (&self->code, g_free);
}

IcsWsChannel *
ics_pairing_get_ws (IcsEngine *self)
{
  return ICS_IS_WS_CHANNEL (self->channel) ? ICS_WS_CHANNEL (self->channel) : NULL;
}

GError *
ics_pairing_timeout_error (IcsEngine *self)
{
  if (ics_channel_get_state (self->channel) == ICS_CHANNEL_CONNECTING)
    return g_error_new_literal (ICS_ERROR, ICS_ERROR_SERVER_UNREACHABLE, "the server did not answer in time");
  return g_error_new_literal (ICS_ERROR, ICS_ERROR_NO_PEER,
                              "nobody came: the time to wait for the other host is over");
}

/* --- the handshake --- */

static void
send_handshake (IcsEngine *self)
{
  GBytes *message;

  while ((message = ics_handshake_poll_message (self->handshake)) != NULL)
    {
      ics_channel_send (self->channel, ICS_CHANNEL_SIGNAL, message);
      self->proof_given = TRUE;
      g_bytes_unref (message);
    }
}

static void
check_handshake (IcsEngine *self)
{
  const char *message = NULL;
  IcsError code;

  send_handshake (self);
  switch (ics_handshake_get_state (self->handshake))
    {
    case ICS_HANDSHAKE_RUNNING:
      break;
    case ICS_HANDSHAKE_FAILED:
      code = ics_handshake_get_failure (self->handshake, &message);
      ics_engine_fail (self, g_error_new_literal (ICS_ERROR, (gint)code, message));
      break;
    case ICS_HANDSHAKE_DONE:
      if (self->state != ICS_ENGINE_PAIRING)
        break;
      ics_engine_note (self, "both hosts know the code; the certificates are agreed on");
      self->peer_policy = ics_handshake_get_peer_policy (self->handshake);
      ics_engine_set_state (self, ICS_ENGINE_SECURING);
      ics_engine_start_quic (self);
      break;
    }
}

static void
begin_handshake (IcsEngine *self)
{
  IcsHandshakeConfig config = {
    .joiner = self->joiner, .code = self->code, .application = self->application, .policy = self->policy
  };

  self->policy_in_hello = self->policy;
  memcpy (config.fingerprint, ics_identity_get_fingerprint (self->identity), sizeof config.fingerprint);
  self->handshake = ics_handshake_new (&config);
  if (self->handshake == NULL)
    {
      ics_engine_fail (self, g_error_new_literal (ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                                                  "the application name or the code is not valid"));
      return;
    }
  ics_engine_set_state (self, ICS_ENGINE_PAIRING);
  check_handshake (self);
}

/* --- what the channel says --- */

static void
on_data (IcsEngine *self, GBytes *message)
{
  gsize left, len;
  const guint8 *cursor = g_bytes_get_data (message, &left), *data;
  gboolean malformed = FALSE;
  IcsCarrier *path = self->quic != NULL ? ics_engine_find_path (self, self->channel_path) : NULL;

  if (path == NULL)
    return;
  while (ics_batch_next (&cursor, &left, &data, &len, &malformed))
    ics_engine_receive (self, path, data, len, len);
  if (malformed)
    self->strays++;
}

static void
on_signal (IcsEngine *self, GBytes *message)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (message, &len);

  /* Once the link is up nothing is said by signals any more: whoever sends one is not the peer. */
  if (self->handshake == NULL || self->connected)
    {
      self->strays++;
      return;
    }
  ics_handshake_handle_message (self->handshake, data, len);
  check_handshake (self);
}

static void
on_message (IcsChannel *channel, IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  IcsEngine *self = user_data;

  if (ics_engine_is_over (self))
    return;
  switch (kind)
    {
    case ICS_CHANNEL_SIGNAL:
      on_signal (self, message);
      break;
    case ICS_CHANNEL_DATA:
      on_data (self, message);
      break;
    }
}

static void
on_writable (IcsChannel *channel, gpointer user_data)
{
  IcsEngine *self = user_data;
  IcsCarrier *path = ics_engine_find_path (self, self->channel_path);

  if (path != NULL)
    ics_carrier_unblock (path);
}

static void
channel_usable (IcsEngine *self, gboolean usable)
{
  if (self->paths != NULL)
    ics_path_engine_set_down (self->paths, g_get_monotonic_time (), self->channel_path, !usable);
  ics_engine_wake (self);
}

static void
on_open (IcsEngine *self)
{
  if (self->handshake == NULL)
    {
      ics_engine_note (self, "the other host is there");
      begin_handshake (self);
      return;
    }
  ics_engine_note (self, "the channel is back");
  /* What was under way when it broke may be lost. */
  if (!self->connected)
    {
      ics_handshake_resend (self->handshake);
      check_handshake (self);
    }
  channel_usable (self, TRUE);
}

static GError *
closed_error (IcsEngine *self)
{
  g_autoptr (GError) error = NULL;

  /* A peer that goes away after it has seen our proof and before it gave its own has used up the guess. */
  if (self->state == ICS_ENGINE_PAIRING && !self->joiner && self->proof_given)
    return g_error_new_literal (
        ICS_ERROR, ICS_ERROR_CODE_REJECTED,
        "the other side left without proving that it knows the code; the code is used up");
  error = ics_channel_get_error (self->channel);
  return error != NULL
             ? g_steal_pointer (&error)
             : g_error_new_literal (ICS_ERROR, ICS_ERROR_LINK_LOST, "the relayed channel was closed");
}

static void
on_closed (IcsEngine *self)
{
  g_autoptr (GError) error = ics_channel_get_error (self->channel);

  self->channel_closed = TRUE;
  if (self->state != ICS_ENGINE_UP && self->state != ICS_ENGINE_CLOSING)
    {
      ics_engine_fail (self, closed_error (self));
      return;
    }
  ics_engine_note (self, "the channel is gone: %s", error != NULL ? error->message : "closed");
  channel_usable (self, FALSE);
}

static void
on_state (IcsChannel *channel, IcsChannelState state, gpointer user_data)
{
  IcsEngine *self = user_data;

  if (ics_engine_is_over (self))
    {
      ics_engine_wake (self);
      return;
    }
  switch (state)
    {
    case ICS_CHANNEL_CONNECTING:
      break;
    case ICS_CHANNEL_WAITING:
      ics_engine_note (self, "the server is reached; waiting for the other host");
      break;
    case ICS_CHANNEL_OPEN:
      on_open (self);
      break;
    case ICS_CHANNEL_INTERRUPTED:
      ics_engine_note (self, "the channel is interrupted; reconnecting");
      channel_usable (self, FALSE);
      break;
    case ICS_CHANNEL_PEER_LOST:
      ics_engine_note (self, "the other host's channel is interrupted");
      channel_usable (self, FALSE);
      break;
    case ICS_CHANNEL_CLOSED:
      on_closed (self);
      break;
    }
}

static void
on_nameplate (gpointer channel, const char *nameplate, gpointer user_data)
{
  IcsEngine *self = user_data;
  g_autoptr (GError) error = NULL;

  /* Once, and not again after the code has served. */
  if (self->code != NULL || self->state != ICS_ENGINE_REACHING || ics_engine_is_over (self))
    return;
  self->code = ics_code_make (nameplate, &error);
  if (self->code == NULL)
    ics_engine_fail (self, g_steal_pointer (&error));
  else
    self->callbacks.code (self->code, self->user_data);
}

/* --- start and end --- */

static IcsChannel *
make_ws_channel (IcsEngine *self, const IcsEngineConfig *config)
{
  g_autofree char *code = NULL;
  g_autofree char *nameplate = NULL;
  IcsWsChannelConfig ws = { .server_uri = config->server_uri,
                            .family = config->family,
                            .give_up_after_us = ics_engine_limit (self, ICS_LOST_TIMEOUT_US) };
  IcsWsChannel *channel;

  if (config->code != NULL && ics_code_parse (config->code, &code, &nameplate, &self->end_error))
    {
      ics_pairing_forget_code (self);
      self->code = g_strdup (code);
      sodium_memzero (code, strlen (code));
    }
  ws.nameplate = nameplate;
  channel = ics_ws_channel_new (&ws);
  g_signal_connect (channel, "nameplate", G_CALLBACK (on_nameplate), self);
  return ICS_CHANNEL (channel);
}

void
ics_pairing_init (IcsEngine *self, const IcsEngineConfig *config)
{
  /* Without a server there is no nameplate to be given: any will do, the rooms are the application's. */
  if (config->channel != NULL && config->code == NULL)
    self->nameplate = g_strdup (config->nameplate != NULL ? config->nameplate : "1");
  self->channel = config->channel != NULL ? g_object_ref (config->channel) : make_ws_channel (self, config);
  g_signal_connect (self->channel, "message", G_CALLBACK (on_message), self);
  g_signal_connect (self->channel, "writable", G_CALLBACK (on_writable), self);
  g_signal_connect (self->channel, "state-changed", G_CALLBACK (on_state), self);
}

void
ics_pairing_start (IcsEngine *self)
{
  GError *error = g_steal_pointer (&self->end_error);

  if (error == NULL)
    self->identity = ics_identity_new (&error);
  if (error != NULL)
    {
      ics_engine_fail (self, error);
      return;
    }
  if (self->nameplate != NULL)
    on_nameplate (NULL, self->nameplate, self);
  ics_channel_start (self->channel);
}

static void
note_dropped (IcsEngine *self, guint64 n, const char *what)
{
  if (n > 0)
    ics_engine_note (self, "%" G_GUINT64_FORMAT " %s, and dropped", n, what);
}

void
ics_pairing_stop (IcsEngine *self)
{
  if (ics_channel_get_state (self->channel) != ICS_CHANNEL_CLOSED)
    ics_channel_close (self->channel);
  note_dropped (self, self->strays, "messages on the channel were not the peer's");
  if (ics_pairing_get_ws (self) != NULL)
    note_dropped (self, ics_ws_channel_get_dropped (ics_pairing_get_ws (self)),
                  "frames of the server were malformed, or over a limit");
  if (self->handshake != NULL)
    note_dropped (self, ics_handshake_get_dropped (self->handshake),
                  "messages of the handshake were malformed, or not due");
}

gboolean
ics_pairing_is_stopped (IcsEngine *self)
{
  return ics_channel_get_state (self->channel) == ICS_CHANNEL_CLOSED;
}
