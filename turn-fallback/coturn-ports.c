/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/coturn-ports.h"
#include "base/ics-error.h"
#include <gio/gio.h>
#include <sodium.h>

#define PORT_TRIES 64

static gboolean
is_free (const char *address, guint16 port, GSocketType type)
{
  g_autoptr (GSocketAddress) socket_address = g_inet_socket_address_new_from_string (address, port);
  g_autoptr (GSocket) socket = NULL;

  if (socket_address == NULL)
    return FALSE;
  socket = g_socket_new (g_socket_address_get_family (socket_address), type, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  return socket != NULL && g_socket_bind (socket, socket_address, type == G_SOCKET_TYPE_STREAM, NULL);
}

/* coturn listens on the port after the given one, too (RFC 5780's alternate port), whatever it is told. */
static gboolean
port_is_free (GArray *addresses, guint16 port)
{
  for (guint i = 0; i < addresses->len; i++)
    for (guint16 offset = 0; offset < 2; offset++)
      {
        const char *local = g_array_index (addresses, IcsCoturnAddress, i).local;

        if (!is_free (local, port + offset, G_SOCKET_TYPE_DATAGRAM)
            || !is_free (local, port + offset, G_SOCKET_TYPE_STREAM))
          return FALSE;
      }
  return TRUE;
}

gboolean
ics_coturn_choose_port (GArray *addresses, guint16 *port, guint16 standard, guint16 besides, GError **error)
{
  guint16 candidate = *port != 0 ? *port : standard;

  for (guint i = 0; i < PORT_TRIES; i++)
    {
      gboolean apart = besides == 0 || candidate + 1 < besides || candidate > besides + 1;

      if (apart && port_is_free (addresses, candidate))
        {
          *port = candidate;
          return TRUE;
        }
      candidate = (guint16)(10240 + randombytes_uniform (20000));
    }
  g_set_error (error, ICS_ERROR, ICS_ERROR_FAILED, "no free port for the TURN server");
  return FALSE;
}
