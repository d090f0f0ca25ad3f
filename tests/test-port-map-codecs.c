/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PCP (RFC 6887) and NAT-PMP (RFC 6886) as bytes. */
#include "agent/gateway-epoch.h"
#include "agent/nat-pmp.h"
#include "agent/pcp.h"
#include "tests/suite.h"
#include <string.h>

#define CLIENT 0xc0a80102u   /* 192.168.1.2 */
#define EXTERNAL 0xc6336512u /* 198.51.101.18 */
#define SECOND G_USEC_PER_SEC

/* clang-format off */
static const guint8 pcp_request[] = {
  0x02,                   /* §7.1 version */
  0x01,                   /* R = 0, opcode MAP */
  0x00, 0x00,             /* reserved */
  0x00, 0x00, 0x02, 0x58, /* requested lifetime: 600 s */
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
  0xc0, 0xa8, 0x01, 0x02, /* client's address ::ffff:192.168.1.2 */
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, /* §11.1 nonce */
  0x11,                   /* protocol UDP */
  0x00, 0x00, 0x00,       /* reserved */
  0x9c, 0x40,             /* internal port 40000 */
  0x9c, 0x41,             /* suggested external port 40001 */
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
  0x00, 0x00, 0x00, 0x00, /* suggested external address: any IPv4 */
};

static const guint8 pcp_response[] = {
  0x02,                   /* §7.2 version */
  0x81,                   /* R = 1, opcode MAP */
  0x00,                   /* reserved */
  0x00,                   /* SUCCESS */
  0x00, 0x00, 0x01, 0x2c, /* lifetime: 300 s */
  0x00, 0x00, 0x0e, 0x10, /* epoch: 3600 s */
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* reserved */
  0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, /* §11.1 nonce */
  0x11,                   /* protocol UDP */
  0x00, 0x00, 0x00,       /* reserved */
  0x9c, 0x40,             /* internal port 40000 */
  0xc3, 0x50,             /* assigned external port 50000 */
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
  0xc6, 0x33, 0x65, 0x12, /* assigned external address ::ffff:198.51.101.18 */
};

static const guint8 pcp_announce[] = {
  0x02, 0x80, 0x00, 0x00, /* §14.1 version, R = 1 and ANNOUNCE, reserved, SUCCESS */
  0x00, 0x00, 0x00, 0x00, /* lifetime */
  0x00, 0x00, 0x00, 0x07, /* epoch: 7 s */
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* reserved */
};

static const guint8 nat_pmp_request[] = {
  0x00, 0x01,             /* §3.3 version, opcode: map UDP */
  0x00, 0x00,             /* reserved */
  0x9c, 0x40,             /* internal port 40000 */
  0x9c, 0x41,             /* suggested external port 40001 */
  0x00, 0x00, 0x02, 0x58, /* requested lifetime: 600 s */
};

static const guint8 nat_pmp_map_response[] = {
  0x00, 0x81,             /* version, 128 + 1 */
  0x00, 0x00,             /* success */
  0x00, 0x00, 0x0e, 0x10, /* epoch: 3600 s */
  0x9c, 0x40,             /* internal port 40000 */
  0xc3, 0x50,             /* mapped external port 50000 */
  0x00, 0x00, 0x01, 0x2c, /* lifetime: 300 s */
};

static const guint8 nat_pmp_address_response[] = {
  0x00, 0x80,             /* §3.2 version, 128 + 0 */
  0x00, 0x00,             /* success */
  0x00, 0x00, 0x0e, 0x10, /* epoch: 3600 s */
  0xc6, 0x33, 0x65, 0x12, /* 198.51.101.18 */
};

static const guint8 nat_pmp_unsupported[] = {
  0x00, 0x00,             /* §3.5 version, OP = 0 without the bit */
  0x00, 0x01,             /* unsupported version */
  0x00, 0x00, 0x0e, 0x10, /* epoch: 3600 s */
};
/* clang-format on */

/* A copy of the very size, so that a sanitizer sees what is read beyond. */
static gboolean
parse_pcp (const guint8 *data, gsize len, IcsPcpResponse *response)
{
  g_autofree guint8 *exact = g_memdup2 (data, len);

  return ics_pcp_parse (exact, len, response);
}

static gboolean
parse_nat_pmp (const guint8 *data, gsize len, IcsNatPmpResponse *response)
{
  g_autofree guint8 *exact = g_memdup2 (data, len);

  return ics_nat_pmp_parse (exact, len, response);
}

