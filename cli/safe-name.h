/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* What a name that a peer gives may be. A component is a base name: 1 to 255 bytes of UTF-8 without '/' and
 * control characters, and does not begin with "..". */
gboolean cli_safe_component (const char *name);

/* Components joined by single '/': at most 4096 bytes and 64 components, not absolute. */
gboolean cli_safe_path (const char *path);

#define CLI_SAFE_COMPONENT_MAX 255
#define CLI_SAFE_PATH_MAX 4096
#define CLI_SAFE_DEPTH_MAX 64

G_END_DECLS
