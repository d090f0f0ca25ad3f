/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/ics-link-private.h"

/* What can be set of a link and read from it. */

typedef enum
{
  PROP_SERVER_URI = 1,
  PROP_CHANNEL,
  PROP_NAMEPLATE,
  PROP_APPLICATION,
  PROP_POLICY,
  PROP_FAMILY,
  PROP_TURN_URIS,
  PROP_SERVER_TURN,
  PROP_PORT_MAPPING,
  PROP_TURN_CA_FILE,
  PROP_PORT_SEARCH,
  PROP_TIMEOUT_MS,
  PROP_HANDSHAKE_TIMEOUT_MS,
  PROP_CODE,
  PROP_FINGERPRINT,
  PROP_PEER_FINGERPRINT,
  PROP_PATH,
  PROP_WHY_NOT_DIRECT,
  N_PROPS
} Property;

static GParamSpec *props[N_PROPS];

static void
ics_link_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  g_return_if_fail (self->thread == NULL || id == PROP_POLICY);
  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_free (self->server_uri);
      self->server_uri = g_value_dup_string (value);
      break;
    case PROP_CHANNEL:
      g_clear_object (&self->channel);
      self->channel = g_value_dup_object (value);
      break;
    case PROP_NAMEPLATE:
      g_free (self->nameplate);
      self->nameplate = g_value_dup_string (value);
      break;
    case PROP_APPLICATION:
      g_free (self->application);
      self->application = g_value_dup_string (value);
      break;
    case PROP_POLICY:
      ics_link_set_policy (self, (IcsPathPolicy)g_value_get_enum (value));
      break;
    case PROP_FAMILY:
      self->family = g_value_get_int (value);
      break;
    case PROP_TURN_URIS:
      g_strfreev (self->turn_uris);
      self->turn_uris = g_value_dup_boxed (value);
      break;
    case PROP_SERVER_TURN:
      self->no_server_turn = !g_value_get_boolean (value);
      break;
    case PROP_PORT_MAPPING:
      self->no_port_mapping = !g_value_get_boolean (value);
      break;
    case PROP_TURN_CA_FILE:
      g_free (self->turn_ca_file);
      self->turn_ca_file = g_value_dup_string (value);
      break;
    case PROP_PORT_SEARCH:
      self->no_port_search = !g_value_get_boolean (value);
      break;
    case PROP_TIMEOUT_MS:
      self->timeout_ms = g_value_get_uint (value);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      self->handshake_timeout_ms = g_value_get_uint (value);
      break;
    case PROP_CODE:
    case PROP_FINGERPRINT:
    case PROP_PEER_FINGERPRINT:
    case PROP_PATH:
    case PROP_WHY_NOT_DIRECT:
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

static void
ics_link_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  IcsLink *self = ICS_LINK (object);

  switch ((Property)id)
    {
    case PROP_SERVER_URI:
      g_value_set_string (value, self->server_uri);
      break;
    case PROP_CHANNEL:
      g_value_set_object (value, self->channel);
      break;
    case PROP_NAMEPLATE:
      g_value_set_string (value, self->nameplate);
      break;
    case PROP_APPLICATION:
      g_value_set_string (value, self->application);
      break;
    case PROP_POLICY:
      g_value_set_enum (value, (gint)self->policy);
      break;
    case PROP_FAMILY:
      g_value_set_int (value, self->family);
      break;
    case PROP_TURN_URIS:
      g_value_set_boxed (value, self->turn_uris);
      break;
    case PROP_SERVER_TURN:
      g_value_set_boolean (value, !self->no_server_turn);
      break;
    case PROP_PORT_MAPPING:
      g_value_set_boolean (value, !self->no_port_mapping);
      break;
    case PROP_TURN_CA_FILE:
      g_value_set_string (value, self->turn_ca_file);
      break;
    case PROP_PORT_SEARCH:
      g_value_set_boolean (value, !self->no_port_search);
      break;
    case PROP_TIMEOUT_MS:
      g_value_set_uint (value, self->timeout_ms);
      break;
    case PROP_HANDSHAKE_TIMEOUT_MS:
      g_value_set_uint (value, self->handshake_timeout_ms);
      break;
    case PROP_CODE:
      g_value_set_string (value, self->code);
      break;
    case PROP_FINGERPRINT:
      g_value_set_string (value, self->fingerprint);
      break;
    case PROP_PEER_FINGERPRINT:
      g_value_set_string (value, self->peer_fingerprint);
      break;
    case PROP_PATH:
      g_value_set_boxed (value, self->path);
      break;
    case PROP_WHY_NOT_DIRECT:
      g_value_set_string (value, self->why_not_direct);
      break;
    case N_PROPS:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
    }
}

