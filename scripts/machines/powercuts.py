#!/usr/bin/env python3
"""Cuts the power of a machine while Twinlock writes, and logs in to what is left.

    scripts/machines/powercuts.py TARGET [--cuts N | --flushes] [--publish FILE] FILE_SYSTEM...    as root; what is built in TARGET

A machine boots from a disk whose every write is recorded, and goes through logins, enrolments and what administrators do. Then
N disks are made that a cut of the power could have left (write_log.py): from each a machine boots, and tries the codes again.
With --flushes, a disk is made at each flush of the file system, where what came after the flush before is lost. Each run first
shows that it would see a code that was lost: it logs in to a sshd that flushes nothing.
"""

import argparse
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from machine import INSTALL, App, Failure, Machine, make_base, need, tool
from publish import publish
from scenarios import CONFIG, RECOVERY, enrol, make_newer
from write_log import FLUSH, KEPT, RecordedDisk, Replay, positions

SUITE = "trixie"
ENROLLED = [f"user{number}" for number in range(1, 9)]
TO_ENROL = ["new1", "new2", "new3"]
# What systemd starts at each boot.
WANTED = "/etc/systemd/system/multi-user.target.wants"

MARK = "make powercuts"
PROGRAMS = {
    "debootstrap": "debootstrap", "systemd-nspawn": "systemd-container", "qemu-storage-daemon": "qemu-system-common",
    "mkfs.xfs": "xfsprogs", "mkfs.btrfs": "btrfs-progs",
}


@dataclass
class Step:
    """What was done while the disk was recorded: from where to where in the log, when it ended, and how to see what is left of
    it on a machine after the cut, when it was over before the cut and when it was not.
    """

    moment: str
    begin: int
    end: int
    time: float
    check: Callable[[Machine, bool], None]


def make_disk(base, file_system):
    """The disk of the release with this file system."""
    if file_system == "ext4":
        return base.disk
    image, mounted = base.folder / f"{SUITE}-{file_system}.img", base.folder / "mounted"
    image.unlink(missing_ok=True)
    tool("truncate", "--size=1500M", image)
    tool(f"mkfs.{file_system}", "-q", image)
    mounted.mkdir(exist_ok=True)
    tool("mount", image, mounted)
    try:
        tool("cp", "--archive", f"{base.folder / SUITE}/.", mounted)
        # A mount namespace that somebody else has just made keeps it mounted.
        tool("sync", "--file-system", mounted)
    finally:
        tool("umount", mounted)
    return image


