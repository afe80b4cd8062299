"""A virtual machine with a kernel of its own, for what containers share with their host: the security module of Linux, the TPM.

Emulated (TCG), because a host that is itself a virtual machine may boot no stock kernel under KVM: about half a minute to sshd.
"""

import base64
import contextlib
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

from machine import Base, Failure, Host, bring_packages, make_root, release_of, tool, wait_for

PACKAGES = "linux-image-cloud-amd64 initramfs-tools zstd udev rsyslog tpm2-tools"
SECURITY_MODULES = "auditd apparmor selinux-policy-default policycoreutils selinux-utils"
LABELS = "/etc/selinux/default/contexts/files/file_contexts"
PORT = "twinlock"
# Root's shell for the scenarios. It uses neither ssh nor PAM, so that it stays when these refuse.
SHELL = f"""#!/bin/bash
while read -r line <&3; do
    out=$(base64 -d <<<"$line" | bash 2>&1 3>&- | base64 -w0; exit "${{PIPESTATUS[1]}}")
    printf '%s %s\\n' "$?" "$out" >&3
done 3<>/dev/virtio-ports/{PORT}
"""
UNIT = "[Service]\nExecStart=/usr/local/sbin/scenario-shell\nRestart=always\nEnvironment=HOME=/root\n"
NETWORK = "[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\n"
WANTED = "etc/systemd/system/multi-user.target.wants"


@contextlib.contextmanager
def mounted(disk, folder):
    """The files of a disk whose machine is off."""
    root = folder / "mounted"
    root.mkdir(exist_ok=True)
    tool("mount", disk, root)
    try:
        yield root
        # A mount namespace that somebody else has just made keeps it mounted.
        tool("sync", "--file-system", root)
    finally:
        tool("umount", root)


def make_virtual_base(target, suite, packages=""):
    """The disk that virtual machines start from, the first time with a kernel and these packages."""
    folder = target / "machines"
    root, disk = folder / f"{suite}-virtual", folder / f"{suite}-virtual.img"
    if not disk.exists():
        shutil.rmtree(root, ignore_errors=True)
        tool("cp", "--archive", make_root(target, suite), root)
        complete(root, f"{PACKAGES} {packages}".split())
        tool("mke2fs", "-q", "-F", "-t", "ext4", "-d", root, disk, "3500M")
    version = newest(root, "vmlinuz").name.removeprefix("vmlinuz-")
    return Base(suite, disk, target / "packages", release_of(root), f"Linux {version}, emulated by QEMU")


def newest(root, name):
    return max((root / "boot").glob(f"{name}-*"), key=lambda path: path.stat().st_mtime)


