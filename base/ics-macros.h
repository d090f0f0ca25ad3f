/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The library is compiled with hidden visibility; this is what is seen. */
#if defined(ICS_COMPILATION)
#define ICS_EXTERN __attribute__ ((visibility ("default"))) extern
#else
#define ICS_EXTERN extern
#endif

/* Marks a public symbol with the version of the interface that brought it, the one in the names of the
 * library, the pkg-config module and the GIR namespace. "Since" in its documentation is the release. */
#define ICS_AVAILABLE_IN_1_0 ICS_EXTERN
