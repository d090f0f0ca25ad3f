/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The Port Control Protocol (RFC 6887): what a client writes and reads to map one UDP port of an IPv4 host.
 * Pure. Addresses are IPv4, in host byte order; 0 = none. */

#define ICS_PCP_VERSION 2
/* RFC 6887 §19.1 and §8.3: the server's port, and the one that it announces to. */
#define ICS_PCP_SERVER_PORT 5351
#define ICS_PCP_CLIENT_PORT 5350
#define ICS_PCP_MESSAGE_MAX 1100 /* §7 */
#define ICS_PCP_NONCE_LEN 12     /* §11.1 */
#define ICS_PCP_MAP_REQUEST_LEN 60

/* §19.2 */
typedef enum
{
  ICS_PCP_ANNOUNCE = 0,
  ICS_PCP_MAP = 1
} IcsPcpOpcode;

/* §7.4; a server may send others. */
typedef enum
{
  ICS_PCP_SUCCESS = 0,
  ICS_PCP_UNSUPP_VERSION = 1,
  ICS_PCP_NOT_AUTHORIZED = 2,
  ICS_PCP_MALFORMED_REQUEST = 3,
  ICS_PCP_UNSUPP_OPCODE = 4,
  ICS_PCP_UNSUPP_OPTION = 5,
  ICS_PCP_MALFORMED_OPTION = 6,
  ICS_PCP_NETWORK_FAILURE = 7,
  ICS_PCP_NO_RESOURCES = 8,
  ICS_PCP_UNSUPP_PROTOCOL = 9,
  ICS_PCP_USER_EX_QUOTA = 10,
  ICS_PCP_CANNOT_PROVIDE_EXTERNAL = 11,
  ICS_PCP_ADDRESS_MISMATCH = 12,
  ICS_PCP_EXCESSIVE_REMOTE_PEERS = 13
} IcsPcpResult;

typedef struct
{
  guint32 lifetime; /* seconds; 0 deletes the mapping */
  guint32 client;   /* the address it is sent from */
  guint8 nonce[ICS_PCP_NONCE_LEN];
  guint16 internal_port;
  guint16 external_port; /* suggested; 0 = any */
  guint32 external;
} IcsPcpMapRequest;

typedef struct
{
  guint8 version;
  guint8 opcode;
  guint8 result;
  guint32 lifetime; /* seconds: of the mapping, or how long the error will last */
  guint32 epoch;    /* seconds */
  /* Of MAP only: */
  guint8 nonce[ICS_PCP_NONCE_LEN];
  guint16 internal_port;
  guint16 external_port; /* assigned */
  guint32 external;      /* 0 too when it is not an IPv4 address */
} IcsPcpResponse;

gsize ics_pcp_write_map (const IcsPcpMapRequest *request, guint8 out[ICS_PCP_MAP_REQUEST_LEN]);

/* A response to MAP, or to (or instead of one to) ANNOUNCE; also one of another version that says
 * UNSUPP_VERSION, of which the other fields mean nothing. FALSE: drop it (RFC 6887 §8.3). */
gboolean ics_pcp_parse (const guint8 *data, gsize len, IcsPcpResponse *response);

/* In people's words. */
const char *ics_pcp_result_to_string (guint result);

G_END_DECLS
