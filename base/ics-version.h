/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <base/ics-macros.h>
#include <glib.h>

G_BEGIN_DECLS

/* configure.ac reads the release's number here. */

/**
 * ICS_MAJOR_VERSION:
 *
 * The major version of the headers that a program is compiled with.
 *
 * Since: 0.1
 */
#define ICS_MAJOR_VERSION 0

/**
 * ICS_MINOR_VERSION:
 *
 * The minor version of the headers that a program is compiled with.
 *
 * Since: 0.1
 */
#define ICS_MINOR_VERSION 1

/**
 * ICS_MICRO_VERSION:
 *
 * The micro version of the headers that a program is compiled with.
 *
 * Since: 0.1
 */
#define ICS_MICRO_VERSION 0

/**
 * ICS_CHECK_VERSION:
 * @major: major version
 * @minor: minor version
 * @micro: micro version
 *
 * Whether the headers that a program is compiled with are at least of this version; for the preprocessor.
 *
 * Since: 0.1
 */
#define ICS_CHECK_VERSION(major, minor, micro)                                                               \
  (ICS_MAJOR_VERSION > (major) || (ICS_MAJOR_VERSION == (major) && ICS_MINOR_VERSION > (minor))              \
   || (ICS_MAJOR_VERSION == (major) && ICS_MINOR_VERSION == (minor) && ICS_MICRO_VERSION >= (micro)))

/**
 * ics_get_major_version:
 *
 * The major version of the library that a program runs with.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_get_major_version (void);

/**
 * ics_get_minor_version:
 *
 * The minor version of the library that a program runs with.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_get_minor_version (void);

/**
 * ics_get_micro_version:
 *
 * The micro version of the library that a program runs with.
 *
 * Returns: the number
 *
 * Since: 0.1
 */
ICS_AVAILABLE_IN_1_0 guint ics_get_micro_version (void);

G_END_DECLS
