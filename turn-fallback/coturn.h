/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "turn-fallback/coturn-config.h"

G_BEGIN_DECLS

/* A turnserver (coturn) child of this process: its configuration, its life, its end. Lives on the
 * thread-default context it was created in; the thread that starts it must outlive it (the child dies with
 * that thread). */
typedef struct _IcsCoturn IcsCoturn;

typedef struct
{
  const char *state_dir; /* exists; a private folder is made in it and removed at the end */
  const char *secret;    /* printable, without spaces */
  const char *realm;
  const IcsCoturnAddress *addresses; /* copied */
  guint n_addresses;
  const char *const *allow_peers;
  guint16 min_port, max_port;     /* 0 = 49152..65535 */
  const char *tls_cert, *tls_key; /* PEM files; NULL = no TLS */
  guint lifetime;                 /* of an allocation and of a nonce at most, in seconds; 0 = 3600 */
  void (*log) (const char *line, gpointer user_data);
  gpointer user_data;
} IcsCoturnConfig;

/* The program's path, or NULL when it is not installed. (transfer full) */
char *ics_coturn_find_program (void);

IcsCoturn *ics_coturn_new (const IcsCoturnConfig *config);
/* Kills the child if it still runs, removes its files. */
void ics_coturn_free (IcsCoturn *self);

/* Writes the file and starts the child. Later deaths are answered by a new start, with growing pauses. */
gboolean ics_coturn_start (IcsCoturn *self, GError **error);
/* SIGTERM, after three seconds SIGKILL; @stopped runs when the child is gone and its files are removed. */
void ics_coturn_stop (IcsCoturn *self, void (*stopped) (gpointer), gpointer user_data);

guint16 ics_coturn_get_port (IcsCoturn *self);
/* 0 = no TLS. */
guint16 ics_coturn_get_tls_port (IcsCoturn *self);
/* The process id, or NULL while it does not run. */
const char *ics_coturn_get_pid (IcsCoturn *self);
const char *ics_coturn_get_dir (IcsCoturn *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (IcsCoturn, ics_coturn_free)

G_END_DECLS
