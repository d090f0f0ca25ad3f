# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP connections through `forward`: many at once, each exact and half-closed, only to what was offered."""

import hashlib
import os
import socket
import threading

from lab import Lab
from process import PATIENCE
from testing import check, scenario

CONNECTIONS = 40
SERVICE, HIDDEN, LOCAL = 7000, 7001, 7002


class HashService:
    """Answers each connection, after the end of what it sends, with its SHA-256: so half-closing must be carried too."""

    def __init__(self, lab, machine, port):
        self.connections = 0
        self._listening = lab.socket(machine, kind=socket.SOCK_STREAM)
        self._listening.bind(("127.0.0.1", port))
        self._listening.listen(CONNECTIONS)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection = self._listening.accept()[0]
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _serve(connection):
        digest = hashlib.sha256()
        while block := connection.recv(1 << 16):
            digest.update(block)
        connection.sendall(digest.digest())
        connection.close()


def connect(lab, machine, port):
    """To a `forward connect` that has said that it listens."""
    made = lab.socket(machine, kind=socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    made.connect(("127.0.0.1", port))
    return made


def ask(connection, data):
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while block := connection.recv(100):
        answer += block
    connection.close()
    return answer


def start(lab, *names):
    serve = lab.run("a", "forward", "serve", f"hash=127.0.0.1:{SERVICE}")
    code = serve.wait_for("code")["code"]
    words = [word for name in names for word in ("-L", f"{LOCAL}:{name}")]
    return serve, lab.run("b", "forward", "connect", *words, code=code)


@scenario
def many_connections_at_once():
    with Lab(a="port-restricted", b="port-restricted") as lab:
        lab.start_server()
        service = HashService(lab, "a", SERVICE)
        serve, client = start(lab, "hash")
        client.wait_for("forwarding")
        connections = [connect(lab, "b", LOCAL) for _ in range(CONNECTIONS)]
        wrong = []

        def one(connection):
            data = os.urandom(200_000)
            if ask(connection, data) != hashlib.sha256(data).digest():
                wrong.append(connection)
        threads = [threading.Thread(target=one, args=(connection,)) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        check(not wrong and not any(thread.is_alive() for thread in threads), f"{len(wrong)} wrong answers")
        check(service.connections == CONNECTIONS, f"the service saw {service.connections} connections")
        client.signal(15)
        client.expect_exit(0, 143)
        check(serve.wait() in (0, 7, 8), "the serving side did not end well")


@scenario
def what_is_not_offered_is_refused():
    with Lab(a="port-restricted", b="public") as lab:
        lab.start_server()
        hidden = HashService(lab, "a", HIDDEN)
        serve, client = start(lab, "secret")
        client.expect_exit(7)
        check(hidden.connections == 0, "a service that was not offered was reached")
        serve.signal(15)
        serve.expect_exit(0, 7, 8, 143)


@scenario
def connections_outlive_a_lost_path():
    """A connection opened on the direct path goes on when that breaks."""
    with Lab(a="full-cone", b="port-restricted") as lab:
        lab.start_server()
        HashService(lab, "a", SERVICE)
        serve, client = start(lab, "hash")
        client.wait_for("forwarding")
        connection = connect(lab, "b", LOCAL)
        first, second = os.urandom(100_000), os.urandom(100_000)
        connection.sendall(first)
        for process in (serve, client):
            process.wait_for("path", kind="direct")
        lab.block_udp("b")
        check(ask(connection, second) == hashlib.sha256(first + second).digest(), "other bytes")
        client.signal(15)
        client.expect_exit(0, 143)
