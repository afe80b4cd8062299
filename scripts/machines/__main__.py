#!/usr/bin/env python3
"""Boots Debian and tries Twinlock on it. Each scenario ends in logins over ssh from outside.

    scripts/machines TARGET [--only WORD] [--publish FILE] SUITE...        as root; what is built in TARGET

A SUITE is a release of Debian, booted in a container, or "virtual": Debian 12 and 13 in virtual machines. What is installed are the
packages in TARGET/packages. Prints a line for each scenario, and fails if one fails. With --only, runs those whose names contain
the word. With --publish, writes the results into FILE between the lines that mark them.

A container has its own systemd and its own boot id, and its root is an ext4 file system of its own, but its kernel is that of
the host. powercuts.py cuts its power. A virtual machine has its own kernel, and is slower.
"""

import argparse
import sys
import time
from pathlib import Path

import scenarios
import sealing
import security_modules
from machine import Failure, Machine, make_base, need
from publish import publish
from virtual import SECURITY_MODULES, VirtualMachine, make_virtual_base

VIRTUAL = "virtual"


def run(machine, scenario):
    """None, or why the scenario failed."""
    try:
        scenario(machine)
    except Failure as failure:
        return str(failure)
    finally:
        machine.forget()
    return None


def run_all(bases, chosen, page, mark):
    """Tries each of the chosen on a machine of each base that it is for; whether all passed."""
    results = {name: ["-"] * len(bases) for name, *_ in chosen}
    for name, suite, make_machine, scenario in chosen:
        for number, base in enumerate(bases):
            if suite not in (None, base.suite):
                continue
            begun = time.monotonic()
            why = run(make_machine(base), scenario)
            end = "passed" if why is None else f"FAILED: {why}"
            print(f"{base.release}, {name}: {end} ({time.monotonic() - begun:.0f} s)", flush=True)
            results[name][number] = end.split(":")[0]
            if page:
                tried, columns = [base.description for base in bases], [base.release for base in bases]
                publish(page, mark, tried, "Scenario", columns, results)
    return not any("FAILED" in ends for ends in results.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--publish", type=Path)
    parser.add_argument("suite", nargs="+")
    arguments = parser.parse_args()
    target, suites = arguments.target.resolve(), [suite for suite in arguments.suite if suite != VIRTUAL]
    passed = True
    need({"debootstrap": "debootstrap", "systemd-nspawn": "systemd-container"})
    if suites:
        chosen = [(name, None, Machine, scenario) for name, scenario in (*scenarios.ALL, *sealing.ALL) if arguments.only in name]
        passed &= run_all([make_base(target, suite) for suite in suites], chosen, arguments.publish, "make machines")
    if VIRTUAL in arguments.suite:
        need({"qemu-system-x86_64": "qemu-system-x86", "swtpm": "swtpm"})
        chosen = [
            (name, suite, lambda base, how=how: VirtualMachine(base, **how), scenario)
            for name, suite, how, scenario in (*security_modules.ALL, *sealing.VIRTUAL) if arguments.only in name
        ]
        bases = [make_virtual_base(target, "bookworm"), make_virtual_base(target, "trixie", SECURITY_MODULES)]
        passed &= run_all(bases, chosen, arguments.publish, "make machines, virtual")
    sys.exit(not passed)


main()
