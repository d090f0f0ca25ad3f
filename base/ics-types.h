/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib-object.h>

G_BEGIN_DECLS

/**
 * IcsPathKind:
 * @ICS_PATH_CHANNEL: through the rendezvous server, or through the application's own channel; always works
 * @ICS_PATH_TURN: through a TURN relay (RFC 8656)
 * @ICS_PATH_DIRECT: between the two hosts (RFC 8445)
 *
 * What carries the datagrams, in ascending order of preference.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_PATH_CHANNEL,
  ICS_PATH_TURN,
  ICS_PATH_DIRECT
} IcsPathKind;

#define ICS_TYPE_PATH_KIND (ics_path_kind_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_path_kind_get_type (void) G_GNUC_CONST;

/**
 * ICS_N_PATH_KINDS:
 *
 * How many kinds of path there are; they are numbered from 0.
 *
 * Since: 0.1
 */
#define ICS_N_PATH_KINDS 3

/**
 * IcsPathReason:
 * @ICS_PATH_REASON_FIRST: the first path of the link
 * @ICS_PATH_REASON_BETTER: a better path proved itself
 * @ICS_PATH_REASON_LOST: the path before stopped answering
 * @ICS_PATH_REASON_POLICY: the application changed its policy
 * @ICS_PATH_REASON_ROAM: the same path under a new address
 *
 * Why the traffic moved.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_PATH_REASON_FIRST,
  ICS_PATH_REASON_BETTER,
  ICS_PATH_REASON_LOST,
  ICS_PATH_REASON_POLICY,
  ICS_PATH_REASON_ROAM
} IcsPathReason;

#define ICS_TYPE_PATH_REASON (ics_path_reason_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_path_reason_get_type (void) G_GNUC_CONST;

/**
 * IcsPathPolicy:
 * @ICS_PATH_POLICY_AUTO: connect through the relay, move to the best path
 * @ICS_PATH_POLICY_DIRECT: application data only on a direct path
 * @ICS_PATH_POLICY_RELAY: never look for a direct path, never show this host's addresses to the peer
 * @ICS_PATH_POLICY_LAN: application data only on a direct path between host candidates
 *
 * Which paths application data may take.
 *
 * Since: 0.1
 */
typedef enum
{
  ICS_PATH_POLICY_AUTO,
  ICS_PATH_POLICY_DIRECT,
  ICS_PATH_POLICY_RELAY,
  ICS_PATH_POLICY_LAN
} IcsPathPolicy;

#define ICS_TYPE_PATH_POLICY (ics_path_policy_get_type ())
ICS_AVAILABLE_IN_1_0 GType ics_path_policy_get_type (void) G_GNUC_CONST;

/**
 * ics_path_kind_to_string:
 * @kind: a kind of path
 *
 * The stable name of a kind of path.
 *
 * Returns: "channel", "turn" or "direct"; "unknown" for another number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_kind_to_string (IcsPathKind kind);

/**
 * ics_path_reason_to_string:
 * @reason: a reason
 *
 * The stable name of a reason.
 *
 * Returns: "first", "better", "lost", "policy" or "roam"; "unknown" for another number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_reason_to_string (IcsPathReason reason);

/**
 * ics_path_policy_to_string:
 * @policy: a policy
 *
 * The stable name of a policy.
 *
 * Returns: "auto", "direct", "relay" or "lan"; "unknown" for another number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 const char *ics_path_policy_to_string (IcsPathPolicy policy);

/**
 * ics_path_policy_from_string:
 * @name: (nullable): a name as [func@PathPolicy.to_string] gives it
 * @policy: (out): where to put the policy; left alone when there is none of this name
 *
 * Finds the policy of a name.
 *
 * Returns: whether there is one
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 gboolean ics_path_policy_from_string (const char *name, IcsPathPolicy *policy);

G_END_DECLS
