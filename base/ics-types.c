/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-types.h"

G_DEFINE_ENUM_TYPE (IcsPathKind, ics_path_kind, G_DEFINE_ENUM_VALUE (ICS_PATH_CHANNEL, "channel"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_TURN, "turn"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_DIRECT, "direct"))

G_DEFINE_ENUM_TYPE (IcsPathReason, ics_path_reason, G_DEFINE_ENUM_VALUE (ICS_PATH_REASON_FIRST, "first"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_REASON_BETTER, "better"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_REASON_LOST, "lost"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_REASON_POLICY, "policy"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_REASON_ROAM, "roam"))

G_DEFINE_ENUM_TYPE (IcsPathPolicy, ics_path_policy, G_DEFINE_ENUM_VALUE (ICS_PATH_POLICY_AUTO, "auto"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_POLICY_DIRECT, "direct"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_POLICY_RELAY, "relay"),
                    G_DEFINE_ENUM_VALUE (ICS_PATH_POLICY_LAN, "lan"))

const char *
ics_path_kind_to_string (IcsPathKind kind)
{
  switch (kind)
    {
    case ICS_PATH_CHANNEL:
      return "channel";
    case ICS_PATH_TURN:
      return "turn";
    case ICS_PATH_DIRECT:
      return "direct";
    }
  return "unknown";
}

const char *
ics_path_reason_to_string (IcsPathReason reason)
{
  switch (reason)
    {
    case ICS_PATH_REASON_FIRST:
      return "first";
    case ICS_PATH_REASON_BETTER:
      return "better";
    case ICS_PATH_REASON_LOST:
      return "lost";
    case ICS_PATH_REASON_POLICY:
      return "policy";
    case ICS_PATH_REASON_ROAM:
      return "roam";
    }
  return "unknown";
}

static const char *const policy_names[] = { [ICS_PATH_POLICY_AUTO] = "auto",
                                            [ICS_PATH_POLICY_DIRECT] = "direct",
                                            [ICS_PATH_POLICY_RELAY] = "relay",
                                            [ICS_PATH_POLICY_LAN] = "lan" };

const char *
ics_path_policy_to_string (IcsPathPolicy policy)
{
  return policy < G_N_ELEMENTS (policy_names) ? policy_names[policy] : "unknown";
}

gboolean
ics_path_policy_from_string (const char *name, IcsPathPolicy *policy)
{
  for (guint i = 0; i < G_N_ELEMENTS (policy_names); i++)
    if (g_strcmp0 (name, policy_names[i]) == 0)
      {
        *policy = (IcsPathPolicy)i;
        return TRUE;
      }
  return FALSE;
}
