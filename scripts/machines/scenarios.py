"""What is tried on each release."""

import re
import shutil
import subprocess
from pathlib import Path

from machine import INSTALL, PASSWORD, App, Failure, bring_packages, tool, wait_for

CONFIG = "/etc/twinlock/config.toml"
RECOVERY = re.compile(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b")


def enrol(terminal):
    """Goes through the dialogue of an enrolment; returns the app and the recovery codes."""
    app = App(terminal.expect("Enter the code that the app shows now: "))
    terminal.type(app.code())
    codes = RECOVERY.findall(terminal.expect("Enter one of these codes to confirm that you saved them: "))
    terminal.type(codes[0])
    return app, codes


def trial(by, disk):
    """A trial that a reset ends: sshd by its service or by its socket, on a disk in this state."""

    def scenario(machine):
        machine.boot()
        machine.install()
        if by == "socket":
            machine.do("systemctl", "disable", "--now", "ssh.service")
            machine.do("systemctl", "enable", "--now", "ssh.socket")
            machine.run("rmdir", "/run/sshd")
        machine.expect_sshd()
        codes = RECOVERY.findall(machine.do("twinlock", "enroll", "alice", "--no-confirm"))
        if "LOCKOUT" in machine.run("twinlock", "doctor").stdout:
            raise Failure("the doctor finds a lock-out")
        machine.do("twinlock", "ssh", "enable", "--try", "30m", "--deny-unenrolled")
        machine.expect_refusal("alice")
        machine.expect_login("alice", codes[0])
        if disk == "immutable":
            tool("chattr", "+i", machine.root / "etc/pam.d/sshd")
        elif disk == "full":
            subprocess.run(["dd", "if=/dev/zero", f"of={machine.root}/filler", "bs=64k"], capture_output=True, check=False)
            subprocess.run(["dd", "if=/dev/zero", f"of={machine.root}/rest", "bs=512"], capture_output=True, check=False)
        machine.reset(read_only=disk == "read-only")
        machine.expect_sshd()
        if disk == "immutable":
            machine.expect_refusal("alice")
            machine.expect_login("alice", codes[1])
            tool("chattr", "-i", machine.root / "etc/pam.d/sshd")
        elif disk == "full":
            # What is needed to undo it was written before.
            machine.expect_login("alice")
            for name in ("filler", "rest"):
                (machine.root / name).unlink()
        elif disk == "read-only":
            # A code that cannot be recorded as used is refused. The console has a way out that writes to no disk.
            machine.expect_refusal("alice", codes[1])
            machine.do("twinlock", "emergency", "off", "--for", "1h")
            machine.expect_login("alice")
            machine.do("twinlock", "emergency", "on")
            machine.do("mount", "-o", "remount,bind,rw", "/")
        if disk != "writable" and not wait_for(90, lambda: machine.login("alice")):
            raise Failure("the trial was not undone later")
        machine.expect_login("alice")
        machine.expect_login("bob")
        machine.do("sh", "-c", "! ls /etc/systemd/system/twinlock-ssh-* /var/lib/twinlock/ssh/* 2>/dev/null")

    return scenario


def enabled(machine, config=""):
    """Twinlock for sshd with this configuration, and alice enrolled; returns her app and recovery codes."""
    machine.boot()
    machine.install()
    machine.expect_sshd()
    app, codes = enrol(terminal := machine.types("twinlock", "enroll", "alice"))
    if terminal.finish():
        raise Failure(f"enroll: {terminal.shown[-400:]}")
    machine.write(CONFIG, config)
    machine.do("twinlock", "ssh", "enable", "--keep", "--deny-unenrolled")
    return app, codes


def readme(machine):
    """The commands of README's "Install", as they are written there."""
    page = (Path(__file__).parents[2] / "README.md").read_text()
    section = page.split("## Install\n")[1].split("\n## ")[0]
    # The day on the page will be over.
    section = section.replace("2027-01-31", "2199-01-31")
    commands = [line.strip().removeprefix("sudo ") for line in section.splitlines() if line.startswith("    ")]
    machine.boot()
    machine.expect_sshd()
    app = None
    for command in commands:
        if command.startswith("make "):
            continue
        if command.startswith("apt install"):
            machine.install()
        elif command.startswith("twinlock enroll"):
            app, codes = enrol(terminal := machine.types(*command.split()))
            terminal.finish()
        else:
            machine.do("sh", "-c", command)
        if command.startswith("twinlock ssh enable"):
            machine.expect_login("alice", app.code())
    machine.reboot()
    machine.expect_sshd()
    machine.expect_refusal("alice")
    machine.expect_login("alice", codes[1])
    # Nobody else is locked out: bob enrols in his login.
    in_the_login(machine)
    machine.do("twinlock", "check")


def in_the_login(machine):
    """bob enrols inside a login, and then logs in with a code."""
    terminal = machine.ssh("bob", "echo IN-$((40+2))")
    shown = terminal.expect("Enter the code that the app shows now: ")
    key = re.search(r"\b[A-Z2-7]{4}(?: [A-Z2-7]{4})+\b", shown)[0].replace(" ", "")
    app = App(f"otpauth://totp/x?secret={key}")
    terminal.type(app.code())
    codes = RECOVERY.findall(terminal.expect(": "))
    terminal.type(codes[0])
    terminal.expect("IN-42")
    terminal.finish()
    machine.expect_login("bob", codes[1])


def enrolment_in_the_login(machine):
    enabled(machine, 'second_factor = "enroll"\n')
    in_the_login(machine)
    machine.reset()
    machine.expect_sshd()
    machine.expect_refusal("bob")


def enrolment_by_password(machine):
    """bob enrols by the broker, for which his password is enough."""
    enabled(machine, 'second_factor = "optional"\n[self_service]\nfirst_enrollment = "password"\n')
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "enable", "--now", "twinlockd.socket")
    terminal = machine.ssh("bob", "twinlock", "enroll")
    terminal.expect("Password: ")
    terminal.type(PASSWORD)
    app, codes = enrol(terminal)
    if terminal.finish():
        raise Failure(f"enroll: {terminal.shown[-400:]}")
    machine.expect_refusal("bob")
    machine.expect_login("bob", app.code())
    machine.reset()
    machine.expect_sshd()
    machine.expect_login("bob", codes[1])
    machine.do("systemctl", "is-active", "twinlockd.socket")


