/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/network-watch.h"
#include "agent/local-addresses.h"
#include "agent/route-messages.h"
#include "agent/route-socket.h"
#include "base/timeout.h"
#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/rtnetlink.h>
#endif

/* A new network arrives in pieces: interface, address, routes. Told when nothing more came for the first
 * time, and at the latest after the second, counted from its first piece. */
#define QUIET_US (150 * G_TIME_SPAN_MILLISECOND)
#define QUIET_MAX_US (1000 * G_TIME_SPAN_MILLISECOND)
/* Longer messages are cut, which is as good as one that matters. */
#define MESSAGE_MAX 8192
/* Read in one go; what is left comes next time, so that others get their turn. */
#define MESSAGES_AT_ONCE 64

struct _IcsNetworkWatch
{
  IcsNetworkWatchCallbacks callbacks;
  gpointer user_data;
  int fd; /* rtnetlink; -1 = the monitor is used */
  GSource *readable;
  GNetworkMonitor *monitor;
  gulong monitor_handler;
  GSource *look; /* for the monitor, which speaks on a context of its own */
  GSource *quiet;
  gint64 quiet_at, quiet_limit;
  char **seen;     /* the addresses when last looked at */
  char **told;     /* and when last told about */
  gboolean missed; /* one was gone meanwhile */
};

/* --- what there is --- */

/* Those that an ICE attempt would use, the preferred ones first: a new default route is a change too. */
static char **
look_at_addresses (void)
{
  g_autoptr (GPtrArray) addresses = ics_local_addresses_get (0);
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < addresses->len; i++)
    if (!g_inet_address_get_is_loopback (addresses->pdata[i]))
      g_ptr_array_add (names, g_inet_address_to_string (addresses->pdata[i]));
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

gboolean
ics_network_has_address (GInetAddress *address)
{
  g_autoptr (GPtrArray) entries = ics_local_addresses_enumerate ();

  for (guint i = 0; i < entries->len; i++)
    {
      const IcsLocalAddress *entry = entries->pdata[i];

      if (entry->up && g_inet_address_equal (entry->address, address))
        return TRUE;
    }
  return g_inet_address_get_is_any (address);
}

static gboolean
has_all (char **names, char **wanted)
{
  for (guint i = 0; wanted[i] != NULL; i++)
    if (!g_strv_contains ((const char *const *)names, wanted[i]))
      return FALSE;
  return TRUE;
}

/* --- what changes --- */

static void
wait_for_quiet (IcsNetworkWatch *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->quiet_at == 0)
    self->quiet_limit = now + QUIET_MAX_US;
  self->quiet_at = MIN (now + QUIET_US, self->quiet_limit);
  g_source_set_ready_time (self->quiet, self->quiet_at);
}

static void
look (IcsNetworkWatch *self)
{
  char **now = look_at_addresses ();
  gboolean lost = !has_all (now, self->seen);

  g_strfreev (self->seen);
  self->seen = now;
  self->missed = self->missed || lost;
  wait_for_quiet (self);
  if (lost)
    self->callbacks.lost (self->user_data);
}

static gboolean
on_quiet (gpointer user_data)
{
  IcsNetworkWatch *self = user_data;
  gboolean changed;

  g_source_set_ready_time (self->quiet, -1);
  self->quiet_at = 0;
  changed = self->missed || !g_strv_equal ((const char *const *)self->seen, (const char *const *)self->told);
  self->missed = FALSE;
  g_strfreev (self->told);
  self->told = g_strdupv (self->seen);
  if (changed)
    self->callbacks.changed (self->user_data);
  return G_SOURCE_CONTINUE;
}

/* --- where it is heard --- */

static gboolean
on_look (gpointer user_data)
{
  IcsNetworkWatch *self = user_data;

  g_source_set_ready_time (self->look, -1);
  look (self);
  return G_SOURCE_CONTINUE;
}

/* On any thread; the source may be destroyed already. */
static void
on_monitor_changed (GNetworkMonitor *monitor, gboolean available, gpointer user_data)
{
  g_source_set_ready_time (user_data, 0);
}

static void
release_source (gpointer data, GClosure *closure)
{
  g_source_unref (data);
}

static void
use_monitor (IcsNetworkWatch *self)
{
  self->monitor = g_object_ref (g_network_monitor_get_default ());
  self->monitor_handler
      = g_signal_connect_data (self->monitor, "network-changed", G_CALLBACK (on_monitor_changed),
                               g_source_ref (self->look), release_source, 0);
}

#ifdef __linux__

static gboolean
on_readable (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer user_data)
{
  guint8 buffer[MESSAGE_MAX];
  gboolean matters = FALSE;
  gssize n = 0;

  for (guint i = 0; i < MESSAGES_AT_ONCE && n >= 0; i++)
    {
      n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);
      /* ENOBUFS: some were dropped. Nothing else but "no more" can come from this socket. */
      if (n < 0)
        matters = matters || errno == ENOBUFS;
      else
        matters = matters || ics_route_messages_matter (buffer, (gsize)n);
    }
  if (matters)
    look (user_data);
  return G_SOURCE_CONTINUE;
}

static int
open_netlink (void)
{
  return ics_route_socket_open (RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE
                                | RTMGRP_IPV6_ROUTE);
}

#else

static gboolean
on_readable (G_GNUC_UNUSED int fd, G_GNUC_UNUSED GIOCondition condition, G_GNUC_UNUSED gpointer user_data)
{
  return G_SOURCE_REMOVE;
}

static int
open_netlink (void)
{
  return -1;
}

#endif

/* --- sources --- */

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = dispatch };

static GSource *
add_timer (IcsNetworkWatch *self, GSourceFunc callback)
{
  GSource *source = g_source_new (&timer_funcs, sizeof (GSource));

  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

IcsNetworkWatch *
ics_network_watch_new (const IcsNetworkWatchCallbacks *callbacks, gpointer user_data)
{
  IcsNetworkWatch *self = g_new0 (IcsNetworkWatch, 1);

  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->quiet = add_timer (self, on_quiet);
  self->look = add_timer (self, on_look);
  self->fd = open_netlink ();
  if (self->fd >= 0)
    {
      self->readable = g_unix_fd_source_new (self->fd, G_IO_IN);
      g_source_set_callback (self->readable, G_SOURCE_FUNC (on_readable), self, NULL);
      g_source_attach (self->readable, g_main_context_get_thread_default ());
    }
  else
    use_monitor (self);
  self->seen = look_at_addresses ();
  self->told = g_strdupv (self->seen);
  return self;
}

void
ics_network_watch_free (IcsNetworkWatch *self)
{
  if (self == NULL)
    return;
  if (self->monitor != NULL)
    g_signal_handler_disconnect (self->monitor, self->monitor_handler);
  g_clear_object (&self->monitor);
  ics_timeout_clear (&self->readable);
  ics_timeout_clear (&self->look);
  ics_timeout_clear (&self->quiet);
  if (self->fd >= 0)
    close (self->fd);
  g_strfreev (self->seen);
  g_strfreev (self->told);
  g_free (self);
}
