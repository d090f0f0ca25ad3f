/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/ics-error.h"
#include "cli/manifest.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  CliManifest *manifest;
  CliManifestSkipped skipped;
  gpointer user_data;
} Walk;

static gboolean collect (Walk *walk, const char *path, const char *source, gboolean follow, GError **error);

static gboolean
fail (const char *name, int errsv, GError **error)
{
  g_autofree char *shown = g_filename_display_name (name);

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errsv), "cannot read %s: %s", shown,
               g_strerror (errsv));
  return FALSE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that what is sent does not depend on the file system. */
static GPtrArray *
list_folder (const char *source, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GDir) dir = g_dir_open (source, 0, &local);
  GPtrArray *names;

  if (dir == NULL)
    {
      g_propagate_prefixed_error (error, g_steal_pointer (&local), "cannot read %s: ", source);
      return NULL;
    }
  names = g_ptr_array_new_with_free_func (g_free);
  for (const char *name = g_dir_read_name (dir); name != NULL; name = g_dir_read_name (dir))
    g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

static gboolean
collect_folder (Walk *walk, const char *path, const char *source, GError **error)
{
  g_autoptr (GPtrArray) names = list_folder (source, error);

  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *inner_path = g_strconcat (path, "/", names->pdata[i], NULL);
      g_autofree char *inner_source = g_build_filename (source, names->pdata[i], NULL);

      if (!collect (walk, inner_path, inner_source, FALSE, error))
        return FALSE;
    }
  return names != NULL;
}

static CliEntry *
make_entry (const char *path, const char *source, const struct stat *info)
{
  CliEntry *entry = g_new0 (CliEntry, 1);

  entry->path = g_strdup (path);
  entry->source = g_strdup (source);
  entry->is_folder = S_ISDIR (info->st_mode);
  entry->size = entry->is_folder ? 0 : (guint64)info->st_size;
  entry->mtime = info->st_mtime;
  entry->executable = (info->st_mode & S_IXUSR) != 0;
  return entry;
}

static gboolean
collect (Walk *walk, const char *path, const char *source, gboolean follow, GError **error)
{
  struct stat info;

  if ((follow ? stat (source, &info) : lstat (source, &info)) < 0)
    return fail (source, errno, error);
  if (!S_ISREG (info.st_mode) && !S_ISDIR (info.st_mode))
    {
      walk->skipped (source, S_ISLNK (info.st_mode) ? "it is a symbolic link" : "it is no regular file",
                     walk->user_data);
      return TRUE;
    }
  /* Better to hear of it now than in the middle of the transfer. */
  if (access (source, R_OK) < 0)
    return fail (source, errno, error);
  if (!cli_manifest_add (walk->manifest, make_entry (path, source, &info), error))
    return FALSE;
  return !S_ISDIR (info.st_mode) || collect_folder (walk, path, source, error);
}

CliManifest *
cli_manifest_collect (char **names, CliManifestSkipped skipped, gpointer user_data, GError **error)
{
  g_autoptr (CliManifest) manifest = cli_manifest_new ();
  Walk walk = { manifest, skipped, user_data };

  for (guint i = 0; names[i] != NULL; i++)
    {
      /* "." and "dir/" have no name of their own. */
      g_autofree char *full = g_canonicalize_filename (names[i], NULL);
      g_autofree char *base = g_path_get_basename (full);

      if (!collect (&walk, base, names[i], TRUE, error))
        return NULL;
    }
  if (manifest->entries->len > 0)
    return g_steal_pointer (&manifest);
  g_set_error (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT,
               "there is nothing to send: no regular file and no folder");
  return NULL;
}
