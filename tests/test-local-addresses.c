/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent/local-addresses.h"
#include <check.h>
#include <stdlib.h>

static GPtrArray *
entries_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)ics_local_address_free);
}

static void
add (GPtrArray *entries, const char *address, gboolean up)
{
  IcsLocalAddress *entry = g_new0 (IcsLocalAddress, 1);

  entry->address = g_inet_address_new_from_string (address);
  entry->up = up;
  ck_assert_ptr_nonnull (entry->address);
  g_ptr_array_add (entries, entry);
}

static void
add_kind (GPtrArray *entries, const char *address, IcsLocalKind kind)
{
  add (entries, address, TRUE);
  ((IcsLocalAddress *)g_ptr_array_index (entries, entries->len - 1))->kind = kind;
}

/* The chosen ones, joined by spaces. */
static char *
choose (GPtrArray *entries, int family, const char *preferred, IcsLocalKind last)
{
  g_autoptr (GPtrArray) first = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) chosen = NULL;
  GString *text = g_string_new (NULL);

  if (preferred != NULL)
    g_ptr_array_add (first, g_inet_address_new_from_string (preferred));
  chosen = ics_local_addresses_choose (entries, family, first, last);
  for (guint i = 0; i < chosen->len; i++)
    {
      g_autofree char *one = g_inet_address_to_string (g_ptr_array_index (chosen, i));

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", one);
    }
  return g_string_free (text, FALSE);
}

static void
expect (GPtrArray *entries, int family, const char *preferred, const char *expected)
{
  g_autofree char *got = choose (entries, family, preferred, ICS_LOCAL_BRIDGE);

  ck_assert_str_eq (got, expected);
}

START_TEST (ordinary_host)
{
  g_autoptr (GPtrArray) entries = entries_new ();

  add (entries, "127.0.0.1", TRUE);
  add (entries, "172.17.0.1", TRUE);
  add (entries, "192.168.1.4", TRUE);
  add (entries, "10.9.9.9", FALSE);
  add (entries, "::1", TRUE);
  add (entries, "2001:db8::4", TRUE);
  add (entries, "fe80::1", TRUE);
  add (entries, "192.168.1.4", TRUE);

  expect (entries, 0, NULL, "172.17.0.1 192.168.1.4 2001:db8::4");
  expect (entries, 4, NULL, "172.17.0.1 192.168.1.4");
  expect (entries, 6, NULL, "2001:db8::4");
  expect (entries, 0, "192.168.1.4", "192.168.1.4 172.17.0.1 2001:db8::4");
  expect (entries, 0, "198.51.100.1", "172.17.0.1 192.168.1.4 2001:db8::4");
  expect (entries, 6, "192.168.1.4", "2001:db8::4");
}
END_TEST

