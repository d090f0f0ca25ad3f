#!/usr/bin/python3
import os, gi  # SPDX-License-Identifier: LGPL-2.1-or-later
gi.require_version("IceSession", "1.0")
from gi.repository import GLib, IceSession
def on_path(link, path):
    print("path:", path.get_kind().value_nick)
    link.send_datagram(GLib.Bytes.new(b"hello in a datagram"))
    if path.get_reason() == IceSession.PathReason.FIRST:
        stream = link.open_stream()
        stream.get_output_stream().write_all(b"hello on a stream")
    elif path.get_kind() == IceSession.PathKind.DIRECT and link.get_code():
        link.close_async(0)  # whoever made the code moves last: now both hosts are there
link, loop = IceSession.Link.new(os.environ["ICE_SESSION_SERVER"], "two-hosts/1"), GLib.MainLoop()
link.connect("code", lambda link, code: print("for the other host: ICE_SESSION_CODE=" + code))
link.connect("path-changed", on_path)
link.connect("incoming-stream", lambda link, stream: print(stream.get_input_stream().read_bytes(99).get_data().decode()))
link.connect("datagram", lambda link, data: print(data.get_data().decode()))
link.connect("closed", lambda link, error: print("closed:", error) or link.close_async(0, None, None, lambda *_: loop.quit()))
link.connect_async(os.environ.get("ICE_SESSION_CODE"))
loop.run()
