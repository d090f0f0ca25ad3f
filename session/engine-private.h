/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "agent/network-watch.h"
#include "agent/traversal.h"
#include "base/identity.h"
#include "base/seal.h"
#include "path/path-engine.h"
#include "path/probe.h"
#include "session/control.h"
#include "session/engine.h"
#include "session/leg-plan.h"
#include "session/record.h"
#include "session/stall.h"
#include "session/why-not-direct.h"
#include "signaling/handshake.h"
#include "signaling/ws-channel.h"
#include "transport/quic-conn.h"

G_BEGIN_DECLS

#define ICS_HANDSHAKE_TIMEOUT_US (30 * G_USEC_PER_SEC)
#define ICS_LOST_TIMEOUT_US (600 * G_USEC_PER_SEC)
#define ICS_BYE_TIMEOUT_US (2 * G_USEC_PER_SEC)
#define ICS_DIRECT_TIMEOUT_US (30 * G_USEC_PER_SEC)

typedef enum
{
  ICS_ENGINE_NEW,
  ICS_ENGINE_REACHING, /* the channel is not open yet */
  ICS_ENGINE_PAIRING,  /* both are there: CPace */
  ICS_ENGINE_SECURING, /* QUIC handshake */
  ICS_ENGINE_UP,
  ICS_ENGINE_CLOSING, /* our goodbye is on its way */
  ICS_ENGINE_CLOSED
} IcsEngineState;

/* One path with what carries it: the channel, or an ICE attempt. */
typedef struct
{
  IcsEngine *engine;
  guint id;
  IcsPathKind kind;
  IcsTraversal *attempt; /* NULL: the channel. Belongs to the IcsAttempt */
  GByteArray *batch;     /* the channel: datagrams not sent yet; an attempt: what it did not take */
  gsize segment;         /* of those, each */
  gboolean blocked;
} IcsCarrier;

typedef struct
{
  GQueue attempts;  /* IcsAttempt, the newest last */
  IcsLegPlan *plan; /* the joiner's */
  guint newest;     /* the listener's: number of the newest attempt, also of one that is gone */
} IcsLegState;

/* engine-search.c */
typedef struct _IcsEngineSearch IcsEngineSearch;

/* engine-media.c */
typedef struct _IcsEngineMedia IcsEngineMedia;

struct _IcsEngine
{
  IcsEngineCallbacks callbacks;
  gpointer user_data;
  GMainContext *context;
  GSource *timer;
  GMutex wake_lock;
  gint woken; /* atomic; changed with the lock */
  gint64 started;
  IcsEngineState state;
  gboolean ending; /* end_error says why; run() carries it out */
  GError *end_error;
  gboolean finished;

  char *code;
  char *nameplate; /* of the application's channel; NULL: the server gives one, or there is a code */
  char *application;
  gboolean joiner;
  IcsPathPolicy policy, peer_policy;
  IcsPathPolicy policy_in_hello; /* the peer knows */
  gboolean held;                 /* application data waits for a path that both policies allow */
  int family;
  gboolean no_server_turn;
  gboolean no_port_mapping;
  gboolean no_port_search;
  GPtrArray *own_turn;   /* IcsTurnServer from the configuration */
  GTlsDatabase *turn_ca; /* trusted for TURN besides the system's store; NULL = none */
  gint64 timeout_us;     /* 0 = the defaults */
  gint64 handshake_timeout_us;
  gint64 deadline;        /* of the state; G_MAXINT64 = none */
  gint64 direct_deadline; /* policy direct and lan: for the first direct path */

  IcsChannel *channel;
  gboolean channel_closed;
  IcsIdentity *identity;
  IcsHandshake *handshake;
  guint64 strays;       /* channel messages dropped: malformed, or not due */
  gboolean proof_given; /* the listener has answered: a peer that leaves now had its guess */

