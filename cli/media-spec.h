/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Ports of this host's RTP application: RTP there, RTCP on the next one (RFC 3550 §11). */
typedef struct
{
  char *host; /* without brackets; of --rtp-in an address */
  guint16 port;
} CliRtpPorts;

/* How many of each; one for each medium. */
#define CLI_MEDIA_STREAMS_MAX 16

/* All values of --rtp-in ("[BIND:]PORT", BIND 127.0.0.1) or --rtp-out ("HOST:PORT"); @texts may be NULL.
 * (transfer full), elements: CliRtpPorts. Errors: ICS_ERROR_INVALID_ARGUMENT. */
GPtrArray *cli_rtp_in_parse (char **texts, GError **error);
GPtrArray *cli_rtp_out_parse (char **texts, GError **error);
void cli_rtp_ports_free (CliRtpPorts *self);

G_END_DECLS
