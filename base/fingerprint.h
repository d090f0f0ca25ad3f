/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define ICS_FINGERPRINT_SIZE 32 /* SHA-256 of the certificate (DER) */

void ics_fingerprint_from_der (guint8 fingerprint[ICS_FINGERPRINT_SIZE], const guint8 *der, gsize len);

/* Compares in constant time. */
gboolean ics_fingerprint_equal (const guint8 a[ICS_FINGERPRINT_SIZE], const guint8 b[ICS_FINGERPRINT_SIZE]);

/* 64 lower-case hexadecimal digits. (transfer full) */
char *ics_fingerprint_to_hex (const guint8 fingerprint[ICS_FINGERPRINT_SIZE]);

G_END_DECLS
