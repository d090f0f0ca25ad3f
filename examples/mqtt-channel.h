/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A relayed channel of an application's own: two topics of an MQTT broker. */
#pragma once

#include <session/ice-session.h>

#define MQTT_TYPE_CHANNEL (mqtt_channel_get_type ())
G_DECLARE_FINAL_TYPE (MqttChannel, mqtt_channel, MQTT, CHANNEL, GObject)

/* Two hosts that name the same room meet in it, one as listener, the other as joiner. Used on the
 * thread-default main context in which it is made, which has to be the one in which its link is made. */
IcsChannel *mqtt_channel_new (const char *broker, guint16 port, const char *room, gboolean listens);
