/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Common English words that are easy to say and hard to mistake for one another on the telephone: 3 to 7
 * letters, none that sounds like another word of the list or like a common word off it. A power of two, so
 * that two words are 20 random bits. Sorted. */
#define ICS_CODE_N_WORDS 1024
extern const char *const ics_code_words[ICS_CODE_N_WORDS];

G_END_DECLS
