#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Forwards a TCP port, in 60 lines.
    one$  ./forward.py localhost:22                                   prints a code
    two$  ICE_SESSION_CODE=7-cable-otter ./forward.py 2222            then: ssh -p 2222 localhost"""
import os, signal, sys  # noqa: E401
import gi
gi.require_version("IceSession", "1.0")
from gi.repository import Gio, GLib, IceSession  # noqa: E402

CODE = os.environ.get("ICE_SESSION_CODE")
Splice = Gio.OutputStreamSpliceFlags


def carry(stream, connection):
    """Both ways. An end of the data is passed on as such, for the other way may go on; whatever breaks one way breaks both."""
    def copy(source, target, flags, at_end=lambda: None):
        def done(output, result):
            try:
                output.splice_finish(result)
                at_end()
            except GLib.Error:
                stream.reset(1)
                connection.close()
        target.get_output_stream().splice_async(source.get_input_stream(), flags, GLib.PRIORITY_DEFAULT, None, done)
    copy(connection, stream, Splice.CLOSE_TARGET)
    copy(stream, connection, Splice.NONE, lambda: connection.get_socket().shutdown(False, True))


def serve(link, stream):
    def connected(client, result):
        try:
            carry(stream, client.connect_to_host_finish(result))
        except GLib.Error as error:
            print(error.message, file=sys.stderr)
            stream.reset(1)
    Gio.SocketClient().connect_to_host_async(sys.argv[1], 0, None, connected)


def listen(link, property):
    """When the peer is known, the link is connected."""
    service.connect("incoming", lambda service, connection, source: carry(link.open_stream(), connection) is None)
    service.add_address(Gio.InetSocketAddress.new_from_string("127.0.0.1", int(sys.argv[1])), Gio.SocketType.STREAM,
                        Gio.SocketProtocol.TCP, None)
    print("forwarding", flush=True)


def closed(link, error):
    closed.failure = error and error.message
    link.close_async(0, None, None, lambda *_: loop.quit())     # waits until everything is given back


loop, service = GLib.MainLoop(), Gio.SocketService()
link = IceSession.Link.new(os.environ.get("ICE_SESSION_SERVER"), "forward-example/1")
link.connect("code", lambda link, code: print("code:", code, flush=True))
link.connect("closed", closed)
link.connect(*(("notify::peer-fingerprint", listen) if CODE else ("incoming-stream", serve)))
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, lambda: link.close_async(0, "interrupted", None, None))
link.connect_async(CODE, None, None)
loop.run() or sys.exit(closed.failure)
