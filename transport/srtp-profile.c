/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "transport/srtp-profile.h"

#define INDEX_LEN 4

const IcsSrtpProfile ics_srtp_profiles[ICS_N_SRTP_PROFILES] = {
  { ICS_SRTP_AEAD_AES_128_GCM, "SRTP_AEAD_AES_128_GCM", 16, 12, 16, 16 + INDEX_LEN },
  { ICS_SRTP_AES128_CM_HMAC_SHA1_80, "SRTP_AES128_CM_HMAC_SHA1_80", 16, 14, 10, 10 + INDEX_LEN },
};

const IcsSrtpProfile *
ics_srtp_profile_find (const char *name)
{
  for (guint i = 0; i < ICS_N_SRTP_PROFILES; i++)
    if (g_str_equal (ics_srtp_profiles[i].name, name))
      return &ics_srtp_profiles[i];
  return NULL;
}

const IcsSrtpProfile *
ics_srtp_profile_choose (const char *client, const char *server)
{
  g_auto (GStrv) preferred = g_strsplit (client, " ", -1);
  g_auto (GStrv) offered = g_strsplit (server, " ", -1);

  for (guint i = 0; preferred[i] != NULL; i++)
    {
      const IcsSrtpProfile *profile = ics_srtp_profile_find (preferred[i]);

      if (profile != NULL && g_strv_contains ((const char *const *)offered, profile->name))
        return profile;
    }
  return NULL;
}
