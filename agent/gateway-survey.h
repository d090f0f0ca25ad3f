/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"
#include <gio/gio.h>

G_BEGIN_DECLS

/* By which protocols the gateway of this host's default route maps a port: asks for one by each at a time,
 * and gives each back as soon as it is granted. Addresses are IPv4 in host byte order. */

typedef struct _IcsGatewaySurvey IcsGatewaySurvey;

typedef enum
{
  ICS_GATEWAY_PCP,
  ICS_GATEWAY_NAT_PMP,
  ICS_GATEWAY_UPNP
} IcsGatewayProtocol;

#define ICS_GATEWAY_N_PROTOCOLS 3

typedef struct
{
  IcsFact maps;       /* UNKNOWN: nobody to ask, or no answer in time */
  guint32 external;   /* YES */
  const char *reason; /* else, in people's words; static */
} IcsGatewayFinding;

/* @findings: one for each protocol, in their order. All is given back, as far as the gateway answers. The
 * survey is gone when this runs. */
typedef void (*IcsGatewaySurveyFunc) (const IcsGatewayFinding *findings, gpointer user_data);

/* @family: 0, 4 or 6, with which there is nothing to ask. @done runs within 5 s, never before this returns.
 */
IcsGatewaySurvey *ics_gateway_survey_start (int family, GMainContext *context, IcsGatewaySurveyFunc done,
                                            gpointer user_data);

/* What is not known by now stays so. @done runs within 1 s, never before this returns. */
void ics_gateway_survey_stop (IcsGatewaySurvey *self);

G_END_DECLS
