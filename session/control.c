/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/control.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define HEADER 2
/* Of JSON: a message is one flat object; a later version may have a little more. */
#define NESTING_MAX 8

static const char *const type_names[]
    = { "relays", "ice", "candidate", "end", "over", "moved", "renew", "policy", "nat", "media", "bye" };
G_STATIC_ASSERT (G_N_ELEMENTS (type_names) == ICS_CONTROL_UNKNOWN);

static const char *const leg_names[] = { "turn", "direct", "tcp", "search" };
G_STATIC_ASSERT (G_N_ELEMENTS (leg_names) == ICS_N_LEGS);

static const char *const relays_names[] = { "none", "joiner", "listener", "both" };
static const char *const mapping_names[] = { "unknown", "independent", "dependent" };

const char *
ics_leg_to_string (IcsLeg leg)
{
  return leg_names[leg];
}

void
ics_control_clear (IcsControl *self)
{
  g_clear_pointer (&self->a, g_free);
  g_clear_pointer (&self->b, g_free);
  g_clear_pointer (&self->servers, g_strfreev);
}

static const char *
name_of_a (IcsControlType type)
{
  switch (type)
    {
    case ICS_CONTROL_ICE:
      return "ufrag";
    case ICS_CONTROL_CANDIDATE:
      return "candidate";
    case ICS_CONTROL_POLICY:
      return "policy";
    case ICS_CONTROL_MEDIA:
      return "profiles";
    case ICS_CONTROL_BYE:
      return "reason";
    case ICS_CONTROL_RELAYS:
    case ICS_CONTROL_END:
    case ICS_CONTROL_OVER:
    case ICS_CONTROL_MOVED:
    case ICS_CONTROL_RENEW:
    case ICS_CONTROL_NAT:
    case ICS_CONTROL_UNKNOWN:
      return NULL;
    }
  return NULL;
}

static gboolean
has_leg (IcsControlType type)
{
  return type == ICS_CONTROL_ICE || type == ICS_CONTROL_CANDIDATE || type == ICS_CONTROL_END
         || type == ICS_CONTROL_OVER;
}

static void
encode_servers (JsonObject *object, const IcsControl *self)
{
  JsonArray *servers = json_array_new ();

  for (guint i = 0; self->servers != NULL && self->servers[i] != NULL; i++)
    json_array_add_string_element (servers, self->servers[i]);
  json_object_set_array_member (object, "servers", servers);
  json_object_set_boolean_member (object, "plain", self->plain);
}

static void
encode_ice (JsonObject *object, const IcsControl *self)
{
  json_object_set_string_member (object, "pwd", self->b);
  if (self->leg == ICS_LEG_SEARCH)
    json_object_set_string_member (object, "opens", relays_names[self->relays]);
  if (self->leg != ICS_LEG_TURN)
    return;
  json_object_set_string_member (object, "relays", relays_names[self->relays]);
  json_object_set_int_member (object, "server", self->server);
}

static void
encode_nat (JsonObject *object, const IcsNatTraits *nat)
{
  json_object_set_string_member (object, "mapping", mapping_names[nat->mapping_varies]);
  json_object_set_string_member (object, "ports", ics_nat_ports_to_string (nat->ports));
  json_object_set_boolean_member (object, "search", nat->searches);
  json_object_set_string_member (object, "address", nat->address);
}

GBytes *
ics_control_encode (const IcsControl *self)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  g_autofree char *text = NULL;
  const char *name = name_of_a (self->type);
  GByteArray *frame = g_byte_array_new ();
  guint16 length;

  json_object_set_string_member (object, "type", type_names[self->type]);
  if (has_leg (self->type))
    {
      json_object_set_string_member (object, "leg", leg_names[self->leg]);
      json_object_set_int_member (object, "attempt", self->attempt);
    }
  if (name != NULL)
    json_object_set_string_member (object, name, self->a != NULL ? self->a : "");
  if (self->type == ICS_CONTROL_ICE)
    encode_ice (object, self);
  if (self->type == ICS_CONTROL_RELAYS)
    encode_servers (object, self);
  if (self->type == ICS_CONTROL_NAT)
    encode_nat (object, &self->nat);
  if (self->type == ICS_CONTROL_BYE)
    json_object_set_int_member (object, "code", (gint64)self->code);
  json_node_set_object (node, object);
  text = json_to_string (node, FALSE);
  length = g_htons ((guint16)MIN (strlen (text), ICS_CONTROL_MAX));
  g_byte_array_append (frame, (const guint8 *)&length, HEADER);
  g_byte_array_append (frame, (const guint8 *)text, (guint)strlen (text));
  return g_byte_array_free_to_bytes (frame);
}

