/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/ws-guard.h"
#include "signaling/rate-limit.h"
#include "signaling/rendezvous.h"

/* Pings and pongs: so many at once, then one in so many µs. */
#define CONTROL_BURST 16
#define CONTROL_INTERVAL_US ((gint64)G_USEC_PER_SEC)
/* Fragments of one message; each costs time, few bytes each would cost much of it. */
#define FRAGMENTS_MAX 256

struct _IcsWsGuard
{
  SoupWebsocketExtension parent_instance;

  gsize max_message;
  gsize collected; /* of a fragmented message */
  guint fragments;
  IcsBucket control;
};

G_DEFINE_FINAL_TYPE (IcsWsGuard, ics_ws_guard, SOUP_TYPE_WEBSOCKET_EXTENSION)

static gboolean
admit (IcsWsGuard *self, guint8 header, gsize len)
{
  gboolean control = (header & 0x08) != 0; /* RFC 6455 §5.2 */
  gboolean last = (header & 0x80) != 0;

  if (control)
    return ics_bucket_take (&self->control, g_get_monotonic_time (), CONTROL_BURST, CONTROL_INTERVAL_US);
  self->collected += len;
  self->fragments++;
  if (self->collected > self->max_message || self->fragments > FRAGMENTS_MAX)
    return FALSE;
  if (last)
    self->collected = self->fragments = 0;
  return TRUE;
}

static GBytes *
process_incoming (SoupWebsocketExtension *extension, guint8 *header, GBytes *payload, GError **error)
{
  if (admit (ICS_WS_GUARD (extension), header[0], g_bytes_get_size (payload)))
    return payload;
  g_bytes_unref (payload);
  g_set_error_literal (error, SOUP_WEBSOCKET_ERROR, SOUP_WEBSOCKET_CLOSE_POLICY_VIOLATION,
                       "more WebSocket frames than are allowed");
  return NULL;
}

static GBytes *
process_outgoing (SoupWebsocketExtension *extension, guint8 *header, GBytes *payload, GError **error)
{
  return payload;
}

static void
ics_ws_guard_class_init (IcsWsGuardClass *klass)
{
  SoupWebsocketExtensionClass *extension_class = SOUP_WEBSOCKET_EXTENSION_CLASS (klass);

  extension_class->process_incoming_message = process_incoming;
  extension_class->process_outgoing_message = process_outgoing;
}

static void
ics_ws_guard_init (IcsWsGuard *self)
{
}

SoupWebsocketConnection *
ics_ws_guarded_connection_new (GIOStream *stream, GUri *uri, SoupWebsocketConnectionType type,
                               gsize max_message)
{
  IcsWsGuard *guard = g_object_new (ICS_TYPE_WS_GUARD, NULL);
  SoupWebsocketConnection *connection;

  guard->max_message = max_message;
  connection = soup_websocket_connection_new (stream, uri, type, NULL, ICS_RV_SUBPROTOCOL,
                                              g_list_prepend (NULL, guard));
  soup_websocket_connection_set_max_incoming_payload_size (connection, max_message);
  return connection;
}
