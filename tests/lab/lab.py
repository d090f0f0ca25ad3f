# SPDX-License-Identifier: LGPL-2.1-or-later
"""A laboratory: two hosts behind NATs of a kind, an internet, a server, and verbs to run and to break things.

    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        lab.transfer(expect="direct")
"""

import os
import select
import socket
import subprocess
import sys

import gateway
import namespaces
import nat64
import topology
import traffic
from breakage import Breakage
from impairer import Impairer
from process import PATIENCE, Failure, Lines, Process, example, example_environment, tool

FILES = "/run/lab"
RENDEZVOUS_PORT = 443       # the one port that every kind lets out


def program():
    return os.environ["ICS_LAB_PROGRAM"]


class Lab(Breakage):
    """clocks: the machines whose programs get a wall clock that jump_clock() can set; metered: those whose network is paid for by
    volume; impair: the sides whose way to the
    internet impair() can make worse; gateways: {side: the words of a Gateway}, whose routers map ports."""

    def __init__(self, a, b, clocks=(), metered=(), impair=(), gateways=None, on_line=None):
        self._gateways = gateways or {}
        self.sides = {name: topology.Side(name, number, kind, name in impair, gateway.WAN if name in self._gateways else topology.WAN)
                      for number, (name, kind) in enumerate((("a", a), ("b", b)), 1)}
        self.gateways = {}
        self.server = None
        self._clocks, self._metered = clocks, metered
        self._impairers = {}
        self.name_servers = {}      # of the sides with a NAT64
        self.scheme = "ws"
        self.server_hosts = {}      # what a machine calls the server, if not by the address of its family
        self._on_line = on_line or (lambda line: print(line, file=sys.stderr, flush=True))
        self._processes = []

    def __enter__(self):
        topology.build(self.sides.values())
        for name in ["server", *self.sides]:
            os.makedirs(self.folder(name), exist_ok=True)
        for side in filter(lambda side: side.impaired, self.sides.values()):
            self._impairers[side.name] = Impairer(side.name, self._on_line)
        for name, words in self._gateways.items():
            self.gateways[name] = gateway.Gateway(self.sides[name], *words, on_line=self._on_line)
        for machine in self._clocks:
            self.jump_clock(machine, 0)
        for side in filter(lambda side: side.kind.nat64, self.sides.values()):
            self.name_servers[side.name] = nat64.NameServer(side.routers[0], {nat64.ONLY_IPV4: topology.SERVER})
        return self

    def __exit__(self, kind, value, trace):
        """The outer namespaces end what still runs. A scenario that went well leaves only the server, ended here in the
        proper way so that a sanitizer can have its say about it too."""
        if kind is None and self.server and self.server.popen.poll() is None:
            self.stop_server()

    # Machines

    def folder(self, machine):
        return f"{FILES}/{machine}"

    def address(self, side):
        return self.sides[side].address

    def socket(self, machine, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        with namespaces.inside(machine):
            return socket.socket(family, kind, protocol)

    def server_url(self, machine):
        kind = self.sides[machine].kind
        host = self.server_hosts.get(machine) or (topology.SERVER if kind.reaches_ipv4 else f"[{topology.SERVER6}]")
        return f"{self.scheme}://{host}:{RENDEZVOUS_PORT}"

    # Programs

    def run(self, machine, *arguments, code=None, environment=None, name=None, under=(), **streams):
        """ice-session on a machine, with its events; under: the words of a program that starts it."""
        self._on_line(f"{machine}$ {'ICE_SESSION_CODE=' + code + ' ' if code else ''}ice-session {' '.join(map(str, arguments))}")
        command = [*under, program(), *map(str, arguments), "--events-fd", "{events}"]
        return self._process(machine, command, code, environment, name, streams)

    def run_tool(self, machine, name, *arguments, code=None, **streams):
        """A tool of the laboratory's own; its events go to the descriptor that is its last argument."""
        return self._process(machine, [tool(name), *arguments, "{events}"], code, None, None, streams)

    def run_example(self, machine, name, *arguments, code=None, environment=None, **streams):
        """A program of examples/, compiled or in Python; what it prints is in its `lines`, unless stdout is given."""
        process = self._process(machine, [example(name), *map(str, arguments)], code, example_environment() | (environment or {}), None,
                                {"stdout": subprocess.PIPE} | streams)
        process.lines = Lines(process.name, process.popen.stdout) if process.popen.stdout else None
        return process

    def run_script(self, machine, *words, code=None, environment=None, **streams):
        """Any program that runs an ice-session; "{events}" among its words stands for the descriptor of the events."""
        path = f"{os.path.dirname(program())}:{os.environ['PATH']}"
        return self._process(machine, list(map(str, words)), code, {"PATH": path} | (environment or {}), None, streams)

    def _process(self, machine, command, code, environment, name, streams):
        variables = self._environment(machine) | ({"ICE_SESSION_CODE": code} if code else {}) | (environment or {})
        process = Process(name or machine, namespaces.command_in(machine, command), variables, self._on_line,
                          cwd=self.folder(machine), **streams)
        self._processes.append(process)
        return process

    def command(self, machine, *words):
        """Any program on a machine, run to its end with the rights that ice-session has there."""
        return subprocess.run(namespaces.command_in(machine, list(words)), env=self._environment(machine),
                              capture_output=True, text=True)

    def start(self, machine, *words, **streams):
        """The same, left running."""
        return subprocess.Popen(namespaces.command_in(machine, list(words)), env=self._environment(machine), **streams)

    def _environment(self, machine):
        """A clean one: no proxy, no configuration, no bus of the host that the laboratory runs on."""
        variables = {key: value for key, value in os.environ.items() if key.startswith(("ASAN_", "UBSAN_", "LSAN_", "TSAN_"))}
        variables |= {"PATH": os.environ["PATH"], "HOME": self.folder(machine), "LANG": "C.UTF-8", "TMPDIR": FILES,
                      "GSETTINGS_BACKEND": "memory", "GIO_USE_VFS": "local"}
        preloaded = ["vain-poll"]
        preloaded += [name for name, machines in (("wall-clock", self._clocks), ("metered", self._metered)) if machine in machines]
        if os.environ.get("ICS_LAB_TOOLS"):
            variables |= {"LD_PRELOAD": " ".join(tool(f".libs/{name}.so") for name in preloaded),
                          "ICS_LAB_CLOCK": self.clock_file(machine),
                          "ASAN_OPTIONS": variables.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        if machine in self.sides:
            variables["ICE_SESSION_SERVER"] = self.server_url(machine)
        return variables

    def start_server(self, *arguments):
        listen = [f"{topology.SERVER}:{RENDEZVOUS_PORT}", f"[{topology.SERVER6}]:{RENDEZVOUS_PORT}"]
        words = [word for address in listen for word in ("--listen", address)]
        self.server = self.run("server", "server", *words, "--public-address", topology.SERVER,
                               "--public-address", topology.SERVER6, "--state-dir", self.folder("server") + "/state", *arguments)
        self.server.events.wait_until(
            lambda events: sum(event.get("type") == "listening" for event in events) >= len(listen), "listening")
        return self.server

    def stop_server(self):
        self.server.signal(15)
        self.server.expect_exit(0, 143)

    def processes(self, word=""):
        """(pid, command line) of everything that runs in the laboratory, zombies and the scenario itself left out."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    line = file.read().replace(b"\0", b" ").decode(errors="replace").strip()
            except OSError:
                continue
            if line and int(pid) != os.getpid() and word in line:
                found.append((int(pid), line))
        return found

    def wait_gone(self, word):
        """Until no process with this word in its command line is left."""
        while found := self.processes(word):
            for pid, _ in found:
                self.wait_pid_gone(pid)

    @staticmethod
    def wait_pid_gone(pid):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            if not select.select([descriptor], [], [], PATIENCE)[0]:
                raise Failure(f"still there: {pid}")
        finally:
            os.close(descriptor)

    # Folders

    def make_folder(self, machine, name):
        folder = f"{self.folder(machine)}/{name}"
        os.makedirs(folder)
        return folder

    def limit_disk(self, machine, size):
        """A folder of the machine that holds no more than this (as the mount option size= takes it)."""
        folder = self.make_folder(machine, "small")
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", folder], check=True)
        return folder

    # Whole jobs

    def pipes(self, listener="a", joiner="b", options=(), joiner_options=None):
        """Two joined `ice-session pipe`, listener first, each with its ends in the hands of the scenario; the joiner's options are
        the listener's, or its own."""
        streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        first = self.run(listener, "pipe", *options, **streams)
        code = first.wait_for("code")["code"]
        return first, self.run(joiner, "pipe", *(options if joiner_options is None else joiner_options), code=code, **streams)

    def transfer(self, expect, listener="a", joiner="b", size=4 << 20, options=(), transport=None):
        """Data both ways through `pipe` until both hosts are on the expected path and at least `size` bytes each way are
        through; equal hashes, the channel first, exit 0. `expect` may be a function of the pair; transport: of the last path. Returns
        the path."""
        pair = self.transfer_between(self.pipes(listener, joiner, options), expect, size, transport)
        return pair[0].events.last("path")["kind"]

    def transfer_between(self, pair, expect, size=4 << 20, transport=None):
        """The same between two pipes that run; returns them."""
        exchange = traffic.Exchange(*pair)
        expect = expect(pair) if callable(expect) else expect
        for process in pair:
            process.wait_for("path", kind=expect)
        exchange.wait_progress(max(size, 2 << 20))  # more than was under way on the path before
        # A machine that stands still for too long loses it for a moment.
        for process in pair:
            process.events.wait_until(lambda events: [event["kind"] for event in events if event["type"] == "path"][-1] == expect,
                                      f"last path {expect}")
        exchange.finish()
        for process in pair:
            self.check_paths(process, expect)
            last = process.events.last("path")["transport"]
            if transport and last != transport:
                raise Failure(f"{process.name}: {expect} over {last}, expected over {transport}")
        return pair

    @staticmethod
    def check_paths(process, expect):
        paths = process.paths()
        if paths[0] != "channel" or paths[-1] != expect:
            raise Failure(f"{process.name}: paths {paths}, expected channel first and {expect} last")
        # A direct path may be there before the application has written its first byte to the channel.
        done = process.events.last("done")
        if not done or not done.get(f"{expect}_bytes"):
            raise Failure(f"{process.name}: no bytes over {expect}: {done}")
