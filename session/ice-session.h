/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The public interface of ice-session, whole. */
#include <base/ics-error.h>
#include <base/ics-types.h>
#include <base/ics-version.h>
#include <session/ics-link.h>
#include <session/ics-media-channel.h>
#include <session/ics-media-statistics.h>
#include <session/ics-network-probe.h>
#include <session/ics-network-report.h>
#include <session/ics-path-info.h>
#include <session/ics-server.h>
#include <session/ics-statistics.h>
#include <signaling/ics-channel.h>
#include <transport/ics-stream.h>
