/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session/media-private.h"
#include "tests/link-pair.h"
#include "tests/suite.h"

#include <string.h>

/* Media channels of real links with real ICE on this host; only the relayed channel is of memory. */

#define GCM "SRTP_AEAD_AES_128_GCM"
#define CM "SRTP_AES128_CM_HMAC_SHA1_80"

typedef struct
{
  LinkPair pair; /* the first member: what link_pair_run() gets */
  IcsMediaChannel *media[2];
  GQueue got[2][ICS_N_MEDIA_KINDS]; /* GBytes */
  guint16 next;                     /* RTP sequence number, one source on both sides */
  gboolean ended[2];
  gboolean pulls; /* packets are taken by other threads */
} World;

static GBytes *
new_rtp (guint32 ssrc, guint16 sequence, gsize len)
{
  guint8 *data = g_malloc (len);

  memset (data, 0x5a, len);
  memcpy (data, (const guint8[]){ 0x80, 96, (guint8)(sequence >> 8), (guint8)sequence, 0, 0, 0, 0 }, 8);
  for (guint i = 0; i < 4; i++)
    data[8 + i] = (guint8)(ssrc >> (24 - 8 * i));
  return g_bytes_new_take (data, len);
}

static GBytes *
new_rtcp (void)
{
  const guint8 report[] = { 0x80, 201, 0, 1, 0, 0, 0, 7 };

  return g_bytes_new (report, sizeof report);
}

static void
on_packet (IcsMediaChannel *media, GBytes *packet, gpointer queue)
{
  g_queue_push_tail (queue, g_bytes_ref (packet));
}

static void
on_ended (IcsMediaChannel *media, gpointer ended)
{
  ck_assert (!*(gboolean *)ended);
  *(gboolean *)ended = TRUE;
}

static gboolean
send_rtp (World *world, guint side, guint16 sequence)
{
  g_autoptr (GBytes) packet = new_rtp (7, sequence, 1000);

  return ics_media_channel_send_rtp (world->media[side], packet);
}

static void
open_media (World *world, guint side, const char *profile, IcsMediaFlags flags)
{
  const char *const profiles[] = { profile, NULL };
  g_autoptr (GError) error = NULL;

  world->media[side]
      = ics_link_open_media (world->pair.link[side], profile != NULL ? profiles : NULL, flags, &error);
  ck_assert_msg (world->media[side] != NULL, "%s", error != NULL ? error->message : "");
  g_signal_connect (world->media[side], "ended", G_CALLBACK (on_ended), &world->ended[side]);
  if (world->pulls)
    return;
  g_signal_connect (world->media[side], "rtp", G_CALLBACK (on_packet), &world->got[side][ICS_MEDIA_RTP]);
  g_signal_connect (world->media[side], "rtcp", G_CALLBACK (on_packet), &world->got[side][ICS_MEDIA_RTCP]);
}

static void
connect_links (World *world)
{
  link_pair_init (&world->pair);
  link_pair_start (&world->pair, FALSE);
  link_pair_run (&world->pair, link_pair_is_connected);
}

static gboolean
both_ready (LinkPair *pair)
{
  World *world = (World *)pair;

  return ics_media_channel_get_profile (world->media[0]) != NULL
         && ics_media_channel_get_profile (world->media[1]) != NULL;
}

static void
world_init (World *world, const char *profile, IcsMediaFlags flags)
{
  memset (world, 0, sizeof *world);
  connect_links (world);
  open_media (world, 0, profile, flags);
  open_media (world, 1, profile, flags);
  link_pair_run (&world->pair, both_ready);
}

static void
world_clear (World *world)
{
  for (guint side = 0; side < 2; side++)
    {
      g_clear_object (&world->media[side]);
      for (guint kind = 0; kind < ICS_N_MEDIA_KINDS; kind++)
        g_queue_clear_full (&world->got[side][kind], (GDestroyNotify)g_bytes_unref);
    }
  link_pair_clear (&world->pair);
}

static gboolean
both_ended (LinkPair *pair)
{
  World *world = (World *)pair;

  return world->ended[0] && world->ended[1];
}

