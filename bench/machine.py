# SPDX-License-Identifier: LGPL-2.1-or-later
"""What this machine is, as far as it matters for the figures."""

import datetime
import os
import platform
import re
import subprocess


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _first(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def _version(module):
    run = subprocess.run(["pkg-config", "--modversion", module], capture_output=True, text=True)
    return run.stdout.strip() or "unknown"


def _iperf3():
    run = subprocess.run(["iperf3", "--version"], capture_output=True, text=True)
    return _first(r"^iperf (\S+)", run.stdout)


def describe():
    """Name and value of each line of the description, in order."""
    processor, cores = _read("/proc/cpuinfo"), len(os.sched_getaffinity(0))
    flags = set(_first(r"^flags\s*:(.*)$", processor).split())
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "processor": f"{_first(r'^model name.*:(.*)$', processor)}, {cores} cores used"
                     f" ({', '.join(sorted(flags & {'aes', 'vaes', 'sha_ni', 'avx2', 'avx512f'}))})",
        "memory": f"{int(_first(r'^MemTotal: *([0-9]+)', _read('/proc/meminfo'))) >> 20} GiB",
        "kernel": platform.release(),
        "system": _first(r'^PRETTY_NAME="?([^"\n]*)', _read("/etc/os-release")),
        "socket buffers": "at most " + ", ".join(
            f"{int(_read(f'/proc/sys/net/core/{name}') or 0) >> 10} KiB ({name})" for name in ("rmem_max", "wmem_max")),
        "TCP": _read("/proc/sys/net/ipv4/tcp_available_congestion_control").strip(),
        "libraries": ", ".join(f"{name} {_version(module)}" for name, module in (
            ("ngtcp2", "libngtcp2"), ("GnuTLS", "gnutls"), ("libnice", "nice"), ("GLib", "glib-2.0"), ("libsoup", "libsoup-3.0"))),
        "iperf3": _iperf3(),
        "load before": _read("/proc/loadavg").split()[0] if _read("/proc/loadavg") else "unknown",
    }
