/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which port a NAT gives next. */
#include "agent/nat-prediction.h"
#include "tests/suite.h"

#define N 6

static IcsNatPrediction
predict (const guint16 mapped[N], guint n)
{
  IcsNatObservation observations[N];

  for (guint i = 0; i < n; i++)
    observations[i] = (IcsNatObservation){ .local = (guint16)(40000 + 7 * i), .mapped = mapped[i] };
  return ics_nat_predict (observations, n);
}

START_TEST (too_little_says_nothing)
{
  const guint16 mapped[N] = { 5000, 5001, 5002 };
  IcsNatPrediction self = predict (mapped, 3);

  ck_assert_int_eq (self.allocation, ICS_NAT_ALLOCATION_UNKNOWN);
  ck_assert_uint_eq (ics_nat_prediction_get_port (&self, 1, 40000), 0);
}
END_TEST

START_TEST (preserved_ports_stay)
{
  const guint16 mapped[N] = { 40000, 40007, 40014, 40021, 40028, 40035 },
                one_taken[N] = { 40000, 61234, 40014, 40021, 40028, 40035 };
  IcsNatPrediction self = predict (mapped, N);

  /* They also rise by 7 each time; but that is how the sockets were bound. */
  ck_assert_int_eq (self.allocation, ICS_NAT_ALLOCATION_PRESERVING);
  ck_assert_uint_eq (ics_nat_prediction_get_port (&self, 3, 51111), 51111);
  ck_assert_int_eq (predict (one_taken, N).allocation, ICS_NAT_ALLOCATION_PRESERVING);
}
END_TEST

static const struct
{
  guint16 mapped[N];
  int step;
  guint16 next, fifth;
} counted[] = {
  { { 5000, 5001, 5002, 5003, 5004, 5005 }, 1, 5006, 5010 },
  { { 5000, 5002, 5004, 5006, 5008, 5010 }, 2, 5012, 5020 },
  { { 5000, 4999, 4998, 4997, 4996, 4995 }, -1, 4994, 4990 },
  /* Others come in between. */
  { { 5000, 5001, 5007, 5008, 5020, 5021 }, 1, 5022, 5026 },
  /* It begins anew on the way, in a range of its own. */
  { { 49149, 49150, 49151, 32768, 32769, 32770 }, 1, 32771, 32775 },
  /* Or will, at the end of all ports. */
  { { 65530, 65531, 65532, 65533, 65534, 65535 }, 1, 1024, 1028 },
  { { 1031, 1030, 1029, 1028, 1027, 1026 }, -1, 1025, 65533 },
};

START_TEST (counting_goes_on)
{
  IcsNatPrediction self = predict (counted[_i].mapped, N);

  ck_assert_int_eq (self.allocation, ICS_NAT_ALLOCATION_SEQUENTIAL);
  ck_assert_int_eq (self.step, counted[_i].step);
  ck_assert_uint_eq (ics_nat_prediction_get_port (&self, 1, 40000), counted[_i].next);
  ck_assert_uint_eq (ics_nat_prediction_get_port (&self, 5, 40000), counted[_i].fifth);
}
END_TEST

START_TEST (random_ports_are_not_predicted)
{
  const char *given = g_getenv ("ICS_TEST_SEED");
  guint32 seed = given != NULL ? (guint32)g_ascii_strtoull (given, NULL, 10) : 4787;
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  g_print ("seed %u\n", seed);
  for (guint i = 0; i < 100000; i++)
    {
      guint16 mapped[N];
      IcsNatPrediction self;

      for (guint k = 0; k < N; k++)
        mapped[k] = (guint16)g_rand_int_range (random, 1024, 65536);
      self = predict (mapped, i % 2 == 0 ? 4 : N);
      ck_assert_int_eq (self.allocation, ICS_NAT_ALLOCATION_RANDOM);
      ck_assert_uint_eq (ics_nat_prediction_get_port (&self, 1, 40000), 0);
    }
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = { { too_little_says_nothing, 1 },
                              { preserved_ports_stay, 1 },
                              { counting_goes_on, G_N_ELEMENTS (counted) },
                              { random_ports_are_not_predicted, 1 } };

  return run_loops ("nat-prediction", tests, G_N_ELEMENTS (tests));
}
