"""Secrets sealed at rest: what another machine, a search of the disk, and an upgrade of the system find."""

import base64
import re

from machine import App, Failure
from scenarios import RECOVERY, enabled, enrol
from virtual import apt_in, mounted

PHRASE = "/root/phrase"
HASH = re.compile(rb"\$argon2id\$v=19\$[a-z0-9=,]+\$[A-Za-z0-9+/]{16,}")


def found_on_disk(disk, apps):
    """What of these is anywhere on the disk: the seeds of these apps, and hashes of recovery codes."""
    content = disk.read_bytes()
    found = ["hash of a recovery code"] if HASH.search(content) else []
    for app in apps:
        text = base64.b32encode(app.secret).rstrip(b"=")
        if any(form in content for form in (app.secret, app.secret.hex().encode(), text, text.lower())):
            found.append("seed")
    return found


def expect_nothing_on_disk(disk, apps):
    if found := found_on_disk(disk, apps):
        raise Failure(f"on the disk: {found}")


def seal(machine):
    machine.do("twinlock", "seal", "enable", "--escrow", PHRASE)
    machine.do("sh", "-c", "! ls /var/lib/twinlock/credentials/*.toml 2>/dev/null")


def expect_no_key(machine, code):
    """A machine that cannot unseal the key refuses, says why, and names the way back."""
    machine.expect_refusal("alice", code)
    log = machine.do("sh", "-c", "cat /var/log/auth.log 2>/dev/null || journalctl --no-pager")
    if "reason=sealed" not in log or "twinlock seal recover" not in log:
        raise Failure(f"the log does not say what to do: {log[-800:]}")
    machine.do("sh", "-c", f"tail -n1 {PHRASE} | twinlock seal recover")


def expect_broker(machine):
    """The broker, which is confined, opens bob's secrets."""
    shown = machine.run("runuser", "-u", "bob", "--", "twinlock", "status").stdout
    if "recovery codes" not in shown.lower():
        raise Failure(f"the broker does not open the secrets: {shown}")


def with_host_key(machine):
    """A host without a TPM: the key of the host seals."""
    alice, codes = enabled(machine)
    machine.do("sync")
    if found_on_disk(machine.disk, [alice]) != ["hash of a recovery code", "seed"]:
        raise Failure("the search of the disk does not find what is in clear")
    seal(machine)
    bob, bobs = enrol(terminal := machine.types("twinlock", "enroll", "bob"))
    terminal.finish()
    machine.expect_login("alice", alice.code())
    machine.expect_login("bob", bobs[1])
    machine.do("systemctl", "enable", "--now", "twinlockd.socket")
    expect_broker(machine)
    machine.reset()
    machine.expect_sshd()
    machine.expect_refusal("alice")
    machine.expect_login("alice", codes[1])
    machine.expect_refusal("alice", codes[1])
    expect_broker(machine)
    if "ramfs" not in machine.do("stat", "--file-system", "--format=%T", "/run/twinlock-key"):
        raise Failure("the keys are not in a ramfs")
    machine.do("twinlock", "check")
    machine.do("sync")
    expect_nothing_on_disk(machine.disk, [alice, bob])
    # The key of the host is lost, as a replaced TPM would be.
    machine.do("rm", "/var/lib/systemd/credential.secret")
    machine.reset()
    machine.expect_sshd()
    expect_no_key(machine, codes[2])
    machine.expect_login("alice", codes[2])
    machine.reset()
    machine.expect_sshd()
    machine.expect_login("alice", codes[3])
    machine.do("twinlock", "seal", "rotate", "--escrow", f"{PHRASE}2")
    machine.expect_login("alice", codes[4])
    machine.do("twinlock", "seal", "disable")
    machine.reset()
    machine.expect_sshd()
    machine.expect_login("alice", codes[5])
    machine.do("sh", "-c", "! ls /etc/credstore.encrypted/twinlock-* /run/twinlock-key/* 2>/dev/null")


def with_tpm(machine):
    """A host with a TPM, which is upgraded from Debian 12 to 13, and a copy of its disk in another machine."""
    machine.boot()
    machine.expect_sshd()
    machine.install()
    shown = machine.do("twinlock", "enroll", "alice", "--no-confirm")
    app, codes = App(shown), RECOVERY.findall(shown)
    machine.do("twinlock", "ssh", "enable", "--keep", "--deny-unenrolled")
    seal(machine)
    status = machine.do("twinlock", "seal", "status")
    if "TPM" not in status:
        raise Failure(f"the TPM does not seal: {status}")
    machine.expect_login("alice", codes[0])
    # Firmware and Secure Boot updates change this register.
    machine.do("tpm2_pcrextend", f"7:sha256={'11' * 32}")
    machine.do("sh", "-c", "rm /run/twinlock-key/*")
    machine.expect_refusal("alice", codes[1])
    machine.do("systemctl", "restart", "twinlock-unseal.service")
    machine.expect_login("alice", codes[1])
    machine.reboot()
    machine.expect_sshd()
    machine.expect_login("alice", codes[2])
    machine.shut_down()
    upgrade(machine)
    machine.boot()
    machine.expect_sshd()
    machine.expect_login("alice", codes[3])
    machine.expect_refusal("alice", codes[3])
    machine.shut_down()
    expect_nothing_on_disk(machine.disk, [app])
    machine.tpm = "another"
    machine.boot()
    machine.expect_sshd()
    expect_no_key(machine, codes[4])
    machine.expect_login("alice", codes[4])


def upgrade(machine):
    """Debian 12 becomes 13: another kernel, another systemd."""
    with mounted(machine.disk, machine.base.folder) as root:
        for sources in (root / "etc/apt").rglob("*.list"):
            sources.write_text(sources.read_text().replace("bookworm", "trixie"))
        with apt_in(root) as apt:
            apt("update")
            apt("-o", "Dpkg::Options::=--force-confold", "dist-upgrade")


ALL = [("secrets sealed with the host's key; the key lost, replaced, given up", with_host_key)]
# As in security_modules.py.
VIRTUAL = [
    ("secrets sealed with a TPM: register 7 changed, upgrade to Debian 13, another TPM", "bookworm", {"tpm": "first"}, with_tpm),
]
