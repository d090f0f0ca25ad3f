/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/suite.h"
#include "transport/synthetic-path.h"

#include <string.h>

static ngtcp2_cid
cid (guint8 number)
{
  ngtcp2_cid result;
  const guint8 data[8] = { number };

  ngtcp2_cid_init (&result, data, sizeof data);
  return result;
}

static void
check_tag (IcsPathTag tag, guint path, guint generation)
{
  ck_assert_uint_eq (tag.path, path);
  ck_assert_uint_eq (tag.generation, generation);
}

START_TEST (test_tags_come_back)
{
  const IcsPathTag tags[]
      = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { G_MAXUINT, G_MAXUINT }, { 0x01020304, 0x05060708 } };

  for (guint i = 0; i < G_N_ELEMENTS (tags); i++)
    {
      IcsSyntheticPath path;

      ics_synthetic_path_init (&path, tags[i]);
      check_tag (ics_synthetic_path_tag (&path.path), tags[i].path, tags[i].generation);
      ck_assert_int_ne (memcmp (&path.local, &path.remote, sizeof path.local), 0);
    }
}
END_TEST

/* ngtcp2 tells paths apart by the bytes of their addresses: two moves never look the same. */
START_TEST (test_no_two_moves_alike)
{
  g_autoptr (IcsPathMap) map = ics_path_map_new ();
  IcsSyntheticPath before, after;

  ics_synthetic_path_init (&before, ics_path_map_latest (map, 7));
  check_tag (ics_path_map_next (map, 7), 7, 1);
  check_tag (ics_path_map_next (map, 7), 7, 1); /* not committed: the move did not begin */
  ics_path_map_commit (map, ics_path_map_next (map, 7));
  check_tag (ics_path_map_latest (map, 7), 7, 1);
  check_tag (ics_path_map_next (map, 7), 7, 2);
  check_tag (ics_path_map_latest (map, 8), 8, 0);
  ics_synthetic_path_init (&after, ics_path_map_latest (map, 7));
  ck_assert_int_ne (memcmp (&before.remote, &after.remote, sizeof before.remote), 0);
}
END_TEST

/* The server: a new id on a known path is a new move, a known id is the move it came with, also when packets
 * of two moves cross. */
START_TEST (test_lookup_by_connection_id)
{
  g_autoptr (IcsPathMap) map = ics_path_map_new ();
  const ngtcp2_cid a = cid (1), b = cid (2), c = cid (3);

  check_tag (ics_path_map_lookup (map, 1, &a), 1, 0);
  check_tag (ics_path_map_lookup (map, 1, &a), 1, 0);
  check_tag (ics_path_map_lookup (map, 2, &b), 2, 0);
  check_tag (ics_path_map_lookup (map, 1, &c), 1, 1);
  check_tag (ics_path_map_lookup (map, 1, &a), 1, 0);
  check_tag (ics_path_map_lookup (map, 1, &c), 1, 1);
  check_tag (ics_path_map_lookup (map, 2, &b), 2, 0);
  check_tag (ics_path_map_latest (map, 1), 1, 1);
}
END_TEST

/* A path's generations never return, however many ids were seen meanwhile. */
START_TEST (test_memory_is_bounded)
{
  g_autoptr (IcsPathMap) map = ics_path_map_new ();
  const ngtcp2_cid first = cid (0);

  check_tag (ics_path_map_lookup (map, 1, &first), 1, 0);
  for (guint i = 1; i < 100; i++)
    {
      const ngtcp2_cid other = cid ((guint8)i);

      check_tag (ics_path_map_lookup (map, 1, &other), 1, i);
    }
  check_tag (ics_path_map_lookup (map, 1, &first), 1, 100);
}
END_TEST

int
main (void)
{
  const TTest *const tests[] = { test_tags_come_back, test_no_two_moves_alike, test_lookup_by_connection_id,
                                 test_memory_is_bounded, NULL };

  return run_suite ("synthetic-path", tests);
}
