/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A socket to the kernel's routing tables (rtnetlink(7)), for the announcements of @groups (RTMGRP_…, 0 =
 * none). -1 where there is no such thing. */
int ics_route_socket_open (guint32 groups);

G_END_DECLS
