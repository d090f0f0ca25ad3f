/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/route-messages.h"

#ifdef __linux__

#include <linux/rtnetlink.h>
#include <string.h>

/* Until duplicate address detection is through, an address is not there (RFC 4862 §5.4); the kernel speaks
 * again then. */
static gboolean
address_matters (const guint8 *payload, gsize len)
{
  struct ifaddrmsg address;

  if (len < sizeof address)
    return TRUE;
  memcpy (&address, payload, sizeof address);
  return (address.ifa_flags & IFA_F_TENTATIVE) == 0;
}

/* Cached clones of routes come and go with the traffic. */
static gboolean
route_matters (const guint8 *payload, gsize len)
{
  struct rtmsg route;

  if (len < sizeof route)
    return TRUE;
  memcpy (&route, payload, sizeof route);
  return (route.rtm_flags & RTM_F_CLONED) == 0;
}

static gboolean
message_matters (guint16 type, const guint8 *payload, gsize len)
{
  switch (type)
    {
    case RTM_NEWADDR:
      return address_matters (payload, len);
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return route_matters (payload, len);
    case RTM_DELADDR:
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return TRUE;
    default:
      return FALSE;
    }
}

gboolean
ics_route_messages_matter (const guint8 *data, gsize len)
{
  struct nlmsghdr header;

  while (len >= sizeof header)
    {
      gsize size;

      memcpy (&header, data, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > len
          || message_matters (header.nlmsg_type, data + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN))
        return TRUE;
      size = MIN (NLMSG_ALIGN ((gsize)header.nlmsg_len), len);
      data += size;
      len -= size;
    }
  return len > 0;
}

#else

gboolean
ics_route_messages_matter (G_GNUC_UNUSED const guint8 *data, G_GNUC_UNUSED gsize len)
{
  return TRUE;
}

#endif
