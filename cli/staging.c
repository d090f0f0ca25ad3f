/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "cli/human.h"
#include "cli/safe-name.h"
#include "cli/staging.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PARTIAL_SUFFIX ".ice-session-partial-"
#define RANDOM_LENGTH 6
#define ATTEMPTS 100
#define NAME_KEPT_MAX 200
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct _CliStaging
{
  char *target;
  char *name;
  int target_fd;
  int fd;
};

static gboolean
fail (const char *doing, const char *name, GError **error)
{
  int errsv = errno;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errsv), "cannot %s %s: %s", doing, name,
               g_strerror (errsv));
  return FALSE;
}

static char *
make_name (const char *name)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  g_autofree char *start = g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), NAME_KEPT_MAX / 4));
  char tail[RANDOM_LENGTH + 1] = { 0 };

  for (guint i = 0; i < RANDOM_LENGTH; i++)
    tail[i] = letters[g_random_int_range (0, (gint32)strlen (letters))];
  return g_strconcat (".", start, PARTIAL_SUFFIX, tail, NULL);
}

static gboolean
make_folder (CliStaging *self, const char *name, GError **error)
{
  for (guint i = 0; i < ATTEMPTS; i++)
    {
      g_free (self->name);
      self->name = make_name (name);
      if (mkdirat (self->target_fd, self->name, S_IRWXU) == 0)
        {
          self->fd = openat (self->target_fd, self->name, OPEN_FOLDER);
          return self->fd >= 0 || fail ("open", self->name, error);
        }
      if (errno != EEXIST)
        break;
    }
  fail ("create a file in", self->target, error);
  g_clear_pointer (&self->name, g_free);
  return FALSE;
}

CliStaging *
cli_staging_new (const char *target, const char *name, GError **error)
{
  g_autoptr (CliStaging) self = g_new0 (CliStaging, 1);

  self->target = g_strdup (target);
  self->fd = -1;
  /* The target folder is the user's own word; links in it are followed. */
  self->target_fd = open (target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self->target_fd < 0)
    {
      fail ("open the folder", target, error);
      return NULL;
    }
  return make_folder (self, name, error) ? g_steal_pointer (&self) : NULL;
}

/* Opens the folder that @path lies in, below @fd, and tells the last component. */
static int
open_parent (int fd, const char *path, const char **last)
{
  g_auto (GStrv) components = g_strsplit (path, "/", -1);
  int current = fcntl (fd, F_DUPFD_CLOEXEC, 3);

  for (guint i = 0; components[i] != NULL && components[i + 1] != NULL && current >= 0; i++)
    {
      int next = openat (current, components[i], OPEN_FOLDER);

      close (current);
      current = next;
    }
  *last = strrchr (path, '/') != NULL ? strrchr (path, '/') + 1 : path;
  return current;
}

gboolean
cli_staging_add_folder (CliStaging *self, const char *path, GError **error)
{
  const char *name;
  int parent = open_parent (self->fd, path, &name);
  gboolean good = parent >= 0 && mkdirat (parent, name, S_IRWXU) == 0;

  if (!good)
    fail ("create the folder", path, error);
  if (parent >= 0)
    close (parent);
  return good;
}

int
cli_staging_create_file (CliStaging *self, const char *path, GError **error)
{
  const char *name;
  int parent = open_parent (self->fd, path, &name);
  int fd = -1;

  if (parent >= 0)
    fd = openat (parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (fd < 0)
    fail ("create", path, error);
  if (parent >= 0)
    close (parent);
  return fd;
}

/* There is no way to ask for the umask without setting it; a moment of 077 harms nobody. */
static mode_t
get_umask (void)
{
  static GMutex lock;
  mode_t mask;

  g_mutex_lock (&lock);
  mask = umask (S_IRWXG | S_IRWXO);
  umask (mask);
  g_mutex_unlock (&lock);
  return mask;
}

gboolean
cli_staging_finish_file (const CliEntry *entry, int fd, GError **error)
{
  mode_t mode = (entry->executable ? 0755 : 0644) & ~get_umask ();
  const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = (time_t)entry->mtime } };
  gboolean good = fchmod (fd, mode) == 0;

  /* A file system that cannot keep the time is no reason to lose the file. */
  if (good)
    futimens (fd, times);
  /* A network file system reports at the end that the disk is full. */
  good = close (fd) == 0 && good;
  return good || fail ("write", entry->path, error);
}

