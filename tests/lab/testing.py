# SPDX-License-Identifier: LGPL-2.1-or-later
"""The runner: each scenario in namespaces of its own, some of them at a time, one line each."""

import concurrent.futures
import dataclasses
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

import namespaces
from process import Failure

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = float(os.environ.get("ICS_LAB_SCENARIO_LIMIT", "900"))    # ends a scenario that hangs; no verdict otherwise


@dataclasses.dataclass
class Scenario:
    module: str
    name: str
    function: object
    arguments: tuple
    bulk: bool          # much data: takes the optimised program, if one was named

    @property
    def title(self):
        return f"{self.module.removeprefix('test_')}: {self.name}"


@dataclasses.dataclass
class Outcome:
    scenario: Scenario
    passed: bool
    result: object      # what the function returned
    log: pathlib.Path
    seconds: float


_registry = []


def scenario(function=None, *, each=None, bulk=False):
    """Marks a function as a scenario; each: {name: arguments} makes one of every entry."""
    def register(function):
        base = function.__name__.replace("_", " ")
        for suffix, arguments in (each or {"": ()}).items():
            _registry.append(Scenario(function.__module__, f"{base} {suffix}".strip(), function, tuple(arguments), bulk))
        return function
    return register(function) if function else register


def load(modules=None):
    """All scenarios of the named modules, or of all test_*.py."""
    for name in modules or sorted(path.stem for path in HERE.glob("test_*.py")):
        importlib.import_module(name)
    return list(_registry)


def check(condition, what):
    if not condition:
        raise Failure(what)


def run_inside(module, name, lifeline):
    """What the first process of the namespaces does: one scenario. Its return value is the last line on stdout."""
    namespaces.die_with(lifeline)
    namespaces.set_up()
    chosen = next(entry for entry in load([module]) if entry.name == name)
    try:
        result = chosen.function(*chosen.arguments)
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr, flush=True)
        return 1
    except Exception:
        traceback.print_exc()
        return 1
    print(json.dumps(result), flush=True)
    return 0


class Runner:
    def __init__(self, options):
        self.options = options
        self.logs = pathlib.Path(options.logs)
        self.logs.mkdir(parents=True, exist_ok=True)
        self.outcomes = []

    def run(self, scenarios):
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            waiting = [pool.submit(self._run_one, entry, number) for entry in scenarios for number in range(self.options.repeat)]
            for future in concurrent.futures.as_completed(waiting):
                self.outcomes.append(future.result())
                self._print(self.outcomes[-1])
        self._print_summaries()
        failed = [outcome for outcome in self.outcomes if not outcome.passed]
        for outcome in failed:
            print(f"not ok - {outcome.scenario.title}, log {outcome.log}")
        print(f"{len(self.outcomes) - len(failed)} passed, {len(failed)} failed", flush=True)
        return 1 if failed else 0

    def _run_one(self, entry, number):
        name = entry.title.replace(": ", "-").replace(" ", "_").replace("/", "_")
        log = self.logs / f"{name}{f'-{number}' if number else ''}.log"
        begin = time.monotonic()
        command = [sys.executable, str(HERE / "run"), "--inside", entry.module, entry.name]
        environment = os.environ | {"ICS_LAB_PROGRAM": self._program(entry), "ICS_LAB_TOOLS": self._tools(),
                                    "ICS_LAB_LOGS": str(self.logs.resolve())}
        environment |= {f"ICS_LAB_{name.upper()}": os.path.abspath(folder) for name in ("examples", "prefix")
                        if (folder := getattr(self.options, name))}
        with open(log, "wb") as errors, namespaces.start_in_new(
                command, environment, self.options.user_namespace,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process:
            output, ended = self._wait(process)
        result = json.loads(output.splitlines()[-1]) if ended and process.returncode == 0 and output else None
        return Outcome(entry, ended and process.returncode == 0, result, log, time.monotonic() - begin)

    def _program(self, entry):
        chosen = self.options.bulk_program if entry.bulk and self.options.bulk_program else self.options.program
        return os.path.abspath(chosen) if chosen else ""

    def _tools(self):
        """Beside the optimised program, if there is one: the tools shall not be what limits it."""
        program = self.options.bulk_program or self.options.program
        return os.path.join(os.path.dirname(os.path.abspath(program)), "tests", "lab") if program else ""

    @staticmethod
    def _wait(process):
        try:
            return process.communicate(timeout=LIMIT)[0], True
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], False

    def _print(self, outcome):
        note = f" -> {outcome.result}" if isinstance(outcome.result, str) else ""
        print(f"{'ok' if outcome.passed else 'not ok'} - {outcome.scenario.title}{note} ({outcome.seconds:.1f} s)", flush=True)
        if not outcome.passed:
            lines = outcome.log.read_text(errors="replace").splitlines()
            print("".join(f"    {line}\n" for line in lines[max(0, len(lines) - self.options.tail):]), end="")
            sys.stdout.flush()

    def _print_summaries(self):
        """A module may have summary(outcomes) -> text, made from all its scenarios that were run."""
        by_module = {}
        for outcome in self.outcomes:
            by_module.setdefault(outcome.scenario.module, []).append(outcome)
        for module, outcomes in by_module.items():
            summary = getattr(sys.modules[module], "summary", None)
            if summary:
                print("\n" + summary(outcomes) + "\n")