static int
find_name (const char *const *names, guint n, const char *name)
{
  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (names[i], name) == 0)
      return (int)i;
  return -1;
}

static const char *
get_string (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}

static gboolean
get_number (JsonObject *object, const char *name, gint64 max, gint64 *value)
{
  JsonNode *node = json_object_get_member (object, name);

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;
  *value = json_node_get_int (node);
  return *value >= 0 && *value <= max;
}

static gboolean
decode_leg (JsonObject *object, IcsControl *self)
{
  int leg = find_name (leg_names, ICS_N_LEGS, get_string (object, "leg"));
  gint64 attempt;

  if (leg < 0 || !get_number (object, "attempt", G_MAXINT32, &attempt) || attempt == 0)
    return FALSE;
  self->leg = (IcsLeg)leg;
  self->attempt = (guint)attempt;
  return TRUE;
}

/* Exactly one of them opens. */
static gboolean
decode_opens (JsonObject *object, IcsControl *self)
{
  int opens = find_name (relays_names, G_N_ELEMENTS (relays_names), get_string (object, "opens"));

  if (opens != ICS_RELAYS_JOINER && opens != ICS_RELAYS_LISTENER)
    return FALSE;
  self->relays = (IcsRelays)opens;
  return TRUE;
}

static gboolean
decode_ice (JsonObject *object, IcsControl *self)
{
  int relays;
  gint64 server;

  self->b = g_strdup (get_string (object, "pwd"));
  if (self->b == NULL)
    return FALSE;
  if (self->leg == ICS_LEG_SEARCH)
    return decode_opens (object, self);
  if (self->leg != ICS_LEG_TURN)
    return TRUE;
  relays = find_name (relays_names, G_N_ELEMENTS (relays_names), get_string (object, "relays"));
  if (relays <= ICS_RELAYS_NONE || !get_number (object, "server", G_MAXUINT8, &server))
    return FALSE;
  self->relays = (IcsRelays)relays;
  self->server = (guint)server;
  return TRUE;
}

static gboolean
decode_servers (JsonObject *object, IcsControl *self)
{
  JsonNode *plain = json_object_get_member (object, "plain");
  JsonNode *servers = json_object_get_member (object, "servers");
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  JsonArray *array;

  if (plain == NULL || json_node_get_value_type (plain) != G_TYPE_BOOLEAN || servers == NULL
      || !JSON_NODE_HOLDS_ARRAY (servers))
    return FALSE;
  self->plain = json_node_get_boolean (plain);
  array = json_node_get_array (servers);
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *item = json_array_get_element (array, i);

      if (json_node_get_value_type (item) != G_TYPE_STRING)
        return FALSE;
      g_strv_builder_add (builder, json_node_get_string (item));
    }
  self->servers = g_strv_builder_end (builder);
  return TRUE;
}

static IcsNatPorts
find_ports (const char *name)
{
  for (IcsNatPorts ports = ICS_NAT_PORTS_UNKNOWN; ports <= ICS_NAT_PORTS_RANDOM; ports++)
    if (g_str_equal (ics_nat_ports_to_string (ports), name))
      return ports;
  return ICS_NAT_PORTS_UNKNOWN;
}

