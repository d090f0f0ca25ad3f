/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/wire.h"

G_BEGIN_DECLS

/* CPace, a password-authenticated key exchange (draft-irtf-cfrg-cpace-21), over the group ristretto255 with
 * SHA-512, in the initiator-responder setting. Pure functions; names and cases of the arguments are the
 * draft's. */

#define ICS_CPACE_POINT_SIZE 32  /* an encoded group element */
#define ICS_CPACE_SCALAR_SIZE 32 /* little endian */
#define ICS_CPACE_ISK_SIZE 64    /* the intermediate session key, one SHA-512 */
#define ICS_CPACE_SEED_SIZE 64   /* random bytes that make an unbiased scalar */

/* The generator that stands for the password: Y = y * g. */
void ics_cpace_generator (guint8 g[ICS_CPACE_POINT_SIZE], IcsSpan prs, IcsSpan ci, IcsSpan sid);

/* The draft's sample_scalar(), from random bytes that the caller brings. */
void ics_cpace_scalar (guint8 y[ICS_CPACE_SCALAR_SIZE], const guint8 seed[ICS_CPACE_SEED_SIZE]);

/* The draft's scalar_mult_vfy(): FALSE, and the run must be given up, when @point does not decode or the
 * product is the identity. Makes Y from g, and K from the peer's Y. */
gboolean ics_cpace_scalar_mult (guint8 product[ICS_CPACE_POINT_SIZE], const guint8 y[ICS_CPACE_SCALAR_SIZE],
                                const guint8 point[ICS_CPACE_POINT_SIZE]);

typedef struct
{
  IcsSpan ya;
  IcsSpan ada;
  IcsSpan yb;
  IcsSpan adb;
} IcsCpaceTranscript;

/* ISK with the transcript in the order initiator, responder. */
void ics_cpace_isk_ir (guint8 isk[ICS_CPACE_ISK_SIZE], IcsSpan sid, const guint8 k[ICS_CPACE_POINT_SIZE],
                       const IcsCpaceTranscript *transcript);

G_END_DECLS