  IcsQuic *quic;
  gboolean connected; /* told the application */
  gboolean blocked;   /* the active path takes no more for now */
  gint64 news_at;     /* when readers are to be told of what came, at the latest */
  gboolean mute;      /* the peer has not agreed to get more there */
  IcsQuicStream *control;
  IcsControlReader control_reader;
  GQueue control_out; /* GBytes that wait for the control stream */
  IcsSeal *seal_tx, *seal_rx;
  gboolean cut_off; /* QUIC's path is dead, and no other one is allowed */

  IcsPathEngine *paths;
  GHashTable *path_table; /* id -> IcsCarrier */
  guint channel_path;
  guint8 probe_key_tx[ICS_PROBE_KEY_LEN], probe_key_rx[ICS_PROBE_KEY_LEN];
  gboolean probe_keys;
  IcsPathAction pending_move;
  gint64 move_at; /* when it is tried; G_MAXINT64: none is pending */
  IcsPathInfo *active;
  guint64 delivered;
  IcsStall stall;
  IcsTally *tally;

  IcsLegState legs[ICS_N_LEGS];
  IcsEngineSearch *search;
  guint closing_attempts; /* whose sockets are not released yet */

  IcsEngineMedia *media;

  IcsDirectFacts direct_facts;
  gboolean direct_facts_are_old;
  char *why_not_direct; /* as last told */

  IcsNetworkWatch *network;
  gint64 renew_at; /* ask for fresh TURN credentials then; G_MAXINT64 = not planned */
  gboolean renewing;

  gboolean bye_received;
  guint64 bye_code;
  char *bye_reason;
};

