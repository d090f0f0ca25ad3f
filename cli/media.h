/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/frame.h"
#include "cli/media-sources.h"
#include "cli/media-spec.h"
#include "cli/rate.h"

G_BEGIN_DECLS

/* "media/1": RTP and RTCP between local UDP ports and the other host; see docs/protocol.md. */

/* What carries the packets: the media channel of a link, or what a test has instead. For any thread. */
typedef struct
{
  gboolean (*send) (gpointer carrier, gboolean rtcp, GBytes *packet);
  /* Blocks; (transfer full). NULL with ICS_ERROR_CLOSED at the end. */
  GBytes *(*receive) (gpointer carrier, gboolean *rtcp, GCancellable *cancellable, GError **error);
} CliMediaCarrier;

typedef struct
{
  CliPeer *peer;
  GPtrArray *ins, *outs; /* of CliRtpPorts */
  gboolean mux;          /* RTCP to the port of RTP (RFC 5761) */
  CliRate rate;
  const CliMediaCarrier *carrier;
  gpointer carrier_data;
  guint64 refused;    /* datagrams of local applications that are no RTP; atomic */
  guint64 unassigned; /* packets of the peer's for which there is no --rtp-out; atomic */
} CliMedia;

/* Blocks until the peer leaves (TRUE), or an error. */
gboolean cli_media_run (CliMedia *self, GCancellable *cancellable, GError **error);

/* Between the threads of a run. */
typedef struct
{
  CliMedia *job;
  GIOStream *control;
  GCancellable *cancellable;
  CliMediaSources *sent, *received;
} CliMediaRun;

/* media-in.c: from the local ports to the peer. Blocks until cancelled, or an error. */
GPtrArray *cli_media_in_open (GPtrArray *ins, GError **error);
gboolean cli_media_in_run (CliMediaRun *run, GPtrArray *sockets, GError **error);

/* media-out.c: from the peer to the local ports. Blocks until the end. */
typedef struct _CliMediaOut CliMediaOut;

CliMediaOut *cli_media_out_new (CliMedia *job, GCancellable *cancellable, GError **error);
void cli_media_out_free (CliMediaOut *self);
gboolean cli_media_out_run (CliMediaOut *self, CliMediaRun *run, GError **error);

G_END_DECLS
