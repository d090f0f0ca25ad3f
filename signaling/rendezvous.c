/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/rendezvous.h"
#include <json-glib/json-glib.h>
#include <sodium.h>
#include <string.h>

#define NESTING_MAX 8
#define TURN_MAX 16
#define TEXT_FIELD_MAX 512

enum
{
  F_NAMEPLATE = 1 << 0,
  F_PLACE = 1 << 1, /* room, member, secret */
  F_JOINED = 1 << 2,
  F_WELCOME = 1 << 3, /* grace, window, peer */
  F_TURN = 1 << 4,
  F_STATE = 1 << 5,
  F_CODE = 1 << 6
};

static const struct
{
  IcsRvType type;
  const char *name;
  gboolean from_server;
  guint fields;
} kinds[] = {
  { ICS_RV_ALLOCATE, "allocate", FALSE, 0 },
  { ICS_RV_JOIN, "join", FALSE, F_NAMEPLATE },
  { ICS_RV_RESUME, "resume", FALSE, F_NAMEPLATE | F_PLACE | F_JOINED },
  { ICS_RV_LEAVE, "leave", FALSE, 0 },
  { ICS_RV_TURN_REQUEST, "turn", FALSE, 0 },
  { ICS_RV_ALLOCATED, "allocated", TRUE, F_NAMEPLATE | F_PLACE | F_WELCOME | F_TURN },
  { ICS_RV_JOINED, "joined", TRUE, F_NAMEPLATE | F_PLACE | F_WELCOME | F_TURN },
  { ICS_RV_RESUMED, "resumed", TRUE, F_NAMEPLATE | F_PLACE | F_WELCOME | F_TURN },
  { ICS_RV_TURN, "turn", TRUE, F_TURN },
  { ICS_RV_PEER, "peer", TRUE, F_STATE },
  { ICS_RV_ERROR, "error", TRUE, F_CODE },
};

static const char *const peer_names[] = { "absent", "present", "lost", "gone" };
static const char *const error_names[]
    = { "no-room",           "gone",    "nameplate-taken", "too-many-rooms",
        "too-many-attempts", "expired", "bad-request",     "other" };

void
ics_rv_message_clear (IcsRvMessage *self)
{
  g_clear_pointer (&self->text, g_free);
  g_clear_pointer (&self->turn, g_ptr_array_unref);
  sodium_memzero (self, sizeof *self);
}

const char *
ics_rv_error_to_string (IcsRvError error)
{
  return error_names[error];
}

/* Encoding */

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
add_id (JsonBuilder *builder, const char *name, const guint8 *id)
{
  char hex[2 * ICS_RV_ID_SIZE + 1];

  sodium_bin2hex (hex, sizeof hex, id, ICS_RV_ID_SIZE);
  add_string (builder, name, hex);
  sodium_memzero (hex, sizeof hex);
}

static void
add_turn_server (JsonBuilder *builder, const IcsTurnServer *server, gint64 now_unix)
{
  g_autofree char *uri = ics_turn_server_to_uri (server);

  json_builder_begin_object (builder);
  add_string (builder, "uri", uri);
  if (server->username != NULL && server->password != NULL)
    {
      add_string (builder, "username", server->username);
      add_string (builder, "password", server->password);
    }
  if (server->expires_unix != 0)
    add_int (builder, "ttl", MAX (0, server->expires_unix - now_unix));
  json_builder_end_object (builder);
}

static void
add_turn (JsonBuilder *builder, const IcsRvMessage *message, gint64 now_unix)
{
  json_builder_set_member_name (builder, "turn");
  json_builder_begin_array (builder);
  for (guint i = 0; message->turn != NULL && i < MIN (message->turn->len, TURN_MAX); i++)
    add_turn_server (builder, g_ptr_array_index (message->turn, i), now_unix);
  json_builder_end_array (builder);
}

static void
add_fields (JsonBuilder *builder, guint fields, const IcsRvMessage *message)
{
  if (fields & F_NAMEPLATE)
    add_int (builder, "nameplate", message->nameplate);
  if (fields & F_PLACE)
    {
      add_id (builder, "room", message->room);
      add_int (builder, "member", message->member);
      add_id (builder, "secret", message->secret);
    }
  if (fields & F_JOINED)
    {
      json_builder_set_member_name (builder, "joined");
      json_builder_add_boolean_value (builder, message->joined);
    }
  if (fields & F_WELCOME)
    {
      add_int (builder, "grace", message->grace_ms);
      add_int (builder, "window", message->window);
      add_string (builder, "peer", peer_names[message->peer]);
    }
  if (fields & F_STATE)
    {
      add_string (builder, "state", peer_names[message->peer]);
      if (message->text != NULL)
        add_string (builder, "reason", message->text);
    }
  if (fields & F_CODE)
    {
      add_string (builder, "code", error_names[message->error]);
      add_string (builder, "message", message->text != NULL ? message->text : "");
    }
}