/* engine.c */
void ics_engine_note (IcsEngine *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
void ics_engine_fail (IcsEngine *self, GError *error); /* takes @error; NULL = clean */
void ics_engine_set_state (IcsEngine *self, IcsEngineState state);
void ics_engine_run (IcsEngine *self);  /* does all there is to do, then re-arms the timer */
void ics_engine_wake (IcsEngine *self); /* run soon; from any thread */
gboolean ics_engine_is_over (IcsEngine *self);
gint64 ics_engine_limit (IcsEngine *self, gint64 standard_us);
void ics_engine_check_finished (IcsEngine *self);

/* engine-pairing.c: the channel and the handshake */
void ics_pairing_init (IcsEngine *self, const IcsEngineConfig *config);
void ics_pairing_start (IcsEngine *self);
void ics_pairing_stop (IcsEngine *self);
gboolean ics_pairing_is_stopped (IcsEngine *self);
void ics_pairing_forget_code (IcsEngine *self);
GError *ics_pairing_timeout_error (IcsEngine *self);
IcsWsChannel *ics_pairing_get_ws (IcsEngine *self); /* NULL when the application brought its own channel */

/* engine-quic.c */
void ics_engine_start_quic (IcsEngine *self);
/* Datagrams of @segment bytes that came together on @path; the last may be shorter. */
void ics_engine_receive (IcsEngine *self, IcsCarrier *path, const guint8 *data, gsize len, gsize segment);
void ics_engine_pump (IcsEngine *self, gint64 now); /* packets out, events in */
void ics_engine_say_goodbye (IcsEngine *self, gint64 now);
gboolean ics_engine_goodbye_arrived (IcsEngine *self);
void ics_engine_tell_connected (IcsEngine *self);

/* engine-control.c */
void ics_engine_read_control (IcsEngine *self);
void ics_engine_send_control (IcsEngine *self, const IcsControl *message);
void ics_engine_flush_control (IcsEngine *self);
void ics_engine_handle_frame (IcsEngine *self, const guint8 *data, gsize len);

/* engine-sealed.c */
void ics_sealed_start (IcsEngine *self);
void ics_sealed_clear (IcsEngine *self);
void ics_sealed_path_died (IcsEngine *self, const IcsCarrier *path);
/* FALSE when the control stream can be used, or the channel can not. */
gboolean ics_sealed_send (IcsEngine *self, GBytes *message);
gboolean ics_sealed_matches (const guint8 *data, gsize len);
void ics_sealed_receive (IcsEngine *self, const guint8 *data, gsize len);

/* engine-paths.c */
IcsCarrier *ics_engine_add_path (IcsEngine *self, IcsPathKind kind, IcsTraversal *attempt);
void ics_engine_remove_path (IcsEngine *self, IcsCarrier *path);
void ics_engine_free_carriers (IcsEngine *self);
IcsCarrier *ics_engine_find_path (IcsEngine *self, guint id);
void ics_engine_drive_paths (IcsEngine *self, gint64 now);
void ics_engine_receive_probe (IcsEngine *self, IcsCarrier *path, const guint8 *data, gsize len);
void ics_engine_traffic_moved (IcsEngine *self, guint id);
void ics_engine_traffic_renewed (IcsEngine *self, guint id);     /* QUIC began anew on its path */
void ics_engine_path_roamed (IcsEngine *self, IcsCarrier *path); /* the peer's address on it changed */

/* engine-carrier.c */
IcsCarrier *ics_carrier_new (IcsEngine *engine, guint id, IcsPathKind kind, IcsTraversal *attempt);
void ics_carrier_free (IcsCarrier *path);
gboolean ics_carrier_can_send (IcsCarrier *path);
gsize ics_carrier_get_max_batch (IcsCarrier *path);
void ics_carrier_send_batch (IcsCarrier *path, const IcsQuicBatch *batch);
void ics_carrier_send (IcsCarrier *path, const guint8 *data, gsize len);
void ics_carrier_flush (IcsCarrier *path);
void ics_carrier_unblock (IcsCarrier *path);

/* engine-media.c: RTP beside QUIC */
void ics_media_init (IcsEngine *self);
void ics_media_clear (IcsEngine *self);
void ics_media_stop (IcsEngine *self);
void ics_media_handle_control (IcsEngine *self, const IcsControl *message);
/* TRUE when it is an authentic packet of the peer's. */
gboolean ics_media_receive (IcsEngine *self, gint64 now, const IcsCarrier *path, const guint8 *data,
                            gsize len);
/* @path: where QUIC sends; NULL when nothing may be sent now. */
void ics_media_send (IcsEngine *self, gint64 now, IcsCarrier *path);

/* engine-network.c */
void ics_network_start (IcsEngine *self);
void ics_network_stop (IcsEngine *self);
void ics_network_handle_timeout (IcsEngine *self, gint64 now);
gint64 ics_network_next_timeout (IcsEngine *self);

/* engine-policy.c */
guint ics_engine_allowed (IcsEngine *self);
void ics_policy_start (IcsEngine *self);
/* The traffic is on a path of @kind: TRUE when application data has to wait there. */
gboolean ics_policy_hold (IcsEngine *self, IcsPathKind kind);
void ics_policy_handle_control (IcsEngine *self, const IcsControl *message);

/* engine-legs.c */
void ics_legs_init (IcsEngine *self);
void ics_legs_clear (IcsEngine *self);
void ics_legs_start (IcsEngine *self);
void ics_legs_handle_control (IcsEngine *self, const IcsControl *message);
void ics_legs_handle_timeout (IcsEngine *self, gint64 now);
gint64 ics_legs_next_timeout (IcsEngine *self);
void ics_legs_path_proved (IcsEngine *self, IcsCarrier *path);
void ics_legs_path_died (IcsEngine *self, IcsCarrier *path);
/* Fresh attempts on all legs at once, whatever the backoff says; a listener asks the joiner for them. */
void ics_legs_network_changed (IcsEngine *self);
void ics_legs_stop (IcsEngine *self);

/* engine-search.c: the way through NATs that map anew for each destination */
void ics_search_init (IcsEngine *self);
void ics_search_clear (IcsEngine *self);
void ics_search_handle_control (IcsEngine *self, const IcsControl *message);
/* @before: the kinds that were allowed. */
void ics_legs_policy_changed (IcsEngine *self, guint before);
/* The address of this host that a path is sent from, below a relay too: (transfer full) (nullable). */
GInetAddress *ics_legs_get_base (IcsEngine *self, const IcsCarrier *path);

/* engine-why.c: why there is no direct path */
/* Tells what is new. @last: the link ends, so also what is not settled. */
void ics_why_update (IcsEngine *self, gboolean last);
void ics_why_network_changed (IcsEngine *self);

G_END_DECLS