static void
world_close (World *world)
{
  link_pair_close (&world->pair, 1, 0, "");
  link_pair_run (&world->pair, both_ended);
  ck_assert (!send_rtp (world, 0, 0));
  world_clear (world);
}

static guint64
dropped (World *world, guint side, IcsMediaDrop reason)
{
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world->media[side]);

  return ics_media_statistics_get_dropped (statistics, reason);
}

static guint64
dropped_of_all (World *world, guint side)
{
  guint64 sum = 0;

  for (IcsMediaDrop reason = 0; reason < ICS_N_MEDIA_DROP_REASONS; reason++)
    sum += dropped (world, side, reason);
  return sum;
}

/* --- */

static gboolean
one_of_each (LinkPair *pair)
{
  World *world = (World *)pair;

  for (guint side = 0; side < 2; side++)
    for (guint kind = 0; kind < ICS_N_MEDIA_KINDS; kind++)
      if (g_queue_is_empty (&world->got[side][kind]))
        return FALSE;
  return TRUE;
}

/* With each profile, both ways, both kinds, and what is counted. */
START_TEST (test_both_ways)
{
  World world;
  g_autoptr (GBytes) rtcp = new_rtcp ();
  const char *profile = _i == 0 ? NULL : CM;

  world_init (&world, profile, ICS_MEDIA_FLAGS_NONE);
  for (guint side = 0; side < 2; side++)
    {
      ck_assert_str_eq (ics_media_channel_get_profile (world.media[side]), profile != NULL ? profile : GCM);
      ck_assert_ptr_null (ics_media_channel_get_key_log (world.media[side]));
      ck_assert (send_rtp (&world, side, 1));
      ck_assert (ics_media_channel_send_rtcp (world.media[side], rtcp));
    }
  link_pair_run (&world.pair, one_of_each);
  for (guint side = 0; side < 2; side++)
    {
      g_autoptr (GBytes) rtp = new_rtp (7, 1, 1000);
      g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world.media[side]);
      guint64 sent = 0, received = 0;

      ck_assert (g_bytes_equal (g_queue_peek_head (&world.got[side][ICS_MEDIA_RTP]), rtp));
      ck_assert (g_bytes_equal (g_queue_peek_head (&world.got[side][ICS_MEDIA_RTCP]), rtcp));
      for (IcsMediaKind kind = 0; kind < ICS_N_MEDIA_KINDS; kind++)
        {
          ck_assert_uint_eq (ics_media_statistics_get_sent (statistics, kind), 1);
          ck_assert_uint_eq (ics_media_statistics_get_received (statistics, kind), 1);
        }
      for (IcsPathKind kind = 0; kind < ICS_N_PATH_KINDS; kind++)
        {
          sent += ics_media_statistics_get_sent_bytes (statistics, kind);
          received += ics_media_statistics_get_received_bytes (statistics, kind);
        }
      ck_assert_uint_eq (sent, 1008);
      ck_assert_uint_eq (received, 1008);
      ck_assert_uint_eq (ics_media_statistics_get_lost (statistics), 0);
      ck_assert_uint_eq (dropped_of_all (&world, side), 0);
    }
  world_close (&world);
}
END_TEST

/* Packets all the time, from the channel to the direct path: none is lost where the network loses none, none
 * comes twice, and all are as they were. */
static gboolean
stream_until_direct (LinkPair *pair)
{
  World *world = (World *)pair;
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world->media[0]);

  if (link_pair_is_direct (pair)
      && ics_media_statistics_get_received_bytes (statistics, ICS_PATH_DIRECT) > 200 * 1000)
    return TRUE;
  /* At most so many under way that no buffer overflows. */
  if (world->next < ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP) + 50)
    for (guint side = 0; side < 2; side++)
      ck_assert (send_rtp (world, side, world->next));
  else
    return FALSE;
  world->next++;
  return FALSE;
}

