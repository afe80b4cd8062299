#!/usr/bin/env python3
"""Boots Debian in containers and tries Twinlock on it. Each scenario ends in logins over ssh from outside.

    scripts/machines TARGET [--only WORD] [--publish FILE] SUITE...        as root; what is built in TARGET

What is installed are the packages in TARGET/packages. Prints a line for each scenario, and fails if one fails. With --only,
runs those whose names contain the word. With --publish, writes the results into FILE between the lines that mark them.

A container has its own systemd and its own boot id, and its root is an ext4 file system of its own, but its kernel is that of
the host: power cuts, other kernels and SELinux are not seen here.
"""

import argparse
import datetime
import platform
import sys
import time
from pathlib import Path

import scenarios
from machine import Failure, Machine, make_base

MARKS = ("<!-- make machines: begin -->\n", "<!-- make machines: end -->\n")


def run(base, scenario):
    """None, or why the scenario failed."""
    machine = Machine(base)
    try:
        scenario(machine)
    except Failure as failure:
        return str(failure)
    finally:
        machine.forget()
    return None


def publish(page, bases, results):
    """Replaces what is between the marks of a page."""
    lines = [f"Tried on {datetime.date.today()}, Linux {platform.release().split('-')[0]}:", ""]
    lines += [f"- {base.description}" for base in bases]
    lines += ["", "| Scenario | " + " | ".join(base.release for base in bases) + " |", "| --- |" + " --- |" * len(bases)]
    lines += [f"| {name} | " + " | ".join(ends) + " |" for name, ends in results.items()]
    before, rest = page.read_text().split(MARKS[0])
    page.write_text(before + MARKS[0] + "\n" + "\n".join(lines) + "\n\n" + MARKS[1] + rest.split(MARKS[1])[1])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--publish", type=Path)
    parser.add_argument("suite", nargs="+")
    arguments = parser.parse_args()
    bases = [make_base(arguments.target.resolve(), suite) for suite in arguments.suite]
    chosen = [(name, scenario) for name, scenario in scenarios.ALL if arguments.only in name]
    results = {name: ["not run"] * len(bases) for name, _ in chosen}
    for name, scenario in chosen:
        for number, base in enumerate(bases):
            begun = time.monotonic()
            why = run(base, scenario)
            end = "passed" if why is None else f"FAILED: {why}"
            print(f"{base.release}, {name}: {end} ({time.monotonic() - begun:.0f} s)", flush=True)
            results[name][number] = end.split(":")[0]
            if arguments.publish:
                publish(arguments.publish, bases, results)
    sys.exit(any("FAILED" in ends for ends in results.values()))


main()
