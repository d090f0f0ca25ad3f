# SPDX-License-Identifier: LGPL-2.1-or-later
"""Namespaces: one outer set per scenario, with as many network namespaces inside as the scenario has machines.

The outer set has a process-id namespace. Its first process is the scenario, and when that dies the kernel ends everything
else in it, the network included. So there is nothing to clean up, not even after SIGKILL.
"""

import contextlib
import ctypes
import os
import subprocess
import threading

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def unshare_command(user_namespace=None):
    """The words to put before a command line that shall run as the first process of new namespaces.

    user_namespace: True: map this user to root in a user namespace; False: do without (needs root); None: as needed.
    """
    if user_namespace is None:
        user_namespace = os.geteuid() != 0
    words = ["unshare", "--net", "--mount", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return words + (["--user", "--map-root-user"] if user_namespace else [])


@contextlib.contextmanager
def start_in_new(command, environment, user_namespace=None, **streams):
    """Starts a command line in new namespaces; it gets `--lifeline N` and shall call die_with(N)."""
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(unshare_command(user_namespace) + command + ["--lifeline", str(reading)],
                                   env=environment, pass_fds=(reading,), **streams)
        os.close(reading)
        yield process
    finally:
        os.close(writing)


def problem(user_namespace=None):
    """None if namespaces can be made here, else why not."""
    result = subprocess.run(unshare_command(user_namespace) + ["true"], capture_output=True, text=True)
    return None if result.returncode == 0 else result.stderr.strip()


def set_up():
    """The first thing to do inside: private folders for the names of the machines and for files; root's tools."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    _run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    os.makedirs("/run/lab")


def die_with(descriptor):
    """End this process, and with it all of its namespaces, when the other end of a pipe is closed."""
    def watch():
        os.read(descriptor, 1)
        os._exit(70)
    threading.Thread(target=watch, daemon=True).start()


def add(names):
    _run(["ip", "-batch", "-"], "".join(f"netns add {name}\n" for name in names))


@contextlib.contextmanager
def inside(name):
    """This thread in another network namespace: a socket made here belongs to that machine for ever."""
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{name}", os.O_RDONLY)
    try:
        _setns(there)
        yield
    finally:
        _setns(here)
        os.close(there)
        os.close(here)


def ip(name, lines):
    _run(["ip", "-n", name, "-batch", "-"], "\n".join(lines) + "\n")


def nft(name, rules):
    with inside(name):
        _run(["nft", "-f", "-"], rules)


def sysctl(name, settings):
    with inside(name):
        for key, value in settings.items():
            with open("/proc/sys/" + key, "w") as file:
                file.write(str(value))


def command_in(name, command):
    """A command line for a machine. It runs without capabilities, as the programs of an ordinary user do."""
    return ["nsenter", f"--net=/run/netns/{name}", "--", "setpriv", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs", "--"] + command


def command(name, words, statuses=(0,)):
    """A program of root's on a machine, to its end."""
    result = subprocess.run(["nsenter", f"--net=/run/netns/{name}", "--", *words], capture_output=True, text=True)
    if result.returncode not in statuses:
        raise RuntimeError(f"{name}: {' '.join(words)}: {result.stderr.strip()}")
    return result.stdout


def _setns(descriptor):
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _run(command, text=None):
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stderr.strip()}\n{text or ''}")
