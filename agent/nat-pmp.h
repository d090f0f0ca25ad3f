/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The NAT Port Mapping Protocol (RFC 6886): what a client writes and reads to map one UDP port. Pure. It
 * shares its ports with PCP. Addresses are IPv4, in host byte order. */

#define ICS_NAT_PMP_VERSION 0
#define ICS_NAT_PMP_ADDRESS_REQUEST_LEN 2
#define ICS_NAT_PMP_MAP_REQUEST_LEN 12

/* RFC 6886 §3.2, §3.3 */
typedef enum
{
  ICS_NAT_PMP_ADDRESS = 0,
  ICS_NAT_PMP_MAP_UDP = 1
} IcsNatPmpOpcode;

/* §3.5 */
typedef enum
{
  ICS_NAT_PMP_SUCCESS = 0,
  ICS_NAT_PMP_UNSUPP_VERSION = 1,
  ICS_NAT_PMP_NOT_AUTHORIZED = 2,
  ICS_NAT_PMP_NETWORK_FAILURE = 3,
  ICS_NAT_PMP_OUT_OF_RESOURCES = 4,
  ICS_NAT_PMP_UNSUPP_OPCODE = 5
} IcsNatPmpResult;

typedef struct
{
  guint8 opcode;
  guint16 result;
  guint32 epoch; /* seconds */
  /* After success: of ADDRESS */
  guint32 external;
  /* of MAP_UDP */
  guint16 internal_port;
  guint16 external_port;
  guint32 lifetime; /* seconds */
} IcsNatPmpResponse;

gsize ics_nat_pmp_write_address_request (guint8 out[ICS_NAT_PMP_ADDRESS_REQUEST_LEN]);

/* @lifetime in seconds; 0 deletes the mapping. @external_port: suggested, 0 = any. */
gsize ics_nat_pmp_write_map (guint16 internal_port, guint16 external_port, guint32 lifetime,
                             guint8 out[ICS_NAT_PMP_MAP_REQUEST_LEN]);

/* FALSE: drop it. The answer to a request of another version, which has no opcode of a response (§3.5), is
 * one to ADDRESS that says UNSUPP_VERSION. */
gboolean ics_nat_pmp_parse (const guint8 *data, gsize len, IcsNatPmpResponse *response);

/* In people's words. */
const char *ics_nat_pmp_result_to_string (guint result);

G_END_DECLS
