# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the C interface does, done in Python."""

import gc
import hashlib
import os
import threading
import unittest
import weakref

import session
from session import Pair, Side, call, is_cancelled, is_error, new_link, read, read_all, spin
from gi.repository import Gio, GLib, GObject, IceSession

BULK = 3_000_000


def setUpModule():
    global url
    url = unittest.enterModuleContext(session.server())


def transfer(writer, reader, data):
    """All of it and the end, while the other end reads; without blocking the main context."""
    output = writer.get_output_stream()
    output.write_all_async(data, GLib.PRIORITY_DEFAULT, None, lambda *_: output.close_async(GLib.PRIORITY_DEFAULT))
    return read_all(reader)


class Codes(unittest.TestCase):
    def test_the_listener_is_told_its_code(self):
        with Pair(url) as (listener, joiner):
            code = listener.link.get_code()
            self.assertRegex(code, "^[1-9][0-9]*-[a-z]+-[a-z]+$")
            self.assertIn(("code", code), listener.notified)
            self.assertEqual(listener.link.props.code, code)
            self.assertIsNone(joiner.link.get_code())
            self.assertEqual(IceSession.code_get_nameplate(f"  {code.upper()} "), code.split("-")[0])
            self.assertEqual(listener.link.get_fingerprint(), joiner.link.props.peer_fingerprint)
            self.assertEqual(joiner.link.get_fingerprint(), listener.link.props.peer_fingerprint)
            self.assertIn("fingerprint", [name for name, _ in joiner.notified])

    def test_another_code_is_rejected_on_both_sides(self):
        pair = Pair(url)
        pair.listener.link.connect("code", lambda _, code: pair.joiner.start(code.split("-")[0] + "-wrong-words"))
        pair.listener.start()
        spin(lambda: pair.listener.closed and pair.joiner.closed)
        for side in pair:
            self.assertTrue(is_error(side.connect_error, IceSession.Error.CODE_REJECTED), side.connect_error)
            self.assertTrue(is_error(side.error, IceSession.Error.CODE_REJECTED), side.error)
            side.close()


class Streams(unittest.TestCase):
    def test_both_ways_to_the_end(self):
        with Pair(url) as pair:
            there, here = pair.open()
            for writer, reader in ((there, here), (here, there)):
                data = os.urandom(100_000)
                self.assertEqual(transfer(writer, reader, data), data)
            self.assertEqual(there.get_id(), here.get_id())
            self.assertTrue(call(lambda done: there.flush_acked_async(None, done), there.flush_acked_finish))
            self.assertEqual(sum(there.get_sent(kind) for kind in range(IceSession.N_PATH_KINDS)), 100_001)
            self.assertEqual(sum(there.get_received(IceSession.PathKind(kind)) for kind in range(IceSession.N_PATH_KINDS)), 100_000)

    def test_splice(self):
        """It is a Gio.IOStream: what GIO can do with those, it does with this."""
        data = os.urandom(BULK)
        flags = Gio.OutputStreamSpliceFlags.CLOSE_SOURCE | Gio.OutputStreamSpliceFlags.CLOSE_TARGET
        with Pair(url) as pair:
            there, here = pair.open()
            self.assertIsInstance(there, Gio.IOStream)
            source = Gio.MemoryInputStream.new_from_bytes(GLib.Bytes.new(data))
            output = there.get_output_stream()
            sent = []
            output.splice_async(source, flags, GLib.PRIORITY_DEFAULT, None, lambda _, result: sent.append(output.splice_finish(result)))
            target = Gio.MemoryOutputStream.new_resizable()
            got = call(lambda done: target.splice_async(here.get_input_stream(), flags, GLib.PRIORITY_DEFAULT, None, done),
                       target.splice_finish)
            spin(lambda: sent)
            self.assertEqual((sent, got), ([BULK], BULK))
            self.assertEqual(hashlib.sha256(target.steal_as_bytes().get_data()).digest(), hashlib.sha256(data).digest())

    def test_blocking_in_threads(self):
        data = os.urandom(BULK)
        with Pair(url) as pair:
            there, here = pair.open()
            got = []

            def write():
                there.get_output_stream().write_all(data)
                there.get_output_stream().close()

            def read():
                while block := here.get_input_stream().read_bytes(100_000).get_data():
                    got.append(block)

            threads = [threading.Thread(target=work) for work in (write, read)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(b"".join(got), data)

    def test_bytes_without_a_copy(self):
        """Whole and in order, however many, asynchronously and from a thread that may wait."""
        blocks = [GLib.Bytes.new(os.urandom(size)) for size in (1, 700_000, 100, 10_000, 0, BULK, 20_000)]
        data = b"".join(block.get_data() for block in blocks)
        with Pair(url) as pair:
            there, here = pair.open()

            def send():
                for block in blocks:
                    there.send_bytes(block)

            thread = threading.Thread(target=send)
            thread.start()
            got = b""
            while len(got) < len(data):
                got += read(here, 65536)
            thread.join()
            self.assertEqual(got, data)

            def send_next(waiting):
                if waiting:
                    there.send_bytes_async(waiting[0], None, lambda _, result: there.send_bytes_finish(result) and send_next(waiting[1:]))
                else:
                    there.get_output_stream().close()

            send_next(blocks)
            self.assertEqual(read_all(here), data)
            with self.assertRaises(GLib.Error) as refused:
                there.send_bytes(blocks[0])
            self.assertTrue(refused.exception.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CLOSED))

    def test_accept(self):
        with Pair(url) as pair:
            link = pair.listener.link
            accepted = []
            link.accept_stream_async(None, lambda link, result: accepted.append(link.accept_stream_finish(result)))
            stream = pair.joiner.link.open_stream()
            stream.get_output_stream().write_all(b"words")
            spin(lambda: accepted)
            self.assertEqual(read(accepted[0], 9), b"words")
            self.assertEqual(pair.listener.streams, [])
            link.accept_stream_async(None, lambda link, result: accepted.append(link.accept_stream_finish(result)))
            pair.joiner.close()
            spin(lambda: len(accepted) == 2)
            self.assertIsNone(accepted[1])

    def test_given_up(self):
        with Pair(url) as pair:
            there, here = pair.open()
            here.reset(7)
            output = there.get_output_stream()
            with self.assertRaises(GLib.Error) as caught:
                while True:
                    call(lambda done: output.write_all_async(bytes(100_000), GLib.PRIORITY_DEFAULT, None, done),
                         output.write_all_finish)
            self.assertTrue(is_error(caught.exception, IceSession.Error.REFUSED), caught.exception)


