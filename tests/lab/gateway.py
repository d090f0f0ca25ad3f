# SPDX-License-Identifier: LGPL-2.1-or-later
"""A port mapping daemon on a router of the laboratory: miniupnpd, which speaks PCP, NAT-PMP and UPnP."""

import os
import re
import socket
import subprocess
import threading
import time

import namespaces
from process import PATIENCE, Failure

# miniupnpd maps nothing behind an address that is not of the Internet, and takes those of the documentation ranges for such.
WAN = "198.51.101"
# A table of its own beside the router's. What came for a mapped port and was translated (dnat) the router lets in anyway.
CHAINS = """
table inet miniupnpd {
  chain prerouting { type nat hook prerouting priority dstnat - 1; policy accept; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority srcnat - 1; policy accept; jump postrouting_miniupnpd; }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
"""
# A gateway that drops what begins with PCP's version.
NO_PCP = """
table inet old {
  chain input { type filter hook input priority filter - 1; policy accept; udp dport 5351 @th,64,8 2 drop; }
}
"""
PROTOCOLS = {"pcp": "enable_natpmp=yes\nenable_upnp=no", "nat-pmp": "enable_natpmp=yes\nenable_upnp=no",
             "upnp": "enable_natpmp=no\nenable_upnp=yes"}


class Gateway:
    """protocol: the only one that the daemon of this side's router speaks; lifetime: the longest that PCP grants."""

    def __init__(self, side, protocol, lifetime=86400, *, on_line):
        self.side, self._router, self._on_line = side, side.routers[0], on_line
        self._folder = f"/run/lab/{self._router}"
        self._popen, self._changed, self.lines = None, threading.Condition(), []
        os.makedirs(self._folder)
        with open(f"{self._folder}/conf", "w") as file:
            file.write(f"ext_ifname=outside\nlistening_ip=inside\nhttp_port=0\n{PROTOCOLS[protocol]}\n"
                       f"min_lifetime=1\nmax_lifetime={lifetime}\nsecure_mode=yes\nsystem_uptime=no\n"
                       "upnp_table_name=miniupnpd\nupnp_nat_table_name=miniupnpd\n"
                       f"uuid=00000000-0000-4000-8000-00000000000{side.number}\n"
                       f"allow 1024-65535 {side.address}/32 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n")
        namespaces.nft(self._router, CHAINS)
        if protocol == "nat-pmp":
            namespaces.nft(self._router, NO_PCP)
        self.start()

    def start(self):
        self._popen = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{self._router}", "--", "miniupnpd", "-d", "-f", f"{self._folder}/conf", "-P",
             f"{self._folder}/pid"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True).start()
        self.wait_for("Listening for NAT-PMP|HTTP listening")

    def _read(self, stream):
        for line in stream:
            text = line.decode(errors="replace").rstrip()
            with self._changed:
                self.lines.append(text)
                self._changed.notify_all()
            self._on_line(f"{self._router}: {text}")

    def wait_for(self, pattern, after=0):
        """The number of the first line of the daemon from `after` on that matches."""
        def find():
            return next((number for number, line in enumerate(self.lines[after:], after) if re.search(pattern, line)), None)
        with self._changed:
            if not self._changed.wait_for(lambda: find() is not None, PATIENCE):
                raise Failure(f"{self._router} did not say {pattern}")
            return find()

    def wait_mapped(self, after=0):
        """Until PCP has mapped a port, or mapped it again: the number of the line behind that."""
        return 1 + self.wait_for("PCP MAP: added mapping", after)

    def move(self):
        """The host's default route gets another address of the router; the old one does not answer any more."""
        other = str(self.side.first.network[254])
        namespaces.ip(self._router, [f"addr add {other}/24 dev inside"])
        namespaces.nft(self._router, f"""
table ip moved {{
  chain old {{ type filter hook prerouting priority raw; policy accept; ip daddr {self.side.first.gateway} udp dport 5351 drop; }}
  chain new {{ type nat hook prerouting priority dstnat - 2; policy accept;
    ip daddr {other} udp dport 5351 dnat to {self.side.first.gateway}; }}
}}
""")
        namespaces.ip(self.side.name, [f"route replace default via {other} dev {self.side.first.host}"])

    def wait_epoch(self, seconds):
        """Until the daemon says that it runs for so long (RFC 6886 §3.2)."""
        with namespaces.inside(self.side.name):
            asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with asking:
            asking.settimeout(PATIENCE)
            asking.connect((self.side.first.gateway, 5351))
            while True:
                asking.send(bytes(2))
                if int.from_bytes(asking.recv(64)[4:8], "big") >= seconds:
                    return
                time.sleep(0.1)

    @property
    def pid(self):
        return self._popen.pid

    def signal(self, number):
        self._popen.send_signal(number)

    def stop(self):
        """As when its power fails: nothing is said, and the mappings are gone."""
        self._popen.kill()
        self._popen.wait()
        for chain in ("miniupnpd", "prerouting_miniupnpd", "postrouting_miniupnpd"):
            namespaces.command(self._router, ["nft", "flush", "chain", "inet", "miniupnpd", chain])

    def restart(self):
        self.stop()
        self.start()

    def mappings(self):
        """{external port: "address:port" inside}, as the router's rules say."""
        rules = namespaces.command(self._router, ["nft", "list", "chain", "inet", "miniupnpd", "prerouting_miniupnpd"])
        return {int(port): inside for port, inside in re.findall(r"dport (\d+) .*dnat ip to (\S+)", rules)}
