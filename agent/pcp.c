/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/pcp.h"
#include "base/wire.h"
#include <string.h>

/* RFC 6887 §7.2 */
#define RESPONSE_BIT 0x80
#define PROTOCOL_UDP 17

/* §5: IPv4 addresses are IPv4-mapped IPv6 addresses. */
static const guint8 mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void
write_address (IcsWriter *writer, guint32 address)
{
  ics_writer_bytes (writer, mapped_prefix, sizeof mapped_prefix);
  ics_writer_u32 (writer, address);
}

static guint32
read_address (IcsReader *reader)
{
  IcsSpan prefix = ics_reader_bytes (reader, sizeof mapped_prefix);
  guint32 address = ics_reader_u32 (reader);

  if (prefix.len == 0 || memcmp (prefix.data, mapped_prefix, sizeof mapped_prefix) != 0)
    return 0;
  return address;
}

gsize
ics_pcp_write_map (const IcsPcpMapRequest *request, guint8 out[ICS_PCP_MAP_REQUEST_LEN])
{
  IcsWriter writer;

  ics_writer_init (&writer, out, ICS_PCP_MAP_REQUEST_LEN);
  ics_writer_u8 (&writer, ICS_PCP_VERSION);
  ics_writer_u8 (&writer, ICS_PCP_MAP);
  ics_writer_zeros (&writer, 2);
  ics_writer_u32 (&writer, request->lifetime);
  write_address (&writer, request->client);
  /* §11.1 */
  ics_writer_bytes (&writer, request->nonce, ICS_PCP_NONCE_LEN);
  ics_writer_u8 (&writer, PROTOCOL_UDP);
  ics_writer_zeros (&writer, 3);
  ics_writer_u16 (&writer, request->internal_port);
  ics_writer_u16 (&writer, request->external_port);
  write_address (&writer, request->external);
  return writer.len;
}

/* Options may follow; none was asked for. */
static gboolean
read_map (IcsReader *reader, IcsPcpResponse *response)
{
  IcsSpan nonce = ics_reader_bytes (reader, ICS_PCP_NONCE_LEN);
  guint8 protocol = ics_reader_u8 (reader);

  ics_reader_bytes (reader, 3);
  response->internal_port = ics_reader_u16 (reader);
  response->external_port = ics_reader_u16 (reader);
  response->external = read_address (reader);
  if (reader->failed || protocol != PROTOCOL_UDP)
    return FALSE;
  memcpy (response->nonce, nonce.data, nonce.len);
  return TRUE;
}

gboolean
ics_pcp_parse (const guint8 *data, gsize len, IcsPcpResponse *response)
{
  IcsReader reader;
  guint8 opcode;

  memset (response, 0, sizeof *response);
  ics_reader_init (&reader, data, len);
  response->version = ics_reader_u8 (&reader);
  opcode = ics_reader_u8 (&reader);
  response->opcode = opcode & (guint8)~RESPONSE_BIT;
  ics_reader_u8 (&reader);
  response->result = ics_reader_u8 (&reader);
  response->lifetime = ics_reader_u32 (&reader);
  response->epoch = ics_reader_u32 (&reader);
  ics_reader_bytes (&reader, 12);
  if (reader.failed || len > ICS_PCP_MESSAGE_MAX || len % 4 != 0 || (opcode & RESPONSE_BIT) == 0)
    return FALSE;
  if (response->version != ICS_PCP_VERSION)
    return response->version != 0 && response->result == ICS_PCP_UNSUPP_VERSION;
  return response->opcode == ICS_PCP_MAP ? read_map (&reader, response)
                                         : response->opcode == ICS_PCP_ANNOUNCE;
}

const char *
ics_pcp_result_to_string (guint result)
{
  static const char *const words[] = {
    [ICS_PCP_SUCCESS] = "success",
    [ICS_PCP_UNSUPP_VERSION] = "it does not speak this version",
    [ICS_PCP_NOT_AUTHORIZED] = "not authorized",
    [ICS_PCP_MALFORMED_REQUEST] = "malformed request",
    [ICS_PCP_UNSUPP_OPCODE] = "it does not map ports",
    [ICS_PCP_UNSUPP_OPTION] = "unsupported option",
    [ICS_PCP_MALFORMED_OPTION] = "malformed option",
    [ICS_PCP_NETWORK_FAILURE] = "its own network fails",
    [ICS_PCP_NO_RESOURCES] = "no resources",
    [ICS_PCP_UNSUPP_PROTOCOL] = "it does not map UDP",
    [ICS_PCP_USER_EX_QUOTA] = "too many mappings of this host",
    [ICS_PCP_CANNOT_PROVIDE_EXTERNAL] = "no external address or port to give",
    [ICS_PCP_ADDRESS_MISMATCH] = "another NAT is in between",
    [ICS_PCP_EXCESSIVE_REMOTE_PEERS] = "too many remote peers",
  };

  return result < G_N_ELEMENTS (words) ? words[result] : "an error that is not known";
}
