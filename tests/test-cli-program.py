#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program itself, two hosts and a server on the loopback: results, events, exit statuses, and what is left behind."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

PROGRAM = os.path.abspath(os.environ.get("ICE_SESSION_PROGRAM", "./ice-session"))
# Generous: it ends a hang, it does not measure.
LIMIT = 120
# The router of the network that the tests run in is not to be asked for anything.
CONFIGURATION = tempfile.TemporaryDirectory(prefix="ice-session-test-")
os.mkdir(f"{CONFIGURATION.name}/ice-session")
with open(f"{CONFIGURATION.name}/ice-session/config", "w") as file:
    file.write("[ice-session]\nno-port-mapping=true\n")


class Run:
    """One running program, with its events as they come."""

    def __init__(self, *arguments, server=None, environment=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                 events_on="stdout", **options):
        env = {k: v for k, v in os.environ.items() if not k.startswith("ICE_SESSION_")}
        env.update(environment or {}, XDG_CONFIG_HOME=CONFIGURATION.name)
        if server:
            env["ICE_SESSION_SERVER"] = server
        self.process = subprocess.Popen([PROGRAM, *arguments], env=env, stdin=stdin, stdout=stdout,
                                        stderr=subprocess.PIPE, **options)
        self.events_on = getattr(self.process, events_on)
        self.watchdog = threading.Timer(LIMIT, self.process.kill)
        self.watchdog.start()
        self.events = []

    def wait_event(self, kind, matches=lambda event: True):
        for line in self.events_on:
            event = json.loads(line)
            self.events.append(event)
            if event["type"] == kind and matches(event):
                return event
        raise AssertionError(f"no {kind}: {self.events} {self.process.stderr.read()}")

    def code(self):
        return self.wait_event("code")["code"]

    def under_way(self):
        self.wait_event("progress", lambda event: event["bytes"] > 0)

    def finish(self):
        self.out, self.err = self.process.communicate()
        self.watchdog.cancel()
        self.status = self.process.returncode
        text = self.err if self.events_on is self.process.stderr else self.out
        if text and text.startswith(b"{"):
            self.events += [json.loads(line) for line in text.splitlines()]
        return self.status

    def __str__(self):
        return f"status {self.status}, stderr {self.err}, events {self.events[-3:]}"


class WithServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.state = tempfile.mkdtemp(prefix="ice-session-test-")
        cls.server = os.environ.get("ICE_SESSION_TEST_SERVER")
        cls.server_run = None
        if not cls.server:
            cls.server_run = Run("server", "--listen", "127.0.0.1:0", "--turn", "none", "--state-dir", cls.state, "--json")
            cls.server = cls.server_run.wait_event("listening")["url"]
            cls.server_run.watchdog.cancel()

    @classmethod
    def tearDownClass(cls):
        if cls.server_run:
            cls.server_run.process.terminate()
            assert cls.server_run.finish() == 143, str(cls.server_run)
        shutil.rmtree(cls.state)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ice-session-test-")
        self.target = os.path.join(self.folder, "in")
        os.mkdir(self.target)

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_program(self, *arguments, **options):
        return Run(*arguments, server=self.server, **options)

    def make_file(self, name="talk.mp4", size=3_000_000):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as out:
            out.write(os.urandom(size))
        return path

    def transfer(self, paths, send=(), receive=()):
        sender = self.run_program("send", "--json", *send, *paths)
        receiver = self.run_program("receive", sender.code(), "--json", "-o", self.target, *receive)
        return sender, receiver

    def expect(self, sender, receiver, sent, received):
        receiver.finish()
        sender.finish()
        self.assertEqual((sender.status, receiver.status), (sent, received), f"sender: {sender}; receiver: {receiver}")
        for run in (sender, receiver):
            last = run.events[-1]
            if run.status == 0:
                self.assertEqual(last["type"], "done", str(run))
            elif run.status > 0:
                self.assertEqual((last["type"], last["exit"]), ("error", run.status), str(run))

    def left(self):
        return sorted(os.listdir(self.target))


def sha256(path):
    with open(path, "rb") as content:
        return hashlib.sha256(content.read()).hexdigest()


