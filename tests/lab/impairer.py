# SPDX-License-Identifier: LGPL-2.1-or-later
"""The program `impair` of a side: started, told what to do, asked what it did."""

import json
import os
import subprocess
import time

from process import Failure, tool


class Impairer:
    def __init__(self, side, on_line):
        self._name = f"{side}-impair"
        seed = int(os.environ.get("ICS_TEST_SEED") or time.time_ns()) & 0xffffffff
        on_line(f"{self._name}: seed {seed}")
        self._process = subprocess.Popen(["nsenter", f"--net=/run/netns/{self._name}", "--", tool("impair"), str(seed), "near", "far"],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._ask("up")

    def _ask(self, line):
        """It obeys in the order in which it reads, and says when it has."""
        try:
            print(line, file=self._process.stdin, flush=True)
        except BrokenPipeError:
            pass
        answer = self._process.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise Failure(f"{self._name}: {line}: {answer or 'it ended'}")
        return answer

    def set(self, up, down):
        for name, settings in (("up", up), ("down", down)):
            if settings is not None:
                words = (f"{key.replace('_', '-')} {int(value) if isinstance(value, bool) else value}" for key, value in settings.items())
                self._ask(" ".join((name, *words)))

    def stats(self):
        return json.loads(self._ask("stats"))
