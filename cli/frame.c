/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/frame.h"
#include "base/ics-error.h"
#include <string.h>

/* json-glib 1.6 parses recursively without a limit of its own; a bomb of brackets would overflow the stack.
 */
static gboolean
nests_too_deep (const char *text, gsize length)
{
  guint depth = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < length; i++)
    {
      if (in_string && text[i] == '\\')
        i++;
      else if (text[i] == '"')
        in_string = !in_string;
      else if (!in_string && (text[i] == '{' || text[i] == '['))
        depth++;
      else if (!in_string && (text[i] == '}' || text[i] == ']'))
        depth -= MIN (depth, 1);
      if (depth > CLI_FRAME_DEPTH_MAX)
        return TRUE;
    }
  return FALSE;
}

JsonObject *
cli_json_parse (const char *text, gsize length)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  if (memchr (text, '\0', length) != NULL || nests_too_deep (text, length)
      || !json_parser_load_from_data (parser, text, (gssize)length, NULL))
    return NULL;
  root = json_parser_get_root (parser);
  return root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_dup_object (root) : NULL;
}

char *
cli_json_serialize (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);

  json_node_set_object (node, object);
  return json_to_string (node, FALSE);
}

static JsonNode *
find_value (JsonObject *object, const char *name, GType type)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == type ? node
                                                                                                 : NULL;
}

const char *
cli_json_string (JsonObject *object, const char *name)
{
  JsonNode *node = find_value (object, name, G_TYPE_STRING);

  return node != NULL ? json_node_get_string (node) : NULL;
}

gboolean
cli_json_int (JsonObject *object, const char *name, gint64 min, gint64 max, gint64 *value)
{
  JsonNode *node = find_value (object, name, G_TYPE_INT64);

  if (node == NULL || json_node_get_int (node) < min || json_node_get_int (node) > max)
    return FALSE;
  *value = json_node_get_int (node);
  return TRUE;
}

gboolean
cli_json_bool (JsonObject *object, const char *name)
{
  JsonNode *node = find_value (object, name, G_TYPE_BOOLEAN);

  return node != NULL && json_node_get_boolean (node);
}

JsonArray *
cli_json_array (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;
}

JsonObject *
cli_frame_new (const char *type)
{
  JsonObject *frame = json_object_new ();

  json_object_set_string_member (frame, "type", type);
  return frame;
}

gboolean
cli_frame_write (GIOStream *stream, JsonObject *frame, GCancellable *cancellable, GError **error)
{
  g_autofree char *text = cli_json_serialize (frame);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  gsize length = strlen (text);
  guint32 prefix = GUINT32_TO_BE ((guint32)length);

  json_object_unref (frame);
  g_return_val_if_fail (length <= CLI_FRAME_MAX, FALSE);
  g_byte_array_append (bytes, (const guint8 *)&prefix, sizeof prefix);
  g_byte_array_append (bytes, (const guint8 *)text, (guint)length);
  return cli_peer_write_all (g_io_stream_get_output_stream (stream), bytes->data, bytes->len, cancellable,
                             error);
}

JsonObject *
cli_frame_read (GIOStream *stream, GCancellable *cancellable, GError **error)
{
  GInputStream *in = g_io_stream_get_input_stream (stream);
  g_autofree char *text = NULL;
  JsonObject *frame = NULL;
  guint32 length;

  if (!cli_peer_read_all (in, &length, sizeof length, cancellable, error))
    return NULL;
  length = GUINT32_FROM_BE (length);
  if (length <= CLI_FRAME_MAX)
    {
      text = g_malloc (length + 1);
      if (!cli_peer_read_all (in, text, length, cancellable, error))
        return NULL;
      frame = cli_json_parse (text, length);
    }
  if (frame == NULL || cli_json_string (frame, "type") == NULL)
    {
      g_clear_pointer (&frame, json_object_unref);
      g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL,
                   "the other side sent a control message that cannot be read");
    }
  return frame;
}

static void
set_refused (JsonObject *frame, GError **error)
{
  const char *reason = cli_json_string (frame, "reason");
  gboolean integrity = g_strcmp0 (cli_json_string (frame, "code"), "integrity") == 0;

  g_set_error (error, ICS_ERROR, integrity ? ICS_ERROR_INTEGRITY : ICS_ERROR_REFUSED,
               "the other side gave up: %s", reason != NULL ? reason : "no reason given");
}

JsonObject *
cli_frame_expect (GIOStream *stream, const char *type, GCancellable *cancellable, GError **error)
{
  g_autoptr (JsonObject) frame = cli_frame_read (stream, cancellable, error);
  const char *got = frame != NULL ? cli_json_string (frame, "type") : NULL;

  if (frame == NULL || strcmp (got, type) == 0)
    return g_steal_pointer (&frame);
  if (strcmp (got, "abort") == 0)
    set_refused (frame, error);
  else
    g_set_error (error, ICS_ERROR, ICS_ERROR_PROTOCOL, "the other side sent \"%.40s\" where \"%s\" was due",
                 got, type);
  return NULL;
}
