/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Watches this host's addresses: by rtnetlink, which works in a namespace without a bus as well, or by
 * GNetworkMonitor where there is none. Calls back on the thread-default context it was created in. */
typedef struct _IcsNetworkWatch IcsNetworkWatch;

typedef struct
{
  /* An address is gone, or its interface is down: said at once. */
  void (*lost) (gpointer user_data);
  /* Other addresses than the last time, or one was gone for a moment: said when it has been quiet for a
   * while.
   */
  void (*changed) (gpointer user_data);
} IcsNetworkWatchCallbacks;

IcsNetworkWatch *ics_network_watch_new (const IcsNetworkWatchCallbacks *callbacks, gpointer user_data);
void ics_network_watch_free (IcsNetworkWatch *self);

/* Whether an interface that is up has this address now. */
gboolean ics_network_has_address (GInetAddress *address);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsNetworkWatch, ics_network_watch_free)

G_END_DECLS