START_TEST (pcp_requests)
{
  IcsPcpMapRequest request = { .lifetime = 600,
                               .client = CLIENT,
                               .nonce = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
                               .internal_port = 40000,
                               .external_port = 40001 };
  guint8 out[ICS_PCP_MAP_REQUEST_LEN];

  ck_assert_uint_eq (ics_pcp_write_map (&request, out), sizeof pcp_request);
  ck_assert_mem_eq (out, pcp_request, sizeof pcp_request);
}
END_TEST

START_TEST (pcp_responses)
{
  IcsPcpResponse response;

  ck_assert (parse_pcp (pcp_response, sizeof pcp_response, &response));
  ck_assert_uint_eq (response.version, 2);
  ck_assert_uint_eq (response.opcode, ICS_PCP_MAP);
  ck_assert_uint_eq (response.result, ICS_PCP_SUCCESS);
  ck_assert_uint_eq (response.lifetime, 300);
  ck_assert_uint_eq (response.epoch, 3600);
  ck_assert_mem_eq (response.nonce, pcp_request + 24, ICS_PCP_NONCE_LEN);
  ck_assert_uint_eq (response.internal_port, 40000);
  ck_assert_uint_eq (response.external_port, 50000);
  ck_assert_uint_eq (response.external, EXTERNAL);
  ck_assert (parse_pcp (pcp_announce, sizeof pcp_announce, &response));
  ck_assert_uint_eq (response.opcode, ICS_PCP_ANNOUNCE);
  ck_assert_uint_eq (response.epoch, 7);
}
END_TEST

static gboolean
parse_changed (gsize at, guint8 value, gsize len, IcsPcpResponse *response)
{
  guint8 data[ICS_PCP_MESSAGE_MAX + 4] = { 0 };

  memcpy (data, pcp_response, sizeof pcp_response);
  data[at] = value;
  return parse_pcp (data, len, response);
}

START_TEST (pcp_hostile)
{
  IcsPcpResponse response;

  for (gsize len = 0; len < sizeof pcp_response; len++)
    ck_assert (!parse_pcp (pcp_response, len, &response));
  ck_assert (!parse_changed (1, 0x01, sizeof pcp_response, &response)); /* a request */
  ck_assert (!parse_changed (1, 0x82, sizeof pcp_response, &response)); /* PEER was not asked */
  ck_assert (!parse_changed (0, 3, sizeof pcp_response, &response)); /* another version that says success */
  ck_assert (!parse_changed (36, 0x06, sizeof pcp_response, &response)); /* TCP */
  ck_assert (parse_changed (0, 2, ICS_PCP_MESSAGE_MAX, &response));
  ck_assert (!parse_changed (0, 2, ICS_PCP_MESSAGE_MAX + 4, &response));
  ck_assert (!parse_changed (0, 2, sizeof pcp_response + 2, &response));
  /* An external address that is no IPv4 one. */
  ck_assert (parse_changed (44, 0x20, sizeof pcp_response, &response));
  ck_assert_uint_eq (response.external, 0);
}
END_TEST

START_TEST (pcp_other_versions)
{
  IcsPcpResponse response;
  guint8 data[24] = { 1, 0x81, 0, ICS_PCP_UNSUPP_VERSION };

  ck_assert (parse_pcp (data, sizeof data, &response));
  ck_assert_uint_eq (response.version, 1);
  data[0] = 0; /* that is NAT-PMP's */
  ck_assert (!parse_pcp (data, sizeof data, &response));
}
END_TEST

START_TEST (nat_pmp_requests)
{
  guint8 out[ICS_NAT_PMP_MAP_REQUEST_LEN];

  ck_assert_uint_eq (ics_nat_pmp_write_map (40000, 40001, 600, out), sizeof nat_pmp_request);
  ck_assert_mem_eq (out, nat_pmp_request, sizeof nat_pmp_request);
  ck_assert_uint_eq (ics_nat_pmp_write_address_request (out), 2);
  ck_assert_mem_eq (out, "\0\0", 2);
}
END_TEST

START_TEST (nat_pmp_responses)
{
  IcsNatPmpResponse response;

  ck_assert (parse_nat_pmp (nat_pmp_map_response, sizeof nat_pmp_map_response, &response));
  ck_assert_uint_eq (response.opcode, ICS_NAT_PMP_MAP_UDP);
  ck_assert_uint_eq (response.epoch, 3600);
  ck_assert_uint_eq (response.internal_port, 40000);
  ck_assert_uint_eq (response.external_port, 50000);
  ck_assert_uint_eq (response.lifetime, 300);
  ck_assert (parse_nat_pmp (nat_pmp_address_response, sizeof nat_pmp_address_response, &response));
  ck_assert_uint_eq (response.opcode, ICS_NAT_PMP_ADDRESS);
  ck_assert_uint_eq (response.external, EXTERNAL);
  ck_assert (parse_nat_pmp (nat_pmp_unsupported, sizeof nat_pmp_unsupported, &response));
  ck_assert_uint_eq (response.result, ICS_NAT_PMP_UNSUPP_VERSION);
}
END_TEST