/* Words that a later version may have are as good as "unknown". */
static gboolean
decode_nat (JsonObject *object, IcsNatTraits *nat)
{
  const char *mapping = get_string (object, "mapping"), *ports = get_string (object, "ports"),
             *address = get_string (object, "address");
  JsonNode *search = json_object_get_member (object, "search");

  if (mapping == NULL || ports == NULL || address == NULL || strlen (address) >= sizeof nat->address
      || search == NULL || json_node_get_value_type (search) != G_TYPE_BOOLEAN)
    return FALSE;
  nat->mapping_varies = (IcsFact)MAX (find_name (mapping_names, G_N_ELEMENTS (mapping_names), mapping), 0);
  nat->ports = find_ports (ports);
  nat->searches = json_node_get_boolean (search);
  g_strlcpy (nat->address, address, sizeof nat->address);
  return TRUE;
}

static gboolean
decode_object (JsonObject *object, IcsControl *self)
{
  const char *type = get_string (object, "type");
  int known = find_name (type_names, G_N_ELEMENTS (type_names), type);
  const char *name;
  gint64 code = 0;

  if (type == NULL)
    return FALSE;
  self->type = known < 0 ? ICS_CONTROL_UNKNOWN : (IcsControlType)known;
  if (has_leg (self->type) && !decode_leg (object, self))
    return FALSE;
  if (self->type == ICS_CONTROL_BYE && !get_number (object, "code", G_MAXINT64, &code))
    return FALSE;
  self->code = (guint64)code;
  name = name_of_a (self->type);
  if (name != NULL && (self->a = g_strdup (get_string (object, name))) == NULL)
    return FALSE;
  if (self->type == ICS_CONTROL_RELAYS)
    return decode_servers (object, self);
  if (self->type == ICS_CONTROL_NAT)
    return decode_nat (object, &self->nat);
  return self->type != ICS_CONTROL_ICE || decode_ice (object, self);
}

/* The JSON parser recurses. Brackets within strings, a reason say, are text. */
static gboolean
nests_too_deep (const char *json, gsize len)
{
  gboolean in_string = FALSE;
  guint depth = 0;

  for (gsize i = 0; i < len && depth <= NESTING_MAX; i++)
    if (in_string && json[i] == '\\')
      i++;
    else if (json[i] == '"')
      in_string = !in_string;
    else if (!in_string && (json[i] == '[' || json[i] == '{'))
      depth++;
    else if (!in_string && (json[i] == ']' || json[i] == '}') && depth > 0)
      depth--;
  return depth > NESTING_MAX;
}

gboolean
ics_control_decode (const char *json, gsize len, IcsControl *self)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  memset (self, 0, sizeof *self);
  if (!g_utf8_validate (json, (gssize)len, NULL) || nests_too_deep (json, len)
      || !json_parser_load_from_data (parser, json, (gssize)len, NULL))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root) || !decode_object (json_node_get_object (root), self))
    {
      ics_control_clear (self);
      return FALSE;
    }
  return TRUE;
}

void
ics_control_reader_init (IcsControlReader *self)
{
  self->buffer = g_byte_array_new ();
}

void
ics_control_reader_clear (IcsControlReader *self)
{
  g_clear_pointer (&self->buffer, g_byte_array_unref);
}

void
ics_control_reader_feed (IcsControlReader *self, const guint8 *data, gsize len)
{
  g_byte_array_append (self->buffer, data, (guint)len);
}

IcsControlRead
ics_control_reader_next (IcsControlReader *self, IcsControl *message)
{
  gsize length;
  gboolean good;

  if (self->buffer->len < HEADER)
    return ICS_CONTROL_MORE;
  length = (gsize)(self->buffer->data[0] << 8 | self->buffer->data[1]);
  if (length == 0 || length > ICS_CONTROL_MAX)
    return ICS_CONTROL_MALFORMED;
  if (self->buffer->len < HEADER + length)
    return ICS_CONTROL_MORE;
  good = ics_control_decode ((const char *)self->buffer->data + HEADER, length, message);
  g_byte_array_remove_range (self->buffer, 0, (guint)(HEADER + length));
  return good ? ICS_CONTROL_MESSAGE : ICS_CONTROL_MALFORMED;
}
