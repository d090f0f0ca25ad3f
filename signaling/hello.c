/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "signaling/hello.h"
#include "base/wire.h"
#include <string.h>

/* The peer's name is shown to people, so it must not be able to drive their terminal. */
static gboolean
is_application (IcsSpan name)
{
  if (name.len < 1 || name.len > ICS_HELLO_APPLICATION_MAX)
    return FALSE;
  for (gsize i = 0; i < name.len; i++)
    if (!g_ascii_isgraph (name.data[i]))
      return FALSE;
  return TRUE;
}

static void
set_application (IcsHello *self, IcsSpan name)
{
  memset (self->application, 0, sizeof self->application);
  memcpy (self->application, name.data, name.len);
}

gboolean
ics_hello_init (IcsHello *self, const guint8 fingerprint[ICS_FINGERPRINT_SIZE], const char *application)
{
  IcsSpan name = ICS_SPAN ((const guint8 *)application, strlen (application));

  if (!is_application (name))
    return FALSE;
  self->lowest_version = ICS_LINK_VERSION_LOWEST;
  self->highest_version = ICS_LINK_VERSION_HIGHEST;
  memcpy (self->fingerprint, fingerprint, ICS_FINGERPRINT_SIZE);
  set_application (self, name);
  self->policy = ICS_PATH_POLICY_AUTO;
  return TRUE;
}

void
ics_hello_write (const IcsHello *self, guint8 plaintext[ICS_HELLO_SIZE])
{
  IcsWriter writer;

  ics_writer_init (&writer, plaintext, ICS_HELLO_SIZE);
  ics_writer_u8 (&writer, self->lowest_version);
  ics_writer_u8 (&writer, self->highest_version);
  ics_writer_bytes (&writer, self->fingerprint, ICS_FINGERPRINT_SIZE);
  ics_writer_blob8 (&writer, ICS_SPAN ((const guint8 *)self->application, strlen (self->application)));
  ics_writer_u8 (&writer, (guint8)self->policy);
  ics_writer_zeros (&writer, writer.size - writer.len);
}

static gboolean
is_all_zero (IcsSpan span)
{
  for (gsize i = 0; i < span.len; i++)
    if (span.data[i] != 0)
      return FALSE;
  return TRUE;
}

gboolean
ics_hello_read (IcsHello *self, const guint8 plaintext[ICS_HELLO_SIZE])
{
  IcsReader reader;
  IcsSpan fingerprint, name, padding;
  guint8 policy;

  ics_reader_init (&reader, plaintext, ICS_HELLO_SIZE);
  self->lowest_version = ics_reader_u8 (&reader);
  self->highest_version = ics_reader_u8 (&reader);
  fingerprint = ics_reader_bytes (&reader, ICS_FINGERPRINT_SIZE);
  name = ics_reader_blob8 (&reader);
  policy = ics_reader_u8 (&reader);
  padding = ics_reader_bytes (&reader, ics_reader_remaining (&reader));
  if (!ics_reader_finish (&reader) || !is_application (name) || !is_all_zero (padding)
      || policy > ICS_PATH_POLICY_LAN || self->lowest_version > self->highest_version)
    return FALSE;
  self->policy = (IcsPathPolicy)policy;
  memcpy (self->fingerprint, fingerprint.data, ICS_FINGERPRINT_SIZE);
  set_application (self, name);
  return TRUE;
}

gboolean
ics_hello_matches (const IcsHello *own, const IcsHello *peer, IcsError *failure, char **message)
{
  if (own->lowest_version > peer->highest_version || peer->lowest_version > own->highest_version)
    {
      *failure = ICS_ERROR_PROTOCOL;
      *message = g_strdup_printf (
          "this host speaks versions %u to %u of the protocol, the other one %u to %u", own->lowest_version,
          own->highest_version, peer->lowest_version, peer->highest_version);
      return FALSE;
    }
  if (strcmp (own->application, peer->application) != 0)
    {
      *failure = ICS_ERROR_REFUSED;
      *message = g_strdup_printf ("this host runs \"%s\", the other one \"%s\"", own->application,
                                  peer->application);
      return FALSE;
    }
  return TRUE;
}