static gboolean
is_folder (int fd, const char *name)
{
  struct stat info;

  return fstatat (fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR (info.st_mode);
}

/* The names in a folder, without "." and "..". */
static GPtrArray *
list_names (int fd)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int own = openat (fd, ".", OPEN_FOLDER);
  DIR *dir = own >= 0 ? fdopendir (own) : NULL;

  for (struct dirent *item = dir != NULL ? readdir (dir) : NULL; item != NULL; item = readdir (dir))
    if (strcmp (item->d_name, ".") != 0 && strcmp (item->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (item->d_name));
  if (dir != NULL)
    closedir (dir);
  return names;
}

static void
remove_tree (int parent, const char *name)
{
  int fd = openat (parent, name, OPEN_FOLDER);
  g_autoptr (GPtrArray) names = fd >= 0 ? list_names (fd) : NULL;

  for (guint i = 0; names != NULL && i < names->len; i++)
    if (is_folder (fd, names->pdata[i]))
      remove_tree (fd, names->pdata[i]);
    else
      unlinkat (fd, names->pdata[i], 0);
  if (fd >= 0)
    close (fd);
  unlinkat (parent, name, AT_REMOVEDIR);
}

void
cli_staging_free (CliStaging *self)
{
  if (self->name != NULL)
    remove_tree (self->target_fd, self->name);
  if (self->fd >= 0)
    close (self->fd);
  if (self->target_fd >= 0)
    close (self->target_fd);
  g_free (self->name);
  g_free (self->target);
  g_free (self);
}

/* Renames without replacing anything. */
static int
move_new (int from, int to, const char *name)
{
  if (renameat2 (from, name, to, name, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return -1;
  /* The file system lacks it. A folder does not replace more than an empty folder; a file can be linked. */
  if (is_folder (from, name))
    return renameat (from, name, to, name);
  if (linkat (from, name, to, name, 0) < 0)
    return -1;
  return unlinkat (from, name, 0);
}

static int merge (int from, int to, const char *name);

static int
merge_folder (int from, int to, const char *name)
{
  int inner_from = openat (from, name, OPEN_FOLDER);
  int inner_to = inner_from >= 0 ? openat (to, name, OPEN_FOLDER) : -1;
  g_autoptr (GPtrArray) names = inner_to >= 0 ? list_names (inner_from) : NULL;
  int result = inner_to >= 0 ? 0 : -1;

  for (guint i = 0; result == 0 && i < names->len; i++)
    result = merge (inner_from, inner_to, names->pdata[i]);
  if (inner_to >= 0)
    close (inner_to);
  if (inner_from >= 0)
    close (inner_from);
  return result;
}

/* Moves @name over what may exist: files replace files (and links, which are not followed), folders take up
 * new things. */
static int
merge (int from, int to, const char *name)
{
  if (move_new (from, to, name) == 0)
    return 0;
  if (errno != EEXIST && errno != ENOTEMPTY)
    return -1;
  if (is_folder (from, name))
    return merge_folder (from, to, name);
  return renameat (from, name, to, name);
}

/* Folders get the mode that the user's umask gives; until now they were private. */
static void
open_folders (CliStaging *self, CliManifest *manifest)
{
  mode_t mode = 0777 & ~get_umask ();

  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);
      const char *name;
      int parent = entry->is_folder ? open_parent (self->fd, entry->path, &name) : -1;

      if (parent < 0)
        continue;
      /* Then the folder stays as private as it was made. */
      if (fchmodat (parent, name, mode, 0) != 0)
        g_debug ("%s keeps its mode: %s", entry->path, g_strerror (errno));
      close (parent);
    }
}

gboolean
cli_staging_commit (CliStaging *self, CliManifest *manifest, gboolean overwrite, GError **error)
{
  open_folders (self, manifest);
  for (guint i = 0; i < manifest->entries->len; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);

      if (!cli_entry_is_top (entry))
        continue;
      if ((overwrite ? merge (self->fd, self->target_fd, entry->path)
                     : move_new (self->fd, self->target_fd, entry->path))
          < 0)
        return fail ("put in place", entry->path, error);
    }
  remove_tree (self->target_fd, self->name);
  g_clear_pointer (&self->name, g_free);
  return TRUE;
}

static gboolean
check_room (const char *target, guint64 total, GError **error)
{
  struct statvfs info;
  g_autofree char *needed = NULL;
  g_autofree char *free_text = NULL;

  if (statvfs (target, &info) < 0)
    return fail ("look into the folder", target, error);
  if (total / MAX (info.f_frsize, 1) < info.f_bavail || total == 0)
    return TRUE;
  needed = cli_human_bytes (total);
  free_text = cli_human_bytes ((guint64)info.f_bavail * info.f_frsize);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               "there is not enough room in %s: %s are needed, %s are free", target, needed, free_text);
  return FALSE;
}

gboolean
cli_staging_check (const char *target, CliManifest *manifest, gboolean overwrite, GError **error)
{
  for (guint i = 0; i < manifest->entries->len && !overwrite; i++)
    {
      const CliEntry *entry = cli_manifest_get (manifest, i);
      g_autofree char *path = g_build_filename (target, entry->path, NULL);
      struct stat info;

      if (!cli_entry_is_top (entry) || lstat (path, &info) < 0)
        continue;
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_EXISTS,
          "%s exists already in the target folder; remove it, choose another folder, or say --overwrite",
          entry->path);
      return FALSE;
    }
  return check_room (target, manifest->total, error);
}
