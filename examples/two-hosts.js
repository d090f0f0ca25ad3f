#!/usr/bin/gjs
// SPDX-License-Identifier: LGPL-2.1-or-later
// As two-hosts.py: run it on one host; on another with ICE_SESSION_CODE set to the code that it prints.
imports.gi.versions.IceSession = '1.0';
const {Gio, GLib, IceSession} = imports.gi;

const text = bytes => new TextDecoder().decode(bytes.toArray());
const loop = GLib.MainLoop.new(null, false);
const link = IceSession.Link.new(GLib.getenv('ICE_SESSION_SERVER'), 'two-hosts/1');

for (const name of ['connect_async', 'accept_stream_async', 'close_async'])
    Gio._promisify(IceSession.Link.prototype, name);
Gio._promisify(Gio.InputStream.prototype, 'read_bytes_async');

link.connect('code', (_, code) => print(`for the other host: ICE_SESSION_CODE=${code}`));
link.connect('datagram', (_, payload) => print(text(payload)));
link.connect('path-changed', (_, path) => {
    print(`path: ${IceSession.PathKind.to_string(path.get_kind())}`);
    link.send_datagram(new TextEncoder().encode('hello in a datagram'));
    if (path.get_kind() === IceSession.PathKind.DIRECT && link.code)
        link.close_async(0, null, null).catch(logError);  // whoever made the code moves last: now both hosts are there
});

async function talk() {
    await link.connect_async(GLib.getenv('ICE_SESSION_CODE'), null);
    const own = link.open_stream();
    own.get_output_stream().write_all('hello on a stream', null);
    let stream;
    while ((stream = await link.accept_stream_async(null)))
        print(text(await stream.get_input_stream().read_bytes_async(99, GLib.PRIORITY_DEFAULT, null)));
    await link.close_async(0, null, null);
}

talk().catch(logError).finally(() => loop.quit());
loop.run();
