/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/cli-fixture.h"
#include <check.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LIMIT_S 60

GIOStream *
fake_wrap_fd (int fd)
{
  GError *error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  ck_assert_ptr_null (error);
  return G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
}

void
fake_socketpair (GIOStream **a, GIOStream **b)
{
  int fds[2];

  ck_assert_int_eq (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  *a = fake_wrap_fd (fds[0]);
  *b = fake_wrap_fd (fds[1]);
}

static GIOStream *
fake_open (CliPeer *peer, GError **error)
{
  FakePeer *self = (FakePeer *)peer;
  GIOStream *own;
  GIOStream *theirs;

  fake_socketpair (&own, &theirs);
  self->opened++;
  cli_stream_queue_push (((FakePeer *)self->other)->incoming, theirs);
  return own;
}

static GIOStream *
fake_accept (CliPeer *peer, GCancellable *cancellable, GError **error)
{
  return cli_stream_queue_pop (((FakePeer *)peer)->incoming, cancellable, error);
}

static void
fake_reset (CliPeer *peer, GIOStream *stream)
{
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)), TRUE, TRUE, NULL);
}

static guint64
fake_count (CliPeer *peer, GIOStream *stream, gboolean sent, IcsPathKind kind)
{
  static const guint64 counts[ICS_N_PATH_KINDS] = { 1, 1, 2 };

  return counts[kind];
}

static const CliPeerVtable fake_vtable = { fake_open, fake_accept, fake_reset, fake_count };

FakeLink *
fake_link_new (void)
{
  FakeLink *self = g_new0 (FakeLink, 1);

  self->joiner = (FakePeer){ { &fake_vtable, TRUE }, cli_stream_queue_new (), &self->listener, 0 };
  self->listener = (FakePeer){ { &fake_vtable, FALSE }, cli_stream_queue_new (), &self->joiner, 0 };
  return self;
}

void
fake_link_free (FakeLink *self)
{
  cli_stream_queue_free (self->joiner.incoming);
  cli_stream_queue_free (self->listener.incoming);
  g_free (self);
}

typedef struct
{
  FakeSide *side;
  gint *left;
} Running;

static gpointer
run_side (gpointer data)
{
  Running *running = data;
  FakeSide *side = running->side;

  side->good = side->work (side->data, side->cancellable, &side->error);
  g_atomic_int_add (running->left, -1);
  g_main_context_wakeup (NULL);
  return NULL;
}

static gboolean
too_long (gpointer data)
{
  fputs ("the test hangs\n", stderr);
  abort ();
}

void
fake_wait (gint *flag)
{
  guint limit = g_timeout_add_seconds (LIMIT_S, too_long, NULL);

  while (g_atomic_int_get (flag) == 0)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (limit);
}

void
fake_run (FakeSide *a, FakeSide *b)
{
  gint left = 2;
  Running running[2] = { { a, &left }, { b, &left } };
  GThread *threads[2];
  guint limit = g_timeout_add_seconds (LIMIT_S, too_long, NULL);

  for (guint i = 0; i < 2; i++)
    {
      if (running[i].side->cancellable == NULL)
        running[i].side->cancellable = g_cancellable_new ();
      threads[i] = g_thread_new ("side", run_side, &running[i]);
    }
  while (g_atomic_int_get (&left) > 0)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < 2; i++)
    g_thread_join (threads[i]);
  g_source_remove (limit);
}

void
fake_side_clear (FakeSide *self)
{
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
}

char *
fake_folder_new (void)
{
  char *path = g_dir_make_tmp ("ice-session-test-XXXXXX", NULL);

  ck_assert_ptr_nonnull (path);
  return path;
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);

  for (const char *name = dir != NULL ? g_dir_read_name (dir) : NULL; name != NULL;
       name = g_dir_read_name (dir))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_tree (inner);
    }
  g_remove (path);
}

void
fake_folder_free (char *path)
{
  remove_tree (path);
  g_free (path);
}

guint
fake_folder_count (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  guint n = 0;

  ck_assert_ptr_nonnull (dir);
  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

void
fake_write_file (const char *folder, const char *name, const void *data, gsize length)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  ck_assert (g_file_set_contents (path, data, (gssize)length, NULL));
}

guint8 *
fake_bytes (gsize length, guint32 seed)
{
  guint8 *data = g_malloc (length + 1);

  for (gsize i = 0; i < length; i++)
    {
      seed = seed * 1664525 + 1013904223;
      data[i] = (guint8)(seed >> 24);
    }
  return data;
}

guint32
fake_seed (void)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  printf ("ICS_TEST_SEED=%u\n", seed);
  fflush (stdout);
  return seed;
}
