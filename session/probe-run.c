/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/probe-run.h"
#include "agent/local-addresses.h"
#include "base/ics-error.h"
#include "base/timeout.h"
#include "session/turn-ca.h"
#include "signaling/ws-dial.h"

/* How a probe begins and ends. */

/* For what has limits of its own, all of which are shorter. */
#define LONGEST_S 45
/* Relays and port mappings are given back; from a server that is silent they lapse. */
#define FAREWELL_MS 2000

static void
clear (gpointer data)
{
  IcsProbeRun *self = data;

  g_clear_pointer (&self->report, ics_network_report_unref);
  g_clear_pointer (&self->uri, g_uri_unref);
  g_free (self->server_uri);
  g_clear_object (&self->turn_ca);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->servers);
  g_ptr_array_unref (self->addresses);
  g_object_unref (self->cancellable);
  g_main_context_unref (self->context);
}

IcsProbeRun *
ics_probe_run_hold (IcsProbeRun *self)
{
  return g_rc_box_acquire (self);
}

void
ics_probe_run_release (gpointer self)
{
  g_rc_box_release_full (self, clear);
}

/* --- the end --- */

static gboolean
on_return (gpointer user_data)
{
  IcsProbeRun *self = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  ics_timeout_clear (&self->limit);
  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else
    {
      ics_network_report_seal (self->report, &self->nat);
      g_task_return_pointer (task, g_steal_pointer (&self->report), (GDestroyNotify)ics_network_report_unref);
    }
  ics_probe_run_release (self);
  return G_SOURCE_REMOVE;
}

static void
set_timer (IcsProbeRun *self, guint ms, GSourceFunc callback)
{
  ics_timeout_clear (&self->limit);
  self->limit = g_timeout_source_new (ms);
  g_source_set_callback (self->limit, callback, self, NULL);
  g_source_attach (self->limit, self->context);
}

IcsProbeRun *
ics_probe_run_open (IcsProbeRun *self)
{
  self->n_open++;
  return ics_probe_run_hold (self);
}

void
ics_probe_run_closed (gpointer data)
{
  IcsProbeRun *self = data;

  self->n_open--;
  if (self->ending && self->n_open == 0 && self->task != NULL)
    set_timer (self, 0, on_return);
  ics_probe_run_release (self);
}

/* With the report, or with @error (transfer full); when all is given back. */
static void
end (IcsProbeRun *self, GError *error)
{
  self->ending = TRUE;
  self->error = error;
  g_cancellable_cancel (self->cancellable);
  ics_timeout_clear (&self->outer_source);
  ics_probe_run_close_channel (self);
  ics_probe_run_stop_nat (self);
  ics_probe_run_stop_relays (self);
  set_timer (self, self->n_open == 0 ? 0 : FAREWELL_MS, on_return);
}

void
ics_probe_run_end_if_done (IcsProbeRun *self)
{
  if (self->nat_done && self->trials_left == 0 && self->survey == NULL)
    end (self, NULL);
}

static gboolean
on_limit (gpointer user_data)
{
  end (user_data, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_outer_cancelled (G_GNUC_UNUSED GCancellable *cancellable, gpointer user_data)
{
  end (user_data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "the probe was cancelled"));
  return G_SOURCE_REMOVE;
}

/* --- the start --- */

void
ics_probe_run_measure (IcsProbeRun *self)
{
  ics_probe_run_close_channel (self);
  ics_probe_run_try_relays (self);
  ics_probe_run_look_at_nat (self);
}

static char **
list_local (int family)
{
  g_autoptr (GPtrArray) addresses = ics_local_addresses_get (family);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();

  for (guint i = 0; i < addresses->len; i++)
    {
      g_autofree char *text = g_inet_address_to_string (addresses->pdata[i]);

      g_strv_builder_add (builder, text);
    }
  return g_strv_builder_end (builder);
}

/* FALSE if one does not parse. */
static gboolean
add_own_servers (IcsProbeRun *self, const char *const *uris, GError **error)
{
  for (guint i = 0; uris != NULL && uris[i] != NULL; i++)
    {
      IcsTurnServer *server = ics_turn_server_parse (uris[i], error);

      if (server == NULL)
        return FALSE;
      g_ptr_array_add (self->servers, server);
    }
  return TRUE;
}

static IcsProbeRun *
run_new (const IcsProbeConfig *config)
{
  IcsProbeRun *self = g_rc_box_new0 (IcsProbeRun);

  self->report = ics_network_report_new ();
  self->context = g_main_context_ref_thread_default ();
  self->family = config->family;
  self->no_server_turn = config->no_server_turn;
  self->cancellable = g_cancellable_new ();
  self->server_uri = g_strdup (config->server_uri);
  self->uri = config->server_uri != NULL ? ics_ws_dial_parse_uri (config->server_uri) : NULL;
  self->servers = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  self->addresses = g_ptr_array_new_with_free_func (g_object_unref);
  ics_nat_behavior_init (&self->nat);
  g_strfreev (self->report->local_addresses);
  self->report->local_addresses = list_local (config->family);
  return self;
}

static gboolean
take_config (IcsProbeRun *self, const IcsProbeConfig *config, GError **error)
{
  if (self->uri == NULL)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%s\" is no server: say wss://HOST",
                   config->server_uri != NULL ? config->server_uri : "");
      return FALSE;
    }
  return add_own_servers (self, config->turn_uris, error)
         && ics_turn_ca_load (config->turn_ca_file, &self->turn_ca, error);
}

static void
start (IcsProbeRun *self, const IcsProbeConfig *config, GCancellable *outer)
{
  set_timer (self, LONGEST_S * 1000, on_limit);
  if (outer != NULL)
    {
      self->outer_source = g_cancellable_source_new (outer);
      g_source_set_callback (self->outer_source, G_SOURCE_FUNC (on_outer_cancelled), self, NULL);
      g_source_attach (self->outer_source, self->context);
    }
  if (!config->no_port_mapping)
    ics_probe_run_ask_gateway (self);
  ics_probe_run_ask_server (self);
}

void
ics_probe_run_start (const IcsProbeConfig *config, GTask *task)
{
  IcsProbeRun *self = run_new (config);
  GError *error = NULL;

  self->task = task;
  g_task_set_check_cancellable (task, FALSE);
  if (take_config (self, config, &error))
    start (self, config, g_task_get_cancellable (task));
  else
    end (self, error);
}