#define SETTABLE ((GParamFlags)(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS))

static void
install_meeting (void)
{
  /**
   * IcsLink:server-uri:
   *
   * The rendezvous server, "wss://rv.example.org"; %NULL if the application brings its own channel.
   *
   * Since: 0.1
   */
  props[PROP_SERVER_URI] = g_param_spec_string ("server-uri", NULL, NULL, NULL, SETTABLE);

  /**
   * IcsLink:channel:
   *
   * The application's own channel instead of the server's. It is used on the link's main context only. There
   * are no servers then to find addresses by, or to relay, but those of [property@Link:turn-uris].
   * When all of the link is released, it lets go of the channel.
   *
   * Since: 0.1
   */
  props[PROP_CHANNEL] = g_param_spec_object ("channel", NULL, NULL, ICS_TYPE_CHANNEL, SETTABLE);

  /**
   * IcsLink:nameplate:
   *
   * The number of the code that is made, with an own channel and on the host that listens: up to six digits,
   * not 0 in front; %NULL = "1". It has no meaning but the application's, which may name by it where its two
   * channels meet; [func@code_get_nameplate] tells the joiner. The rendezvous server gives its own.
   *
   * Since: 0.1
   */
  props[PROP_NAMEPLATE] = g_param_spec_string ("nameplate", NULL, NULL, NULL, SETTABLE);

  /**
   * IcsLink:application:
   *
   * What runs over the link, "file/1". Both sides must name the same, else it ends with
   * %ICS_ERROR_REFUSED.
   *
   * Since: 0.1
   */
  props[PROP_APPLICATION] = g_param_spec_string ("application", NULL, NULL, NULL, SETTABLE);
}