static gboolean
all_arrived (LinkPair *pair)
{
  World *world = (World *)pair;

  return g_queue_get_length (&world->got[0][ICS_MEDIA_RTP]) == world->next
         && g_queue_get_length (&world->got[1][ICS_MEDIA_RTP]) == world->next;
}

static gboolean
on_tick (gpointer unused)
{
  return G_SOURCE_CONTINUE;
}

START_TEST (test_through_the_shift)
{
  World world;
  guint tick = g_timeout_add (1, on_tick, NULL);

  world_init (&world, NULL, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, stream_until_direct);
  link_pair_run (&world.pair, all_arrived);
  g_source_remove (tick);
  for (guint side = 0; side < 2; side++)
    {
      g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world.media[side]);
      g_autofree guint *seen = g_new0 (guint, world.next);

      for (GList *l = world.got[side][ICS_MEDIA_RTP].head; l != NULL; l = l->next)
        {
          guint16 sequence = ics_rtp_get_sequence (g_bytes_get_data (l->data, NULL));
          g_autoptr (GBytes) expected = new_rtp (7, sequence, 1000);

          ck_assert (g_bytes_equal (l->data, expected));
          ck_assert_uint_eq (seen[sequence]++, 0);
        }
      ck_assert_uint_gt (ics_media_statistics_get_received_bytes (statistics, ICS_PATH_CHANNEL), 0);
      ck_assert_uint_gt (ics_media_statistics_get_received_bytes (statistics, ICS_PATH_DIRECT), 0);
      ck_assert_uint_eq (ics_media_statistics_get_lost (statistics), 0);
      ck_assert_uint_eq (dropped_of_all (&world, side), 0);
    }
  world_close (&world);
}
END_TEST

/* What is no packet for the channel is refused, with the reason. */
START_TEST (test_refused)
{
  World world;
  g_autoptr (GBytes) rtcp = new_rtcp ();
  g_autoptr (GBytes) rtp = new_rtp (7, 1, 100);
  g_autoptr (GBytes) short_rtp = g_bytes_new_from_bytes (rtp, 0, 11);
  g_autoptr (GBytes) nothing = g_bytes_new (NULL, 0);
  g_autoptr (GBytes) quic = g_bytes_new_static ("\100abcdefghijklmnopqrstuvwxyz", 27);
  g_autoptr (GBytes) large = NULL;

  world_init (&world, NULL, ICS_MEDIA_FLAGS_NONE);
  large = new_rtp (7, 2, ics_media_channel_get_max_packet (world.media[0]) + 1);
  ck_assert (!ics_media_channel_send_rtp (world.media[0], rtcp));
  ck_assert (!ics_media_channel_send_rtcp (world.media[0], rtp));
  ck_assert (!ics_media_channel_send_rtp (world.media[0], short_rtp));
  ck_assert (!ics_media_channel_send_rtp (world.media[0], nothing));
  ck_assert (!ics_media_channel_send_rtcp (world.media[0], nothing));
  ck_assert (!ics_media_channel_send_rtp (world.media[0], quic));
  ck_assert_uint_eq (dropped (&world, 0, ICS_MEDIA_DROP_MALFORMED), 6);
  ck_assert (!ics_media_channel_send_rtp (world.media[0], large));
  ck_assert_uint_eq (dropped (&world, 0, ICS_MEDIA_DROP_TOO_LARGE), 1);
  world_close (&world);
}
END_TEST

static gboolean
first_rtp (LinkPair *pair)
{
  return !g_queue_is_empty (&((World *)pair)->got[0][ICS_MEDIA_RTP]);
}