char *
ics_rv_encode (const IcsRvMessage *message, gint64 now_unix)
{
  g_autoptr (JsonBuilder) builder = json_builder_new_immutable ();
  g_autoptr (JsonNode) root = NULL;
  guint i = 0;

  while (kinds[i].type != message->type)
    i++;
  json_builder_begin_object (builder);
  add_string (builder, "type", kinds[i].name);
  add_fields (builder, kinds[i].fields, message);
  if (kinds[i].fields & F_TURN)
    add_turn (builder, message, now_unix);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  return json_to_string (root, FALSE);
}

/* Decoding */

static const char *
get_string (JsonObject *object, const char *name, gsize max)
{
  JsonNode *node = json_object_get_member (object, name);
  const char *value;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
    return NULL;
  value = json_node_get_string (node);
  return strlen (value) <= max ? value : NULL;
}

static gboolean
get_uint (JsonObject *object, const char *name, guint max, guint *value)
{
  JsonNode *node = json_object_get_member (object, name);
  gint64 wide;

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  wide = json_node_get_int (node);
  if (wide < 0 || wide > max)
    return FALSE;
  *value = (guint)wide;
  return TRUE;
}

static gboolean
get_boolean (JsonObject *object, const char *name, gboolean *value)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || !JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_BOOLEAN)
    return FALSE;
  *value = json_node_get_boolean (node);
  return TRUE;
}

static gboolean
get_id (JsonObject *object, const char *name, guint8 *id)
{
  const char *hex = get_string (object, name, 2 * ICS_RV_ID_SIZE);
  gsize len = 0;

  return hex != NULL && strlen (hex) == 2 * ICS_RV_ID_SIZE
         && sodium_hex2bin (id, ICS_RV_ID_SIZE, hex, 2 * ICS_RV_ID_SIZE, NULL, &len, NULL) == 0
         && len == ICS_RV_ID_SIZE;
}

