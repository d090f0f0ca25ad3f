/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/malicious-relay.h"

#include <check.h>
#include <string.h>

#define N_DATAGRAMS 16

GRand *
relay_make_rand (void)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : g_random_int ();

  g_printerr ("ICS_TEST_SEED=%u\n", seed);
  return g_rand_new_with_seed (seed);
}

GBytes *
relay_random_bytes (GRand *rand, gsize len)
{
  guint8 *data = g_malloc (len);

  for (gsize i = 0; i < len; i++)
    data[i] = (guint8)(g_rand_int (rand) >> 11);
  return g_bytes_new_take (data, len);
}

/* --- what the relay does --- */

static void
inject (Relay *relay, guint to, IcsChannelKind kind, GBytes *message)
{
  memory_channel_inject (relay->pair->channel[to], kind, message);
}

static void
release_one (Relay *relay, guint side)
{
  gint n = (gint)g_queue_get_length (&relay->held[side]),
       which = n > 0 ? g_rand_int_range (relay->rand, 0, n) : 0;
  g_autoptr (GBytes) message = g_queue_pop_nth (&relay->held[side], (guint)which);
  gpointer kind = g_queue_pop_nth (&relay->held_kind[side], (guint)which);

  if (message != NULL)
    inject (relay, 1 - side, (IcsChannelKind)GPOINTER_TO_INT (kind), message);
}

static GBytes *
meddle (IcsChannelKind kind, GBytes *message, gpointer user_data)
{
  RelayEnd *end = user_data;
  Relay *relay = end->relay;
  const Mischief *m = &relay->mischief[kind];
  guint dice = (guint)g_rand_int_range (relay->rand, 0, 100);

  relay->count[kind]++;
  if (relay->recorded[end->side] != NULL)
    {
      g_ptr_array_add (relay->recorded[end->side], g_bytes_ref (message));
      g_array_append_val (relay->recorded_kind[end->side], kind);
    }
  if (g_rand_boolean (relay->rand))
    release_one (relay, end->side);
  if (dice < m->dropped)
    return NULL;
  dice -= m->dropped;
  if (dice < m->reflected)
    {
      inject (relay, end->side, kind, message);
      return NULL;
    }
  dice -= m->reflected;
  if (dice < m->held)
    {
      g_queue_push_tail (&relay->held[end->side], g_bytes_ref (message));
      g_queue_push_tail (&relay->held_kind[end->side], GINT_TO_POINTER (kind));
      return NULL;
    }
  if (dice - m->held < m->doubled)
    inject (relay, 1 - end->side, kind, message);
  return g_bytes_ref (message);
}

void
relay_init (Relay *self, RelayEnd ends[2], LinkPair *pair, GRand *rand)
{
  memset (self, 0, sizeof *self);
  self->pair = pair;
  self->rand = rand;
  for (guint i = 0; i < 2; i++)
    {
      ends[i] = (RelayEnd){ self, i };
      memory_channel_set_tap (pair->channel[i], meddle, &ends[i]);
    }
}

void
relay_record (Relay *self)
{
  for (guint i = 0; i < 2; i++)
    {
      self->recorded[i] = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
      self->recorded_kind[i] = g_array_new (FALSE, FALSE, sizeof (IcsChannelKind));
    }
}

void
relay_replay (Relay *self, LinkPair *pair)
{
  for (guint i = 0; i < 2; i++)
    for (guint m = 0, n = self->recorded[i]->len; m < n; m++)
      memory_channel_inject (pair->channel[1 - i], g_array_index (self->recorded_kind[i], IcsChannelKind, m),
                             g_ptr_array_index (self->recorded[i], m));
}

void
relay_clear (Relay *self)
{
  for (guint i = 0; i < 2; i++)
    {
      g_queue_clear_full (&self->held[i], (GDestroyNotify)g_bytes_unref);
      g_queue_clear (&self->held_kind[i]);
      g_clear_pointer (&self->recorded[i], g_ptr_array_unref);
      g_clear_pointer (&self->recorded_kind[i], g_array_unref);
    }
}

void
link_set_policy (LinkPair *pair, IcsPathPolicy policy)
{
  for (guint i = 0; i < 2; i++)
    g_object_set (pair->link[i], "policy", policy, NULL);
}

void
link_set_limit (LinkPair *pair, guint ms)
{
  for (guint i = 0; i < 2; i++)
    g_object_set (pair->link[i], "handshake-timeout-ms", ms, NULL);
}

/* --- the link under it --- */

gboolean
link_is_settled (LinkPair *pair)
{
  for (guint i = 0; i < 2; i++)
    if (!pair->connected[i] && !pair->closed[i])
      return FALSE;
  return TRUE;
}

void
link_connect (LinkPair *pair)
{
  link_pair_start (pair, FALSE);
  link_pair_run (pair, link_is_settled);
  for (guint i = 0; i < 2; i++)
    ck_assert_msg (pair->connected[i], "%s", pair->error[i] != NULL ? pair->error[i]->message : "");
}

void
link_exchange_both_ways (LinkPair *pair, GRand *rand, gsize size)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GBytes) payload = relay_random_bytes (rand, size);

      link_exchange (pair, i, payload);
    }
}

void
link_send_numbered (LinkPair *pair)
{
  for (guint8 i = 0; i < N_DATAGRAMS; i++)
    {
      g_autoptr (GBytes) payload = g_bytes_new (&i, 1);

      for (guint side = 0; side < 2; side++)
        ics_link_send_datagram (pair->link[side], payload);
    }
}

void
link_check_numbered (LinkPair *pair)
{
  for (guint side = 0; side < 2; side++)
    {
      gboolean seen[N_DATAGRAMS] = { FALSE };

      for (GList *l = pair->datagrams[side].head; l != NULL; l = l->next)
        {
          gsize len;
          const guint8 *data = g_bytes_get_data (l->data, &len);

          ck_assert (len == 1 && data[0] < N_DATAGRAMS);
          ck_assert_msg (!seen[data[0]], "datagram %u came twice", data[0]);
          seen[data[0]] = TRUE;
        }
    }
}

void
link_close_cleanly (LinkPair *pair)
{
  link_pair_close (pair, 1, 0, "");
  for (guint i = 0; i < 2; i++)
    ck_assert_msg (pair->error[i] == NULL, "%s", pair->error[i] != NULL ? pair->error[i]->message : "");
}

void
check_clear_failure (const GError *error)
{
  static const IcsError allowed[] = { ICS_ERROR_TIMED_OUT, ICS_ERROR_CODE_REJECTED, ICS_ERROR_PROTOCOL,
                                      ICS_ERROR_LINK_LOST, ICS_ERROR_KEY_REJECTED };

  ck_assert_ptr_nonnull (error);
  for (guint i = 0; i < G_N_ELEMENTS (allowed); i++)
    if (g_error_matches (error, ICS_ERROR, (gint)allowed[i]))
      {
        check_says (error, allowed[i], " ");
        return;
      }
  ck_abort_msg ("%s is not what happened: %s", ics_error_to_string ((IcsError)error->code), error->message);
}
