/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lengths and numbers that stand in front of things on the wire, as bytes written out: in network order
 * on every processor. What base/wire.h writes is in test-wire, what follows RFCs in the tests of those
 * codecs. */
#include "cli/forward.h"
#include "cli/frame.h"
#include "path/channel-batch.h"
#include "session/control.h"
#include "signaling/rendezvous.h"
#include "tests/suite.h"
#include <string.h>

typedef gboolean (*WriteFunc) (GIOStream *stream, JsonObject *object, GCancellable *cancellable,
                               GError **error);
typedef JsonObject *(*ReadFunc) (GIOStream *stream, GCancellable *cancellable, GError **error);

/* Of more than 255 bytes, so that two of the length's bytes differ. */
static JsonObject *
make_object (void)
{
  JsonObject *object = cli_frame_new ("x");
  g_autofree char *text = g_strnfill (300, 'y');

  json_object_set_string_member (object, "z", text);
  return object;
}

/* {"type":"x","z":"yyy…"} has 319 bytes: 0x13f. */
static void
check_json (WriteFunc write, ReadFunc read, const char *head, gsize head_len)
{
  g_autoptr (GOutputStream) out = g_memory_output_stream_new_resizable ();
  g_autoptr (GInputStream) nothing = g_memory_input_stream_new ();
  g_autoptr (GIOStream) written = g_simple_io_stream_new (nothing, out);
  g_autoptr (GInputStream) in = NULL;
  g_autoptr (GIOStream) stream = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GError) error = NULL;

  ck_assert (write (written, make_object (), NULL, &error));
  ck_assert (g_output_stream_close (out, NULL, &error));
  bytes = g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (out));
  ck_assert_uint_eq (g_bytes_get_size (bytes), head_len - 1 + 319);
  ck_assert_mem_eq (g_bytes_get_data (bytes, NULL), head, head_len);
  in = g_memory_input_stream_new_from_bytes (bytes);
  stream = g_simple_io_stream_new (in, out);
  object = read (stream, NULL, &error);
  ck_assert (object != NULL);
  ck_assert_uint_eq (strlen (json_object_get_string_member (object, "z")), 300);
}

START_TEST (test_frame_of_a_verb) { check_json (cli_frame_write, cli_frame_read, "\x00\x00\x01\x3f{", 5); }
END_TEST

START_TEST (test_header_of_a_forward)
{
  check_json (cli_forward_header_write, cli_forward_header_read, "\x01\x3f{", 3);
}
END_TEST

START_TEST (test_credit)
{
  g_autoptr (GBytes) frame = ics_rv_credit_new (0x01020384);
  guint32 amount;

  ck_assert_uint_eq (g_bytes_get_size (frame), 5);
  ck_assert_mem_eq ((const guint8 *)g_bytes_get_data (frame, NULL) + 1, "\x01\x02\x03\x84", 4);
  ck_assert (ics_rv_credit_parse (frame, &amount));
  ck_assert_uint_eq (amount, 0x01020384);
}
END_TEST

START_TEST (test_control)
{
  g_autofree char *reason = g_strnfill (400, 'r');
  IcsControl bye = { .type = ICS_CONTROL_BYE, .a = reason }, read = { 0 };
  g_autoptr (GBytes) frame = ics_control_encode (&bye);
  IcsControlReader reader;
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);

  ck_assert_uint_gt (len, 2 + 256);
  ck_assert_uint_eq (data[0], (len - 2) / 256);
  ck_assert_uint_eq (data[1], (len - 2) % 256);
  ck_assert_uint_eq (data[2], '{');
  ics_control_reader_init (&reader);
  ics_control_reader_feed (&reader, data, len);
  ck_assert_int_eq (ics_control_reader_next (&reader, &read), ICS_CONTROL_MESSAGE);
  ck_assert_str_eq (read.a, reason);
  ics_control_clear (&read);
  ics_control_reader_clear (&reader);
}
END_TEST

START_TEST (test_batch)
{
  static const guint8 content[0x13f] = { 'q' };
  g_autoptr (GByteArray) batch = g_byte_array_new ();

  ics_batch_append (batch, content, sizeof content);
  ck_assert_uint_eq (batch->len, 2 + sizeof content);
  ck_assert_mem_eq (batch->data, "\x01\x3fq", 3);
}
END_TEST

int
main (void)
{
  const TTest *const tests[]
      = { test_frame_of_a_verb, test_header_of_a_forward, test_credit, test_control, test_batch, NULL };

  return run_suite ("byte-order", tests);
}
