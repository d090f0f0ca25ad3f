/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consent (RFC 7675) and where the peer is, on a virtual clock. */
#include "agent/consent.h"
#include "agent/udp-flow.h"
#include "tests/suite.h"
#include <arpa/inet.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC

/* --- consent --- */

START_TEST (checks_are_spread)
{
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)_i);
  gint64 now = 17, last = now, shortest = G_MAXINT64, longest = 0;
  IcsConsent consent;

  ics_consent_init (&consent, now, random);
  ck_assert_int_eq (ics_consent_handle_timeout (&consent, now), ICS_CONSENT_CHECK);
  for (guint i = 0; i < 500; i++)
    {
      now = ics_consent_next_timeout (&consent);
      ck_assert_int_eq (ics_consent_handle_timeout (&consent, now - 1), ICS_CONSENT_WAIT);
      ck_assert_int_eq (ics_consent_handle_timeout (&consent, now), ICS_CONSENT_CHECK);
      ck_assert_int_eq (ics_consent_handle_timeout (&consent, now), ICS_CONSENT_WAIT);
      shortest = MIN (shortest, now - last);
      longest = MAX (longest, now - last);
      last = now;
      ics_consent_answered (&consent, now);
    }
  /* RFC 7675 §5.1: 5 s times 0.8 to 1.2, and random. */
  ck_assert_int_ge (shortest, 4 * SECOND);
  ck_assert_int_le (longest, 6 * SECOND);
  ck_assert_int_gt (longest - shortest, SECOND);
}
END_TEST

START_TEST (silence_ends_it)
{
  g_autoptr (GRand) random = g_rand_new_with_seed ((guint32)_i);
  const gint64 answered = 1000 * SECOND;
  guint checks = 0;
  IcsConsent consent;
  gint64 now;

  ics_consent_init (&consent, answered - 3 * SECOND, random);
  ics_consent_answered (&consent, answered);
  for (;;)
    {
      IcsConsentAction action;

      now = ics_consent_next_timeout (&consent);
      action = ics_consent_handle_timeout (&consent, now);
      ck_assert_int_ne (action, ICS_CONSENT_WAIT);
      if (action == ICS_CONSENT_LOST)
        break;
      checks++;
    }
  ck_assert_int_eq (now, answered + 30 * SECOND);
  ck_assert_uint_ge (checks, 5);
  ck_assert_uint_le (checks, 9);
  /* It does not come back: RFC 7675 §5.1 wants new credentials. */
  ics_consent_answered (&consent, now);
  ics_consent_ask (&consent, now);
  ck_assert (!ics_consent_is_given (&consent));
  ck_assert_int_eq (ics_consent_next_timeout (&consent), G_MAXINT64);
  ck_assert_int_eq (ics_consent_handle_timeout (&consent, now + 100 * SECOND), ICS_CONSENT_WAIT);
}
END_TEST

START_TEST (a_sleep_ends_it_at_once)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  IcsConsent consent;

  ics_consent_init (&consent, 0, random);
  ck_assert_int_eq (ics_consent_handle_timeout (&consent, 120 * SECOND), ICS_CONSENT_LOST);
}
END_TEST

START_TEST (an_old_answer_gives_nothing)
{
  IcsConsent consent;

  ics_consent_init (&consent, 100 * SECOND, NULL);
  ck_assert_int_eq (ics_consent_next_timeout (&consent), 130 * SECOND);
  for (guint i = 0; i < 10; i++)
    ics_consent_answered (&consent, 90 * SECOND);
  ck_assert_int_eq (ics_consent_next_timeout (&consent), 130 * SECOND);
  ics_consent_answered (&consent, 101 * SECOND);
  ck_assert_int_eq (ics_consent_next_timeout (&consent), 131 * SECOND);
  /* Somebody else asks. */
  ics_consent_ask (&consent, 102 * SECOND);
  ck_assert_int_eq (ics_consent_next_timeout (&consent), 131 * SECOND);
}
END_TEST

/* --- where the peer is --- */

static IcsFlow
flow (guint socket, const char *address, guint16 port)
{
  IcsFlow result = { .socket = socket };

  result.remote.v4.sin_family = AF_INET;
  result.remote.v4.sin_port = htons (port);
  ck_assert_int_eq (inet_pton (AF_INET, address, &result.remote.v4.sin_addr), 1);
  return result;
}

/* Asks whom the table wants to ask, and returns that id. */
static const guint8 *
ask (IcsFlowTable *table, gint64 now, const IcsFlow *expected)
{
  static guint8 counter;
  IcsFlowCandidate *candidate = ics_flow_table_poll (table, now);

  ck_assert_ptr_nonnull (candidate);
  ck_assert (ics_flow_equal (&candidate->flow, expected));
  memset (candidate->id, ++counter, sizeof candidate->id);
  return candidate->id;
}

