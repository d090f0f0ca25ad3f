/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A real coturn on a loopback address, for one test. Long-term credentials of "alice", "bob", and "user0" to
 * "user31", with the password "secret" each, and one allocation per user. */
#define COTURN_N_USERS 32

typedef struct _Coturn Coturn;

/* Fails the test if it does not answer. @listening and @relay: address literals. */
Coturn *coturn_start (const char *listening, const char *relay);
/* Takes instead the credentials that are made with @secret ("TURN REST API"). */
Coturn *coturn_start_rest (const char *listening, const char *relay, const char *secret);
/* Over TCP as well, and over TLS with @certificate, a PEM file with the key in it. */
Coturn *coturn_start_streams (const char *listening, const char *relay, const char *certificate);
guint16 coturn_get_port (Coturn *self);
/* Of coturn_start_streams(). */
guint16 coturn_get_tls_port (Coturn *self);
void coturn_stop (Coturn *self);

/* Silent from now on, as if it were dead. */
void coturn_freeze (Coturn *self);

G_END_DECLS
