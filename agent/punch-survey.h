/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/nat-behavior.h"

G_BEGIN_DECLS

/* Which mappings a NAT makes for some sockets at this moment: each asks one or two addresses of a STUN
 * server, one after the other, because a NAT that counts gives the ports in the order of the packets.
 * Sans-IO: time is monotonic µs. */

#define ICS_PUNCH_SURVEY_SOCKETS_MAX 5

typedef struct
{
  IcsSockaddr servers[2]; /* of one family */
  guint n_servers;
  IcsSockaddr locals[ICS_PUNCH_SURVEY_SOCKETS_MAX]; /* what the sockets are bound to */
  guint n_sockets;
} IcsPunchSurveyConfig;

typedef struct
{
  guint socket;
  IcsSockaddr to;
  guint8 data[64];
  gsize len;
} IcsPunchQuestion;

typedef struct _IcsPunchSurvey IcsPunchSurvey;

/* The first socket asks all servers, the others the first one only. */
IcsPunchSurvey *ics_punch_survey_new (const IcsPunchSurveyConfig *config, gint64 now);
void ics_punch_survey_free (IcsPunchSurvey *self);

void ics_punch_survey_receive (IcsPunchSurvey *self, guint socket, const guint8 *data, gsize len,
                               const struct sockaddr *from);
gboolean ics_punch_survey_poll (IcsPunchSurvey *self, gint64 now, IcsPunchQuestion *question);
gint64 ics_punch_survey_next_timeout (const IcsPunchSurvey *self);

/* All is answered, or has been waited for: half a second for the rest when one has answered, else 7.5 s. */
gboolean ics_punch_survey_is_done (const IcsPunchSurvey *self);
/* What was observed, in the order in which it was asked. */
void ics_punch_survey_conclude (const IcsPunchSurvey *self, IcsNatBehavior *behavior);
/* How the first server sees a socket; NULL when it did not answer. */
const IcsSockaddr *ics_punch_survey_get_mapped (const IcsPunchSurvey *self, guint socket);

G_END_DECLS