@contextlib.contextmanager
def apt_in(root):
    """apt-get in a root that is not booted: it asks nothing, and starts nothing."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    tool("mount", "-t", "proc", "proc", root / "proc")
    try:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        yield lambda *words: tool("chroot", root, "apt-get", "-qq", "-y", *words, env=environment)
    finally:
        tool("umount", root / "proc")
        policy.unlink()


def complete(root, packages):
    """Adds a kernel, a shell for the scenarios, and the labels of SELinux."""
    (root / "etc/initramfs-tools/conf.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/fstab").write_text("/dev/vda / ext4 rw,relatime 0 1\n")
    with apt_in(root) as apt:
        apt("install", "--no-install-recommends", *packages)
        (root / "etc/initramfs-tools/conf.d/modules").write_text("MODULES=list\n")
        (root / "etc/initramfs-tools/modules").write_text("virtio_blk\nvirtio_pci\n")
        tool("chroot", root, "update-initramfs", "-u")
    (root / "etc/systemd/network/80-scenarios.network").write_text(NETWORK)
    (root / "usr/local/sbin/scenario-shell").write_text(SHELL)
    (root / "usr/local/sbin/scenario-shell").chmod(0o755)
    (root / "etc/systemd/system/scenario-shell.service").write_text(UNIT)
    for unit in ("/etc/systemd/system/scenario-shell.service", "/usr/lib/systemd/system/systemd-networkd.service"):
        (root / WANTED / Path(unit).name).symlink_to(unit)
    if (root / LABELS.lstrip("/")).exists():
        tool("chroot", root, "setfiles", "-F", "-e", "/proc", "-e", "/sys", LABELS, "/")


class VirtualMachine(Host):
    """A machine of QEMU, on a copy of the disk."""

    seconds_to_sshd = 300

    def __init__(self, base, kernel_arguments="", tpm=None):
        """`tpm` names the TPM that is in it: another name is another chip."""
        self.base, self.kernel_arguments, self.qemu, self.channel = base, kernel_arguments, None, None
        name = base.folder / f"virtual-{os.getpid()}"
        self.disk, self.socket, self.kernel, self.ramdisk = (Path(f"{name}.{end}") for end in ("img", "socket", "vmlinuz", "initrd"))
        self.tpm, self.tpms = tpm, Path(f"{name}.tpm")
        self.console = base.folder / "console"
        tool("cp", "--sparse=always", base.disk, self.disk)
        with mounted(self.disk, base.folder) as root:
            bring_packages(base, root)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start_tpm(self):
        """Starts its software TPM, which ends with QEMU; returns QEMU's options for it."""
        state, control = self.tpms / self.tpm, self.tpms / "socket"
        state.mkdir(parents=True, exist_ok=True)
        tool("swtpm", "socket", "--tpm2", "--daemon", "--terminate", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={control}")
        return ["-chardev", f"socket,id=tpm,path={control}", "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm"]

    def boot(self):
        with mounted(self.disk, self.base.folder) as root:
            shutil.copy(newest(root, "vmlinuz"), self.kernel)
            shutil.copy(newest(root, "initrd.img"), self.ramdisk)
        tpm = self.start_tpm() if self.tpm else []
        self.socket.unlink(missing_ok=True)
        self.qemu = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "1536", "-smp", "2", "-nodefaults", "-display", "none",
             "-kernel", self.kernel, "-initrd", self.ramdisk,
             "-append", f"root=/dev/vda rw console=ttyS0 {self.kernel_arguments}",
             "-drive", f"file={self.disk},format=raw,if=virtio,cache=unsafe",
             "-netdev", f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22", "-device", "virtio-net-pci,netdev=net,romfile=",
             "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
             "-chardev", f"socket,id=shell,path={self.socket},server=on,wait=off",
             "-device", f"virtserialport,chardev=shell,name={PORT}", "-serial", f"file:{self.console}", *tpm],
            stdin=subprocess.DEVNULL,
        )
        if not wait_for(10, self.socket.exists):
            raise Failure("QEMU does not start")
        self.channel = socket.socket(socket.AF_UNIX)
        self.channel.connect(str(self.socket))
        self.channel.settimeout(300)
        self.do("true")

    def run(self, *words):
        """Runs a program in the machine as root, not by ssh."""
        command = shlex.join(words)
        self.channel.sendall(base64.b64encode(command.encode()) + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            try:
                more = self.channel.recv(65536)
            except TimeoutError as late:
                raise Failure(f"no answer to {command}") from late
            if not more:
                raise Failure("the machine has stopped")
            answer += more
        status, _, text = answer.decode().strip().partition(" ")
        return subprocess.CompletedProcess(words, int(status), base64.b64decode(text).decode(errors="replace"), "")

    def write(self, path, text):
        self.do("sh", "-c", f"echo {base64.b64encode(text.encode()).decode()} | base64 -d >{path}")

    def outside(self):
        return []

    def reboot(self):
        self.shut_down()
        self.boot()

    def shut_down(self):
        self.run("systemctl", "--no-block", "poweroff")
        try:
            self.qemu.wait(180)
        except subprocess.TimeoutExpired as late:
            raise Failure("it does not shut down") from late
        self.channel.close()

    def forget(self):
        if self.channel is not None:
            self.channel.close()
        if self.qemu is not None:
            self.qemu.kill()
            self.qemu.wait(60)
        for path in (self.disk, self.socket, self.kernel, self.ramdisk):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.tpms, ignore_errors=True)
