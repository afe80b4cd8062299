"""A machine: Debian of a release, booted in a container from an ext4 disk of its own, and users who log in to it."""

import base64
import contextlib
import hashlib
import hmac
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

# The last two are for powercuts.py: a clock that is set, and a sshd that flushes nothing.
PACKAGES = "systemd,systemd-sysv,dbus,openssh-server,libpam-systemd,sudo,passwd,procps,debconf,libfaketime,libeatmydata1"
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
USERS = ("alice", "bob", "carol")
PASSWORD = "correct horse"
INSTALL = "DEBIAN_FRONTEND=noninteractive apt-get -qq install -y /root/*.deb"
PROMPT = "Verification code: "
# How a login ends, as ssh shows it. Where a trial is being undone, a password may be asked for.
ENDS = ("IN-42", "Password: ", "Permission denied", "closed", "reset", "timed out", "refused")


class Failure(Exception):
    """What a scenario found."""


def tool(*words, **options):
    """Runs a program of the host that must succeed."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Failure(f"{words[0]}: {done.stdout}{done.stderr}".strip())
    return done.stdout


def need(packages):
    """Ends the run where a program is missing; `packages` has the package of Debian that each is in."""
    missing = sorted({package for program, package in packages.items() if shutil.which(program) is None})
    if missing:
        raise SystemExit(f"programs are missing. On Debian, install: {' '.join(missing)}")


def wait_for(seconds, condition):
    """Whether the condition holds within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


class Base:
    """The disk that the machines of a release start from."""

    def __init__(self, suite, disk, packages, release, versions):
        self.suite, self.disk, self.folder, self.packages = suite, disk, disk.parent, packages
        self.release, self.description = release, f"{release}: {versions}"