class Datagrams(unittest.TestCase):
    def test_both_ways(self):
        with Pair(url) as pair:
            longest = os.urandom(pair.joiner.link.get_max_datagram())
            self.assertTrue(pair.joiner.link.send_datagram(GLib.Bytes.new(longest)))
            self.assertTrue(pair.listener.link.send_datagram(GLib.Bytes.new(b"short")))
            spin(lambda: pair.listener.datagrams and pair.joiner.datagrams)
            self.assertEqual((pair.listener.datagrams, pair.joiner.datagrams), ([longest], [b"short"]))
            self.assertFalse(pair.joiner.link.send_datagram(GLib.Bytes.new(longest + b"x")))

    def test_not_before_it_is_connected(self):
        self.assertFalse(new_link(url).send_datagram(GLib.Bytes.new(b"x")))


class Paths(unittest.TestCase):
    def test_the_first_one_and_a_better_one(self):
        with Pair(url) as pair:
            pair.wait_direct()
            for side in pair:
                first, last = side.paths[0], side.paths[-1]
                self.assertEqual((first.get_kind(), first.get_reason(), first.get_transport()),
                                 (IceSession.PathKind.CHANNEL, IceSession.PathReason.FIRST, "ws"))
                self.assertEqual((last.get_kind(), last.get_reason()), (IceSession.PathKind.DIRECT, IceSession.PathReason.BETTER))
                self.assertIn(last.get_transport(), ("udp", "tcp"))
                self.assertRegex(last.get_local(), r"^\[?[0-9a-f.:]+\]?:[0-9]+$")
                self.assertRegex(last.get_remote(), r"^\[?[0-9a-f.:]+\]?:[0-9]+$")
                self.assertIn(last.get_local_type(), ("host", "srflx", "prflx"))
                self.assertIn(last.get_remote_type(), ("host", "srflx", "prflx"))
                self.assertGreater(last.get_rtt_ms(), 0)
                told = [value.get_kind() for name, value in side.notified if name == "path"]
                self.assertEqual(told, side.kinds())
                self.assertEqual(side.link.get_path().get_kind(), side.link.props.path.get_kind())
                self.assertIsNone(side.link.get_why_not_direct())
                self.assertTrue(any("traffic: direct" in line for line in side.records))
                self.assertEqual(side.link.get_record(), side.records)

    def test_policy(self):
        with Pair(url, policy=IceSession.PathPolicy.RELAY) as pair:
            self.assertEqual(pair.listener.link.get_policy(), IceSession.PathPolicy.RELAY)
            for side in pair:
                side.link.props.policy = IceSession.PathPolicy.AUTO
                self.assertEqual(side.notified[-1], ("policy", IceSession.PathPolicy.AUTO))
            pair.wait_direct()
            pair.joiner.link.set_policy(IceSession.PathPolicy.RELAY)
            spin(lambda: all(side.kinds()[-1] == IceSession.PathKind.CHANNEL for side in pair))
            self.assertEqual(pair.joiner.paths[-1].get_reason(), IceSession.PathReason.POLICY)

    def test_names(self):
        for policy in (IceSession.PathPolicy.AUTO, IceSession.PathPolicy.DIRECT, IceSession.PathPolicy.RELAY,
                       IceSession.PathPolicy.LAN):
            self.assertEqual(IceSession.PathPolicy.from_string(IceSession.PathPolicy.to_string(policy)), (True, policy))
            self.assertEqual(IceSession.PathPolicy.to_string(policy), policy.value_nick)
        self.assertFalse(IceSession.PathPolicy.from_string("sideways")[0])
        self.assertEqual(IceSession.Error.to_string(IceSession.Error.CODE_REJECTED), "code-rejected")


