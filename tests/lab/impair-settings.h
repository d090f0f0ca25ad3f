/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* What is done to the packets of one direction. All zero: nothing. */
typedef struct
{
  double delay_ms;
  double jitter_ms; /* uniformly so much more or less; keeps the order */
  double loss;      /* percent, as all shares here */
  double burst;     /* mean number of packets lost in a row (Gilbert's model); up to 1: each by itself */
  double reorder;   /* held back by reorder_by_ms, so that later ones overtake */
  double burst_ms;  /* the same by the clock: mean time for which all is lost; burst is not looked at then */
  double reorder_by_ms; /* 0: 5 */
  double duplicate;     /* the copy is held back in the same way */
  double
      corrupt;  /* one bit flipped behind the IP header; UDP's checksum is made to fit, so that it arrives */
  double rate;  /* bits of IP packets a second; 0: unlimited */
  double queue; /* bytes that wait for the rate; 0: 100 ms at the rate, at least 32 kB */
  double mtu;   /* larger IP packets are dropped; 0: none are */
  double icmp;  /* not 0: and the sender is told (RFC 1191, RFC 4443 §3.2) */
  double blackhole; /* not 0: nothing passes */
} ImpairSettings;

/* "delay 25 loss 1 rate 100M": names as above without the unit; a number may end in k, M or G (decimal). What
 * is not named is zero. FALSE with *problem (to be freed) when it is not understood; *settings is unchanged
 * then. */
gboolean impair_settings_parse (const char *text, ImpairSettings *settings, char **problem);
