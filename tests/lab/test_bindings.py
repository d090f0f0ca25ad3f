# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same small program in three languages, on two hosts behind NATs: they connect, say hello on a stream and in a datagram,
and tell how the path changes."""

from lab import Lab
from test_examples import NATS, code_in, end_well, wait_line
from testing import check, scenario


def expect_lines(process, *wanted):
    lines = process.lines.all()
    for line in wanted:
        check(line in lines, f"{process.name} did not print {line!r}: {lines}")
    check(lines.index("path: channel") < lines.index("path: direct"), f"{process.name}: {lines}")


@scenario(each={"in Python": ("two-hosts.py", "two-hosts.py"), "in Vala and JavaScript": ("two-hosts-vala", "two-hosts.js"),
                "in JavaScript and Python": ("two-hosts.js", "two-hosts.py")})
def two_hosts(one, other):
    with Lab(**NATS) as lab:
        lab.start_server()
        listener = lab.run_example("a", one)
        pair = listener, lab.run_example("b", other, code=code_in(listener.lines))
        for process in pair:
            wait_line(process, "path: direct")
        end_well(*pair)
        for process in pair:
            process.lines.wait_end()
            expect_lines(process, "path: channel", "hello on a stream", "hello in a datagram", "path: direct")