class Files(WithServer):
    def test_one_file(self):
        path = self.make_file()
        sender, receiver = self.transfer([path])
        self.expect(sender, receiver, 0, 0)
        for run in (sender, receiver):
            done = run.events[-1]
            self.assertEqual(done["sha256"], sha256(path))
            self.assertEqual(done["bytes"], 3_000_000)
            self.assertEqual(done["channel_bytes"] + done["turn_bytes"] + done["direct_bytes"], done["bytes"])
            kinds = [event["type"] for event in run.events]
            self.assertIn("connected", kinds)
            self.assertIn("path", kinds)
            self.assertTrue(all(event["v"] == 1 and event["at_ms"] >= 0 for event in run.events))
        self.assertEqual(self.left(), ["talk.mp4"])
        self.assertEqual(sha256(os.path.join(self.target, "talk.mp4")), sha256(path))

    def test_tree(self):
        tree = os.path.join(self.folder, "tree")
        os.makedirs(os.path.join(tree, "empty"))
        for i in range(300):
            self.make_file(f"tree/{i}", i)
        os.symlink("/etc/passwd", os.path.join(tree, "link"))
        sender, receiver = self.transfer([tree])
        self.expect(sender, receiver, 0, 0)
        self.assertIn(b"left out", sender.err)
        self.assertEqual(sorted(os.listdir(os.path.join(self.target, "tree"))), sorted([*map(str, range(300)), "empty"]))

    def test_names_on_stdout(self):
        sender = self.run_program("send", "--json", self.make_file())
        receiver = self.run_program("receive", sender.code(), "-o", self.target)
        self.assertEqual(receiver.finish(), 0, str(receiver))
        self.assertEqual(sender.finish(), 0, str(sender))
        self.assertEqual(receiver.out.decode(), os.path.join(self.target, "talk.mp4") + "\n")
        self.assertRegex(receiver.err.decode(), r"received 3\.0 MB in .*, SHA-256 verified, \d+% direct")

    def test_existing_file_stays(self):
        path = self.make_file()
        with open(os.path.join(self.target, "talk.mp4"), "w") as old:
            old.write("old")
        self.expect(*self.transfer([path]), 7, 1)
        self.assertEqual(os.path.getsize(os.path.join(self.target, "talk.mp4")), 3)
        self.expect(*self.transfer([path], receive=["--overwrite"]), 0, 0)
        self.assertEqual(sha256(os.path.join(self.target, "talk.mp4")), sha256(path))

    def interrupted(self, who, number, sent, received):
        sender, receiver = self.transfer([self.make_file()], send=["--limit-rate", "200K"])
        receiver.under_way()
        (sender if who == "sender" else receiver).process.send_signal(number)
        self.expect(sender, receiver, sent, received)
        self.assertEqual(self.left(), [])

    def test_receiver_interrupted(self):
        self.interrupted("receiver", signal.SIGINT, 7, 130)

    def test_sender_terminated(self):
        self.interrupted("sender", signal.SIGTERM, 143, 7)

    def test_wait_for_peer_terminated(self):
        sender = self.run_program("send", "--json", self.make_file())
        sender.code()
        sender.process.terminate()
        self.assertEqual(sender.finish(), 143, str(sender))

    def test_unreadable(self):
        run = self.run_program("send", "--json", os.path.join(self.folder, "missing"))
        self.assertEqual(run.finish(), 1, str(run))
        self.assertIn(b"missing", run.err)

    def test_no_folder(self):
        run = self.run_program("receive", "1-cable-otter", "-o", os.path.join(self.folder, "missing"))
        self.assertEqual(run.finish(), 1, str(run))

    def test_code_file(self):
        code_file = os.path.join(self.folder, "code")
        sender = self.run_program("send", "--json", self.make_file(), "--code-file", code_file)
        sender.code()
        self.assertEqual(os.stat(code_file).st_mode & 0o777, 0o600)
        receiver = self.run_program("receive", "--json", "-o", self.target, "--code-file", code_file)
        self.expect(sender, receiver, 0, 0)
        self.assertFalse(os.path.exists(code_file))
        missing = self.run_program("receive", "--code-file", code_file)
        self.assertEqual(missing.finish(), 2, str(missing))

    def test_receiver_makes_the_code(self):
        receiver = self.run_program("receive", "--json", "-o", self.target)
        sender = self.run_program("send", "--json", self.make_file(), environment={"ICE_SESSION_CODE": receiver.code()})
        self.expect(sender, receiver, 0, 0)

    def test_wrong_verb(self):
        sender = self.run_program("send", "--json", self.make_file())
        other = self.run_program("send", "--json", self.make_file(), environment={"ICE_SESSION_CODE": sender.code()})
        self.expect(sender, other, 7, 7)

    def test_lost_stdout(self):
        reader, writer = os.pipe()
        os.close(reader)
        run = self.run_program("send", "--json", self.make_file(), stdout=writer)
        os.close(writer)
        self.assertEqual(run.finish(), 1, str(run))

    def test_events_fd(self):
        reader, writer = os.pipe()
        sender = self.run_program("send", self.make_file(), "--events-fd", str(writer), pass_fds=[writer])
        os.close(writer)
        with os.fdopen(reader) as events:
            code = next(e["code"] for e in map(json.loads, events) if e["type"] == "code")
            receiver = self.run_program("receive", code, "--json", "-o", self.target)
            last = [json.loads(line) for line in events][-1]
        self.assertEqual((sender.finish(), receiver.finish()), (0, 0), f"{sender} {receiver}")
        self.assertEqual(last["type"], "done")


