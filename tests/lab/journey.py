# SPDX-License-Identifier: LGPL-2.1-or-later
"""The way that a session takes."""


class Journey:
    """The paths that both sides are on, one after the other."""

    def __init__(self, *processes):
        self._processes = processes
        self._seen = [0 for _ in processes]
        self.taken = []

    def wait(self, kind):
        """Until both sides send on this kind of path."""
        for index, process in enumerate(self._processes):
            def moved(events, begin=self._seen[index]):
                found = [number for number, event in enumerate(events)
                         if number >= begin and event.get("type") == "path" and event["kind"] == kind]
                return found and found[0] + 1
            self._seen[index] = process.events.wait_until(moved, f"move to {kind} after {self.taken}")
        self.taken.append(kind)