def enrolment_by_session(machine):
    """bob has just logged in with a key, which is enough for the broker."""
    enabled(machine, 'second_factor = "optional"\n[self_service]\nfirst_enrollment = "session"\n')
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "enable", "--now", "twinlockd.socket")
    app, codes = enrol(terminal := machine.ssh("bob", "twinlock", "enroll"))
    if terminal.finish() or "Password" in terminal.shown:
        raise Failure(f"enroll: {terminal.shown[-400:]}")
    machine.expect_refusal("bob")
    machine.expect_login("bob", app.code())
    machine.expect_login("bob", codes[1])
    machine.do("twinlock", "remove", "bob", "--yes")
    # A login is enough for ten minutes.
    machine.preload("twinlockd.service", "faketime/libfaketime.so.1", "FAKETIME=+11m")
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "restart", "twinlockd.service")
    terminal = machine.ssh("bob", "twinlock", "enroll")
    terminal.expect("you can enrol only within ten minutes of logging in")
    terminal.finish()
    machine.do("systemctl", "revert", "twinlockd.service")
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "restart", "twinlockd.service")
    # A process without a session, of the same account, has nothing to show.
    terminal = machine.types("setpriv", "--reuid=bob", "--regid=bob", "--clear-groups", "twinlock", "enroll")
    terminal.expect("you can enrol only from a login session")
    terminal.finish()


def make_newer(machine):
    """Puts the packages with a higher version in the place of those that are installed from."""
    newer = machine.base.folder / "newer"
    shutil.rmtree(newer, ignore_errors=True)
    newer.mkdir()
    for package in machine.base.packages.glob("*.deb"):
        folder = newer / package.stem
        tool("dpkg-deb", "--raw-extract", package, folder)
        control = (folder / "DEBIAN/control").read_text().replace("0.1.0-1", "0.1.0-2")
        (folder / "DEBIAN/control").write_text(control)
        (machine.root / "root" / package.name).unlink()
        tool("dpkg-deb", "--build", "--root-owner-group", "-Znone", folder, machine.root / "root" / package.name)


def upgrade_and_removal(machine):
    """A newer package over a broker that runs, the older one again and the newer again, then removal, which is refused while sshd
    asks for codes, and purge.
    """
    app, codes = enabled(machine)
    machine.do("systemctl", "daemon-reload")
    machine.do("systemctl", "enable", "--now", "twinlockd.socket", "twinlockd.service")
    stack = machine.do("sha256sum", "/etc/pam.d/sshd")
    make_newer(machine)
    broker = machine.do("systemctl", "show", "--property=MainPID", "twinlockd.service")
    machine.do("sh", "-c", INSTALL)
    if machine.do("systemctl", "show", "--property=MainPID", "twinlockd.service") == broker:
        raise Failure("the upgrade left the old broker running")
    if machine.do("sha256sum", "/etc/pam.d/sshd") != stack:
        raise Failure("the upgrade changed /etc/pam.d/sshd")
    machine.expect_login("alice", app.code())

    bring_packages(machine.base, machine.root)
    machine.do("sh", "-c", f"{INSTALL} --allow-downgrades")
    if "0.1.0-1" not in machine.do("dpkg-query", "--show", "libpam-twinlock"):
        raise Failure("the older package was not installed")
    machine.expect_login("alice", codes[2])
    machine.expect_refusal("alice", codes[2])
    make_newer(machine)
    machine.do("sh", "-c", INSTALL)
    machine.expect_refusal("alice", codes[2])
    machine.expect_login("alice", codes[3])

    if machine.run("apt-get", "-qq", "purge", "-y", "twinlock", "libpam-twinlock").returncode == 0:
        raise Failure("sshd asks for codes, and the packages could be removed")
    machine.do("systemctl", "is-active", "twinlockd.service")
    machine.expect_login("alice", codes[1])
    machine.do("twinlock", "ssh", "disable")
    machine.do("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y twinlock libpam-twinlock")
    if machine.run("pgrep", "twinlockd").returncode == 0:
        raise Failure("the broker is still there after a purge")
    machine.do("test", "-e", "/var/lib/twinlock/credentials/alice.toml")
    machine.expect_login("alice")
    machine.reset()
    machine.expect_sshd()
    machine.expect_login("alice")


ALL = [
    ("README's installation, then a reboot", readme),
    ("enrolment inside a login, then a reset", enrolment_in_the_login),
    ("self-enrolment by password, then a reset", enrolment_by_password),
    ("self-enrolment by session", enrolment_by_session),
    ("upgrade, downgrade, removal and purge, then a reset", upgrade_and_removal),
    *(
        (f"trial by `ssh.{by}`, then a reset on a disk that is {disk}", trial(by, disk))
        for by in ("service", "socket")
        for disk in ("writable", "immutable", "full", "read-only")
    ),
]
