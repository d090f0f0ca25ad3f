/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/manifest.h"
#include "base/ics-error.h"
#include "cli/safe-name.h"
#include <string.h>

/* An entry's text is its path, at worst six bytes a byte, and less than this. */
#define ENTRY_OVERHEAD 128
#define FRAME_TARGET (CLI_FRAME_MAX / 2)
#define MTIME_MAX (G_GINT64_CONSTANT (1) << 40)

CliManifest *
cli_manifest_new (void)
{
  CliManifest *self = g_new0 (CliManifest, 1);

  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify)cli_entry_free);
  self->paths = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
cli_manifest_free (CliManifest *self)
{
  g_hash_table_unref (self->paths);
  g_ptr_array_unref (self->entries);
  g_free (self);
}

void
cli_entry_free (CliEntry *self)
{
  g_free (self->path);
  g_free (self->source);
  g_free (self);
}

gboolean
cli_entry_is_top (const CliEntry *self)
{
  return strchr (self->path, '/') == NULL;
}

CliEntry *
cli_manifest_get (CliManifest *self, guint i)
{
  return g_ptr_array_index (self->entries, i);
}

static gboolean
parent_is_folder (CliManifest *self, const CliEntry *entry)
{
  const char *slash = strrchr (entry->path, '/');
  g_autofree char *parent = slash != NULL ? g_strndup (entry->path, (gsize)(slash - entry->path)) : NULL;
  const CliEntry *folder = parent != NULL ? g_hash_table_lookup (self->paths, parent) : NULL;

  return parent == NULL || (folder != NULL && folder->is_folder);
}

static const char *
find_fault (CliManifest *self, const CliEntry *entry)
{
  if (!cli_safe_path (entry->path))
    return "has a name that cannot be sent (control characters, no UTF-8, \"..\", or too long)";
  if (self->entries->len >= CLI_MANIFEST_MAX)
    return "is one too many: at most 100000 files and folders can be sent at once";
  if (g_hash_table_contains (self->paths, entry->path))
    return "comes twice under this name";
  if (!parent_is_folder (self, entry))
    return "lies in a folder that was not offered";
  if (entry->size > G_MAXINT64 - self->total)
    return "is too large";
  return NULL;
}

gboolean
cli_manifest_add (CliManifest *self, CliEntry *entry, GError **error)
{
  const char *fault = find_fault (self, entry);

  if (fault != NULL)
    {
      g_autofree char *name = g_utf8_make_valid (entry->path, -1);

      g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT, "\"%.200s\" %s", name, fault);
      cli_entry_free (entry);
      return FALSE;
    }
  g_ptr_array_add (self->entries, entry);
  g_hash_table_insert (self->paths, entry->path, entry);
  self->total += entry->size;
  self->n_files += entry->is_folder ? 0 : 1;
  return TRUE;
}

static JsonObject *
entry_to_json (const CliEntry *entry)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "path", entry->path);
  if (entry->is_folder)
    {
      json_object_set_boolean_member (object, "folder", TRUE);
      return object;
    }
  json_object_set_int_member (object, "size", (gint64)entry->size);
  json_object_set_int_member (object, "mtime", entry->mtime);
  if (entry->executable)
    json_object_set_boolean_member (object, "executable", TRUE);
  return object;
}

static CliEntry *
entry_from_json (JsonNode *node)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  const char *path = object != NULL ? cli_json_string (object, "path") : NULL;
  gint64 size = 0;
  gint64 mtime = 0;
  CliEntry *entry;

  if (path == NULL)
    return NULL;
  if (!cli_json_bool (object, "folder")
      && (!cli_json_int (object, "size", 0, G_MAXINT64, &size)
          || !cli_json_int (object, "mtime", -MTIME_MAX, MTIME_MAX, &mtime)))
    return NULL;
  entry = g_new0 (CliEntry, 1);
  entry->path = g_strdup (path);
  entry->size = (guint64)size;
  entry->mtime = mtime;
  entry->is_folder = cli_json_bool (object, "folder");
  entry->executable = cli_json_bool (object, "executable");
  return entry;
}

/* The next frame, beginning with entry *i. */
static JsonObject *
next_frame (CliManifest *self, guint *i)
{
  JsonObject *frame = cli_frame_new ("manifest");
  JsonArray *array = json_array_new ();
  gsize estimate = 0;

  for (; *i < self->entries->len && estimate < FRAME_TARGET; (*i)++)
    {
      const CliEntry *entry = cli_manifest_get (self, *i);

      json_array_add_object_element (array, entry_to_json (entry));
      estimate += ENTRY_OVERHEAD + 6 * strlen (entry->path);
    }
  json_object_set_array_member (frame, "entries", array);
  json_object_set_boolean_member (frame, "more", *i < self->entries->len);
  return frame;
}

gboolean
cli_manifest_write (CliManifest *self, GIOStream *control, GCancellable *cancellable, GError **error)
{
  guint i = 0;

  do
    if (!cli_frame_write (control, next_frame (self, &i), cancellable, error))
      return FALSE;
  while (i < self->entries->len);
  return TRUE;
}

static gboolean
add_frame (CliManifest *self, JsonArray *array, GError **error)
{
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      CliEntry *entry = entry_from_json (json_array_get_element (array, i));
      g_autoptr (GError) fault = NULL;

      if (entry != NULL && cli_manifest_add (self, entry, &fault))
        continue;
      g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the other side made a bad offer: %s",
                   fault != NULL ? fault->message : "an entry cannot be read");
      return FALSE;
    }
  return TRUE;
}

CliManifest *
cli_manifest_read (GIOStream *control, GCancellable *cancellable, GError **error)
{
  g_autoptr (CliManifest) self = cli_manifest_new ();
  gboolean more = TRUE;

  while (more)
    {
      g_autoptr (JsonObject) frame = cli_frame_expect (control, "manifest", cancellable, error);
      JsonArray *array = frame != NULL ? cli_json_array (frame, "entries") : NULL;

      if (frame == NULL)
        return NULL;
      /* Each frame brings something, so there is an end. */
      if (array == NULL || json_array_get_length (array) == 0)
        {
          g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the other side made an empty offer");
          return NULL;
        }
      if (!add_frame (self, array, error))
        return NULL;
      more = cli_json_bool (frame, "more");
    }
  return g_steal_pointer (&self);
}
