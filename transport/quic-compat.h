/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

/* One vocabulary over ngtcp2 0.12 and >= 1.2: the names are those of 1.x. */

/* Before 0.19 (its commit 2da36d2f) ngtcp2 may tell the peer of a larger stream window than it accepts
 * itself: MAX_STREAM_DATA did not fit into a packet, went into the next one, and the limit was not moved
 * until the stream had its turn. A packet beyond the limit is then not the peer's fault (RFC 9000 §4.1). It
 * is not acknowledged, so that it is lost and sent again. What a hostile peer gains is nothing: its data is
 * dropped all the same. */
#if NGTCP2_VERSION_NUM < 0x001300
#define ICS_ERROR_IS_DOUBTFUL(rv) ((rv) == NGTCP2_ERR_FLOW_CONTROL)
#else
#define ICS_ERROR_IS_DOUBTFUL(rv) FALSE
#endif

/* Whether a round trip was measured on the path in use. */
#define ICS_QUIC_HAS_RTT(info) ((info)->min_rtt != UINT64_MAX)

#if NGTCP2_VERSION_NUM < 0x010000

typedef ngtcp2_connection_close_error ngtcp2_ccerr;
typedef ngtcp2_conn_stat ngtcp2_conn_info;

#define ICS_CC_ALGO NGTCP2_CC_ALGO_BBR2

#define ngtcp2_ccerr_default ngtcp2_connection_close_error_default
#define ngtcp2_ccerr_set_application_error ngtcp2_connection_close_error_set_application_error
#define ngtcp2_ccerr_set_liberr ngtcp2_connection_close_error_set_transport_error_liberr
#define ngtcp2_ccerr_set_tls_alert ngtcp2_connection_close_error_set_transport_error_tls_alert
#define ngtcp2_conn_get_conn_info ngtcp2_conn_get_conn_stat

#define NGTCP2_CCERR_TYPE_TRANSPORT NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_TRANSPORT
#define NGTCP2_CCERR_TYPE_APPLICATION NGTCP2_CONNECTION_CLOSE_ERROR_CODE_TYPE_APPLICATION

#define ICS_ORIGINAL_DCID_PRESENT(params) ((void)(params))
#define ngtcp2_conn_in_closing_period ngtcp2_conn_is_in_closing_period
#define ngtcp2_conn_in_draining_period ngtcp2_conn_is_in_draining_period
#define ngtcp2_conn_shutdown_stream(conn, flags, id, code) ngtcp2_conn_shutdown_stream (conn, id, code)
#define ngtcp2_conn_shutdown_stream_read(conn, flags, id, code)                                              \
  ngtcp2_conn_shutdown_stream_read (conn, id, code)
/* The path before, in the arguments of the callback path_validation. */
#define ICS_AND_OLD_PATH
/* From when on a burst is paced. */
#define ICS_QUIC_PACED_FROM(start, now) (start)

static inline void
ics_quic_peer_error (ngtcp2_conn *conn, ngtcp2_ccerr *error)
{
  ngtcp2_conn_get_connection_close_error (conn, error);
}

/* Bytes per nanosecond; 0: not known. */
static inline double
ics_quic_pacing_rate (const ngtcp2_conn_info *info)
{
  return info->pacing_rate;
}

#else

#define ICS_CC_ALGO NGTCP2_CC_ALGO_BBR
#define ICS_ORIGINAL_DCID_PRESENT(params) ((params)->original_dcid_present = 1)
#define ICS_AND_OLD_PATH , const ngtcp2_path *old_path
/* Its time must not go back; later releases (pacing.compensation) keep the mean by themselves. */
#define ICS_QUIC_PACED_FROM(start, now) (now)

static inline void
ics_quic_peer_error (ngtcp2_conn *conn, ngtcp2_ccerr *error)
{
  *error = *ngtcp2_conn_get_ccerr (conn);
}

/* 1.x does not tell it. */
static inline double
ics_quic_pacing_rate (const ngtcp2_conn_info *info)
{
  return 0;
}

#endif