class History:
    """A machine on a recorded disk, and what was done on it."""

    def __init__(self, base, original, log):
        self.base, self.original, self.log = base, original, log
        self.image, self.steps = base.folder / "recorded.img", []
        tool("cp", "--sparse=always", original, self.image)
        self.disk = RecordedDisk(self.image, log)
        self.machine = Machine(base, self.disk.device)

    def close(self):
        self.machine.forget()
        self.disk.close()
        self.image.unlink()

    def step(self, moment, action, check):
        begin = self.disk.position()
        done = action()
        self.steps.append(Step(moment, begin, self.disk.position(), time.time(), lambda machine, over: check(machine, over, done)))

    def prepare(self, users):
        """Twinlock for sshd, with users who are enrolled; returns their apps and recovery codes."""
        machine = self.machine
        machine.boot()
        machine.install()
        machine.expect_sshd()
        machine.write(CONFIG, 'second_factor = "optional"\n')
        for user in (*users, *TO_ENROL):
            machine.do("useradd", "--create-home", "--shell", "/bin/bash", user)
            machine.do("cp", "--archive", "/home/alice/.ssh", f"/home/{user}")
            machine.do("chown", "--recursive", f"{user}:", f"/home/{user}/.ssh")
        people = {}
        for user in ("alice", *users):
            shown = machine.do("twinlock", "enroll", user, "--no-confirm")
            people[user] = App(shown), RECOVERY.findall(shown)
        machine.do("twinlock", "ssh", "enable", "--keep")
        machine.do("sync")
        return people

    def login(self, user, code, unused):
        def check(machine, over, _):
            accepted = machine.login(user, code)
            if accepted and over:
                raise Failure(f"{user}: a code that was accepted before the cut is accepted again")
            if accepted:
                machine.expect_refusal(user, code)
            machine.expect_login(user, unused)
            machine.do("twinlock", "status", user)

        self.step("login", lambda: self.machine.expect_login(user, code), check)

    def enrolment(self, user):
        def action():
            app_and_codes = enrol(terminal := self.machine.types("twinlock", "enroll", user))
            if terminal.finish():
                raise Failure(f"enroll: {terminal.shown[-400:]}")
            return app_and_codes

        def check(machine, over, done):
            alone = machine.login(user)
            if alone and over:
                raise Failure(f"{user}: the enrolment is lost")
            if not alone:
                machine.expect_login(user, done[1][5])
                machine.do("twinlock", "status", user)

        self.step("enrolment", action, check)

    def new_recovery_codes(self, user, old):
        def check(machine, over, new):
            accepted = machine.login(user, old), machine.login(user, new[5])
            if accepted not in ((False, True), *(() if over else ((True, False),))):
                raise Failure(f"{user}: of an old and a new recovery code, {accepted} were accepted")

        command = ["twinlock", "recovery", "new", user, "--no-confirm", "--json"]
        self.step("`recovery new`", lambda: RECOVERY.findall(self.machine.do(*command)), check)

    def sealing(self, unused):
        """alice's secrets and those of everybody else are sealed; run again, the command finishes what the cut interrupted."""
        command = ["twinlock", "seal", "enable", "--escrow", "/root/phrase"]

        def check(machine, over, _):
            machine.expect_login("alice", unused[0])
            if over:
                machine.do("sh", "-c", "twinlock seal status | grep '^secrets are sealed'")
            machine.do(*command)
            machine.expect_login("alice", unused[1])
            machine.do("sh", "-c", "! ls /var/lib/twinlock/credentials/*.toml 2>/dev/null")

        self.step("`seal enable`", lambda: self.machine.do(*command), check)

    def upgrade(self, unused):
        make_newer(self.machine)
        self.machine.do("sync")

        def check(machine, _, __):
            machine.expect_refusal("alice")
            machine.expect_login("alice", unused[0])
            # dpkg says what it has not finished, and names this.
            machine.run("sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg --configure -a")
            machine.do("sh", "-c", "DEBIAN_FRONTEND=noninteractive dpkg --install /root/*.deb")
            machine.expect_refusal("alice")
            machine.expect_login("alice", unused[1])

        self.step("upgrade of the packages", lambda: self.machine.do("sh", "-c", INSTALL), check)

    def ssh(self, verb, code, unused):
        """`ssh enable`, `confirm` or `disable`, after a login with the code if one is given."""
        if code is not None:
            self.machine.expect_login("alice", code)
        options = ["--try", "30m"] if verb == "enable" else []

        def check(machine, over, _):
            alone = machine.login("alice")
            # A trial ends with the boot.
            if alone != (verb != "confirm") and (over or verb == "enable"):
                raise Failure(f"alice is {'let in' if alone else 'refused'} with the key alone")
            if not alone:
                machine.expect_login("alice", unused)
            machine.do("sh", "-c", f"! ls {'/etc/systemd/system' if over else WANTED}/twinlock-ssh-* 2>/dev/null")

        self.step(f"`ssh {verb}`", lambda: self.machine.do("twinlock", "ssh", verb, *options), check)


def record(base, original, log):
    """Everything that is tried, in one history."""
    history = History(base, original, log)
    try:
        people = history.prepare(ENROLLED)
        for user in ENROLLED:
            app, codes = people[user]
            history.login(user, app.code(), codes[-1])
            history.login(user, codes[0], codes[-1])
        for user in TO_ENROL:
            history.enrolment(user)
        for user in ENROLLED[:3]:
            history.new_recovery_codes(user, people[user][1][1])
        _, codes = people["alice"]
        history.sealing(codes[-3:])
        history.upgrade(codes[-3:])
        for code in codes[:2]:
            history.ssh("disable", None, codes[-1])
            history.ssh("enable", None, codes[-1])
            history.ssh("confirm", code, codes[-1])
    finally:
        history.close()
    return history