def make_root(target, suite):
    """A folder with a release, made by debootstrap the first time, and users who have keys."""
    folder = target / "machines"
    root, key, done = folder / suite, folder / "key", folder / f"{suite}.done"
    if done.exists():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    tool("debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, root)
    if not key.exists():
        tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    for user in USERS:
        tool("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", user)
        tool("chroot", root, "chpasswd", input=f"{user}:{PASSWORD}\n")
        tool("chroot", root, "install", "-d", "-m", "0700", "-o", user, "-g", user, f"/home/{user}/.ssh")
        shutil.copyfile(f"{key}.pub", root / "home" / user / ".ssh/authorized_keys")
    tool("chroot", root, "usermod", "--append", "--groups", "sudo", "alice")
    done.touch()
    return root


def make_base(target, suite):
    """Makes the disk of a release, the first time."""
    root, disk = make_root(target, suite), target / "machines" / f"{suite}.img"
    if not disk.exists():
        tool("mke2fs", "-q", "-F", "-t", "ext4", "-d", root, disk, "1200M")
    versions = tool("chroot", root, "dpkg-query", "--show", "--showformat", "${Package} ${Version}, ", "systemd", "openssh-server")
    return Base(suite, disk, target / "packages", release_of(root), versions.rstrip(", "))


def release_of(root):
    return re.search(r'PRETTY_NAME="(.*)"', (root / "usr/lib/os-release").read_text())[1]


def bring_packages(base, root):
    for package in base.packages.glob("*.deb"):
        shutil.copy(package, root / "root")


class App:
    """An authenticator app that scanned the address which the command prints."""

    def __init__(self, shown):
        self.secret = base64.b32decode(re.search(r"otpauth://\S*?secret=([A-Z2-7]+)", shown)[1])
        self.last = 0

    def code(self):
        """A code that is valid now, each of a later step than the one before."""
        step = max(int(time.time()) // 30, self.last + 1)
        wait_for(60, lambda: step <= int(time.time()) // 30 + 1)
        self.last = step
        digest = hmac.new(self.secret, struct.pack(">Q", step), hashlib.sha1).digest()
        return f"{struct.unpack('>I', digest[digest[-1] & 15:][:4])[0] % 2**31 % 10**6:06}"


class Terminal:
    """A program on a terminal, driven as by a person."""

    def __init__(self, words, environment=None):
        self.shown, self.seen = "", 0
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm", "LANG": "C.UTF-8"} | (environment or {}))
            os.execvp(words[0], words)

    def read(self, seconds):
        """Reads what is shown; false at the end, or when nothing came for so many seconds."""
        if not select.select([self.screen], [], [], seconds)[0]:
            return False
        try:
            got = os.read(self.screen, 65536)
        except OSError:
            return False
        self.shown += got.decode(errors="replace").replace("\r", "")
        return bool(got)

    def expect(self, *texts, seconds=60):
        """Waits for one of these texts, and returns what was shown before and with it."""
        end = time.monotonic() + seconds
        while True:
            found = [self.shown.find(text, self.seen) + len(text) for text in texts if text in self.shown[self.seen:]]
            if found:
                before, self.seen = self.shown[self.seen:min(found)], min(found)
                return before
            if time.monotonic() > end or not self.read(seconds):
                raise Failure(f"{texts[0]!r} was not shown, but: {self.shown[-600:]!r}")

    def type(self, line):
        os.write(self.screen, f"{line}\n".encode())

    def finish(self):
        """Waits for the end, and returns the exit status."""
        while self.read(60):
            pass
        return self.close()

    def close(self):
        os.close(self.screen)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Host:
    """What runs Debian with Twinlock. `run`, `enter` and `boot` are those of a container or of a virtual machine."""

    def do(self, *words):
        """Runs a program that must succeed as root, not by ssh; returns what it prints."""
        done = self.run(*words)
        if done.returncode:
            raise Failure(f"{' '.join(words)}: {done.stdout}{done.stderr}".strip())
        return done.stdout

    def install(self):
        """Installs the packages, which switches nothing on."""
        self.do("sh", "-c", INSTALL)

    # Users, from outside.

    def listens(self):
        scan = [*self.outside(), "ssh-keyscan", "-T", "2", "-p", str(self.port), "127.0.0.1"]
        return "ssh-ed25519" in subprocess.run(scan, capture_output=True, text=True, check=False).stdout

    def expect_sshd(self):
        """sshd has to be there soon after the boot, and systemd must have dropped nothing."""
        if not wait_for(self.seconds_to_sshd, self.listens):
            raise Failure(f"no sshd after {self.seconds_to_sshd} seconds: {self.run('systemctl', 'list-jobs', '--no-legend').stdout}")
        if "ordering cycle" in self.console.read_text(errors="replace"):
            raise Failure("systemd found an ordering cycle")

    def ssh(self, user, *command):
        """ssh on a terminal."""
        options = [f"-i{self.base.folder / 'key'}", "-Fnone", "-tt"]
        for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "NumberOfPasswordPrompts=1", "ConnectTimeout=20",
                       "LogLevel=ERROR", "ControlPath=none", "IdentityAgent=none"):
            options += ["-o", option]
        return Terminal([*self.outside(), "ssh", f"-p{self.port}", *options, f"{user}@127.0.0.1", *command])

    def login(self, user, code=None):
        """Whether a login with a key, and with this code if one is asked for, runs a command."""
        terminal = self.ssh(user, "echo IN-$((40+2))")
        try:
            asked = terminal.expect(PROMPT, *ENDS).endswith(PROMPT)
            if asked:
                terminal.type(code or "")
                terminal.expect(*ENDS)
            return "IN-42" in terminal.shown and asked == (code is not None)
        finally:
            terminal.close()

    def expect_login(self, user, code=None):
        if not self.login(user, code):
            log = self.run("journalctl", "--no-pager", "--lines=8", "--output=cat").stdout
            raise Failure(f"{user} is refused with {'key and code' if code else 'the key alone'}: {log}")

    def expect_refusal(self, user, code=None):
        if self.login(user, code):
            raise Failure(f"{user} is let in with {'key and code' if code else 'the key alone'}")


class Machine(Host):
    """A container with a systemd of its own."""

    port, seconds_to_sshd = 22, 60

    def __init__(self, base, device=None):
        """Of a copy of the disk of its release, or of a device or a disk image, which is kept."""
        self.base, self.nspawn, self.leader = base, None, None
        self.name = f"twinlock-{os.getpid()}"
        self.disk, self.root = base.folder / f"{self.name}.img", base.folder / self.name
        self.console = base.folder / "console"
        if device is None:
            tool("cp", "--sparse=always", base.disk, self.disk)
        self.root.mkdir(exist_ok=True)
        tool("mount", device or self.disk, self.root)

    # What runs.

    def boot(self, read_only=False):
        """Starts it, and waits until systemd answers."""
        words = ["systemd-nspawn", "--quiet", "--boot", f"--directory={self.root}", f"--machine={self.name}", "--register=no"]
        words += ["--keep-unit", "--private-network", "--console=pipe"] + (["--read-only"] if read_only else [])
        with open(self.console, "wb") as console:
            self.nspawn = subprocess.Popen(
                words + ["systemd.log_target=console", "systemd.log_color=0"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )
        if not wait_for(30, self.is_booted):
            raise Failure("systemd does not start")

    def is_booted(self):
        children = Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split()
        self.leader = children[0] if children else None
        return self.leader is not None and self.run("test", "-S", "/run/systemd/private").returncode == 0

    def reset(self, **how):
        """Presses the reset button: nothing is shut down."""
        os.kill(int(self.leader), signal.SIGKILL)
        self.nspawn.wait(60)
        self.boot(**how)

    def reboot(self):
        """Shuts down and boots."""
        self.nspawn.terminate()
        try:
            self.nspawn.wait(90)
        except subprocess.TimeoutExpired as late:
            raise Failure("it does not shut down") from late
        self.boot()

    def forget(self):
        if self.nspawn is not None and self.nspawn.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(self.leader), signal.SIGKILL)
            self.nspawn.wait(60)
        subprocess.run(["chattr", "-i", self.root / "etc/pam.d/sshd"], capture_output=True, check=False)
        wait_for(10, lambda: subprocess.run(["umount", self.root], capture_output=True, check=False).returncode == 0)
        self.root.rmdir()
        self.disk.unlink(missing_ok=True)

    # Root's console.

    def enter(self, *words):
        return ["nsenter", f"--target={self.leader}", "--all", *words]

    def run(self, *words, **options):
        """Runs a program in the machine as root, not by ssh."""
        return subprocess.run(self.enter(*words), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, **options)

    def types(self, *words):
        """Runs a program on root's terminal."""
        return Terminal(self.enter(*words))

    def write(self, path, text):
        (self.root / path.lstrip("/")).write_text(text)

    def preload(self, unit, library, *environment):
        """The unit is to run with a library that changes what it sees of the host, from its next start on."""
        folder = self.root / f"etc/systemd/system/{unit}.d"
        folder.mkdir(exist_ok=True)
        words = " ".join(f'"{word}"' for word in (f"LD_PRELOAD={LIBRARIES}/{library}", *environment))
        (folder / "preload.conf").write_text(f"[Service]\nEnvironment={words}\n")

    def install(self):
        bring_packages(self.base, self.root)
        super().install()

    def outside(self):
        """What a program is run by that is to reach it at 127.0.0.1."""
        return ["nsenter", f"--target={self.leader}", "--net"]
