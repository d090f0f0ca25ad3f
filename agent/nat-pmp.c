/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/nat-pmp.h"
#include "base/wire.h"
#include <string.h>

/* RFC 6886 §3.2, §3.3: 128 is added to the opcode of a response. */
#define RESPONSE_BIT 0x80

gsize
ics_nat_pmp_write_address_request (guint8 out[ICS_NAT_PMP_ADDRESS_REQUEST_LEN])
{
  out[0] = ICS_NAT_PMP_VERSION;
  out[1] = ICS_NAT_PMP_ADDRESS;
  return ICS_NAT_PMP_ADDRESS_REQUEST_LEN;
}

gsize
ics_nat_pmp_write_map (guint16 internal_port, guint16 external_port, guint32 lifetime,
                       guint8 out[ICS_NAT_PMP_MAP_REQUEST_LEN])
{
  IcsWriter writer;

  ics_writer_init (&writer, out, ICS_NAT_PMP_MAP_REQUEST_LEN);
  ics_writer_u8 (&writer, ICS_NAT_PMP_VERSION);
  ics_writer_u8 (&writer, ICS_NAT_PMP_MAP_UDP);
  ics_writer_zeros (&writer, 2);
  ics_writer_u16 (&writer, internal_port);
  ics_writer_u16 (&writer, external_port);
  ics_writer_u32 (&writer, lifetime);
  return writer.len;
}

static gboolean
read_body (IcsReader *reader, IcsNatPmpResponse *response)
{
  if (response->opcode == ICS_NAT_PMP_ADDRESS)
    response->external = ics_reader_u32 (reader);
  else
    {
      response->internal_port = ics_reader_u16 (reader);
      response->external_port = ics_reader_u16 (reader);
      response->lifetime = ics_reader_u32 (reader);
    }
  return !reader->failed;
}

gboolean
ics_nat_pmp_parse (const guint8 *data, gsize len, IcsNatPmpResponse *response)
{
  IcsReader reader;
  guint8 version, opcode;

  memset (response, 0, sizeof *response);
  ics_reader_init (&reader, data, len);
  version = ics_reader_u8 (&reader);
  opcode = ics_reader_u8 (&reader);
  response->result = ics_reader_u16 (&reader);
  response->epoch = ics_reader_u32 (&reader);
  if (reader.failed || version != ICS_NAT_PMP_VERSION)
    return FALSE;
  if (response->result == ICS_NAT_PMP_UNSUPP_VERSION)
    return TRUE;
  response->opcode = opcode & (guint8)~RESPONSE_BIT;
  if ((opcode & RESPONSE_BIT) == 0 || response->opcode > ICS_NAT_PMP_MAP_UDP)
    return FALSE;
  /* Other fields of an error are undefined, and some leave them out. */
  return response->result != ICS_NAT_PMP_SUCCESS || read_body (&reader, response);
}

const char *
ics_nat_pmp_result_to_string (guint result)
{
  static const char *const words[] = {
    [ICS_NAT_PMP_SUCCESS] = "success",
    [ICS_NAT_PMP_UNSUPP_VERSION] = "it does not speak this version",
    [ICS_NAT_PMP_NOT_AUTHORIZED] = "not authorized",
    [ICS_NAT_PMP_NETWORK_FAILURE] = "its own network fails",
    [ICS_NAT_PMP_OUT_OF_RESOURCES] = "no resources",
    [ICS_NAT_PMP_UNSUPP_OPCODE] = "it does not map UDP",
  };

  return result < G_N_ELEMENTS (words) ? words[result] : "an error that is not known";
}