/* The other host may open later, or never; a second channel of one link would use keys twice. */
START_TEST (test_opening)
{
  World world = { 0 };
  const char *const unknown[] = { "SRTP_NULL_HMAC_SHA1_80", NULL };
  g_autoptr (GError) error = NULL;

  link_pair_init (&world.pair);
  ck_assert_ptr_null (ics_link_open_media (world.pair.link[0], NULL, ICS_MEDIA_FLAGS_NONE, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED));
  g_clear_error (&error);
  link_pair_start (&world.pair, FALSE);
  link_pair_run (&world.pair, link_pair_is_connected);
  ck_assert_ptr_null (ics_link_open_media (world.pair.link[0], unknown, ICS_MEDIA_FLAGS_NONE, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  g_clear_error (&error);
  open_media (&world, 0, NULL, ICS_MEDIA_FLAGS_NONE);
  ck_assert_ptr_null (ics_link_open_media (world.pair.link[0], NULL, ICS_MEDIA_FLAGS_NONE, &error));
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_INVALID_ARGUMENT));
  ck_assert (!send_rtp (&world, 0, 1));
  ck_assert_uint_eq (dropped (&world, 0, ICS_MEDIA_DROP_NOT_READY), 1);
  open_media (&world, 1, CM, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, both_ready);
  ck_assert_str_eq (ics_media_channel_get_profile (world.media[0]), CM);
  ck_assert (send_rtp (&world, 1, 1));
  link_pair_run (&world.pair, first_rtp);
  world_close (&world);
}
END_TEST

static gboolean
record_has (LinkPair *pair, guint side, const char *what)
{
  g_auto (GStrv) record = ics_link_get_record (pair->link[side]);
  gboolean found = FALSE;

  for (guint i = 0; record[i] != NULL; i++)
    found = found || strstr (record[i], what) != NULL;
  return found;
}

static gboolean
both_tell (LinkPair *pair)
{
  return record_has (pair, 0, "no protection profile in common")
         && record_has (pair, 1, "no protection profile in common");
}

START_TEST (test_nothing_in_common)
{
  World world = { 0 };

  connect_links (&world);
  open_media (&world, 0, GCM, ICS_MEDIA_FLAGS_NONE);
  open_media (&world, 1, CM, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, both_tell);
  ck_assert_ptr_null (ics_media_channel_get_profile (world.media[0]));
  ck_assert (!send_rtp (&world, 1, 1));
  world_close (&world);
}
END_TEST

/* The joiner is the QUIC client; both hosts have the same keys, in the same places. */
START_TEST (test_key_log)
{
  World world;
  g_autofree char *own = NULL;
  g_autofree char *other = NULL;
  g_auto (GStrv) words = NULL;

  world_init (&world, NULL, ICS_MEDIA_FLAGS_KEEP_KEYS);
  own = ics_media_channel_get_key_log (world.media[0]);
  other = ics_media_channel_get_key_log (world.media[1]);
  ck_assert_str_eq (own, other);
  words = g_strsplit (own, " ", -1);
  ck_assert_uint_eq (g_strv_length (words), 5);
  ck_assert_str_eq (words[0], GCM);
  ck_assert_str_eq (words[1], "client");
  ck_assert_str_eq (words[3], "server");
  ck_assert_uint_eq (strlen (words[2]), 56);
  ck_assert_str_ne (words[2], words[4]);
  world_close (&world);
}
END_TEST

/* No packet more under a key than its lifetime allows; record and statistics say so. */
static gboolean
key_is_spent (LinkPair *pair)
{
  World *world = (World *)pair;

  return g_queue_get_length (&world->got[0][ICS_MEDIA_RTP]) == 32
         && dropped (world, 1, ICS_MEDIA_DROP_KEY_LIMIT) == 8;
}

START_TEST (test_key_limit)
{
  const guint64 lifetime[ICS_N_RTP_KINDS] = { 32, 0 };
  World world = { 0 };
  g_autoptr (IcsMediaStatistics) statistics = NULL;

  connect_links (&world);
  open_media (&world, 1, NULL, ICS_MEDIA_FLAGS_NONE);
  ics_media_hub_set_lifetime (ics_media_channel_get_hub (world.media[1]), lifetime);
  open_media (&world, 0, NULL, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, both_ready);
  for (guint16 i = 0; i < 40; i++)
    ck_assert (send_rtp (&world, 1, i));
  link_pair_run (&world.pair, key_is_spent);
  statistics = ics_media_channel_get_statistics (world.media[1]);
  ck_assert_uint_eq (ics_media_statistics_get_sent (statistics, ICS_MEDIA_RTP), 32);
  ck_assert (record_has (&world.pair, 1, "the key for what this host sends is nearly spent"));
  ck_assert (record_has (&world.pair, 1, "the key for what this host sends is spent"));
  world_close (&world);
}
END_TEST

