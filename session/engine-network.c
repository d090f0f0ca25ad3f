/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

/* What becomes of a link when this host's networks change, and when the TURN servers' credentials grow old.
 */

/* A fresh relay path is begun after this share of the credentials' life, so that there is time for many
 * failures before the old one ends. */
#define RENEW_AFTER(lifetime) ((lifetime) / 2)
/* While the server does not answer, it is asked again after this. */
#define RENEW_RETRY_US (30 * G_USEC_PER_SEC)
/* Against a server that hands out credentials which live for no time at all. */
#define RENEW_MIN_US (2 * G_USEC_PER_SEC)

/* --- addresses --- */

static gboolean
is_stranded (const IcsCarrier *path)
{
  g_autoptr (GInetAddress) base = path->attempt != NULL ? ics_traversal_get_base (path->attempt) : NULL;

  return base != NULL && !ics_network_has_address (base);
}

static gboolean
channel_is_stranded (IcsWsChannel *ws)
{
  g_autoptr (GInetAddress) address = ics_ws_channel_get_local_address (ws);

  return address != NULL && !ics_network_has_address (address);
}

/* All paths are asked at once, but for those whose own address is gone: they have ended. */
static void
review_paths (IcsEngine *self)
{
  gint64 now = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer value;

  if (self->paths == NULL)
    return;
  g_hash_table_iter_init (&iter, self->path_table);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      IcsCarrier *path = value;
      gboolean stranded = is_stranded (path);

      if (stranded)
        ics_engine_note (self, "path %u: this host's address is gone", path->id);
      if (path->attempt != NULL)
        ics_path_engine_set_down (self->paths, now, path->id, stranded);
    }
  ics_engine_wake (self);
}

static void
on_lost (gpointer user_data)
{
  IcsEngine *self = user_data;
  IcsWsChannel *ws = ics_pairing_get_ws (self);

  if (ics_engine_is_over (self))
    return;
  review_paths (self);
  if (ws != NULL && channel_is_stranded (ws))
    ics_ws_channel_reconnect (ws);
}

static void
on_changed (gpointer user_data)
{
  IcsEngine *self = user_data;
  IcsWsChannel *ws = ics_pairing_get_ws (self);

  if (ics_engine_is_over (self))
    return;
  ics_engine_note (self, "this host's network changed");
  review_paths (self);
  if (ws != NULL
      && (channel_is_stranded (ws) || ics_channel_get_state (self->channel) == ICS_CHANNEL_INTERRUPTED))
    ics_ws_channel_reconnect (ws);
  if (self->state == ICS_ENGINE_UP)
    ics_legs_network_changed (self);
}

/* --- credentials --- */

/* How long the TURN credentials last that lapse first; G_MAXINT64 = for ever. */
static gint64
credentials_last (IcsWsChannel *ws)
{
  GPtrArray *servers = ics_ws_channel_get_turn_servers (ws);
  gint64 now = g_get_real_time () / G_USEC_PER_SEC, first = G_MAXINT64;

  for (guint i = 0; i < servers->len; i++)
    {
      const IcsTurnServer *server = servers->pdata[i];

      if (server->expires_unix != 0)
        first = MIN (first, MAX (server->expires_unix - now, 0));
    }
  return first == G_MAXINT64 ? first : first * G_USEC_PER_SEC;
}

/* Reckoned once, when they come: later the wall clock may have been set. */
static void
on_turn_servers (IcsWsChannel *ws, gpointer user_data)
{
  IcsEngine *self = user_data;
  gint64 life = self->no_server_turn ? G_MAXINT64 : credentials_last (ws);
  gboolean asked = self->renewing;

  self->renewing = FALSE;
  self->renew_at = G_MAXINT64;
  if (life != G_MAXINT64)
    self->renew_at = g_get_monotonic_time () + MAX (RENEW_AFTER (life), RENEW_MIN_US);
  if (ics_engine_is_over (self))
    return;
  ics_engine_wake (self);
  if (!asked || self->state != ICS_ENGINE_UP)
    return;
  ics_engine_note (self, "fresh TURN credentials are there");
  ics_legs_network_changed (self);
}

void
ics_network_handle_timeout (IcsEngine *self, gint64 now)
{
  if (now < self->renew_at)
    return;
  self->renewing = TRUE;
  self->renew_at = now + RENEW_RETRY_US;
  ics_ws_channel_refresh_turn_servers (ics_pairing_get_ws (self));
}

gint64
ics_network_next_timeout (IcsEngine *self)
{
  return self->renew_at;
}

/* --- start and end --- */

void
ics_network_start (IcsEngine *self)
{
  const IcsNetworkWatchCallbacks callbacks = { .lost = on_lost, .changed = on_changed };
  IcsWsChannel *ws = ics_pairing_get_ws (self);

  self->renew_at = G_MAXINT64;
  if (ws != NULL)
    g_signal_connect (ws, "turn-servers", G_CALLBACK (on_turn_servers), self);
  self->network = ics_network_watch_new (&callbacks, self);
}

void
ics_network_stop (IcsEngine *self)
{
  g_clear_pointer (&self->network, ics_network_watch_free);
}