static gboolean
get_name (JsonObject *object, const char *member, const char *const *names, guint n_names, guint *value)
{
  const char *name = get_string (object, member, 64);

  for (guint i = 0; name != NULL && i < n_names; i++)
    if (g_str_equal (name, names[i]))
      {
        *value = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
get_peer (JsonObject *object, const char *member, IcsRvPeer *peer)
{
  guint value;

  if (!get_name (object, member, peer_names, G_N_ELEMENTS (peer_names), &value))
    return FALSE;
  *peer = (IcsRvPeer)value;
  return TRUE;
}

/* A server that does not parse is left out: a newer server may know schemes that this client does not. */
static void
take_turn_server (GPtrArray *turn, JsonObject *object, gint64 now_unix)
{
  const char *uri = get_string (object, "uri", TEXT_FIELD_MAX);
  const char *username = get_string (object, "username", TEXT_FIELD_MAX);
  const char *password = get_string (object, "password", TEXT_FIELD_MAX);
  g_autoptr (IcsTurnServer) server = uri != NULL ? ics_turn_server_parse (uri, NULL) : NULL;
  guint ttl;

  if (server == NULL)
    return;
  if (username != NULL && password != NULL)
    {
      g_free (server->username);
      server->username = g_strdup (username);
      g_free (server->password);
      server->password = g_strdup (password);
    }
  if (get_uint (object, "ttl", G_MAXINT32, &ttl))
    server->expires_unix = now_unix + ttl;
  g_ptr_array_add (turn, g_steal_pointer (&server));
}

static gboolean
get_turn (JsonObject *object, gint64 now_unix, IcsRvMessage *message)
{
  JsonNode *node = json_object_get_member (object, "turn");
  JsonArray *array;

  if (node == NULL || !JSON_NODE_HOLDS_ARRAY (node))
    return FALSE;
  array = json_node_get_array (node);
  message->turn = g_ptr_array_new_with_free_func ((GDestroyNotify)ics_turn_server_free);
  for (guint i = 0; i < MIN (json_array_get_length (array), TURN_MAX); i++)
    {
      JsonNode *element = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_OBJECT (element))
        take_turn_server (message->turn, json_node_get_object (element), now_unix);
    }
  return TRUE;
}

static gboolean
get_error (JsonObject *object, IcsRvMessage *message)
{
  guint value;

  if (get_string (object, "code", 64) == NULL)
    return FALSE;
  message->error = get_name (object, "code", error_names, G_N_ELEMENTS (error_names), &value)
                       ? (IcsRvError)value
                       : ICS_RV_ERROR_OTHER;
  message->text = g_strdup (get_string (object, "message", TEXT_FIELD_MAX));
  return TRUE;
}

static gboolean
get_fields (JsonObject *object, guint fields, IcsRvMessage *message)
{
  if ((fields & F_NAMEPLATE) && !get_uint (object, "nameplate", ICS_RV_NAMEPLATE_MAX, &message->nameplate))
    return FALSE;
  if ((fields & F_PLACE)
      && (!get_id (object, "room", message->room) || !get_uint (object, "member", 1, &message->member)
          || !get_id (object, "secret", message->secret)))
    return FALSE;
  if ((fields & F_JOINED) && !get_boolean (object, "joined", &message->joined))
    return FALSE;
  if ((fields & F_WELCOME)
      && (!get_uint (object, "grace", G_MAXINT32, &message->grace_ms)
          || !get_uint (object, "window", ICS_RV_WINDOW_MAX, &message->window)
          || !get_peer (object, "peer", &message->peer)))
    return FALSE;
  if (fields & F_STATE)
    {
      if (!get_peer (object, "state", &message->peer))
        return FALSE;
      message->text = g_strdup (get_string (object, "reason", TEXT_FIELD_MAX));
    }
  return !(fields & F_CODE) || get_error (object, message);
}

/* The JSON parser recurses; brackets inside strings count too, which does no harm with such short messages.
 */
static gboolean
nests_too_deep (const char *text, gsize len)
{
  guint depth = 0;

  for (gsize i = 0; i < len; i++)
    {
      if (text[i] == '[' || text[i] == '{')
        depth++;
      else if ((text[i] == ']' || text[i] == '}') && depth > 0)
        depth--;
      if (depth > NESTING_MAX)
        return TRUE;
    }
  return FALSE;
}

static gboolean
decode_object (JsonObject *object, gboolean from_server, gint64 now_unix, IcsRvMessage *message)
{
  const char *type = get_string (object, "type", 64);

  for (guint i = 0; type != NULL && i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].from_server == from_server && g_str_equal (type, kinds[i].name))
      {
        message->type = kinds[i].type;
        return get_fields (object, kinds[i].fields, message)
               && (!(kinds[i].fields & F_TURN) || get_turn (object, now_unix, message));
      }
  return FALSE;
}

gboolean
ics_rv_decode (const char *text, gsize len, gboolean from_server, gint64 now_unix, IcsRvMessage *message)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  memset (message, 0, sizeof *message);
  if (len > (from_server ? ICS_RV_TEXT_MAX : ICS_RV_REQUEST_MAX) || nests_too_deep (text, len)
      || !json_parser_load_from_data (parser, text, (gssize)len, NULL))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root)
      && decode_object (json_node_get_object (root), from_server, now_unix, message))
    return TRUE;
  ics_rv_message_clear (message);
  return FALSE;
}

/* Binary frames */

GBytes *
ics_rv_frame_new (guint8 type, gconstpointer payload, gsize len)
{
  guint8 *frame = g_malloc (1 + len);

  frame[0] = type;
  if (len > 0)
    memcpy (frame + 1, payload, len);
  return g_bytes_new_take (frame, 1 + len);
}

GBytes *
ics_rv_credit_new (guint32 amount)
{
  guint32 wire = GUINT32_TO_BE (amount);

  return ics_rv_frame_new (ICS_RV_FRAME_CREDIT, &wire, sizeof wire);
}

gboolean
ics_rv_credit_parse (GBytes *frame, guint32 *amount)
{
  gsize len;
  const guint8 *data = g_bytes_get_data (frame, &len);
  guint32 wire;

  if (len != 1 + sizeof wire || data[0] != ICS_RV_FRAME_CREDIT)
    return FALSE;
  memcpy (&wire, data + 1, sizeof wire);
  *amount = GUINT32_FROM_BE (wire);
  return TRUE;
}

gsize
ics_rv_frame_cost (GBytes *frame)
{
  return g_bytes_get_size (frame) + ICS_RV_FRAME_OVERHEAD;
}