/* Two policies that have no path in common: media stays here, as all data does, until one of them changes. */
static gboolean
both_know (LinkPair *pair)
{
  return record_has (pair, 0, "policies: direct here, relay there")
         && record_has (pair, 1, "policies: relay here, direct there");
}

static gboolean
drops_more (LinkPair *pair)
{
  World *world = (World *)pair;

  return dropped (world, 0, ICS_MEDIA_DROP_NO_PATH) >= world->next;
}

/* Allowed again. */
static gboolean
send_until_direct (LinkPair *pair)
{
  World *world = (World *)pair;

  send_rtp (world, 1, world->next++);
  return !g_queue_is_empty (&world->got[0][ICS_MEDIA_RTP]);
}

START_TEST (test_no_path_allowed)
{
  World world;
  guint tick = g_timeout_add (1, on_tick, NULL);
  g_autoptr (IcsMediaStatistics) before = NULL;
  g_autoptr (IcsMediaStatistics) after = NULL;

  world_init (&world, NULL, ICS_MEDIA_FLAGS_NONE);
  g_object_set (world.pair.link[0], "policy", ICS_PATH_POLICY_DIRECT, NULL);
  g_object_set (world.pair.link[1], "policy", ICS_PATH_POLICY_RELAY, NULL);
  link_pair_run (&world.pair, both_know);
  before = ics_media_channel_get_statistics (world.media[0]);
  for (guint i = 0; i < 100; i++)
    ck_assert (send_rtp (&world, 0, world.next++));
  world.next = (guint16)(ics_media_statistics_get_dropped (before, ICS_MEDIA_DROP_NO_PATH) + 100);
  link_pair_run (&world.pair, drops_more);
  after = ics_media_channel_get_statistics (world.media[0]);
  ck_assert_uint_eq (ics_media_statistics_get_sent (after, ICS_MEDIA_RTP),
                     ics_media_statistics_get_sent (before, ICS_MEDIA_RTP));
  g_object_set (world.pair.link[1], "policy", ICS_PATH_POLICY_AUTO, NULL);
  world.next = 10000;
  g_queue_clear_full (&world.got[0][ICS_MEDIA_RTP], (GDestroyNotify)g_bytes_unref);
  link_pair_run (&world.pair, send_until_direct);
  g_source_remove (tick);
  world_close (&world);
}
END_TEST

/* Taken on a thread of its own, without a turn of the main loop, and until the link ends. */
#define PULLED 2000

static gpointer
pull (gpointer data)
{
  IcsMediaChannel *media = data;
  g_autoptr (GError) error = NULL;
  IcsMediaKind kind;
  GBytes *packet;
  guint n = 0;

  while ((packet = ics_media_channel_receive (media, &kind, NULL, &error)) != NULL)
    {
      n += kind == ICS_MEDIA_RTP;
      g_bytes_unref (packet);
    }
  ck_assert (g_error_matches (error, ICS_ERROR, ICS_ERROR_CLOSED));
  return GUINT_TO_POINTER (n);
}

static gpointer
pull_in_vain (gpointer data)
{
  gpointer *both = data;
  g_autoptr (GError) error = NULL;
  IcsMediaKind kind;

  ck_assert_ptr_null (ics_media_channel_receive (both[0], &kind, both[1], &error));
  ck_assert (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED));
  return NULL;
}

static gboolean
pulled_all (LinkPair *pair)
{
  World *world = (World *)pair;
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world->media[0]);

  if (world->next < PULLED && world->next < ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP) + 50
      && send_rtp (world, 1, world->next))
    world->next++;
  return ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP) == PULLED;
}