class Statistics(unittest.TestCase):
    def test_both_sides_agree(self):
        with Pair(url) as pair:
            pair.wait_direct()
            there, here = pair.open()
            self.assertEqual(transfer(there, here, bytes(BULK)), bytes(BULK))
            pair.joiner.link.send_datagram(GLib.Bytes.new(b"x"))
            spin(lambda: pair.listener.datagrams)
            sent, received = (side.link.get_statistics() for side in (pair.joiner, pair.listener))
            kinds = [IceSession.PathKind(kind) for kind in range(IceSession.N_PATH_KINDS)]
            self.assertGreater(sum(map(sent.get_sent, kinds)), BULK)
            self.assertGreater(sum(map(received.get_received, kinds)), BULK)
            self.assertEqual((sent.get_datagrams_sent(), received.get_datagrams_received()), (1, 1))
            self.assertEqual((sent.get_datagrams_unsent(), received.get_datagrams_missed()), (0, 0))
            for statistics in (sent, received):
                self.assertGreaterEqual(statistics.get_n_shifts(), 1)
                self.assertGreater(statistics.get_rtt_ms(), 0)
                self.assertTrue(0 <= statistics.get_loss() <= 1)
                self.assertEqual(statistics.get_n_stalls() == 0, statistics.get_longest_stall_ms() == 0)
                self.assertGreaterEqual(statistics.get_packets_dropped(), 0)
        # The clock stands still after the end.
        times = [[pair.joiner.link.get_statistics().get_time_ms(kind) for kind in kinds] for _ in range(2)]
        self.assertEqual(times[0], times[1])


class Cancellation(unittest.TestCase):
    def test_connect(self):
        side, cancellable = Side(new_link(url)), Gio.Cancellable()
        side.link.connect("code", lambda *_: cancellable.cancel())
        side.start(None, cancellable)
        spin(lambda: side.closed and side.connect_error)
        self.assertTrue(is_cancelled(side.connect_error), side.connect_error)
        side.close()

    def test_accept_and_read(self):
        with Pair(url) as pair:
            link, cancellable = pair.listener.link, Gio.Cancellable()
            there, here = pair.open()
            errors = []

            def failed(finish):
                def done(source, result):
                    with self.assertRaises(GLib.Error) as caught:
                        finish(source, result)
                    errors.append(caught.exception)
                return done

            link.accept_stream_async(cancellable, failed(lambda source, result: source.accept_stream_finish(result)))
            here.get_input_stream().read_bytes_async(9, GLib.PRIORITY_DEFAULT, cancellable,
                                                     failed(lambda source, result: source.read_bytes_finish(result)))
            cancellable.cancel()
            spin(lambda: len(errors) == 2)
            self.assertTrue(all(map(is_cancelled, errors)), errors)
            # Nothing is lost by that.
            there.get_output_stream().write_all(b"words")
            self.assertEqual(read(here, 9), b"words")


