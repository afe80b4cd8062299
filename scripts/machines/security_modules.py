"""What is tried in virtual machines: Twinlock under the security modules of Linux."""

from machine import App, Failure, USERS
from scenarios import CONFIG, RECOVERY, enrol
from sealing import seal

STORE = "/var/lib/twinlock"


def prepare(machine):
    """Twinlock for sshd, its broker, and alice enrolled; returns her app and recovery codes."""
    machine.boot()
    machine.expect_sshd()
    machine.install()
    shown = machine.do("twinlock", "enroll", "alice", "--no-confirm")
    machine.write(CONFIG, 'second_factor = "optional"\n[self_service]\nfirst_enrollment = "session"\n')
    machine.do("systemctl", "enable", "--now", "twinlockd.socket")
    machine.do("twinlock", "ssh", "enable", "--keep")
    return App(shown), RECOVERY.findall(shown)


def logins(machine, app, codes):
    """A code and a recovery code let alice in once; nothing else does."""
    machine.expect_refusal("alice")
    code = app.code()
    machine.expect_login("alice", code)
    machine.expect_refusal("alice", code)
    machine.expect_login("alice", codes[0])
    machine.expect_refusal("alice", codes[0])


def self_enrolment(machine):
    """bob, who has logged in with a key, enrols through the broker."""
    _, codes = enrol(terminal := machine.ssh("bob", "twinlock", "enroll"))
    if terminal.finish():
        raise Failure(f"enroll: {terminal.shown[-400:]}")
    machine.expect_refusal("bob")
    machine.expect_login("bob", codes[1])


def emergency(machine):
    """Root's order lets everybody in with the key alone, also when root gives it over ssh."""
    machine.do("twinlock", "emergency", "off", "--for", "1h")
    machine.expect_login("alice")
    machine.do("twinlock", "emergency", "on")
    machine.expect_refusal("alice")


def removal(machine):
    machine.do("twinlock", "ssh", "disable")
    machine.do("sh", "-c", "DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y twinlock libpam-twinlock")
    for user in USERS:
        machine.expect_login(user)


def apparmor(machine):
    app, codes = prepare(machine)
    if "apparmor" not in machine.do("cat", "/sys/kernel/security/lsm"):
        raise Failure("the kernel runs without AppArmor")
    logins(machine, app, codes)
    self_enrolment(machine)
    emergency(machine)
    removal(machine)
    denied = machine.run("journalctl", "--boot", "--no-pager", "--grep", 'apparmor="DENIED"').stdout
    if "DENIED" in denied:
        raise Failure(denied)


def selinux(machine):
    app, codes = prepare(machine)
    if machine.do("getenforce").strip() != "Enforcing":
        raise Failure("SELinux does not enforce")
    logins(machine, app, codes)
    self_enrolment(machine)
    emergency(machine)
    seal(machine)
    machine.expect_login("alice", codes[2])
    machine.reboot()
    machine.expect_sshd()
    machine.expect_login("alice", codes[3])
    # Labels lost, as by a restored backup: nobody with a second factor gets in, and the log says what to do.
    machine.do("chcon", "--recursive", "--type=var_lib_t", STORE)
    machine.expect_refusal("alice", codes[1])
    if "restorecon" not in machine.do("cat", "/var/log/auth.log"):
        raise Failure("the log does not name restorecon")
    if "restorecon" not in machine.run("twinlock", "doctor").stdout:
        raise Failure("the doctor does not name restorecon")
    machine.do("restorecon", "-RF", STORE)
    machine.expect_login("alice", codes[1])
    denied = machine.run("ausearch", "--input-logs", "--message", "avc", "--comm", "twinlockd").stdout
    if "denied" in denied:
        raise Failure(denied)
    removal(machine)


# Each with the release, and how its virtual machine is made.
ALL = [
    ("AppArmor: logins, self-enrolment, emergency, removal", "trixie", {"kernel_arguments": "security=apparmor apparmor=1"}, apparmor),
    (
        "SELinux, enforcing: the same, secrets sealed, labels lost and restored", "trixie",
        {"kernel_arguments": "security=selinux selinux=1 enforcing=1"}, selinux,
    ),
]
