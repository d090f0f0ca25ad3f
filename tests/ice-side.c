/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* unshare() */
#include "tests/ice-side.h"
#include "agent/local-addresses.h"
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

IcsTraversalNew side_make = ics_ice_attempt_new;
const char *side_transport = "udp";

gboolean
side_on_safety (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
on_closed (gpointer data)
{
  *(gboolean *)data = TRUE;
}

static void
on_candidate (IcsTraversal *attempt, const char *line, gpointer data)
{
  Side *side = data;

  ck_assert_ptr_eq (attempt, side->attempt);
  g_ptr_array_add (side->lines, g_strdup (line));
  if (!side->hold && side->peer != NULL && side->peer->attempt != NULL)
    ck_assert (ics_traversal_add_remote_candidate (side->peer->attempt, line));
}

static void
on_gathered (G_GNUC_UNUSED IcsTraversal *attempt, gpointer data)
{
  Side *side = data;

  ck_assert (!side->gathered);
  side->gathered = TRUE;
  if (!side->hold && side->peer != NULL && side->peer->attempt != NULL)
    ics_traversal_end_of_candidates (side->peer->attempt);
}

static void
on_state (IcsTraversal *attempt, IcsIceState state, gpointer data)
{
  Side *side = data;

  g_array_append_val (side->states, state);
  if (side->free_on_state && state == ICS_ICE_CONNECTED)
    {
      ics_traversal_free (attempt, on_closed, &side->closed);
      side->attempt = NULL;
    }
}

static void
on_received (G_GNUC_UNUSED IcsTraversal *attempt, const guint8 *data, gsize len, gsize segment,
             gpointer user_data)
{
  Side *side = user_data;

  for (gsize at = 0; at < len; at += segment)
    g_ptr_array_add (side->received, g_bytes_new (data + at, MIN (segment, len - at)));
}

static void
on_writable (G_GNUC_UNUSED IcsTraversal *attempt, gpointer data)
{
  ((Side *)data)->n_writable++;
}

static void
on_note (G_GNUC_UNUSED IcsTraversal *attempt, const char *line, gpointer data)
{
  Side *side = data;

  g_ptr_array_add (side->notes, g_strdup (line));
  if (g_getenv ("ICS_TEST_VERBOSE") != NULL)
    g_printerr ("%s: %s\n", side->attempt == NULL ? "gone" : "side", line);
}

static const IcsIceCallbacks callbacks = {
  .candidate = on_candidate,
  .gathered = on_gathered,
  .state = on_state,
  .received = on_received,
  .writable = on_writable,
  .note = on_note,
};

void
side_init (Side *side, IcsIceConfig config)
{
  memset (side, 0, sizeof *side);
  side->context = config.context;
  side->lines = g_ptr_array_new_with_free_func (g_free);
  side->notes = g_ptr_array_new_with_free_func (g_free);
  side->received = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  side->states = g_array_new (FALSE, FALSE, sizeof (IcsIceState));
  side->attempt = side_make (&config, &callbacks, side);
}

void
side_clear (Side *side)
{
  if (side->attempt != NULL)
    ics_traversal_free (g_steal_pointer (&side->attempt), on_closed, &side->closed);
  WAIT_FOR (side->context, side->closed);
  g_ptr_array_unref (side->lines);
  g_ptr_array_unref (side->notes);
  g_ptr_array_unref (side->received);
  g_array_unref (side->states);
}

gboolean
side_has_note (Side *side, const char *part)
{
  for (guint i = 0; i < side->notes->len; i++)
    if (strstr (g_ptr_array_index (side->notes, i), part) != NULL)
      return TRUE;
  return FALSE;
}

guint
side_count_state (Side *side, IcsIceState state)
{
  guint n = 0;

  for (guint i = 0; i < side->states->len; i++)
    n += g_array_index (side->states, IcsIceState, i) == state;
  return n;
}

gboolean
side_is_in (Side *side, IcsIceState state)
{
  return side_count_state (side, state) > 0 && ics_traversal_get_state (side->attempt) == state;
}

void
side_give_credentials (Side *from)
{
  const char *ufrag, *pwd;

  ics_traversal_get_credentials (from->attempt, &ufrag, &pwd);
  ics_traversal_set_remote_credentials (from->peer->attempt, ufrag, pwd);
}

void
side_release (Side *side)
{
  for (guint i = 0; i < side->lines->len; i++)
    ck_assert (ics_traversal_add_remote_candidate (side->peer->attempt, g_ptr_array_index (side->lines, i)));
  if (side->gathered)
    ics_traversal_end_of_candidates (side->peer->attempt);
  side->hold = FALSE;
}

void
pair_init (Side sides[2], const IcsIceConfig *base)
{
  IcsIceConfig config = *base;

  config.controlling = TRUE;
  side_init (&sides[0], config);
  config.controlling = FALSE;
  side_init (&sides[1], config);
  sides[0].peer = &sides[1];
  sides[1].peer = &sides[0];
}

void
pair_start (Side sides[2])
{
  for (guint i = 0; i < 2; i++)
    ck_assert (ics_traversal_start (sides[i].attempt, NULL));
}

gboolean
pair_is_connected (Side sides[2])
{
  return side_is_in (&sides[0], ICS_ICE_CONNECTED) && side_is_in (&sides[1], ICS_ICE_CONNECTED);
}

void
pair_connect (Side sides[2])
{
  pair_start (sides);
  side_give_credentials (&sides[0]);
  side_give_credentials (&sides[1]);
  WAIT_FOR (sides[0].context, pair_is_connected (sides));
}

void
pair_clear (Side sides[2])
{
  for (guint i = 0; i < 2; i++)
    sides[i].peer = NULL;
  for (guint i = 0; i < 2; i++)
    side_clear (&sides[i]);
}

static void
send_one (Side *from, const void *data, gsize len)
{
  guint before = from->peer->received->len;
  GBytes *got;

  /* A first byte of 0x40 and up is QUIC's (RFC 9443). */
  ck_assert_int_eq (ics_traversal_send (from->attempt, data, len), ICS_SEND_OK);
  WAIT_FOR (from->context, from->peer->received->len > before);
  got = g_ptr_array_index (from->peer->received, before);
  ck_assert_uint_eq (g_bytes_get_size (got), len);
  ck_assert_mem_eq (g_bytes_get_data (got, NULL), data, len);
}

void
pair_exchange (Side sides[2])
{
  guint8 large[1400];

  memset (large, 0x55, sizeof large);
  send_one (&sides[0], "Hello", 5);
  send_one (&sides[1], "World", 5);
  send_one (&sides[0], large, sizeof large);
  send_one (&sides[1], large, sizeof large);
}

void
pair_check_agreement (Side sides[2])
{
  IcsIcePair a, b;

  ck_assert (ics_traversal_get_pair (sides[0].attempt, &a));
  ck_assert (ics_traversal_get_pair (sides[1].attempt, &b));
  ck_assert_str_eq (a.local, b.remote);
  ck_assert_str_eq (a.remote, b.local);
  ck_assert_str_eq (a.transport, side_transport);
  ics_ice_pair_clear (&a);
  ics_ice_pair_clear (&b);
}

gboolean
have_family (int family)
{
  g_autoptr (GPtrArray) local = ics_local_addresses_get (family);

  if (local->len == 0)
    g_printerr ("this system has no IPv%d address at all: not tested\n", family);
  return local->len > 0;
}

void
isolate (void)
{
  struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
  int fd;

  g_log_set_always_fatal (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return;
  fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ioctl (fd, SIOCSIFFLAGS, &request) != 0)
    g_error ("loopback does not come up");
  close (fd);
}
