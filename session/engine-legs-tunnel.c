/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/ice-attempt.h"
#include "session/engine-legs.h"

/* The way of an attempt to a relay over TCP or TLS: libnice speaks plain TURN to a port of this host, where a
 * tunnel begins. */

static void
on_ready (guint16 port, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  ics_ice_attempt_set_tunnel (attempt->ice, port);
  ics_attempt_begin (attempt);
}

static void
on_ended (gpointer user_data)
{
  ics_attempt_fail (user_data);
}

static void
on_note (const char *line, gpointer user_data)
{
  IcsAttempt *attempt = user_data;

  ics_engine_note (attempt->engine, "%s %u: %s", ics_leg_to_string (attempt->leg), attempt->number, line);
}

void
ics_attempt_open_tunnel (IcsAttempt *attempt, const IcsTurnServer *server)
{
  static const IcsTurnTunnelCallbacks callbacks = { .ready = on_ready, .ended = on_ended, .note = on_note };
  IcsTurnTunnelConfig config
      = { .server = server, .ca = attempt->engine->turn_ca, .family = attempt->engine->family };

  attempt->tunnel = ics_turn_tunnel_new (&config, &callbacks, attempt);
}

GInetAddress *
ics_legs_get_base (IcsEngine *self, const IcsCarrier *path)
{
  IcsAttempt *attempt = ics_attempt_of_path (self, path);

  if (attempt == NULL)
    return NULL;
  return attempt->tunnel != NULL ? ics_turn_tunnel_get_base (attempt->tunnel)
                                 : ics_traversal_get_base (attempt->ice);
}
