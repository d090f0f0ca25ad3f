/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/handshake-pair.h"
#include <check.h>
#include <string.h>

static void
seeded_random (guint8 *buf, gsize len, gpointer user_data)
{
  for (gsize i = 0; i < len; i++)
    buf[i] = (guint8)g_rand_int_range (user_data, 0, 256);
}

IcsHandshake *
new_host (char name, const char *code, const char *application, GRand *rand)
{
  IcsHandshakeConfig config
      = { .joiner = g_ascii_toupper (name) == 'J', .code = code, .application = application };

  if (rand != NULL)
    {
      config.random = seeded_random;
      config.random_data = rand;
    }
  memset (config.fingerprint, name, ICS_FINGERPRINT_SIZE);
  return ics_handshake_new (&config);
}

Pair
new_pair (const char *joiner_code, const char *listener_code)
{
  return (Pair){ new_host ('J', joiner_code, "file/1", NULL), new_host ('L', listener_code, "file/1", NULL) };
}

void
free_pair (Pair *pair)
{
  g_clear_pointer (&pair->joiner, ics_handshake_free);
  g_clear_pointer (&pair->listener, ics_handshake_free);
}

void
deliver (IcsHandshake *to, GBytes *message)
{
  /* A heap copy of the exact length lets the sanitizer see one byte too many. */
  gsize len = g_bytes_get_size (message);
  guint8 *copy = g_memdup2 (g_bytes_get_data (message, NULL), len);

  ics_handshake_handle_message (to, copy, len);
  g_free (copy);
}

GBytes *
expect_message (IcsHandshake *from, gsize size)
{
  GBytes *message = ics_handshake_poll_message (from);

  ck_assert_ptr_nonnull (message);
  ck_assert_uint_eq (g_bytes_get_size (message), size);
  ck_assert_ptr_null (ics_handshake_poll_message (from));
  return message;
}

void
expect_silence (IcsHandshake *from)
{
  ck_assert_ptr_null (ics_handshake_poll_message (from));
}

void
settle (Pair *pair)
{
  for (guint i = 0; i < 16; i++)
    {
      g_autoptr (GBytes) up = ics_handshake_poll_message (pair->joiner);
      g_autoptr (GBytes) down = NULL;

      if (up != NULL)
        deliver (pair->listener, up);
      down = ics_handshake_poll_message (pair->listener);
      if (down != NULL)
        deliver (pair->joiner, down);
      if (up == NULL && down == NULL)
        return;
    }
  ck_abort_msg ("the two hosts never stop talking");
}

void
expect_done (IcsHandshake *host, char peer)
{
  guint8 fingerprint[ICS_FINGERPRINT_SIZE];

  memset (fingerprint, peer, sizeof fingerprint);
  ck_assert_int_eq (ics_handshake_get_state (host), ICS_HANDSHAKE_DONE);
  ck_assert_mem_eq (ics_handshake_get_peer_fingerprint (host), fingerprint, sizeof fingerprint);
}

void
expect_both_done (Pair *pair)
{
  expect_done (pair->joiner, 'L');
  expect_done (pair->listener, 'J');
}

void
expect_running (IcsHandshake *host)
{
  ck_assert_int_eq (ics_handshake_get_state (host), ICS_HANDSHAKE_RUNNING);
  ck_assert_ptr_null (ics_handshake_get_peer_fingerprint (host));
}

void
expect_failed (IcsHandshake *host, IcsError code)
{
  const char *message = NULL;

  ck_assert_int_eq (ics_handshake_get_state (host), ICS_HANDSHAKE_FAILED);
  ck_assert_int_eq (ics_handshake_get_failure (host, &message), code);
  ck_assert_ptr_nonnull (message);
  ck_assert_ptr_null (ics_handshake_get_peer_fingerprint (host));
}

void
check_invariant (Pair *pair)
{
  if (ics_handshake_get_state (pair->joiner) == ICS_HANDSHAKE_DONE)
    expect_done (pair->joiner, 'L');
  if (ics_handshake_get_state (pair->listener) == ICS_HANDSHAKE_DONE)
    expect_done (pair->listener, 'J');
}

GBytes *
changed_byte (GBytes *message, gsize offset, guint8 mask)
{
  gsize len;
  guint8 *copy = g_memdup2 (g_bytes_get_data (message, &len), g_bytes_get_size (message));

  copy[offset] ^= mask;
  return g_bytes_new_take (copy, len);
}

GBytes *
relabelled (GBytes *message, guint8 type)
{
  guint8 now = ((const guint8 *)g_bytes_get_data (message, NULL))[1];

  return changed_byte (message, 1, now ^ type);
}

GBytes *
forged_reject (guint8 reason)
{
  guint8 message[REJECT_SIZE] = { 1, 4, reason };

  return g_bytes_new (message, sizeof message);
}

GBytes *
run_to_message (Pair *pair, guint n, IcsHandshake **receiver)
{
  static const gsize sizes[] = { START_SIZE, ANSWER_SIZE, FINISH_SIZE };
  IcsHandshake *sender = NULL;

  for (guint i = 0;; i++)
    {
      g_autoptr (GBytes) message = NULL;

      sender = i % 2 == 0 ? pair->joiner : pair->listener;
      *receiver = i % 2 == 0 ? pair->listener : pair->joiner;
      message = expect_message (sender, sizes[i]);
      if (i == n)
        return g_steal_pointer (&message);
      deliver (*receiver, message);
    }
}

IcsHandshake *
other_host (Pair *pair, IcsHandshake *host)
{
  return host == pair->joiner ? pair->listener : pair->joiner;
}

void
expect_dropped (Pair *pair, guint joiner, guint listener)
{
  ck_assert_uint_eq (ics_handshake_get_dropped (pair->joiner), joiner);
  ck_assert_uint_eq (ics_handshake_get_dropped (pair->listener), listener);
}
