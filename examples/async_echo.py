#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The echo with asyncio: every _async function of the library, and of GIO, becomes something to await.

    one$  ./async_echo.py                                        prints a code
    two$  ICE_SESSION_CODE=7-cable-otter ./async_echo.py         sends lines and checks what returns

asyncio's loop stays what it is, so everything written for it can be used beside. GLib's loop runs in a thread of its own; call() is
the bridge. It speaks with echo.c and echo.py, too.
"""

import asyncio
import os
import sys
import threading

import gi

gi.require_version("IceSession", "1.0")
from gi.repository import Gio, GLib, IceSession  # noqa: E402


def start_glib():
    """GLib's default main context, run by a thread. All links live there, and are called there only."""
    threading.Thread(target=GLib.MainLoop().run, daemon=True).start()


async def on_glib(function, *arguments):
    """Calls a function in GLib's thread and waits for what it returns, or raises."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def settle(method, value):
        if not future.done():           # cancelled meanwhile
            method(value)

    def run():
        try:
            loop.call_soon_threadsafe(settle, future.set_result, function(*arguments))
        except Exception as error:
            loop.call_soon_threadsafe(settle, future.set_exception, error)
    GLib.idle_add(run)
    return await future


async def call(target, name, *arguments):
    """Awaits target.NAME_async(*arguments, cancellable, callback): what it returns, or raises, is of target.NAME_finish(result).
    Cancelling the task cancels the operation."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    cancellable = Gio.Cancellable()

    def settle(outcome, error):
        if future.done():
            return
        if error:
            future.set_exception(error)
        else:
            future.set_result(outcome)

    def done(source, result):
        try:
            outcome, error = getattr(source, f"{name}_finish")(result), None
        except GLib.Error as failure:
            outcome, error = None, failure
        loop.call_soon_threadsafe(settle, outcome, error)
    GLib.idle_add(lambda: getattr(target, f"{name}_async")(*arguments, cancellable, done) and False)
    try:
        return await future
    except asyncio.CancelledError:
        cancellable.cancel()
        raise


async def make_link(application):
    """A link, and queues of what its signals tell."""
    loop, code, paths = asyncio.get_running_loop(), asyncio.Queue(), asyncio.Queue()

    def make():
        link = IceSession.Link.new(os.environ.get("ICE_SESSION_SERVER"), application)
        link.connect("code", lambda link, text: loop.call_soon_threadsafe(code.put_nowait, text))
        link.connect("path-changed", lambda link, path: loop.call_soon_threadsafe(paths.put_nowait, path.get_kind().value_nick))
        return link
    return await on_glib(make), code, paths


async def read_all(stream):
    """The blocks of a stream, to its end."""
    while block := (await call(stream.get_input_stream(), "read_bytes", 1 << 16, GLib.PRIORITY_DEFAULT)).get_data():
        yield block


async def write(stream, data):
    await call(stream.get_output_stream(), "write_all", data, GLib.PRIORITY_DEFAULT)


async def close_output(stream):
    await call(stream.get_output_stream(), "close", GLib.PRIORITY_DEFAULT)


async def echo(stream):
    count = 0
    async for block in read_all(stream):
        await write(stream, block)
        count += len(block)
    await close_output(stream)
    print(f"echoed {count} bytes", flush=True)


async def tell(code):
    print("code:", await code.get(), flush=True)


async def listen(link, code):
    told = asyncio.create_task(tell(code))
    await call(link, "connect", None)
    await told
    tasks = set()
    while stream := await call(link, "accept_stream"):       # None: the link was closed
        tasks.add(asyncio.create_task(echo(stream)))
    await asyncio.gather(*tasks)


async def join(link, code, paths):
    await call(link, "connect", code)
    stream = await on_glib(link.open_stream)
    sent = [f"line {number}\n".encode() for number in range(1000)]

    async def send():
        for line in sent:
            await write(stream, line)
        await close_output(stream)
    sending = asyncio.create_task(send())
    came = b"".join([block async for block in read_all(stream)])
    await sending
    print("the same came back" if came == b"".join(sent) else "something else came back", flush=True)
    while await paths.get() != "direct":
        pass
    print("path: direct", flush=True)


async def main():
    start_glib()
    link, code, paths = await make_link("echo/1")
    joined = os.environ.get("ICE_SESSION_CODE")
    try:
        await (join(link, joined, paths) if joined else listen(link, code))
    finally:
        await call(link, "close", 0, None)   # waits until everything is given back


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except GLib.Error as error:
        sys.exit(error.message)
