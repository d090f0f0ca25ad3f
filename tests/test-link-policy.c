/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE /* RTLD_NEXT */
/* The policies of two links, at the start and when they change. */
#include "path/channel-batch.h"
#include "tests/link-exchange.h"
#include "tests/suite.h"
#include <dlfcn.h>
#include <sys/socket.h>

#define PAYLOAD 1000000
/* Handshake, candidates and probes. */
#define MOST_ON_CHANNEL 60000

/* The listener's PATH_CHALLENGEs to the path that the traffic has left (RFC 9000 §9.3.3). */
#define MOST_CHALLENGES 8
#define MAX_DEAD 64

static guint64 on_channel;
static guint quic_on_channel;  /* datagrams */
static guint64 dead[MAX_DEAD]; /* cookies of sockets */
static gint n_dead;

static guint64
cookie_of (int fd)
{
  guint64 cookie = 0;
  socklen_t len = sizeof cookie;

  return getsockopt (fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static gboolean
is_dead (int fd)
{
  guint64 cookie = g_atomic_int_get (&n_dead) > 0 ? cookie_of (fd) : 0;

  for (gint i = 0; i < g_atomic_int_get (&n_dead); i++)
    if (dead[i] == cookie)
      return TRUE;
  return FALSE;
}

/* What these sockets send is lost from now on; later ones work. */
static void
kill_sockets (void)
{
  gint n = 0;

  for (int fd = 0; fd < 1024 && n < MAX_DEAD; fd++)
    {
      int type = 0;
      socklen_t len = sizeof type;

      if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM)
        dead[n++] = cookie_of (fd);
    }
  g_atomic_int_set (&n_dead, n);
}

__attribute__ ((visibility ("default"))) ssize_t
sendmsg (int fd, const struct msghdr *message, int flags)
{
  ssize_t (*next) (int, const struct msghdr *, int)
      = (ssize_t (*) (int, const struct msghdr *, int)) (gsize)dlsym (RTLD_NEXT, "sendmsg");
  ssize_t len = 0;

  if (!is_dead (fd))
    return next (fd, message, flags);
  for (gsize i = 0; i < message->msg_iovlen; i++)
    len += (ssize_t)message->msg_iov[i].iov_len;
  return len;
}

__attribute__ ((visibility ("default"))) int
sendmmsg (int fd, struct mmsghdr *messages, unsigned int n, int flags)
{
  int (*next) (int, struct mmsghdr *, unsigned int, int)
      = (int (*) (int, struct mmsghdr *, unsigned int, int)) (gsize)dlsym (RTLD_NEXT, "sendmmsg");

  return is_dead (fd) ? (int)n : next (fd, messages, n, flags);
}

static GBytes *
count (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  gsize left, len;
  const guint8 *cursor = g_bytes_get_data (message, &left), *data;
  gboolean malformed = FALSE;

  if (kind != ICS_CHANNEL_DATA)
    return g_bytes_ref (message);
  on_channel += left;
  while (ics_batch_next (&cursor, &left, &data, &len, &malformed))
    quic_on_channel += (data[0] & 0x40) != 0;
  return g_bytes_ref (message);
}

static GBytes *
new_payload (void)
{
  g_autofree guint8 *data = g_malloc (PAYLOAD);

  for (gsize i = 0; i < PAYLOAD; i++)
    data[i] = (guint8)(i * 7 + i / 251);
  return g_bytes_new (data, PAYLOAD);
}

static void
set_policy (LinkPair *pair, guint side, IcsPathPolicy policy)
{
  g_object_set (pair->link[side], "policy", policy, NULL);
}

static IcsPathInfo *
last_path (LinkPair *pair, guint side)
{
  return g_ptr_array_index (pair->paths[side], pair->paths[side]->len - 1);
}

static gboolean
have_paths (LinkPair *pair)
{
  return pair->paths[0]->len > 0 && pair->paths[1]->len > 0;
}

static gboolean
both_on_channel (LinkPair *pair)
{
  return have_paths (pair) && link_pair_kind (pair, 0) == ICS_PATH_CHANNEL
         && link_pair_kind (pair, 1) == ICS_PATH_CHANNEL;
}

static gboolean
both_know_why (LinkPair *pair)
{
  return ics_link_get_why_not_direct (pair->link[0]) != NULL
         && ics_link_get_why_not_direct (pair->link[1]) != NULL;
}

static gboolean
nobody_knows_why (LinkPair *pair)
{
  return ics_link_get_why_not_direct (pair->link[0]) == NULL
         && ics_link_get_why_not_direct (pair->link[1]) == NULL;
}

static void
check_why (LinkPair *pair, guint side, const char *begin)
{
  const char *why = ics_link_get_why_not_direct (pair->link[side]);

  ck_assert_msg (g_str_has_prefix (why, begin), "%s", why);
}

/* One side insists on the direct path, and it is counted what goes over the channel. */
static void
start_direct (LinkPair *pair, guint side)
{
  link_pair_init (pair);
  on_channel = 0;
  for (guint i = 0; i < 2; i++)
    memory_channel_set_tap (pair->channel[i], count, NULL);
  set_policy (pair, side, ICS_PATH_POLICY_DIRECT);
  link_pair_start (pair, FALSE);
  link_pair_run (pair, link_pair_is_connected);
  link_pair_run (pair, have_paths);
}

/* To the relay and back, whichever host wants it. */
START_TEST (changes_at_run_time)
{
  g_autoptr (GBytes) payload = new_payload ();
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, link_pair_is_direct);
  set_policy (&pair, (guint)_i, ICS_PATH_POLICY_RELAY);
  link_pair_run (&pair, both_on_channel);
  for (guint side = 0; side < 2; side++)
    ck_assert_int_eq (ics_path_info_get_reason (last_path (&pair, side)), ICS_PATH_REASON_POLICY);
  link_pair_run (&pair, both_know_why);
  check_why (&pair, (guint)_i, "this host's policy is");
  check_why (&pair, 1 - (guint)_i, "the other host's policy is");
  link_exchange (&pair, 0, payload);
  ck_assert (both_on_channel (&pair));
  set_policy (&pair, (guint)_i, ICS_PATH_POLICY_AUTO);
  link_pair_run (&pair, link_pair_is_direct);
  ck_assert_int_eq (ics_path_info_get_reason (last_path (&pair, 1)), ICS_PATH_REASON_POLICY);
  link_pair_run (&pair, nobody_knows_why);
  link_exchange (&pair, 1, payload);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* The one that does not mind keeps to the policy of the one that does, from the first byte. */
START_TEST (both_keep_to_both)
{
  g_autoptr (GBytes) payload = new_payload ();
  LinkPair pair;

  start_direct (&pair, (guint)_i);
  for (guint side = 0; side < 2; side++)
    ck_assert_int_eq (ics_path_info_get_kind (g_ptr_array_index (pair.paths[side], 0)), ICS_PATH_DIRECT);
  link_exchange (&pair, 0, payload);
  link_exchange (&pair, 1, payload);
  ck_assert_uint_le (on_channel, MOST_ON_CHANNEL);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* The direct path dies and another one has to be found, which takes words between the hosts: none of them,
 * and nothing that was lost, goes over the channel in QUIC. */
START_TEST (direct_path_is_replaced)
{
  g_autoptr (GBytes) payload = new_payload ();
  LinkPair pair;
  guint before;

  start_direct (&pair, (guint)_i);
  link_exchange (&pair, (guint)_i, payload);
  before = quic_on_channel;
  kill_sockets ();
  link_exchange (&pair, 0, payload);
  link_exchange (&pair, 1, payload);
  ck_assert_uint_le (quic_on_channel - before, MOST_CHALLENGES);
  ck_assert_uint_le (on_channel, MOST_ON_CHANNEL);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* No path is left that both allow: the data waits until there is one. */
START_TEST (data_waits_for_a_common_policy)
{
  g_autoptr (GBytes) payload = new_payload ();
  LinkPair pair;

  link_pair_init (&pair);
  for (guint side = 0; side < 2; side++)
    set_policy (&pair, side, ICS_PATH_POLICY_RELAY);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  link_pair_run (&pair, both_on_channel);
  set_policy (&pair, (guint)_i, ICS_PATH_POLICY_LAN);
  set_policy (&pair, 1 - (guint)_i, ICS_PATH_POLICY_DIRECT);
  link_exchange (&pair, (guint)_i, payload);
  ck_assert (link_pair_is_direct (&pair));
  link_pair_close (&pair, 1, 0, "");
  link_pair_clear (&pair);
}
END_TEST

/* Nobody can make up his mind: the link lives, and ends up where the last word wants it. */
START_TEST (restless)
{
  g_autoptr (GBytes) payload = new_payload ();
  LinkPair pair;

  link_pair_init (&pair);
  link_pair_start (&pair, FALSE);
  link_pair_run (&pair, link_pair_is_connected);
  for (guint i = 0; i < 200; i++)
    {
      set_policy (&pair, i % 2, (IcsPathPolicy)(i * 7 % (ICS_PATH_POLICY_LAN + 1)));
      g_main_context_iteration (NULL, FALSE);
    }
  for (guint side = 0; side < 2; side++)
    set_policy (&pair, side, ICS_PATH_POLICY_AUTO);
  link_exchange (&pair, 0, payload);
  link_pair_run (&pair, link_pair_is_direct);
  link_pair_close (&pair, 0, 0, "");
  link_pair_clear (&pair);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { changes_at_run_time, 2 },
    { both_keep_to_both, 2 },
    { direct_path_is_replaced, 2 },
    { data_waits_for_a_common_policy, 2 },
    { restless, 1 },
  };

  return run_loops ("link-policy", tests, G_N_ELEMENTS (tests));
}