START_TEST (a_new_address_is_asked_first)
{
  IcsFlow old = flow (0, "192.0.2.1", 1000), new = flow (0, "192.0.2.1", 2000);
  IcsFlow other = flow (0, "198.51.100.1", 2000);
  guint8 wrong[ICS_STUN_ID_LEN] = { 0 }, id[ICS_STUN_ID_LEN];
  IcsFlowTable table;
  gint64 now = SECOND;

  ics_flow_table_init (&table, &old, now);
  ck_assert_int_eq (ics_flow_table_heard (&table, now, &old), ICS_FLOW_CURRENT);
  ck_assert_int_eq (ics_flow_table_next_timeout (&table), G_MAXINT64);
  now += SECOND;
  ck_assert_int_eq (ics_flow_table_heard (&table, now, &new), ICS_FLOW_ASKED);
  memcpy (id, ask (&table, now, &new), sizeof id);
  ck_assert_ptr_null (ics_flow_table_poll (&table, now));
  /* Neither another answer nor one from elsewhere. */
  ck_assert (!ics_flow_table_answered (&table, now, &new, wrong));
  ck_assert (!ics_flow_table_answered (&table, now, &other, id));
  ck_assert (ics_flow_equal (&table.current, &old));
  ck_assert (ics_flow_table_answered (&table, now + 1, &new, id));
  ck_assert (ics_flow_equal (&table.current, &new));
  /* Once. */
  ck_assert (!ics_flow_table_answered (&table, now + 2, &new, id));
}
END_TEST

START_TEST (the_old_address_lives)
{
  IcsFlow old = flow (0, "192.0.2.1", 1000), new = flow (1, "192.0.2.1", 1000);
  guint8 id[ICS_STUN_ID_LEN];
  IcsFlowTable table;

  ics_flow_table_init (&table, &old, 0);
  ics_flow_table_heard_check (&table, 10, &new, _i);
  memcpy (id, ask (&table, 10, &new), sizeof id);
  ck_assert_int_eq (ics_flow_table_heard (&table, 20, &old), ICS_FLOW_CURRENT);
  /* Then the nomination of the controlling host decides. */
  ck_assert_int_eq (ics_flow_table_answered (&table, 30, &new, id), _i);
  ck_assert (ics_flow_equal (&table.current, _i ? &new : &old));
}
END_TEST

START_TEST (asked_seldom)
{
  IcsFlow old = flow (0, "192.0.2.1", 1000), silent = flow (0, "203.0.113.9", 9);
  guint checks = 0;
  IcsFlowTable table;
  gint64 now = 0;

  ics_flow_table_init (&table, &old, now);
  ics_flow_table_heard (&table, now, &silent);
  while ((now = ics_flow_table_next_timeout (&table)) != G_MAXINT64)
    if (ics_flow_table_poll (&table, now) != NULL)
      checks++;
  ck_assert_uint_eq (checks, ICS_FLOW_CHECKS_MAX);

  /* Somebody writes from a thousand addresses a second, for a minute: what they are sent is bounded. */
  checks = 0;
  for (now = SECOND; now < 61 * SECOND; now += SECOND / 1000)
    {
      IcsFlow forged = flow (0, "203.0.113.7", (guint16)(now / 1000 % 50000 + 1));

      ics_flow_table_heard (&table, now, &forged);
      while (ics_flow_table_poll (&table, now) != NULL)
        checks++;
    }
  ck_assert_uint_le (checks, 120);

  /* Nor does it keep the peer out, whose check is authentic. */
  for (guint16 port = 1; port < 100; port++)
    {
      IcsFlow forged = flow (0, "203.0.113.8", port);

      ics_flow_table_heard (&table, now, &forged);
    }
  silent = flow (0, "192.0.2.1", 3000);
  ck_assert_int_eq (ics_flow_table_heard (&table, now, &silent), ICS_FLOW_UNKNOWN);
  ics_flow_table_heard_check (&table, now, &silent, FALSE);
  ck_assert_int_eq (ics_flow_table_heard (&table, now, &silent), ICS_FLOW_ASKED);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { checks_are_spread, 5 },
    { silence_ends_it, 20 },
    { a_sleep_ends_it_at_once, 1 },
    { an_old_answer_gives_nothing, 1 },
    { a_new_address_is_asked_first, 1 },
    { the_old_address_lives, 2 },
    { asked_seldom, 1 },
  };

  return run_loops ("consent", tests, G_N_ELEMENTS (tests));
}