def record_without_flushes(base, original, log):
    """Logins to a sshd that flushes nothing."""
    history = History(base, original, log)
    try:
        people = history.prepare(ENROLLED[:1])
        history.machine.preload("ssh.service", "libeatmydata.so")
        history.machine.do("systemctl", "daemon-reload")
        history.machine.do("systemctl", "restart", "ssh.service")
        history.machine.do("sync")
        (user,), (_, codes) = ENROLLED[:1], people[ENROLLED[0]]
        history.login(user, codes[0], codes[-1])
    finally:
        history.close()
    return history


def choose(history, count, chance):
    """The cuts to make: their step, position, and what the drive keeps of what was not flushed. `count` in all, or, if it is
    None, one at each flush, where nothing is kept.
    """
    if count is None:
        return [
            (step, position, "nothing")
            for step in history.steps for position in (*positions(history.log, step.begin, step.end, FLUSH), step.end)
        ]
    login, *others = dict.fromkeys(step.moment for step in history.steps)
    chosen = []
    for number in range(count):
        # One in two is a login.
        turn = number // 2 if number % 2 == 0 else number // 2 // len(others)
        moment = login if number % 2 == 0 else others[number // 2 % len(others)]
        steps = [step for step in history.steps if step.moment == moment]
        step = steps[turn % len(steps)]
        # One in two at the end: there what was promised is most at risk.
        position = step.end if turn % 2 == 0 else chance.choice(positions(history.log, step.begin, step.end))
        chosen.append((step, position, "nothing" if turn % 4 == 0 else chance.choice(KEPT)))
    return chosen


def try_cuts(history, cuts, chance):
    """Boots from the disk of each cut; yields the step and why it failed, or None."""
    replay = Replay(history.original, history.log, history.base.folder / "replayed.img")
    try:
        for step, position, kept in sorted(cuts, key=lambda cut: cut[1]):
            replay.advance(position)
            yield step, position, kept, try_one(history.base, step, position, replay.cut(kept, chance))
    finally:
        replay.close()


def try_one(base, step, position, disk):
    machine = None
    try:
        machine = Machine(base, disk)
        # The moment at which the step ended, so that a code which was valid then is valid now.
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(step.time + 1))
        machine.preload("ssh.service", "faketime/libfaketime.so.1", f"FAKETIME=@{clock}", "FAKETIME_DONT_FAKE_MONOTONIC=1")
        machine.boot()
        machine.expect_sshd()
        step.check(machine, position >= step.end)
        machine.do("twinlock", "list")
    except Failure as failure:
        return str(failure)
    finally:
        if machine is not None:
            machine.forget()
    disk.unlink()
    return None


def show_that_losses_are_seen(base, log, chance):
    history = record_without_flushes(base, base.disk, log)
    ends = [why for *_, why in try_cuts(history, [(history.steps[0], history.steps[0].end, "nothing")], chance)]
    if not any(why and "accepted again" in why for why in ends):
        raise SystemExit(f"powercuts: a sshd that flushes nothing was not noticed: {ends}")
    print("a sshd that flushes nothing: its code is accepted again after the cut, as it should be", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path)
    parser.add_argument("--cuts", type=int, default=60)
    parser.add_argument("--flushes", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--publish", type=Path)
    parser.add_argument("file_system", nargs="+", choices=["ext4", "xfs", "btrfs"])
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    need(PROGRAMS)
    base = make_base(arguments.target.resolve(), SUITE)
    log = base.folder / "write.log"
    show_that_losses_are_seen(base, log, chance)
    counts, failed = {}, False
    for file_system in arguments.file_system:
        history = record(base, make_disk(base, file_system), log)
        for number, (step, position, kept, why) in enumerate(
            try_cuts(history, choose(history, None if arguments.flushes else arguments.cuts, chance), chance)
        ):
            over = "after" if position >= step.end else "during"
            print(f"{file_system}, {number + 1}: {over} {step.moment}, kept {kept}: {why or 'passed'}", flush=True)
            ends = counts.setdefault(step.moment, {}).setdefault(file_system, [0, 0])
            ends[why is not None] += 1
            failed |= why is not None
    log.unlink()
    if arguments.publish:
        rows = {
            moment: [f"{passed} passed" + f", {lost} FAILED" * bool(lost) for passed, lost in row.values()]
            for moment, row in counts.items()
        }
        publish(arguments.publish, MARK, [base.description], "Cuts during and after", arguments.file_system, rows)
    sys.exit(failed)


if __name__ == "__main__":
    main()
