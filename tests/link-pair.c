/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-pair.h"

#include <check.h>
#include <string.h>

static guint
side_of (LinkPair *pair, gpointer link)
{
  return link == (gpointer)pair->link[1] ? 1 : 0;
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  LinkPair *pair = user_data;
  guint side = side_of (pair, source);

  pair->answered[side] = TRUE;
  pair->connected[side] = ics_link_connect_finish (ICS_LINK (source), result, &pair->error[side]);
}

static void
on_code (IcsLink *link, const char *code, gpointer user_data)
{
  LinkPair *pair = user_data;

  if (pair->alone)
    return;
  if (pair->code[1] == NULL)
    pair->code[1] = g_strdup (code);
  ics_link_connect_async (pair->link[1], pair->code[1], NULL, on_connected, pair);
}

static void
on_path (IcsLink *link, IcsPathInfo *path, gpointer user_data)
{
  LinkPair *pair = user_data;

  g_ptr_array_add (pair->paths[side_of (pair, link)], ics_path_info_ref (path));
}

static void
on_stream (IcsLink *link, IcsStream *stream, gpointer user_data)
{
  LinkPair *pair = user_data;

  g_queue_push_tail (&pair->streams[side_of (pair, link)], g_object_ref (stream));
}

static void
on_datagram (IcsLink *link, GBytes *payload, gpointer user_data)
{
  LinkPair *pair = user_data;

  g_queue_push_tail (&pair->datagrams[side_of (pair, link)], g_bytes_ref (payload));
}

static void
on_closed (IcsLink *link, GError *error, gpointer user_data)
{
  LinkPair *pair = user_data;
  guint side = side_of (pair, link);

  pair->closed[side] = TRUE;
  if (error != NULL && pair->error[side] == NULL)
    pair->error[side] = g_error_copy (error);
}

static void
on_record (IcsLink *link, const char *line, gpointer user_data)
{
  if (g_getenv ("ICS_TEST_VERBOSE") != NULL)
    g_printerr ("%c %s\n", side_of (user_data, link) ? 'J' : 'L', line);
}

void
link_pair_init (LinkPair *pair)
{
  memset (pair, 0, sizeof *pair);
  memory_channel_new_pair (&pair->channel[0], &pair->channel[1]);
  for (guint i = 0; i < 2; i++)
    {
      pair->link[i] = ics_link_new (NULL, "test/1");
      /* The router of the network that the tests run in is not to be asked for anything. */
      g_object_set (pair->link[i], "channel", pair->channel[i], "port-mapping", FALSE, NULL);
      pair->paths[i] = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_path_info_unref);
      g_signal_connect (pair->link[i], "path-changed", G_CALLBACK (on_path), pair);
      g_signal_connect (pair->link[i], "incoming-stream", G_CALLBACK (on_stream), pair);
      g_signal_connect (pair->link[i], "datagram", G_CALLBACK (on_datagram), pair);
      g_signal_connect (pair->link[i], "closed", G_CALLBACK (on_closed), pair);
      g_signal_connect (pair->link[i], "record", G_CALLBACK (on_record), pair);
    }
  g_signal_connect (pair->link[0], "code", G_CALLBACK (on_code), pair);
}

void
link_pair_start (LinkPair *pair, gboolean wrong)
{
  if (wrong)
    pair->code[1] = g_strdup ("1-wrong-words");
  ics_link_connect_async (pair->link[0], NULL, pair->cancellable, on_connected, pair);
}

static gboolean
on_limit (gpointer user_data)
{
  ((LinkPair *)user_data)->timed_out = TRUE;
  return G_SOURCE_CONTINUE;
}

void
link_pair_run (LinkPair *pair, gboolean (*done) (LinkPair *pair))
{
  guint limit = g_timeout_add_seconds (60, on_limit, pair);

  while (!done (pair) && !pair->timed_out)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (limit);
  ck_assert_msg (!pair->timed_out, "what the test waits for did not happen");
}

gboolean
link_pair_is_connected (LinkPair *pair)
{
  return pair->connected[0] && pair->connected[1];
}

gboolean
link_pair_is_over (LinkPair *pair)
{
  return pair->closed[0] && pair->closed[1];
}

IcsPathKind
link_pair_kind (LinkPair *pair, guint side)
{
  GPtrArray *paths = pair->paths[side];

  ck_assert_uint_gt (paths->len, 0);
  return ics_path_info_get_kind (g_ptr_array_index (paths, paths->len - 1));
}

gboolean
link_pair_is_direct (LinkPair *pair)
{
  return pair->paths[0]->len > 0 && pair->paths[1]->len > 0 && link_pair_kind (pair, 0) == ICS_PATH_DIRECT
         && link_pair_kind (pair, 1) == ICS_PATH_DIRECT;
}

static void
on_finished (GObject *source, GAsyncResult *result, gpointer user_data)
{
  LinkPair *pair = user_data;

  ck_assert (ics_link_close_finish (ICS_LINK (source), result, NULL));
  pair->finished[side_of (pair, source)] = TRUE;
}

static gboolean
both_finished (LinkPair *pair)
{
  return pair->finished[0] && pair->finished[1];
}

void
link_pair_close (LinkPair *pair, guint side, guint64 code, const char *reason)
{
  ics_link_close_async (pair->link[side], code, reason, NULL, on_finished, pair);
  link_pair_run (pair, link_pair_is_over);
  ics_link_close_async (pair->link[1 - side], 0, "", NULL, on_finished, pair);
  link_pair_run (pair, both_finished);
}

void
link_pair_clear (LinkPair *pair)
{
  for (guint i = 0; i < 2; i++)
    {
      g_queue_clear_full (&pair->streams[i], g_object_unref);
      g_queue_clear_full (&pair->datagrams[i], (GDestroyNotify)g_bytes_unref);
      g_ptr_array_unref (pair->paths[i]);
      g_object_unref (pair->link[i]);
      g_object_unref (pair->channel[i]);
      g_clear_error (&pair->error[i]);
      g_free (pair->code[i]);
    }
  while (g_main_context_iteration (NULL, FALSE))
    continue;
}
