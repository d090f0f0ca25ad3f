/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/link-exchange.h"

#include <check.h>
#include <string.h>

static int running; /* threads of the exchange under way */
static guint awaited;

static GBytes *
read_all (GIOStream *stream, gsize expected)
{
  g_autoptr (GByteArray) got = g_byte_array_new ();
  guint8 buf[16384];
  gssize n = 0;

  /* One byte too many is enough to know. */
  while (got->len <= expected
         && (n = g_input_stream_read (g_io_stream_get_input_stream (stream), buf, sizeof buf, NULL, NULL))
                > 0)
    g_byte_array_append (got, buf, (guint)n);
  if (n < 0)
    return NULL;
  return g_byte_array_free_to_bytes (g_steal_pointer (&got));
}

static gboolean
write_all (GIOStream *stream, GBytes *content)
{
  GOutputStream *out = g_io_stream_get_output_stream (stream);
  gsize len;
  gconstpointer data = g_bytes_get_data (content, &len);

  return g_output_stream_write_all (out, data, len, NULL, NULL, NULL)
         && g_output_stream_close (out, NULL, NULL);
}

typedef struct
{
  GIOStream *stream;
  GBytes *payload;
  gboolean echo;
} Half;

/* Non-NULL when all was as it should be. */
static gpointer
run_half (gpointer data)
{
  Half *half = data;
  gboolean written = half->echo || write_all (half->stream, half->payload);
  g_autoptr (GBytes) got = read_all (half->stream, g_bytes_get_size (half->payload));
  gboolean good = written && got != NULL && g_bytes_equal (got, half->payload);

  if (half->echo && got != NULL)
    good = write_all (half->stream, got) && good;
  g_atomic_int_add (&running, -1);
  g_main_context_wakeup (NULL);
  return GINT_TO_POINTER (good);
}

static gboolean
stream_arrived (LinkPair *pair)
{
  return !g_queue_is_empty (&pair->streams[awaited]);
}

static gboolean
halves_done (LinkPair *pair)
{
  return g_atomic_int_get (&running) == 0;
}

guint64
link_exchange (LinkPair *pair, guint from, GBytes *payload)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (IcsStream) stream = ics_link_open_stream (pair->link[from], &error);
  g_autoptr (IcsStream) other = NULL;
  Half halves[2] = { { G_IO_STREAM (stream), payload, FALSE }, { NULL, payload, TRUE } };
  GThread *threads[2];

  ck_assert_msg (stream != NULL, "no stream: %s", error != NULL ? error->message : "");
  running = 2;
  awaited = 1 - from;
  threads[0] = g_thread_new ("asks", run_half, &halves[0]);
  link_pair_run (pair, stream_arrived);
  other = g_queue_pop_head (&pair->streams[awaited]);
  halves[1].stream = G_IO_STREAM (other);
  threads[1] = g_thread_new ("echoes", run_half, &halves[1]);
  link_pair_run (pair, halves_done);
  for (guint i = 0; i < 2; i++)
    ck_assert_msg (g_thread_join (threads[i]) != NULL,
                   "the stream ended or its bytes are not those that were sent (%u)", i);
  ck_assert (g_queue_is_empty (&pair->streams[0]));
  ck_assert (g_queue_is_empty (&pair->streams[1]));
  return ics_stream_get_received (stream, ICS_PATH_CHANNEL);
}

void
check_says (const GError *error, IcsError code, const char *word)
{
  ck_assert_msg (error != NULL, "no error where one is due");
  ck_assert_msg (g_error_matches (error, ICS_ERROR, (gint)code), "%s: %s",
                 ics_error_to_string ((IcsError)error->code), error->message);
  ck_assert_msg (strstr (error->message, word) != NULL && strchr (error->message, ' ') != NULL
                     && strlen (error->message) >= 20 && g_utf8_validate (error->message, -1, NULL),
                 "this does not say what happened: %s", error->message);
}
