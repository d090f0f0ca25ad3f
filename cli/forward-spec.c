/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/forward-spec.h"
#include "base/ics-error.h"
#include <gio/gio.h>
#include <string.h>

static gboolean
parse_port (const char *text, gboolean allow_zero, guint16 *port)
{
  guint64 value;

  if (!g_ascii_string_to_unsigned (text, 10, allow_zero ? 0 : 1, G_MAXUINT16, &value, NULL))
    return FALSE;
  *port = (guint16)value;
  return TRUE;
}

gboolean
cli_host_port_parse (const char *text, gboolean allow_zero, char **host, guint16 *port)
{
  const char *colon = strrchr (text, ':');
  gsize length = colon != NULL ? (gsize)(colon - text) : 0;
  gboolean bracketed = length > 2 && text[0] == '[' && colon[-1] == ']';
  g_autofree char *name = NULL;

  if (length == 0 || !parse_port (colon + 1, allow_zero, port))
    return FALSE;
  name = bracketed ? g_strndup (text + 1, length - 2) : g_strndup (text, length);
  /* An IPv6 address without brackets does not tell where its port begins. */
  if ((strchr (name, ':') != NULL) != bracketed || strpbrk (name, "[]/ ") != NULL)
    return FALSE;
  *host = g_steal_pointer (&name);
  return TRUE;
}

gboolean
cli_forward_name_is_valid (const char *name)
{
  gsize length = strlen (name);

  return length > 0 && length <= CLI_FORWARD_NAME_MAX
         && strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-") == length;
}

CliTarget *
cli_target_parse (const char *text, GError **error)
{
  g_autoptr (CliTarget) self = g_new0 (CliTarget, 1);
  const char *equals = strchr (text, '=');
  const char *address = equals != NULL ? equals + 1 : text;

  if (parse_port (address, FALSE, &self->port))
    self->host = g_strdup ("localhost");
  else if (!cli_host_port_parse (address, FALSE, &self->host, &self->port))
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                   "\"%s\" is no target; say [NAME=]HOST:PORT or [NAME=]PORT, like ssh=localhost:22", text);
      return NULL;
    }
  self->name = equals != NULL ? g_strndup (text, (gsize)(equals - text)) : g_strdup_printf ("%u", self->port);
  if (cli_forward_name_is_valid (self->name))
    return g_steal_pointer (&self);
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
               "the name in \"%s\" will not do; use 1 to 64 letters, digits, '.', '_' and '-'", text);
  return NULL;
}

void
cli_target_free (CliTarget *self)
{
  g_free (self->name);
  g_free (self->host);
  g_free (self);
}

CliTarget *
cli_targets_find (GPtrArray *targets, const char *name)
{
  for (guint i = 0; i < targets->len; i++)
    if (strcmp (((CliTarget *)targets->pdata[i])->name, name) == 0)
      return targets->pdata[i];
  return NULL;
}

GPtrArray *
cli_targets_parse (char **texts, GError **error)
{
  g_autoptr (GPtrArray) targets = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_target_free);

  if (g_strv_length (texts) > CLI_FORWARD_TARGETS_MAX)
    {
      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "at most %d targets can be offered",
                   CLI_FORWARD_TARGETS_MAX);
      return NULL;
    }
  for (guint i = 0; texts[i] != NULL; i++)
    {
      CliTarget *target = cli_target_parse (texts[i], error);

      if (target == NULL)
        return NULL;
      if (cli_targets_find (targets, target->name) != NULL)
        {
          g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
                       "the target name %s comes twice; give each its own with NAME=", target->name);
          cli_target_free (target);
          return NULL;
        }
      g_ptr_array_add (targets, target);
    }
  return g_steal_pointer (&targets);
}

CliListen *
cli_listen_parse (const char *text, GError **error)
{
  g_autoptr (CliListen) self = g_new0 (CliListen, 1);
  const char *colon = strrchr (text, ':');
  g_autofree char *address = colon != NULL ? g_strndup (text, (gsize)(colon - text)) : NULL;
  g_autoptr (GInetAddress) checked = NULL;

  if (address != NULL && parse_port (address, TRUE, &self->port))
    self->bind = g_strdup ("127.0.0.1");
  else if (address != NULL && !cli_host_port_parse (address, TRUE, &self->bind, &self->port))
    g_clear_pointer (&self->bind, g_free);
  if (self->bind != NULL)
    checked = g_inet_address_new_from_string (self->bind);
  if (checked != NULL && cli_forward_name_is_valid (colon + 1))
    {
      self->name = g_strdup (colon + 1);
      return g_steal_pointer (&self);
    }
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
               "-L \"%s\" will not do; say [BIND:]PORT:NAME, like 8080:web or [::1]:8080:web", text);
  return NULL;
}

void
cli_listen_free (CliListen *self)
{
  g_free (self->bind);
  g_free (self->name);
  g_free (self);
}

GPtrArray *
cli_listens_parse (char **texts, GError **error)
{
  g_autoptr (GPtrArray) listens = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_listen_free);

  for (guint i = 0; texts[i] != NULL; i++)
    {
      CliListen *listen = cli_listen_parse (texts[i], error);

      if (listen == NULL)
        return NULL;
      g_ptr_array_add (listens, listen);
    }
  return g_steal_pointer (&listens);
}