START_TEST (test_pull)
{
  World world = { .pulls = TRUE };
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint tick = g_timeout_add (1, on_tick, NULL);
  gpointer both[2];
  GThread *puller, *vain;

  connect_links (&world);
  open_media (&world, 0, NULL, ICS_MEDIA_FLAGS_NONE);
  open_media (&world, 1, NULL, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, both_ready);
  both[0] = world.media[1];
  both[1] = cancellable;
  vain = g_thread_new ("vain", pull_in_vain, both);
  puller = g_thread_new ("pull", pull, world.media[0]);
  link_pair_run (&world.pair, pulled_all);
  g_cancellable_cancel (cancellable);
  g_thread_join (vain);
  link_pair_close (&world.pair, 1, 0, "");
  ck_assert_uint_eq (GPOINTER_TO_UINT (g_thread_join (puller)), PULLED);
  g_source_remove (tick);
  world_clear (&world);
}
END_TEST

/* An application that takes nothing keeps the latest packets, and no more than that. */
#define UNREAD 3000

static gboolean
all_sent (LinkPair *pair)
{
  World *world = (World *)pair;
  g_autoptr (IcsMediaStatistics) statistics = ics_media_channel_get_statistics (world->media[0]);

  if (world->next < UNREAD && world->next < ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP) + 50
      && send_rtp (world, 1, world->next))
    world->next++;
  return ics_media_statistics_get_received (statistics, ICS_MEDIA_RTP) == UNREAD;
}

START_TEST (test_unread)
{
  World world = { .pulls = TRUE };
  guint tick = g_timeout_add (1, on_tick, NULL);
  g_autoptr (GBytes) oldest = NULL;
  IcsMediaKind kind;

  connect_links (&world);
  open_media (&world, 0, NULL, ICS_MEDIA_FLAGS_NONE);
  open_media (&world, 1, NULL, ICS_MEDIA_FLAGS_NONE);
  link_pair_run (&world.pair, both_ready);
  link_pair_run (&world.pair, all_sent);
  g_source_remove (tick);
  ck_assert_uint_eq (dropped (&world, 0, ICS_MEDIA_DROP_UNREAD), UNREAD - ICS_MEDIA_MAX_QUEUED_IN);
  oldest = ics_media_channel_receive (world.media[0], &kind, NULL, NULL);
  /* In the order of sending, more or less: there was a move. */
  ck_assert_uint_ge (ics_rtp_get_sequence (g_bytes_get_data (oldest, NULL)),
                     (UNREAD - ICS_MEDIA_MAX_QUEUED_IN) / 2);
  link_pair_close (&world.pair, 1, 0, "");
  world_clear (&world);
}
END_TEST

/* Gone from the application's sight while packets come; and the link, before the channel. */
START_TEST (test_let_go)
{
  World world;

  world_init (&world, NULL, ICS_MEDIA_FLAGS_NONE);
  for (guint16 i = 0; i < 100; i++)
    ck_assert (send_rtp (&world, 1, i));
  link_pair_run (&world.pair, first_rtp);
  g_clear_object (&world.media[0]);
  for (guint16 i = 100; i < 200; i++)
    ck_assert (send_rtp (&world, 1, i));
  link_pair_close (&world.pair, 0, 0, "");
  link_pair_clear (&world.pair);
  ck_assert (!send_rtp (&world, 1, 200));
  ck_assert_uint_ge (dropped (&world, 1, ICS_MEDIA_DROP_NOT_READY), 1);
  g_clear_object (&world.media[1]);
  for (guint kind = 0; kind < ICS_N_MEDIA_KINDS; kind++)
    g_queue_clear_full (&world.got[0][kind], (GDestroyNotify)g_bytes_unref);
}
END_TEST

int
main (void)
{
  const SuiteLoop tests[] = {
    { test_both_ways, 2 },
    { test_through_the_shift, 1 },
    { test_refused, 1 },
    { test_opening, 1 },
    { test_nothing_in_common, 1 },
    { test_key_log, 1 },
    { test_key_limit, 1 },
    { test_pull, 1 },
    { test_unread, 1 },
    { test_let_go, 1 },
    { test_no_path_allowed, 1 },
  };

  return run_loops ("media", tests, G_N_ELEMENTS (tests));
}
