/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Marks a public symbol; the library is compiled with hidden visibility. */
#if defined(ICS_COMPILATION)
#define ICS_API __attribute__ ((visibility ("default"))) extern
#else
#define ICS_API extern
#endif
