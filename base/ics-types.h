/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * IcsPathKind:
 * @ICS_PATH_CHANNEL: through the rendezvous server; always works
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

ICS_API const char *ics_path_kind_to_string (IcsPathKind kind);
ICS_API const char *ics_path_reason_to_string (IcsPathReason reason);
ICS_API const char *ics_path_policy_to_string (IcsPathPolicy policy);
ICS_API gboolean ics_path_policy_from_string (const char *name, IcsPathPolicy *policy);

G_END_DECLS
