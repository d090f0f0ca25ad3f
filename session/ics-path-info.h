/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-types.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * IcsPathInfo:
 *
 * The path that traffic is on, as it was when it got there: an immutable boxed value, for any thread. Strings
 * are borrowed from it.
 *
 * Since: 0.1
 */
typedef struct _IcsPathInfo IcsPathInfo;

#define ICS_TYPE_PATH_INFO (ics_path_info_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_path_info_get_type (void) G_GNUC_CONST;

/**
 * ics_path_info_ref:
 * @self: a path
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsPathInfo *ics_path_info_ref (IcsPathInfo *self);

/**
 * ics_path_info_unref:
 * @self: (transfer full): a path
 *
 * Gives a reference back.
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 void ics_path_info_unref (IcsPathInfo *self);

/**
 * ics_path_info_get_kind:
 * @self: a path
 *
 * What carries the traffic.
 *
 * Returns: the kind
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsPathKind ics_path_info_get_kind (IcsPathInfo *self);

/**
 * ics_path_info_get_transport:
 * @self: a path
 *
 * What the path is made of; that of a relay is how this host reaches it.
 *
 * Returns: (transfer none): "ws", "udp", "tcp" or "tls"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_info_get_transport (IcsPathInfo *self);

/**
 * ics_path_info_get_local:
 * @self: a path
 *
 * The address of this host's end.
 *
 * Returns: (transfer none): "192.0.2.1:5000", "[2001:db8::1]:5000"; "" when it is not known
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_info_get_local (IcsPathInfo *self);

/**
 * ics_path_info_get_local_type:
 * @self: a path
 *
 * What the address of this host's end is (RFC 8445 §5.1.1).
 *
 * Returns: (transfer none): "host", "srflx", "prflx", "relay", or "mapped" for a port that a gateway was
 * asked for
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_info_get_local_type (IcsPathInfo *self);

/**
 * ics_path_info_get_remote:
 * @self: a path
 *
 * The address of the other end: the peer's or its relay's, of a channel the server's.
 *
 * Returns: (transfer none): "192.0.2.1:5000", "[2001:db8::1]:5000"; "" when it is not known
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_info_get_remote (IcsPathInfo *self);

/**
 * ics_path_info_get_remote_type:
 * @self: a path
 *
 * What the address of the other end is (RFC 8445 §5.1.1).
 *
 * Returns: (transfer none): "host", "srflx", "prflx", "relay" or "mapped"
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_info_get_remote_type (IcsPathInfo *self);

/**
 * ics_path_info_get_rtt_ms:
 * @self: a path
 *
 * The smoothed round-trip time between the hosts when the traffic got there.
 *
 * Returns: milliseconds; 0 = not known yet
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 double ics_path_info_get_rtt_ms (IcsPathInfo *self);

/**
 * ics_path_info_get_reason:
 * @self: a path
 *
 * Why the traffic moved there.
 *
 * Returns: the reason
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 IcsPathReason ics_path_info_get_reason (IcsPathInfo *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsPathInfo, ics_path_info_unref)

G_END_DECLS
