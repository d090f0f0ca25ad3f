# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two machines and a wire between them, made of namespaces: the sender `a` and the receiver `b`.

Without impairment it is one veth pair with the offloads that it has. With it the program `impair` of the laboratory sits in
the middle, and the interfaces hand it single packets.
"""

import os
import subprocess

import namespaces
from impairer import Impairer

SENDER, RECEIVER = "a", "b"
ADDRESS = {"a": "10.0.0.1", "b": "10.0.0.2"}


class Wire:
    """impair: settings for both ways, as tests/lab/impair-settings.h names them, or None."""

    def __init__(self, impair=None):
        self._impair = impair
        self._impairer = None

    def __enter__(self):
        machines = ["a", "b"] + ["wire-impair"] * (self._impair is not None)
        namespaces.add(machines)
        for machine in machines:
            namespaces.sysctl(machine, {"net/ipv6/conf/all/disable_ipv6": 1, "net/ipv6/conf/default/disable_ipv6": 1})
            namespaces.ip(machine, ["link set lo up"])
        if self._impair is None:
            namespaces.ip("a", ["link add wire index 50 type veth peer name wire netns b"])
        else:
            self._add_middle()
        for machine in ("a", "b"):
            namespaces.ip(machine, [f"addr add {ADDRESS[machine]}/24 dev wire", "link set wire up"])
        if self._impair is not None:
            self._impairer = Impairer("wire", lambda line: None)
            self._impairer.set(self._impair, self._impair)
        return self

    def __exit__(self, kind, value, trace):
        """The outer namespaces take all of it apart."""

    @staticmethod
    def _add_middle():
        for index, (machine, end) in enumerate((("a", "near"), ("b", "far"))):
            namespaces.ip("wire-impair", [f"link add {end} index {50 + index} type veth peer name wire netns {machine}",
                                          f"link set {end} up"])
            namespaces.command(machine, ["ethtool", "-K", "wire", "tx", "off", "tso", "off", "gso", "off",
                                         "tx-udp-segmentation", "off"])

    @staticmethod
    def start(machine, words, root=False, **streams):
        """A program on a machine; root: with capabilities, for what only root may choose."""
        command = ["nsenter", f"--net=/run/netns/{machine}", "--", *words] if root else namespaces.command_in(machine, words)
        environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/run/lab", "GSETTINGS_BACKEND": "memory",
                       "GIO_USE_VFS": "local"}
        return subprocess.Popen(command, env=environment, text=True,
                                **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | streams)
