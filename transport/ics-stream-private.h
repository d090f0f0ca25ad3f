/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "transport/ics-stream.h"
#include "transport/quic-stream.h"

G_BEGIN_DECLS

/* Takes a reference of its own. */
IcsStream *ics_stream_new (IcsQuicStream *core);

GInputStream *ics_stream_input_new (IcsQuicStream *core);
GOutputStream *ics_stream_output_new (IcsQuicStream *core);

G_END_DECLS
