# SPDX-License-Identifier: LGPL-2.1-or-later
"""SRTP and SRTCP (RFC 3711, RFC 7714) as the RFCs write it, over the ciphers of python3-cryptography: it opens what libsrtp has
protected. No replay protection: a reader of recordings. check_vectors() holds it against the RFCs' own."""

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

GCM, CM = "SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_HMAC_SHA1_80"
SALT = {GCM: 12, CM: 14}
ENCRYPTION, AUTHENTICATION, SALTING = 0, 1, 2       # labels of RFC 3711 §4.3.1; for RTCP 3 more
RTCP = 3


def _number(data):
    return int.from_bytes(data, "big")


def _counter_mode(key, start, data):
    context = Cipher(algorithms.AES(key), modes.CTR(start)).encryptor()
    return context.update(data) + context.finalize()


def derive(master, salt, label, length):
    """RFC 3711 §4.3.3, with a key derivation rate of 0. RFC 7714 §11: a salt of 12 bytes is filled with zeros to the right."""
    start = _number(salt.ljust(14, b"\0")) ^ label << 48
    return _counter_mode(master, (start << 16).to_bytes(16, "big"), bytes(length))


def rtp_header(packet):
    length = 12 + 4 * (packet[0] & 15)
    return length + (4 + 4 * _number(packet[length + 2:length + 4]) if packet[0] & 16 else 0)


def is_rtcp(packet):
    """RFC 5761 §4"""
    return 192 <= packet[1] <= 223


def gcm_start(salt, ssrc, index):
    """RFC 7714 §8.1 and §9.1; index: ROC and sequence number, or the SRTCP index, in 6 bytes."""
    return (_number(salt) ^ (ssrc << 48 | index)).to_bytes(12, "big")


def cm_start(salt, ssrc, index):
    """RFC 3711 §4.1.1"""
    return (_number(salt) << 16 ^ ssrc << 64 ^ index << 16).to_bytes(16, "big")


class Srtp:
    """One direction. master: the key, then the salt."""

    def __init__(self, profile, master):
        key, salt = master[:16], master[16:]
        assert len(salt) == SALT[profile]
        self.profile = profile
        self._keys = {base: (derive(key, salt, base + ENCRYPTION, 16), derive(key, salt, base + AUTHENTICATION, 20),
                             derive(key, salt, base + SALTING, len(salt))) for base in (0, RTCP)}
        self._highest = {}      # SSRC -> index

    def open(self, packet):
        """The RTP or RTCP packet within; None if it is not authentic."""
        return self._open_rtcp(packet) if is_rtcp(packet) else self._open_rtp(packet)

    def _open_rtp(self, packet):
        ssrc, sequence = _number(packet[8:12]), _number(packet[2:4])
        index = self._guess(ssrc, sequence)
        plain = (self._rtp_gcm if self.profile == GCM else self._rtp_cm)(packet, ssrc, index)
        if plain is not None:
            self._highest[ssrc] = max(index, self._highest.get(ssrc, 0))
        return plain

    def _guess(self, ssrc, sequence):
        """RFC 3711 §3.3.1"""
        if ssrc not in self._highest:
            return sequence
        highest = self._highest[ssrc]
        near = [(highest & ~0xffff) + wrap + sequence for wrap in (-0x10000, 0, 0x10000)]
        return min((index for index in near if index >= 0), key=lambda index: abs(index - highest))

    def _rtp_gcm(self, packet, ssrc, index):
        key, _, salt = self._keys[0]
        head = rtp_header(packet)
        return _open_gcm(key, gcm_start(salt, ssrc, index), packet[head:], packet[:head])

    def _rtp_cm(self, packet, ssrc, index):
        key, secret, salt = self._keys[0]
        packet, tag = packet[:-10], packet[-10:]
        if not _is_tag(secret, packet + (index >> 16).to_bytes(4, "big"), tag):
            return None
        head = rtp_header(packet)
        return packet[:head] + _counter_mode(key, cm_start(salt, ssrc, index), packet[head:])

    def _open_rtcp(self, packet):
        ssrc = _number(packet[4:8])
        return (self._rtcp_gcm if self.profile == GCM else self._rtcp_cm)(packet, ssrc)

    def _rtcp_gcm(self, packet, ssrc):
        key, _, salt = self._keys[RTCP]
        packet, word = packet[:-4], packet[-4:]
        return _open_gcm(key, gcm_start(salt, ssrc, _number(word) & 0x7fffffff), packet[8:], packet[:8], word)

    def _rtcp_cm(self, packet, ssrc):
        key, secret, salt = self._keys[RTCP]
        packet, tag = packet[:-10], packet[-10:]
        if not _is_tag(secret, packet, tag):
            return None
        packet, index = packet[:-4], _number(packet[-4:]) & 0x7fffffff
        return packet[:8] + _counter_mode(key, cm_start(salt, ssrc, index), packet[8:])


def _is_tag(secret, data, tag):
    return hmac.compare_digest(hmac.new(secret, data, hashlib.sha1).digest()[:10], tag)


def _open_gcm(key, start, sealed, head, word=b""):
    try:
        return head + AESGCM(key).decrypt(start, sealed, head + word)
    except InvalidTag:
        return None


def read_key_log(text):
    """{"client": Srtp, "server": Srtp} of a key log's line."""
    profile, *words = text.split()
    return {words[i]: Srtp(profile, bytes.fromhex(words[i + 1])) for i in (0, 2)}


def check_vectors():
    data = bytes.fromhex
    # RFC 3711 B.3
    master, salt = data("E1F97A0D3E018BE0D64FA32C06DE4139"), data("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(master, salt, ENCRYPTION, 16) == data("C61E7A93744F39EE10734AFE3FF7A087")
    assert derive(master, salt, SALTING, 14) == data("30CBBC08863D8C85D49DB34A9AE1")
    assert derive(master, salt, AUTHENTICATION, 94) == data(
        "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF722709863"
        "71C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")
    # RFC 3711 B.2
    start = cm_start(data("F0F1F2F3F4F5F6F7F8F9FAFBFCFD"), 0, 0)
    assert _counter_mode(data("2B7E151628AED2A6ABF7158809CF4F3C"), start, bytes(32)) == data(
        "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB")
    # RFC 7714 §16.1.1, which gives the session keys
    head, key, salt = data("8040f17b8041f8d35501a0b2"), bytes(range(16)), data("517569642070726f2071756f")
    sealed = data("f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce")
    start = gcm_start(salt, 0x5501a0b2, 0xf17b)
    assert start == data("51753c6580c2726f20718414")
    assert _open_gcm(key, start, sealed, head)[12:] == b"Gallia est omnis divisa in partes tres"
    # RFC 7714 §17.1
    assert gcm_start(salt, 0x4d617273, 0x5d4) == data("517524055203726f207170bb")
