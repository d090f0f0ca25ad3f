/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into a program, makes its network one that is paid for by volume, which otherwise the network
 * manager of a desktop says. */
#include <gio/gio.h>

__attribute__ ((visibility ("default"))) gboolean
g_network_monitor_get_network_metered (G_GNUC_UNUSED GNetworkMonitor *monitor)
{
  return TRUE;
}