START_TEST (nat_pmp_hostile)
{
  IcsNatPmpResponse response;
  guint8 data[16];

  for (gsize len = 0; len < sizeof nat_pmp_map_response; len++)
    ck_assert (!parse_nat_pmp (nat_pmp_map_response, len, &response));
  for (gsize len = 0; len < sizeof nat_pmp_address_response; len++)
    ck_assert (!parse_nat_pmp (nat_pmp_address_response, len, &response));
  memcpy (data, nat_pmp_map_response, sizeof data);
  data[1] = 0x82; /* TCP was not asked for */
  ck_assert (!parse_nat_pmp (data, sizeof data, &response));
  data[1] = 0x01; /* a request */
  ck_assert (!parse_nat_pmp (data, sizeof data, &response));
  /* An error may end with its header. */
  data[1] = 0x81;
  data[3] = ICS_NAT_PMP_NOT_AUTHORIZED;
  ck_assert (parse_nat_pmp (data, 8, &response));
  ck_assert_uint_eq (response.result, ICS_NAT_PMP_NOT_AUTHORIZED);
  ck_assert_uint_eq (response.external_port, 0);
}
END_TEST

START_TEST (random_bytes)
{
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)_i);

  for (guint i = 0; i < 2000; i++)
    {
      guint8 data[80];
      gsize len = (gsize)g_rand_int_range (random, 0, sizeof data);
      IcsPcpResponse pcp;
      IcsNatPmpResponse nat_pmp;

      for (gsize k = 0; k < len; k++)
        data[k] = (guint8)g_rand_int (random);
      if (len > 1)
        data[0] = (guint8)g_rand_int_range (random, 0, 4), data[1] |= 0x80;
      parse_pcp (data, len, &pcp);
      parse_nat_pmp (data, len, &nat_pmp);
    }
  ck_assert_str_ne (ics_pcp_result_to_string (200), "");
  ck_assert_str_ne (ics_nat_pmp_result_to_string (200), "");
}
END_TEST

/* RFC 6887 §8.5 and RFC 6886 §3.6, each at its edges. */
START_TEST (epochs)
{
  IcsGatewayEpoch epoch = { 0 };
  gint64 then = 5 * SECOND, now = then + 160 * SECOND;

  ck_assert (ics_gateway_epoch_fits_pcp (&epoch, now, 0));
  ck_assert (ics_gateway_epoch_fits_nat_pmp (&epoch, now, 0));
  ics_gateway_epoch_set (&epoch, then, 1000);

  ck_assert (ics_gateway_epoch_fits_pcp (&epoch, then, 999));
  ck_assert (!ics_gateway_epoch_fits_pcp (&epoch, then, 998));
  ck_assert (ics_gateway_epoch_fits_pcp (&epoch, now, 1160));
  ck_assert (ics_gateway_epoch_fits_pcp (&epoch, now, 1148)); /* 148 + 2 = 160 - 10 */
  ck_assert (!ics_gateway_epoch_fits_pcp (&epoch, now, 1147));
  ck_assert (ics_gateway_epoch_fits_pcp (&epoch, now, 1172)); /* 160 + 2 >= 172 - 10 */
  ck_assert (!ics_gateway_epoch_fits_pcp (&epoch, now, 1173));
  ck_assert (!ics_gateway_epoch_fits_pcp (&epoch, now, 3));

  ck_assert (ics_gateway_epoch_fits_nat_pmp (&epoch, now, 1138)); /* 1000 + 140 - 2 */
  ck_assert (!ics_gateway_epoch_fits_nat_pmp (&epoch, now, 1137));
  ck_assert (ics_gateway_epoch_fits_nat_pmp (&epoch, now, 9999));
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { pcp_requests, 1 },       { pcp_responses, 1 },    { pcp_hostile, 1 },
                              { pcp_other_versions, 1 }, { nat_pmp_requests, 1 }, { nat_pmp_responses, 1 },
                              { nat_pmp_hostile, 1 },    { random_bytes, 20 },    { epochs, 1 } };

  return run_loops ("port-map-codecs", tests, G_N_ELEMENTS (tests));
}
