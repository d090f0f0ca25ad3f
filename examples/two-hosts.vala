// SPDX-License-Identifier: LGPL-2.1-or-later
// As two-hosts.py: run it on one host; on another with ICE_SESSION_CODE set to the code that it prints.
// valac --pkg ice-session-1.0 two-hosts.vala
using IceSession;

void print_words (Bytes words) {
    print ("%.*s\n", (int) words.get_size (), (string) words.get_data ());
}

void greet (Link link) throws GLib.Error {
    var stream = link.open_stream ();
    stream.output_stream.write_all ("hello on a stream".data, null);
}

void on_path (Link link, PathInfo path) {
    print ("path: %s\n", path.get_kind ().to_string ());
    link.send_datagram (new Bytes ("hello in a datagram".data));
    if (path.get_kind () == PathKind.DIRECT && link.code != null)
        link.close_async.begin (0, null, null);  // whoever made the code moves last: now both hosts are there
}

async void listen (Link link) throws GLib.Error {
    IceSession.Stream? stream;
    while ((stream = yield link.accept_stream_async (null)) != null) {
        var bytes = yield stream.input_stream.read_bytes_async (99);
        print_words (bytes);
    }
}

async void talk (Link link, MainLoop loop) {
    try {
        yield link.connect_async (Environment.get_variable ("ICE_SESSION_CODE"), null);
        greet (link);
        yield listen (link);
        yield link.close_async (0, null, null);
    } catch (GLib.Error error) {
        printerr ("%s\n", error.message);
    }
    loop.quit ();
}

int main () {
    var loop = new MainLoop ();
    var link = new Link (Environment.get_variable ("ICE_SESSION_SERVER"), "two-hosts/1");
    link.notify["code"].connect (() => print ("for the other host: ICE_SESSION_CODE=%s\n", link.code));
    link.path_changed.connect (on_path);
    link.datagram.connect (print_words);
    talk.begin (link, loop);
    loop.run ();
    return 0;
}
