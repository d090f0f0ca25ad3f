/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "turn-fallback/coturn-dir.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define NAME_PREFIX "coturn-"
#define CONFIG_NAME "turnserver.conf"

/* All that ever lies in it: what this file writes, and what coturn does. */
static const char *const files[] = { CONFIG_NAME, "pid", "db", "db-journal" };

struct _IcsCoturnDir
{
  char *path;
  int lock;
};

static void
remove_dir (const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *file = g_build_filename (path, files[i], NULL);

      g_unlink (file);
    }
  g_rmdir (path);
}

static int
lock_dir (const char *path)
{
  int fd = g_open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  if (fd >= 0)
    g_close (fd, NULL);
  return -1;
}

static void
remove_stale (const char *state_dir)
{
  g_autoptr (GDir) dir = g_dir_open (state_dir, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, NAME_PREFIX))
      {
        g_autofree char *path = g_build_filename (state_dir, name, NULL);
        int fd = lock_dir (path);

        if (fd < 0)
          continue;
        remove_dir (path);
        g_close (fd, NULL);
      }
}

IcsCoturnDir *
ics_coturn_dir_new (const char *state_dir, GError **error)
{
  g_autofree char *path = g_build_filename (state_dir, NAME_PREFIX "XXXXXX", NULL);
  IcsCoturnDir *self;
  int fd;

  remove_stale (state_dir);
  if (g_mkdtemp (path) == NULL)
    {
      g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno), "cannot make a folder in %s: %s",
                   state_dir, g_strerror (errno));
      return NULL;
    }
  fd = lock_dir (path);
  if (fd < 0)
    {
      g_set_error (error, G_IO_ERROR, (gint)g_io_error_from_errno (errno), "cannot lock %s: %s", path,
                   g_strerror (errno));
      remove_dir (path);
      return NULL;
    }
  self = g_new0 (IcsCoturnDir, 1);
  self->path = g_steal_pointer (&path);
  self->lock = fd;
  return self;
}

void
ics_coturn_dir_free (IcsCoturnDir *self)
{
  remove_dir (self->path);
  g_close (self->lock, NULL);
  g_free (self->path);
  g_free (self);
}

const char *
ics_coturn_dir_get_path (IcsCoturnDir *self)
{
  return self->path;
}

char *
ics_coturn_dir_get_config (IcsCoturnDir *self)
{
  return g_build_filename (self->path, CONFIG_NAME, NULL);
}

gboolean
ics_coturn_dir_write_config (IcsCoturnDir *self, const char *text, GError **error)
{
  g_autofree char *file = ics_coturn_dir_get_config (self);

  return g_file_set_contents_full (file, text, (gssize)strlen (text), G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                   error);
}
