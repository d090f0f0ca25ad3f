/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tests/link-pair.h"

/* Side @from opens a stream, sends @payload and closes its half; the other side sends back what it got. Fails
 * the test unless both got exactly @payload, and exactly one stream arrived. Returns the bytes that @from
 * received through the channel. */
guint64 link_exchange (LinkPair *pair, guint from, GBytes *payload);

/* Fails the test unless @error is @code, and its message is a sentence for people that contains @word. */
void check_says (const GError *error, IcsError code, const char *word);
