/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/media-spec.h"
#include "base/ics-error.h"
#include "cli/forward-spec.h"
#include <gio/gio.h>
#include <string.h>

void
cli_rtp_ports_free (CliRtpPorts *self)
{
  g_free (self->host);
  g_free (self);
}

static gboolean
parse_in (const char *text, CliRtpPorts *self)
{
  g_autofree char *whole = strchr (text, ':') == NULL ? g_strconcat ("127.0.0.1:", text, NULL) : NULL;
  g_autoptr (GInetAddress) bind = NULL;

  if (cli_host_port_parse (whole != NULL ? whole : text, FALSE, &self->host, &self->port))
    bind = g_inet_address_new_from_string (self->host);
  return bind != NULL;
}

static gboolean
parse_out (const char *text, CliRtpPorts *self)
{
  return cli_host_port_parse (text, FALSE, &self->host, &self->port);
}

static GPtrArray *
parse_all (char **texts, gboolean (*parse) (const char *text, CliRtpPorts *self), const char *form,
           GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_rtp_ports_free);

  for (guint i = 0; texts != NULL && texts[i] != NULL; i++)
    {
      CliRtpPorts *ports = g_new0 (CliRtpPorts, 1);

      g_ptr_array_add (all, ports);
      if (parse (texts[i], ports) && ports->port < G_MAXUINT16 && all->len <= CLI_MEDIA_STREAMS_MAX)
        continue;
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                   "\"%s\" will not do; say %s, at most %d times (RTCP has the next port)", texts[i], form,
                   CLI_MEDIA_STREAMS_MAX);
      return NULL;
    }
  return g_steal_pointer (&all);
}

GPtrArray *
cli_rtp_in_parse (char **texts, GError **error)
{
  return parse_all (texts, parse_in, "--rtp-in [ADDRESS:]PORT, like 5004", error);
}

GPtrArray *
cli_rtp_out_parse (char **texts, GError **error)
{
  return parse_all (texts, parse_out, "--rtp-out HOST:PORT, like 127.0.0.1:5006", error);
}
