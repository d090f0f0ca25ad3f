/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/consent.h"
#include "agent/traversal-class.h"
#include "base/secret.h"
#include <sodium.h>

/* A path that is not found in this time is looked for again by a fresh attempt. */
#define LIMIT_MS 30000
/* RFC 8445 §5.3: at least 24 and 128 bits; each ice-char has 6. */
#define UFRAG_LEN 8
#define PWD_LEN 24

const char *
ics_ice_state_to_string (IcsIceState state)
{
  switch (state)
    {
    case ICS_ICE_GATHERING:
      return "gathering";
    case ICS_ICE_CHECKING:
      return "checking";
    case ICS_ICE_CONNECTED:
      return "connected";
    case ICS_ICE_FAILED:
      return "failed";
    }
  g_assert_not_reached ();
}

/* --- for the kinds --- */

gpointer
ics_traversal_new (const IcsTraversalClass *class, gsize size, const IcsIceConfig *config,
                   const IcsIceCallbacks *callbacks, gpointer user_data)
{
  IcsTraversal *self = g_malloc0 (size);

  self->class = class;
  self->config = *config;
  /* Policy "lan" shows no address to a server. */
  self->config.stun = config->stun != NULL && !config->host_only ? ics_turn_server_copy (config->stun) : NULL;
  self->config.turn = config->turn != NULL ? ics_turn_server_copy (config->turn) : NULL;
  self->config.limit_ms = config->limit_ms != 0 ? config->limit_ms : LIMIT_MS;
  g_main_context_ref (self->config.context);
  self->events = ics_attempt_events_new (self, callbacks, user_data, config->context);
  return self;
}

static char *
random_ice_chars (gsize len)
{
  static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = g_malloc0 (len + 1);

  for (gsize i = 0; i < len; i++)
    text[i] = chars[randombytes_uniform (sizeof chars - 1)];
  return text;
}

void
ics_traversal_make_credentials (IcsTraversal *self)
{
  ics_secret_init ();
  self->ufrag = random_ice_chars (UFRAG_LEN);
  self->pwd = random_ice_chars (PWD_LEN);
}

void
ics_traversal_set_state (IcsTraversal *self, IcsIceState state)
{
  if (self->state == state || self->state == ICS_ICE_FAILED)
    return;
  g_debug ("attempt %p: %s -> %s", (void *)self, ics_ice_state_to_string (self->state),
           ics_ice_state_to_string (state));
  self->state = state;
  if (self->class->state_changed != NULL)
    self->class->state_changed (self);
  ics_attempt_events_state (self->events, state);
}

void
ics_traversal_lose_consent (IcsTraversal *self)
{
  ics_attempt_events_note (self->events, "the peer has not answered for %d s: it no longer consents",
                           (int)(ICS_CONSENT_EXPIRY_US / G_USEC_PER_SEC));
  ics_traversal_set_state (self, ICS_ICE_FAILED);
}

/* --- the exchange --- */

gboolean
ics_traversal_start (IcsTraversal *self, GError **error)
{
  return self->class->start (self, error);
}

void
ics_traversal_get_credentials (IcsTraversal *self, const char **ufrag, const char **pwd)
{
  *ufrag = self->ufrag;
  *pwd = self->pwd;
}

void
ics_traversal_set_remote_credentials (IcsTraversal *self, const char *ufrag, const char *pwd)
{
  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_set_credentials (self->remote, ufrag, pwd))
    return;
  ics_traversal_set_state (self, ICS_ICE_CHECKING);
  self->class->credentials_came (self);
}

gboolean
ics_traversal_add_remote_candidate (IcsTraversal *self, const char *line)
{
  if (self->state == ICS_ICE_FAILED || !ics_remote_offer_add (self->remote, line))
    return FALSE;
  self->class->candidate_came (self);
  return TRUE;
}

void
ics_traversal_end_of_candidates (IcsTraversal *self)
{
  if (ics_remote_offer_has_ended (self->remote))
    return;
  ics_remote_offer_end (self->remote);
  self->class->candidates_ended (self);
}

IcsIceState
ics_traversal_get_state (IcsTraversal *self)
{
  return self->state;
}

/* --- traffic --- */

IcsSendResult
ics_traversal_send (IcsTraversal *self, const guint8 *data, gsize len)
{
  gsize taken;

  return ics_traversal_send_segments (self, data, len, len, &taken);
}

IcsSendResult
ics_traversal_send_segments (IcsTraversal *self, const guint8 *data, gsize len, gsize segment, gsize *taken)
{
  *taken = len;
  if (self->state != ICS_ICE_CONNECTED)
    return ICS_SEND_FAILED;
  return self->class->send_segments (self, data, len, segment, taken);
}

GInetAddress *
ics_traversal_get_base (IcsTraversal *self)
{
  return self->class->get_base (self);
}

void
ics_traversal_graduate (IcsTraversal *self, gint64 rtt_us)
{
  if (self->class->graduate != NULL)
    self->class->graduate (self, rtt_us);
}

void
ics_traversal_confirm_consent (IcsTraversal *self, gint64 asked_at)
{
  /* What a peer says of the future is not to be believed. */
  self->class->confirm_consent (self, MIN (asked_at, g_get_monotonic_time ()));
}

gboolean
ics_traversal_get_pair (IcsTraversal *self, IcsIcePair *pair)
{
  return self->class->get_pair (self, pair);
}

/* --- the end --- */

void
ics_traversal_hold (IcsTraversal *self)
{
  self->holds++;
}

void
ics_traversal_release (gpointer data)
{
  IcsTraversal *self = data;
  void (*closed) (gpointer) = self->closed;
  gpointer closed_data = self->closed_data;

  if (--self->holds > 0)
    return;
  self->class->clear (self);
  g_clear_pointer ((IcsTurnServer **)&self->config.stun, ics_turn_server_free);
  g_clear_pointer ((IcsTurnServer **)&self->config.turn, ics_turn_server_free);
  g_main_context_unref (self->config.context);
  ics_remote_offer_free (self->remote);
  g_free (self->ufrag);
  ics_secret_free (self->pwd);
  g_free (self);
  if (closed != NULL)
    closed (closed_data);
}

static gboolean
on_free_idle (gpointer user_data)
{
  ics_traversal_release (user_data);
  return G_SOURCE_REMOVE;
}

/* Not at once: the caller may be a callback of one of its parts. */
void
ics_traversal_free (IcsTraversal *self, void (*closed) (gpointer), gpointer closed_data)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  self->closed = closed;
  self->closed_data = closed_data;
  ics_traversal_hold (self);
  self->class->stop (self);
  ics_attempt_events_free (g_steal_pointer (&self->events));
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, on_free_idle, self, NULL);
  g_source_attach (source, self->config.context);
}
