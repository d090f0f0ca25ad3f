/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server binds, on a host with IPv6 and on one without. */
#include "signaling/server.h"
#include "tests/suite.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A kernel without IPv6 knows no such family. GIO calls this in place of the C library's. */
static gboolean without_ipv6;

__attribute__ ((visibility ("default"))) int
socket (int domain, int type, int protocol)
{
  if (domain != AF_INET6 || !without_ipv6)
    return (int)syscall (SYS_socket, domain, type, protocol);
  errno = EAFNOSUPPORT;
  return -1;
}

static IcsRvServer *
new_server (void)
{
  IcsRvServerConfig config = { 0 };

  return ics_rv_server_new (&config);
}

static GSocketAddress *
listen_on (IcsRvServer *server, const char *literal, guint16 port, GError **error)
{
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new_from_string (literal, port);

  return ics_rv_server_listen (server, address, error);
}

static guint16
port_of (GSocketAddress *address)
{
  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (address));
}

/* The kernel takes the connection, whether or not somebody has accepted it. */
static gboolean
answers (const char *literal, guint16 port)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketConnection) connection
      = g_socket_client_connect_to_host (client, literal, port, NULL, NULL);

  return connection != NULL;
}

START_TEST (wildcard_takes_both_families)
{
  g_autoptr (IcsRvServer) server = new_server ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) bound = listen_on (server, "::", 0, &error);

  ck_assert_msg (bound != NULL, "%s", error != NULL ? error->message : "");
  ck_assert_uint_ne (port_of (bound), 0);
  ck_assert (answers ("127.0.0.1", port_of (bound)));
  if (g_socket_address_get_family (bound) == G_SOCKET_FAMILY_IPV6)
    ck_assert (answers ("::1", port_of (bound)));
}
END_TEST

START_TEST (wildcard_is_ipv4_where_there_is_no_ipv6)
{
  g_autoptr (IcsRvServer) server = new_server ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) bound = NULL;
  g_autofree char *text = NULL;

  without_ipv6 = TRUE;
  bound = listen_on (server, "::", 0, &error);
  ck_assert_msg (bound != NULL, "%s", error != NULL ? error->message : "");
  text = g_socket_connectable_to_string (G_SOCKET_CONNECTABLE (bound));
  ck_assert_msg (g_str_has_prefix (text, "0.0.0.0:"), "%s", text);
  ck_assert (answers ("127.0.0.1", port_of (bound)));
}
END_TEST

START_TEST (one_ipv6_address_has_no_substitute)
{
  g_autoptr (IcsRvServer) server = new_server ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) bound = NULL;

  without_ipv6 = TRUE;
  bound = listen_on (server, "::1", 0, &error);
  ck_assert_ptr_null (bound);
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED));
}
END_TEST

START_TEST (taken_port_is_an_error)
{
  g_autoptr (IcsRvServer) server = new_server ();
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketAddress) bound = listen_on (server, "::", 0, NULL);
  g_autoptr (GSocketAddress) again = listen_on (server, "::", port_of (bound), &error);

  ck_assert_ptr_null (again);
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE));
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { wildcard_takes_both_families, wildcard_is_ipv4_where_there_is_no_ipv6,
                                 one_ipv6_address_has_no_substitute, taken_port_is_an_error, NULL };

  return run_suite ("listen", tests);
}