class Errors(unittest.TestCase):
    def test_wrong_words(self):
        side = Side(new_link(url))
        side.start("no code at all")
        spin(lambda: side.closed)
        self.assertTrue(is_error(side.connect_error, IceSession.Error.INVALID_ARGUMENT))
        self.assertEqual((side.error.domain, side.error.code), ("ics-error-quark", IceSession.Error.INVALID_ARGUMENT))
        self.assertNotIn("no code at all", side.error.message)
        with self.assertRaises(GLib.Error) as caught:
            IceSession.code_get_nameplate("no code at all")
        self.assertTrue(is_error(caught.exception, IceSession.Error.INVALID_ARGUMENT))

    def test_no_such_file(self):
        side = Side(new_link(url, turn_ca_file="/none"))
        side.start()
        spin(lambda: side.closed)
        self.assertTrue(is_error(side.connect_error, IceSession.Error.INVALID_ARGUMENT), side.connect_error)
        self.assertEqual(side.error.message, side.connect_error.message)

    def test_the_peer_ends_with_a_reason(self):
        with Pair(url) as pair:
            pair.joiner.close(42, "no more of this")
            spin(lambda: pair.listener.closed)
            self.assertTrue(is_error(pair.listener.error, IceSession.Error.REFUSED))
            self.assertIn("no more of this", pair.listener.error.message)
            self.assertIsNone(pair.joiner.error)
            with self.assertRaises(GLib.Error) as caught:
                pair.listener.link.open_stream()
            self.assertTrue(is_error(caught.exception, IceSession.Error.CLOSED))

    def test_nobody_there(self):
        side = Side(new_link(url))
        side.start("999999-nobody-there")
        spin(lambda: side.closed)
        self.assertTrue(is_error(side.error, IceSession.Error.NO_PEER), side.error)
        side.close()

    def test_what_can_not_be(self):
        """Where C would have undefined behaviour: a stream that is none, a kind that is none."""
        code = "from gi.repository import IceSession; IceSession.Stream().get_id()"
        # fatal-criticals would end it; the point is that it does not crash.
        result = session.subprocess.run(["/usr/bin/python3", "-c", code], env=os.environ | {"G_DEBUG": ""}, capture_output=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(b"CRITICAL", result.stderr)


class Lifetime(unittest.TestCase):
    def test_nothing_is_left_after_the_end(self):
        """Handlers that know their link are cycles, which Python collects."""
        pair = Pair(url)
        gone = []
        with pair:
            there, here = pair.open()
            for thing in (there, here, pair.listener.link, pair.joiner.link):
                GObject.Object.weak_ref(thing, lambda: gone.append(True))
            wrappers = [weakref.ref(side) for side in pair]
        spin(lambda: all(side.closed for side in pair))
        del there, here, pair, thing
        spin_until_idle()
        gc.collect()
        spin_until_idle()
        self.assertEqual([reference() for reference in wrappers], [None, None])
        self.assertEqual(len(gone), 4)

    def test_a_link_that_was_never_connected(self):
        link = new_link(url)
        reference = weakref.ref(link)
        link.connect("closed", lambda *_: link)
        del link
        gc.collect()
        self.assertIsNone(reference())


def spin_until_idle():
    while GLib.MainContext.default().iteration(False):
        pass


class Server(unittest.TestCase):
    def test_in_this_process(self):
        urls = []
        server = IceSession.Server(listen=["127.0.0.1:0"], turn_uris=["none"])
        server.connect("listening", lambda _, url: urls.append(url))
        self.assertTrue(server.start())
        self.assertRegex(urls[0], "^ws://127.0.0.1:[0-9]+$")
        with Pair(urls[0], policy=IceSession.PathPolicy.RELAY) as pair:
            there, here = pair.open()
            there.get_output_stream().write_all(b"words")
            self.assertEqual(read(here, 9), b"words")
        self.assertTrue(call(lambda done: server.stop_async(None, done), server.stop_finish))

    def test_wrong_address(self):
        with self.assertRaises(GLib.Error) as caught:
            IceSession.Server.new(["nowhere"]).start()
        self.assertTrue(is_error(caught.exception, IceSession.Error.INVALID_ARGUMENT))


class Probe(unittest.TestCase):
    def test_report(self):
        probe = IceSession.NetworkProbe(server_uri=url, port_mapping=False, server_turn=False)
        report = call(lambda done: probe.run_async(None, done), probe.run_finish)
        self.assertEqual(report.get_server_state(), IceSession.ServerState.REACHABLE)
        self.assertIsNone(report.get_server_error())
        self.assertGreater(report.get_server_rtt_ms(), 0)
        self.assertEqual(report.get_port_mapping(IceSession.MappingProtocol.PCP), "not asked")
        self.assertEqual((report.get_udp(), report.get_n_relays(), report.get_stun_rtt_ms()), ("unknown", 0, -1))
        self.assertIsInstance(report.get_local_addresses(), list)
        self.assertTrue(report.get_verdict())
