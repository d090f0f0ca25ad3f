/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/route-messages.h"

#ifdef __linux__

#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

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

typedef struct
{
  guint16 type;
  const guint8 *payload;
  gsize len;
} Message;

/* FALSE: nothing is left, or what is left (@len is not 0 then) does not parse. */
static gboolean
next_message (const guint8 **data, gsize *len, Message *message)
{
  struct nlmsghdr header;
  gsize size;

  if (*len < sizeof header)
    return FALSE;
  memcpy (&header, *data, sizeof header);
  if (header.nlmsg_len < sizeof header || header.nlmsg_len > *len)
    return FALSE;
  *message = (Message){ header.nlmsg_type, *data + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN };
  size = MIN (NLMSG_ALIGN ((gsize)header.nlmsg_len), *len);
  *data += size;
  *len -= size;
  return TRUE;
}

gboolean
ics_route_messages_matter (const guint8 *data, gsize len)
{
  Message message;

  while (next_message (&data, &len, &message))
    if (message_matters (message.type, message.payload, message.len))
      return TRUE;
  return len > 0;
}

/* --- default routes --- */

typedef struct
{
  guint32 table, interface, metric, gateway;
} Route;

static void
read_attribute (guint16 type, const guint8 *data, gsize len, Route *route)
{
  guint32 value;

  if (len != sizeof value)
    return;
  memcpy (&value, data, sizeof value);
  if (type == RTA_TABLE)
    route->table = value;
  else if (type == RTA_OIF)
    route->interface = value;
  else if (type == RTA_PRIORITY)
    route->metric = value;
  else if (type == RTA_GATEWAY)
    route->gateway = GUINT32_FROM_BE (value);
}

static void
read_attributes (const guint8 *data, gsize len, Route *route)
{
  struct rtattr attribute;

  while (len >= sizeof attribute)
    {
      gsize size;

      memcpy (&attribute, data, sizeof attribute);
      if (attribute.rta_len < sizeof attribute || attribute.rta_len > len)
        return;
      read_attribute (attribute.rta_type, data + RTA_LENGTH (0), attribute.rta_len - RTA_LENGTH (0), route);
      size = MIN (RTA_ALIGN ((gsize)attribute.rta_len), len);
      data += size;
      len -= size;
    }
}

static void
consider_route (const Message *message, guint interface, IcsRouteGateway *best)
{
  struct rtmsg header;
  Route route = { 0 };

  if (message->len < sizeof header)
    return;
  memcpy (&header, message->payload, sizeof header);
  if (header.rtm_family != AF_INET || header.rtm_dst_len != 0 || header.rtm_type != RTN_UNICAST)
    return;
  route.table = header.rtm_table;
  read_attributes (message->payload + NLMSG_ALIGN (sizeof header), message->len - NLMSG_ALIGN (sizeof header),
                   &route);
  if (route.table != RT_TABLE_MAIN || route.interface != interface || route.gateway == 0
      || (best->found && best->metric <= route.metric))
    return;
  best->found = TRUE;
  best->address = route.gateway;
  best->metric = route.metric;
}

void
ics_route_messages_find_gateway (const guint8 *data, gsize len, guint interface, IcsRouteGateway *best)
{
  Message message;

  while (next_message (&data, &len, &message))
    if (message.type == RTM_NEWROUTE)
      consider_route (&message, interface, best);
    else if (message.type == NLMSG_DONE || message.type == NLMSG_ERROR)
      best->complete = TRUE;
  if (len > 0)
    best->complete = TRUE;
}

#else

gboolean
ics_route_messages_matter (G_GNUC_UNUSED const guint8 *data, G_GNUC_UNUSED gsize len)
{
  return TRUE;
}

void
ics_route_messages_find_gateway (G_GNUC_UNUSED const guint8 *data, G_GNUC_UNUSED gsize len,
                                 G_GNUC_UNUSED guint interface, IcsRouteGateway *best)
{
  best->complete = TRUE;
}

#endif