/* A host full of containers and with a VPN. */
START_TEST (kinds)
{
  static const struct
  {
    const char *address;
    IcsLocalKind kind;
  } all[] = {
    { "172.17.0.1", ICS_LOCAL_BRIDGE },   { "10.8.0.2", ICS_LOCAL_TUNNEL },
    { "192.168.1.4", ICS_LOCAL_NETWORK }, { "172.18.0.1", ICS_LOCAL_BRIDGE },
    { "172.19.0.1", ICS_LOCAL_BRIDGE },   { "192.168.2.4", ICS_LOCAL_NETWORK },
    { "172.20.0.1", ICS_LOCAL_BRIDGE },   { "172.21.0.1", ICS_LOCAL_BRIDGE },
  };
  static const struct
  {
    const char *preferred;
    IcsLocalKind last;
    const char *expected;
  } cases[] = {
    { NULL, ICS_LOCAL_NETWORK, "192.168.1.4 192.168.2.4" },
    { "192.168.2.4", ICS_LOCAL_NETWORK, "192.168.2.4 192.168.1.4" },
    { "10.8.0.2", ICS_LOCAL_NETWORK, "10.8.0.2 192.168.1.4 192.168.2.4" },     /* all goes through the VPN */
    { "172.21.0.1", ICS_LOCAL_NETWORK, "172.21.0.1 192.168.1.4 192.168.2.4" }, /* a bridge to the LAN */
    { NULL, ICS_LOCAL_TUNNEL, "192.168.1.4 192.168.2.4 10.8.0.2" },
    { NULL, ICS_LOCAL_BRIDGE, "192.168.1.4 192.168.2.4 10.8.0.2 172.17.0.1 172.18.0.1 172.19.0.1" },
  };
  g_autoptr (GPtrArray) entries = entries_new ();
  g_autoptr (GPtrArray) inside = entries_new ();
  g_autofree char *only = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    add_kind (entries, all[i].address, all[i].kind);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *got = choose (entries, 0, cases[i].preferred, cases[i].last);

      ck_assert_str_eq (got, cases[i].expected);
    }
  /* Better than nothing. */
  add_kind (inside, "127.0.0.1", ICS_LOCAL_NETWORK);
  add_kind (inside, "172.17.0.1", ICS_LOCAL_BRIDGE);
  only = choose (inside, 0, NULL, ICS_LOCAL_NETWORK);
  ck_assert_str_eq (only, "172.17.0.1");
}
END_TEST

START_TEST (loopback_last)
{
  g_autoptr (GPtrArray) entries = entries_new ();

  expect (entries, 0, NULL, "");
  add (entries, "127.0.0.1", TRUE);
  add (entries, "::1", TRUE);
  add (entries, "fe80::1", TRUE);
  expect (entries, 0, NULL, "127.0.0.1 ::1");
  expect (entries, 6, NULL, "::1");
  add (entries, "192.168.1.4", TRUE);
  expect (entries, 0, NULL, "192.168.1.4");
  expect (entries, 6, NULL, "::1");
}
END_TEST

/* libnice aborts beyond 64; the preferred address is among the few that are taken. */
START_TEST (hundreds_of_addresses)
{
  g_autoptr (GPtrArray) entries = entries_new ();
  g_autoptr (GPtrArray) first = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) chosen = NULL;

  for (guint i = 0; i < 300; i++)
    {
      g_autofree char *address = g_strdup_printf ("10.0.%u.%u", i / 200, i % 200 + 1);

      add (entries, address, TRUE);
    }
  g_ptr_array_add (first, g_inet_address_new_from_string ("10.0.1.99"));
  chosen = ics_local_addresses_choose (entries, 0, first, ICS_LOCAL_BRIDGE);
  ck_assert_uint_eq (chosen->len, ICS_LOCAL_ADDRESSES_MAX);
  ck_assert (g_inet_address_equal (g_ptr_array_index (chosen, 0), g_ptr_array_index (first, 0)));
}
END_TEST

START_TEST (this_host)
{
  g_autoptr (GPtrArray) entries = ics_local_addresses_enumerate ();
  g_autoptr (GPtrArray) chosen = ics_local_addresses_get (0);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetAddress) source = ics_local_address_towards (loopback, 9);

  ck_assert_uint_gt (entries->len, 0);
  ck_assert_uint_le (chosen->len, ICS_LOCAL_ADDRESSES_MAX);
  ck_assert_ptr_nonnull (source);
  ck_assert (g_inet_address_get_is_loopback (source));
}
END_TEST

int
main (void)
{
  Suite *suite = suite_create ("local-addresses");
  TCase *tcase = tcase_create ("local-addresses");
  SRunner *runner;
  int failed;

  tcase_add_test (tcase, ordinary_host);
  tcase_add_test (tcase, kinds);
  tcase_add_test (tcase, loopback_last);
  tcase_add_test (tcase, hundreds_of_addresses);
  tcase_add_test (tcase, this_host);
  suite_add_tcase (suite, tcase);
  runner = srunner_create (suite);
  srunner_run_all (runner, CK_NORMAL);
  failed = srunner_ntests_failed (runner);
  srunner_free (runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
