# SPDX-License-Identifier: LGPL-2.1-or-later
"""The laboratory leaves nothing behind, however it is ended."""

import os
import subprocess
import sys

import namespaces
from process import PATIENCE
from testing import check, scenario

# The first process of new namespaces, with a child that would go on for a day. Both keep stdout open while they live.
_ENDLESS = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
import namespaces
namespaces.die_with(int(sys.argv[3]))
child = subprocess.Popen(["sleep", "86400"])
print("up", flush=True)
child.wait()
"""


def _start():
    return namespaces.start_in_new([sys.executable, "-c", _ENDLESS, sys.path[0]], os.environ, user_namespace=False,
                                   stdout=subprocess.PIPE)


def _check_up(process):
    check(process.stdout.readline() == b"up\n", "did not start")


def _check_gone(process):
    # The end of the stream comes when the last process that has it open is dead.
    rest = process.communicate(timeout=PATIENCE)[0]
    check(rest == b"", f"more output: {rest}")


@scenario
def dies_when_its_runner_is_killed():
    with _start() as process:
        _check_up(process)      # and what follows closes the lifeline, as the runner's death does
    _check_gone(process)


@scenario
def dies_when_its_own_outermost_process_is_killed():
    with _start() as process:
        _check_up(process)
        process.kill()
        _check_gone(process)
