/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/engine-private.h"

#include <sodium.h>

/* How long the channel may take to say its last, after the end. ICE attempts have limits of their own. */
#define RELEASE_TIMEOUT_US (3 * G_USEC_PER_SEC)
/* A carrier that blocks tells when it does not any more; this is only against a spinning timer. */
#define BLOCKED_WAIT_US 10000
/* The application close code of a host whose link failed. */
#define CLOSE_FAILED 1
/* Of what the application, the peer or the server says about an end. */
#define REASON_MAX 512

static gboolean
on_timer (gpointer user_data)
{
  IcsEngine *self = user_data;

  g_mutex_lock (&self->wake_lock);
  g_atomic_int_set (&self->woken, FALSE);
  g_source_set_ready_time (self->timer, -1);
  g_mutex_unlock (&self->wake_lock);
  ics_engine_run (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
timer_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static GSourceFuncs timer_funcs = { .dispatch = timer_dispatch };

/* They were looked at before. */
static void
add_turn_uris (IcsEngine *self, const char *const *uris)
{
  for (guint i = 0; uris != NULL && uris[i] != NULL; i++)
    {
      IcsTurnServer *server = ics_turn_server_parse (uris[i], NULL);

      if (server != NULL)
        g_ptr_array_add (self->own_turn, server);
    }
}

IcsEngine *
ics_engine_new (const IcsEngineConfig *config, const IcsEngineCallbacks *callbacks, gpointer user_data)
{
  IcsEngine *self = g_new0 (IcsEngine, 1);

  g_mutex_init (&self->wake_lock);
  self->callbacks = *callbacks;
  self->user_data = user_data;
  self->context = g_main_context_ref_thread_default ();
  self->started = g_get_monotonic_time ();
  self->code = g_strdup (config->code);
  self->application = g_strdup (config->application);
  self->joiner = config->code != NULL;
  self->policy = config->policy;
  self->family = config->family;
  self->no_server_turn = config->no_server_turn;
  self->no_port_mapping = config->no_port_mapping;
  self->turn_ca = config->turn_ca != NULL ? g_object_ref (config->turn_ca) : NULL;
  self->no_port_search = config->no_port_search;
  self->tally = ics_tally_ref (config->tally);
  self->timeout_us = (gint64)config->timeout_ms * 1000;
  self->handshake_timeout_us = config->handshake_timeout_ms != 0 ? (gint64)config->handshake_timeout_ms * 1000
                                                                 : ICS_HANDSHAKE_TIMEOUT_US;
  self->deadline = G_MAXINT64;
  self->direct_deadline = G_MAXINT64;
  self->move_at = G_MAXINT64;
  self->news_at = G_MAXINT64;
  self->own_turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  self->path_table = g_hash_table_new (NULL, NULL);
  ics_control_reader_init (&self->control_reader);
  ics_legs_init (self);
  ics_search_init (self);
  ics_media_init (self);
  self->timer = g_source_new (&timer_funcs, sizeof (GSource));
  g_source_set_static_name (self->timer, "ice-session engine");
  g_source_set_callback (self->timer, on_timer, self, NULL);
  g_source_attach (self->timer, self->context);
  ics_pairing_init (self, config);
  add_turn_uris (self, config->turn_uris);
  return self;
}

void
ics_engine_free (IcsEngine *self)
{
  g_source_destroy (self->timer);
  g_source_unref (self->timer);
  g_clear_pointer (&self->quic, ics_quic_free);
  g_clear_pointer (&self->paths, ics_path_engine_free);
  g_clear_pointer (&self->handshake, ics_handshake_free);
  g_clear_pointer (&self->identity, ics_identity_free);
  g_clear_pointer (&self->control, ics_quic_stream_unref);
  g_queue_clear_full (&self->control_out, (GDestroyNotify)g_bytes_unref);
  ics_control_reader_clear (&self->control_reader);
  ics_sealed_clear (self);
  ics_engine_free_carriers (self);
  ics_search_clear (self);
  ics_legs_clear (self);
  ics_media_clear (self);
  g_ptr_array_unref (self->own_turn);
  g_clear_object (&self->turn_ca);
  g_clear_pointer (&self->active, ics_path_info_unref);
  g_signal_handlers_disconnect_by_data (self->channel, self);
  g_clear_object (&self->channel);
  sodium_memzero (self->probe_key_rx, sizeof self->probe_key_rx);
  sodium_memzero (self->probe_key_tx, sizeof self->probe_key_tx);
  ics_pairing_forget_code (self);
  g_clear_error (&self->end_error);
  g_free (self->application);
  g_free (self->nameplate);
  ics_tally_unref (self->tally);
  g_free (self->why_not_direct);
  g_free (self->bye_reason);
  g_main_context_unref (self->context);
  g_mutex_clear (&self->wake_lock);
  g_free (self);
}

void
ics_engine_note (IcsEngine *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  line = ics_record_format (g_get_monotonic_time () - self->started, text);
  self->callbacks.record (line, self->user_data);
}

void
ics_engine_wake (IcsEngine *self)
{
  /* It is called for every packet, and each time it is set costs a system call. A run that is still to come
   * sees what the caller did: it takes this back before it looks. */
  if (g_atomic_int_get (&self->woken))
    return;
  g_mutex_lock (&self->wake_lock);
  if (!self->woken)
    g_source_set_ready_time (self->timer, 0);
  g_atomic_int_set (&self->woken, TRUE);
  g_mutex_unlock (&self->wake_lock);
}

/* Unless somebody, perhaps on another thread, asked for a run meanwhile. */
static void
arm (IcsEngine *self, gint64 next)
{
  g_mutex_lock (&self->wake_lock);
  if (!self->woken)
    g_source_set_ready_time (self->timer, next == G_MAXINT64 ? -1 : next);
  g_mutex_unlock (&self->wake_lock);
}

gboolean
ics_engine_is_over (IcsEngine *self)
{
  return self->ending || self->state == ICS_ENGINE_CLOSED;
}

gint64
ics_engine_limit (IcsEngine *self, gint64 standard_us)
{
  return self->timeout_us != 0 ? self->timeout_us : standard_us;
}

static const char *
state_name (IcsEngineState state)
{
  switch (state)
    {
    case ICS_ENGINE_NEW:
      return "new";
    case ICS_ENGINE_REACHING:
      return "waiting for the peer";
    case ICS_ENGINE_PAIRING:
      return "pairing";
    case ICS_ENGINE_SECURING:
      return "securing";
    case ICS_ENGINE_UP:
      return "up";
    case ICS_ENGINE_CLOSING:
      return "closing";
    case ICS_ENGINE_CLOSED:
      return "closed";
    }
  return "?";
}

static gint64
deadline_of (IcsEngine *self, IcsEngineState state, gint64 now)
{
  switch (state)
    {
    case ICS_ENGINE_REACHING:
      return self->timeout_us != 0 ? now + self->timeout_us : G_MAXINT64;
    case ICS_ENGINE_PAIRING:
      return now + self->handshake_timeout_us;
    case ICS_ENGINE_SECURING:
      return self->deadline;
    case ICS_ENGINE_CLOSING:
      return now + ICS_BYE_TIMEOUT_US;
    case ICS_ENGINE_CLOSED:
      return now + RELEASE_TIMEOUT_US;
    case ICS_ENGINE_NEW:
    case ICS_ENGINE_UP:
      return G_MAXINT64;
    }
  return G_MAXINT64;
}

void
ics_engine_set_state (IcsEngine *self, IcsEngineState state)
{
  if (self->state == state)
    return;
  ics_engine_note (self, "link: %s -> %s", state_name (self->state), state_name (state));
  self->deadline = deadline_of (self, state, g_get_monotonic_time ());
  self->state = state;
  ics_engine_wake (self);
}

void
ics_engine_start (IcsEngine *self)
{
  ics_engine_set_state (self, ICS_ENGINE_REACHING);
  ics_network_start (self);
  ics_pairing_start (self);
}

/* The end is only marked here: whoever calls may still stand on what it takes away. run() carries it out. */
void
ics_engine_fail (IcsEngine *self, GError *error)
{
  if (ics_engine_is_over (self))
    {
      g_clear_error (&error);
      return;
    }
  self->ending = TRUE;
  if (error != NULL)
    self->end_error
        = g_error_new_literal (error->domain, error->code, ics_record_clean (&error->message, REASON_MAX));
  g_clear_error (&error);
  ics_engine_wake (self);
}

void
ics_engine_close (IcsEngine *self, guint64 code, const char *reason)
{
  IcsControl bye = { .type = ICS_CONTROL_BYE, .code = code };

  if (self->state != ICS_ENGINE_UP)
    {
      if (self->state != ICS_ENGINE_CLOSING)
        ics_engine_fail (self, NULL);
      return;
    }
  self->bye_code = code;
  self->bye_reason = g_strdup (reason);
  bye.a = ics_record_clean (&self->bye_reason, REASON_MAX);
  ics_engine_send_control (self, &bye);
  ics_engine_set_state (self, ICS_ENGINE_CLOSING);
}

gboolean
ics_engine_send_datagram (IcsEngine *self, GBytes *payload)
{
  gboolean taken = self->state == ICS_ENGINE_UP && ics_quic_send_datagram (self->quic, payload);

  ics_tally_add_datagram (self->tally, taken ? ICS_TALLY_SENT : ICS_TALLY_UNSENT);
  ics_engine_wake (self);
  return taken;
}

/* --- the end --- */

void
ics_engine_check_finished (IcsEngine *self)
{
  if (self->state != ICS_ENGINE_CLOSED || self->finished)
    return;
  if (self->closing_attempts > 0
      || (!ics_pairing_is_stopped (self) && g_get_monotonic_time () < self->deadline))
    return;
  self->finished = TRUE;
  self->callbacks.finished (self->user_data);
}

static void
finish (IcsEngine *self, gint64 now)
{
  g_autoptr (GError) error = g_steal_pointer (&self->end_error);

  ics_why_update (self, TRUE);
  /* A peer that sees code 0 takes the end for a clean one. One that said goodbye itself knows. */
  if (error != NULL && self->bye_code == 0 && !self->bye_received)
    {
      self->bye_code = CLOSE_FAILED;
      g_free (self->bye_reason);
      self->bye_reason = g_strdup (error->message);
    }
  if (self->quic != NULL)
    {
      ics_engine_say_goodbye (self, now);
      ics_quic_abandon (self->quic);
    }
  ics_network_stop (self);
  ics_legs_stop (self);
  ics_media_stop (self);
  ics_pairing_stop (self);
  if (error != NULL)
    ics_engine_note (self, "ended: %s", error->message);
  ics_engine_set_state (self, ICS_ENGINE_CLOSED);
  ics_tally_end (self->tally, g_get_monotonic_time ());
  self->callbacks.closed (error, self->user_data);
}

/* --- time --- */

static void
fail_for_time (IcsEngine *self)
{
  switch (self->state)
    {
    case ICS_ENGINE_REACHING:
      ics_engine_fail (self, ics_pairing_timeout_error (self));
      break;
    case ICS_ENGINE_PAIRING:
    case ICS_ENGINE_SECURING:
      ics_engine_fail (self,
                       g_error_new_literal (
                           ICS_ERROR, ICS_ERROR_TIMED_OUT,
                           "the other host is there, but the secure connection could not be set up in time"));
      break;
    case ICS_ENGINE_CLOSING:
      ics_engine_fail (self, NULL);
      break;
    case ICS_ENGINE_NEW:
    case ICS_ENGINE_UP:
    case ICS_ENGINE_CLOSED:
      break;
    }
}

/* When the link counts as lost: at once when the channel is gone for good too, else after the limit. */
static gint64
lost_deadline (IcsEngine *self)
{
  gint64 since;

  if (self->state != ICS_ENGINE_UP || !ics_path_engine_is_lost (self->paths, &since))
    return G_MAXINT64;
  return self->channel_closed ? since : since + ics_engine_limit (self, ICS_LOST_TIMEOUT_US);
}

static void
check_limits (IcsEngine *self, gint64 now)
{
  if (now >= self->deadline)
    fail_for_time (self);
  if (now >= lost_deadline (self))
    ics_engine_fail (self,
                     g_error_new_literal (ICS_ERROR, ICS_ERROR_LINK_LOST,
                                          "the link is lost: the other host does not answer on any path"));
  if (now >= self->direct_deadline)
    ics_engine_fail (self, g_error_new_literal (ICS_ERROR, ICS_ERROR_PATH_UNAVAILABLE,
                                                "no direct path was found, and the policy allows no other"));
}

static gint64
next_timeout (IcsEngine *self, gint64 now)
{
  gint64 next = MIN (self->deadline, self->direct_deadline);

  if (self->quic == NULL)
    return next;
  next = MIN (next, self->news_at);
  next = MIN (next, ics_legs_next_timeout (self));
  next = MIN (next, ics_network_next_timeout (self));
  next = MIN (next, ics_path_engine_next_timeout (self->paths));
  next = MIN (next, MIN (ics_stall_next_timeout (&self->stall), self->move_at));
  next = MIN (next, lost_deadline (self));
  /* Its timers go on when there is consent again, which only a probe brings. */
  if (self->mute)
    return next;
  return MIN (next, MAX (ics_quic_next_timeout (self->quic), self->blocked ? now + BLOCKED_WAIT_US : 0));
}

static void
report_stall (IcsEngine *self, gint64 now)
{
  int ms = ics_stall_poll (&self->stall, now);

  if (ms < 0)
    return;
  ics_engine_note (self, "delivery paused for %d ms around the shift", ms);
  ics_tally_add_stall (self->tally, (guint)ms);
  self->callbacks.stall ((guint)ms, self->user_data);
}

static void
run_quic (IcsEngine *self, gint64 now)
{
  ics_quic_handle_timeout (self->quic, now);
  ics_path_engine_handle_timeout (self->paths, now);
  ics_network_handle_timeout (self, now);
  ics_legs_handle_timeout (self, now);
  ics_engine_drive_paths (self, now);
  ics_engine_pump (self, now);
  report_stall (self, now);
  if (self->state == ICS_ENGINE_CLOSING && ics_engine_goodbye_arrived (self))
    ics_engine_fail (self, NULL);
}

void
ics_engine_run (IcsEngine *self)
{
  gint64 now = g_get_monotonic_time ();

  if (self->state == ICS_ENGINE_CLOSED)
    {
      ics_engine_check_finished (self);
      /* Behind the deadline it waits for attempts only, whose end wakes it. */
      arm (self, self->finished || now >= self->deadline ? G_MAXINT64 : self->deadline);
      return;
    }
  if (!self->ending && self->quic != NULL)
    run_quic (self, now);
  if (!self->ending)
    check_limits (self, now);
  if (self->ending)
    {
      finish (self, now);
      ics_engine_wake (self);
      return;
    }
  arm (self, next_timeout (self, now));
}