class Pipes(WithServer):
    def join(self, first, second, more=()):
        """Two pipes; @first and @second are the descriptors of stdin and stdout of each."""
        a = self.run_program("pipe", "--json", stdin=first[0], stdout=first[1], events_on="stderr")
        b = self.run_program("pipe", a.code(), "--json", *more, stdin=second[0], stdout=second[1], events_on="stderr")
        return a, b

    def test_conversation(self):
        a, b = self.join((subprocess.PIPE, subprocess.PIPE), (subprocess.PIPE, subprocess.PIPE))
        a.process.stdin.write(b"question")
        a.process.stdin.flush()
        self.assertEqual(b.process.stdout.read(8), b"question")
        a.process.stdin.close()
        # The end arrives while the other direction lives.
        self.assertEqual(b.process.stdout.read(), b"")
        b.process.stdin.write(b"answer")
        b.process.stdin.close()
        self.assertEqual(a.process.stdout.read(), b"answer")
        a.process.stdin = b.process.stdin = None
        self.expect(a, b, 0, 0)
        done = a.events[-1]
        self.assertEqual((done["bytes"], done["sent_bytes"], done["received_bytes"]), (14, 8, 6))
        self.assertEqual(done["sha256"], hashlib.sha256(b"answer").hexdigest())
        self.assertEqual(done["sent_sha256"], hashlib.sha256(b"question").hexdigest())
        self.assertEqual(done["channel_bytes"] + done["turn_bytes"] + done["direct_bytes"], 14)

    def test_files_both_ways(self):
        one, two = self.make_file("one", 5_000_000), self.make_file("two", 4_000_001)
        with open(one) as in1, open(two) as in2, open(one + ".out", "w") as out1, open(two + ".out", "w") as out2:
            self.expect(*self.join((in1, out1), (in2, out2)), 0, 0)
        self.assertEqual(sha256(one + ".out"), sha256(two))
        self.assertEqual(sha256(two + ".out"), sha256(one))

    def test_nothing(self):
        with open("/dev/null", "r+b", buffering=0) as null:
            self.expect(*self.join((null, null), (null, null)), 0, 0)

    def test_output_fails(self):
        path = self.make_file("much", 20_000_000)
        with open("/dev/null", "r+b", buffering=0) as null, open("/dev/full", "wb", buffering=0) as full, open(path) as much:
            a, b = self.join((much, null), (null, full))
            self.expect(a, b, 7, 1)
        self.assertIn("No space left", a.events[-1]["message"])

    def test_closed_stdout(self):
        reader, writer = os.pipe()
        os.close(reader)
        path = self.make_file("much", 20_000_000)
        with open("/dev/null", "r+b", buffering=0) as null, open(path) as much:
            a, b = self.join((much, null), (null, writer))
            os.close(writer)
            self.expect(a, b, 7, 1)

    def test_killed_while_nobody_reads(self):
        path = self.make_file("much", 20_000_000)
        with open("/dev/null", "r+b", buffering=0) as null, open(path) as much:
            a, b = self.join((much, null), (null, subprocess.PIPE))
            b.process.stdout.read(1)
            b.process.terminate()
            b.process.stderr_lines = b.process.stderr.read()
            self.assertEqual(b.process.wait(), 143)
            self.assertEqual(a.finish(), 7, str(a))
            b.process.stdout.close()
            b.process.stderr.close()
            b.watchdog.cancel()

    def test_socket_target(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            a, b = self.join((subprocess.PIPE, subprocess.PIPE), (subprocess.DEVNULL, subprocess.DEVNULL),
                             ["--tcp", "127.0.0.1:%d" % listener.getsockname()[1]])
            connection, _ = listener.accept()
            with connection:
                a.process.stdin.write(b"to the socket")
                a.process.stdin.close()
                a.process.stdin = None
                self.assertEqual(connection.makefile("rb").read(), b"to the socket")
                connection.sendall(b"from the socket")
        self.assertEqual(a.process.stdout.read(), b"from the socket")
        self.expect(a, b, 0, 0)

    def test_code_leaves_argv(self):
        a = self.run_program("pipe", "--json", stdin=subprocess.PIPE, events_on="stderr")
        code = a.code()
        b = self.run_program("pipe", code, "--json", stdin=subprocess.PIPE, events_on="stderr")
        b.wait_event("connected")
        with open(f"/proc/{b.process.pid}/cmdline", "rb") as cmdline:
            self.assertNotIn(code.encode(), cmdline.read())
        for run in (a, b):
            run.process.stdin.close()
            run.process.stdin = None
        self.expect(a, b, 0, 0)


class Echo:
    """Sends back what it got when the client ended its half."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def serve(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.answer, args=(connection,), daemon=True).start()
        except OSError:
            pass

    @staticmethod
    def answer(connection):
        with connection:
            connection.sendall(connection.makefile("rb").read())


def ask(address, size):
    data = os.urandom(size)
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        def feed():
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)

        feeder = threading.Thread(target=feed)
        feeder.start()
        back = connection.makefile("rb").read()
        feeder.join()
    return back == data


class Forwards(WithServer):
    def join(self, targets, listens):
        server = self.run_program("forward", "serve", *targets, "--json")
        options = [word for name in listens for word in ("-L", f"0:{name}")]
        client = self.run_program("forward", "connect", server.code(), *options, "--json")
        return server, client, {name: client.wait_event("forwarding")["bind"] for name in listens}

    def test_many_connections(self):
        with Echo() as echo:
            server, client, binds = self.join([f"echo={echo.port}", "dead=1"], ["echo", "dead"])
            self.assertTrue(ask(binds["echo"], 0) and ask(binds["echo"], 2_000_000))
            results = []
            threads = [threading.Thread(target=lambda: results.append(ask(binds["echo"], 10_000))) for _ in range(100)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(results, [True] * 100)
            host, port = binds["dead"].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as dead:
                self.assertEqual(dead.recv(1), b"")
            self.assertTrue(ask(binds["echo"], 5))
            client.process.terminate()
            self.assertEqual((client.finish(), server.finish()), (143, 0), f"{client} {server}")

    def test_server_leaves(self):
        with Echo() as echo:
            server, client, _ = self.join([str(echo.port)], [str(echo.port)])
            server.process.send_signal(signal.SIGINT)
            self.assertEqual((server.finish(), client.finish()), (130, 0), f"{server} {client}")

    def test_not_offered(self):
        server = self.run_program("forward", "serve", "1", "--json")
        client = self.run_program("forward", "connect", server.code(), "-L", "0:22", "--json")
        self.assertEqual(client.finish(), 7, str(client))
        self.assertIn(b"does not offer", client.err)
        server.finish()


class Usage(unittest.TestCase):
    BAD = ["", "nonsense", "forward", "send", "send /etc/hostname", "send --nonsense x", "receive --server ws://a b c",
           "receive --server nowhere x", "pipe --server ws://a --tcp x", "pipe --server ws://a --tcp a:1 --unix b",
           "forward connect --server ws://a", "forward serve --server ws://a a=b=c", "server x", "server --tls-cert x",
           "receive --server ws://a --events-fd 77", "pipe --server ws://a --turn turn.example.org",
           "receive --server ws://a --timeout never", "help nonsense"]

    def test_bad_usage(self):
        for line in self.BAD:
            with self.subTest(line):
                run = Run(*line.split())
                self.assertEqual(run.finish(), 2, str(run))
                self.assertRegex(run.err, rb"^ice-session: error: .*\n$")
                self.assertEqual(run.out, b"")

    def test_docs(self):
        for line in ["--help", "-h", "help", "help send", "forward serve --help", "--version", "--generate-man"]:
            with self.subTest(line):
                run = Run(*line.split())
                self.assertEqual(run.finish(), 0, str(run))
                self.assertIn(b"ice", run.out)

    def test_every_option_is_documented(self):
        texts = [Run("--generate-man"), Run("--generate-completion")]
        for run in texts:
            self.assertEqual(run.finish(), 0)
        for verb in ["server", "send", "receive", "pipe", "forward serve", "forward connect"]:
            run = Run("help", *verb.split())
            self.assertEqual(run.finish(), 0)
            for word in run.out.decode().replace(",", " ").split():
                if word.startswith("--") and word.strip("-").isalpha():
                    self.assertIn(word.replace("-", "\\-"), texts[0].out.decode())

    def test_server_unreachable(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        run = Run("receive", "1-cable-otter", "--json", server=f"ws://127.0.0.1:{port}")
        self.assertEqual(run.finish(), 3, str(run))
        self.assertEqual(run.events[-1]["code"], "server-unreachable")


if __name__ == "__main__":
    unittest.main(verbosity=2)