static void
install_paths (void)
{
  /**
   * IcsLink:policy:
   *
   * Which paths application data may take. Both hosts keep to both policies. May be set at any time.
   *
   * Since: 0.1
   */
  props[PROP_POLICY] = g_param_spec_enum ("policy", NULL, NULL, ICS_TYPE_PATH_POLICY, ICS_PATH_POLICY_AUTO,
                                          SETTABLE | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * IcsLink:family:
   *
   * The address family to use: 4 or 6; 0 = both.
   *
   * Since: 0.1
   */
  props[PROP_FAMILY] = g_param_spec_int ("family", NULL, NULL, 0, 6, 0, SETTABLE);

  /**
   * IcsLink:turn-uris:
   *
   * TURN servers besides those that the rendezvous server names, with credentials:
   * "turn:USER:PASSWORD@HOST", "turns:USER:PASSWORD@HOST" (RFC 7065 with credentials in front); and STUN
   * servers, "stun:HOST" (RFC 7064). With anything else [method@Link.connect_async] fails with
   * %ICS_ERROR_INVALID_ARGUMENT.
   *
   * Since: 0.1
   */
  props[PROP_TURN_URIS] = g_param_spec_boxed ("turn-uris", NULL, NULL, G_TYPE_STRV, SETTABLE);

  /**
   * IcsLink:server-turn:
   *
   * Whether to use the TURN servers that the rendezvous server names.
   *
   * Since: 0.1
   */
  props[PROP_SERVER_TURN] = g_param_spec_boolean ("server-turn", NULL, NULL, TRUE, SETTABLE);

  /**
   * IcsLink:port-mapping:
   *
   * Whether to ask this host's gateway for port mappings (PCP, RFC 6887; NAT-PMP, RFC 6886; UPnP), for
   * direct paths that would not be possible otherwise.
   *
   * Since: 0.1
   */
  props[PROP_PORT_MAPPING] = g_param_spec_boolean ("port-mapping", NULL, NULL, TRUE, SETTABLE);

  /**
   * IcsLink:turn-ca-file:
   *
   * A file of certificates (PEM) of authorities that are trusted for TURN over TLS besides the system's.
   *
   * Since: 0.1
   */
  props[PROP_TURN_CA_FILE] = g_param_spec_string ("turn-ca-file", NULL, NULL, NULL, SETTABLE);

  /**
   * IcsLink:port-search:
   *
   * Whether to look for a way through a NAT that maps anew for each destination: that takes up to 1,024
   * small packets of one of the hosts and 256 sockets of the other. It is never done on a network that
   * the system calls metered.
   *
   * Since: 0.1
   */
  props[PROP_PORT_SEARCH] = g_param_spec_boolean ("port-search", NULL, NULL, TRUE, SETTABLE);
}

static void
install_limits (void)
{
  /**
   * IcsLink:timeout-ms:
   *
   * The limit in milliseconds for the peer to come, and for a life without any path; 0 = the defaults:
   * no limit for the peer to come, 600 s without a path.
   *
   * Since: 0.1
   */
  props[PROP_TIMEOUT_MS] = g_param_spec_uint ("timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, SETTABLE);

  /**
   * IcsLink:handshake-timeout-ms:
   *
   * The limit in milliseconds for pairing and handshake, from when the peer is there; 0 = 30 s.
   *
   * Since: 0.1
   */
  props[PROP_HANDSHAKE_TIMEOUT_MS]
      = g_param_spec_uint ("handshake-timeout-ms", NULL, NULL, 0, G_MAXUINT, 0, SETTABLE);
}

static void
install_readable (void)
{
  const GParamFlags readable = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  /**
   * IcsLink:code:
   *
   * The code that this host was given, for the other host; %NULL before there is one, and on the host
   * that joins.
   *
   * Since: 0.1
   */
  props[PROP_CODE] = g_param_spec_string ("code", NULL, NULL, NULL, readable);

  /**
   * IcsLink:fingerprint:
   *
   * Who this host is to the peer: the SHA-256 of its certificate in 64 hexadecimal digits; %NULL before the
   * link is connected.
   *
   * Since: 0.1
   */
  props[PROP_FINGERPRINT] = g_param_spec_string ("fingerprint", NULL, NULL, NULL, readable);

  /**
   * IcsLink:peer-fingerprint:
   *
   * Who the peer is: the SHA-256 of its certificate in 64 hexadecimal digits; %NULL before the link is
   * connected.
   *
   * Since: 0.1
   */
  props[PROP_PEER_FINGERPRINT] = g_param_spec_string ("peer-fingerprint", NULL, NULL, NULL, readable);

  /**
   * IcsLink:path:
   *
   * The path that the traffic this host sends is on; %NULL before the link is connected.
   *
   * Since: 0.1
   */
  props[PROP_PATH] = g_param_spec_boxed ("path", NULL, NULL, ICS_TYPE_PATH_INFO, readable);

  /**
   * IcsLink:why-not-direct:
   *
   * Why the traffic goes through a relay, and what would help, in people's words; %NULL while there is
   * nothing to say.
   *
   * Since: 0.1
   */
  props[PROP_WHY_NOT_DIRECT] = g_param_spec_string ("why-not-direct", NULL, NULL, NULL, readable);
}

void
ics_link_install_properties (GObjectClass *klass)
{
  klass->set_property = ics_link_set_property;
  klass->get_property = ics_link_get_property;
  install_meeting ();
  install_paths ();
  install_limits ();
  install_readable ();
  g_object_class_install_properties (klass, N_PROPS, props);
}
