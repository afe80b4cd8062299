//! Every text that users see of `twinlock doctor`, `ssh`, `check`, `explain` and `test-login`. Only the summaries of the checks are
//! elsewhere, in their table in `doctor::checks`.

#![allow(clippy::must_use_candidate, reason = "each function is a text")]

use std::{fmt::Display, path::Path, time::Duration};

use twinlock_core::{
    account::UserName,
    catalogue::CatalogueFlaw,
    policy::{Doubt, SecondFactor},
    sealed::KeyId,
};
use twinlock_store::{
    messages::SECURITY_MODULE_HINT,
    ports::{StoreError, StoreErrorKind},
};

use crate::{
    HostError,
    doctor::finding::Severity,
    forecast::{Codes, FactorStatus},
    pam_stack::{Action, Line, LineKind, Place, ReturnCode},
    programs::clock_time,
    seal::Protection,
    ssh::mode::{EnableMode, Family},
    trial::{ChangedService, TrialState, TrialStatus},
};

/// What a check says: what is wrong, what follows from it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) found: String,
    pub(crate) why: String,
    pub(crate) fix: String,
}

fn text(found: impl Into<String>, why: impl Into<String>, fix: impl Into<String>) -> Text {
    Text { found: found.into(), why: why.into(), fix: fix.into() }
}

/// A number with its noun: the singular and the plural.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Names for a sentence: all of a few, the first of many.
pub(crate) fn named(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// A command for the one user, or for each of several.
fn run_for(command: &str, names: &[String]) -> String {
    match names {
        [one] => format!("run `{command} {one}`"),
        _ => format!("run `{command}` for each of them"),
    }
}

// Shared by several commands.

/// An emergency is in force.
pub fn second_factors_off(end: &str) -> String {
    format!("second factors are off on this host until {end}")
}

/// The passwd database cannot be asked.
pub fn no_passwd_database(error: &impl Display) -> String {
    format!("cannot query the passwd database: {error}")
}

/// An operation on a path failed.
pub(crate) fn cannot(operation: &str, path: &Path, error: &impl Display) -> HostError {
    HostError::refused(format!("cannot {operation} {}: {error}", path.display()))
}

/// A problem and what to do, as `ssh plan` prints it.
pub fn problem(problem: &str, hint: &str) -> String {
    format!("problem: {problem}\nhint: {hint}")
}

const ADD_GUARD: &str = "add `account required pam_twinlock.so` above all other account lines, as in the shipped file for your distribution";

// The doctor: sshd's configuration.

const CHECK_SSHD: &str = "sshd -T -C user=root,host=h,addr=203.0.113.1";
const KEY_AND_CODE: &str = "set `AuthenticationMethods publickey,keyboard-interactive`, as in the shipped \
    sshd_config.d/key-and-code/00-twinlock.conf";
const REQUIRED: &str = "make the line `required`";

pub(crate) fn no_sshd() -> Text {
    text(
        "there is no sshd on this host, so its configuration was not checked",
        "logins that arrive in another way are not covered by these checks",
        "none needed, if this host is not meant to run sshd",
    )
}

pub(crate) fn sshd_settings_unknown() -> Text {
    text(
        "`sshd -T` does not print the settings in force",
        "sshd's settings could not be checked",
        format!("run `{CHECK_SSHD}` and correct what it reports"),
    )
}

/// What kind of complaint `sshd -t` has.
pub(crate) enum SshdComplaint<'a> {
    /// This directory for its unprivileged processes is missing.
    Folder(&'a str),
    /// `AuthenticationMethods` names a method that is off.
    Methods,
    Other,
}

pub(crate) fn sshd_config_rejected(complaint: &str, kind: &SshdComplaint<'_>) -> Text {
    let fix = match kind {
        SshdComplaint::Folder(folder) => format!(
            "create the directory: `install -d -m 0755 {folder}`; if sshd has a systemd unit, `RuntimeDirectory=` creates it"
        ),
        SshdComplaint::Methods => {
            "turn on the methods that AuthenticationMethods names, for example with `KbdInteractiveAuthentication yes`, above \
             every line that turns them off"
                .into()
        }
        SshdComplaint::Other => "correct that line; do not restart or reload sshd until `sshd -t` prints nothing".into(),
    };
    text(
        format!("`sshd -t` rejects the configuration: {complaint}"),
        "the running sshd keeps its old configuration, but it does not start again after it was stopped: then nobody can log in",
        fix,
    )
}

pub(crate) fn without_pam(is_known: bool) -> Text {
    text(
        if is_known { "UsePAM is no" } else { "this sshd was built without PAM (UsePAM)" },
        "sshd does not call PAM: it asks for no code, and the account guard does not run",
        "set `UsePAM yes`",
    )
}

pub(crate) fn line_without_effect(line: &str, first: &Place, first_value: &str) -> Text {
    text(
        format!("`{line}` has no effect: {first} comes first and says {first_value}"),
        "sshd uses the first value that it reads",
        format!(
            "remove the line in {}, or rename the file with your line so that it sorts before it",
            first.file.display()
        ),
    )
}

pub(crate) fn sshd_is_stale(file: &Path) -> Text {
    text(
        format!("{} was changed after sshd read it", file.display()),
        "the running sshd does not use yet what was checked here",
        "run `sshd -t`; if it prints nothing, reload sshd",
    )
}

pub(crate) fn grace_time_is_short(seconds: u64) -> Text {
    text(
        format!("users enrol during login, and LoginGraceTime is {seconds} s"),
        "users who have to install an app first are disconnected half-way and have to start again",
        "set `LoginGraceTime 300` above the first Match",
    )
}

pub(crate) fn match_blocks_are_stale() -> Text {
    text(
        "the rules were changed, and the Match blocks that `twinlock ssh enable` made from them are not those of the rules",
        "a program with `BatchMode=yes` that a rule exempts now cannot log in, or one that no rule exempts any more is denied after \
         its key (`reason=bypass`)",
        "run `twinlock ssh disable` and then `twinlock ssh enable`",
    )
}

pub(crate) fn use_dns() -> Text {
    text(
        "UseDNS is yes, and rules list networks",
        "PAM gets the DNS name of the client, and a name matches no network: the strictest of the possible rules applies, and \
         the owner of the address chooses the name",
        "set `UseDNS no`",
    )
}

pub(crate) fn penalties() -> Text {
    text(
        "rules list networks, and sshd penalises addresses",
        "sshd blocks an address for a while after failed logins; behind a bastion host or an office network, that blocks \
         everyone there",
        "list such networks in `PerSourcePenaltyExemptList`",
    )
}

pub(crate) fn touch_not_required() -> Text {
    text(
        "a rule exempts keys on FIDO tokens, and sshd takes such a key without a touch if it was made with `no-touch-required`",
        "the key then proves the token alone: a program on the client can use it while nobody is there",
        "set `PubkeyAuthOptions touch-required` above the first Match",
    )
}

pub(crate) fn old_openssh((major, minor): (u32, u32), is_without_first_factors: bool) -> Text {
    let (lacks, fix) = if is_without_first_factors {
        (
            "does not tell PAM which first factor it verified",
            "do not use `key_types`, `remember` or `enroll` on this host",
        )
    } else {
        (
            "knows KbdInteractiveAuthentication only as ChallengeResponseAuthentication",
            "write `ChallengeResponseAuthentication yes` on this host",
        )
    };
    let found = format!("OpenSSH {major}.{minor} {lacks}");
    text(found, "settings that rely on a newer version do not work", fix)
}

// The doctor: the ways in which sshd admits a login.

pub(crate) fn no_method(users: &str) -> Text {
    text(
        format!("sshd has no way to log in for {users}: each way needs a method that is turned off"),
        "sshd refuses these logins before it asks for anything",
        "turn on the methods that AuthenticationMethods names, in the same Match block",
    )
}

/// The logins are named in `AuthenticationMethods`, or not.
fn less_than_a_code(is_named: bool) -> &'static str {
    if is_named {
        "exempt these accounts with a rule that has `second_factor = \"skip\"` (\"Robots\" in docs/policy.md), or remove the line \
         that admits a key alone"
    } else {
        KEY_AND_CODE
    }
}

pub(crate) fn key_alone_admitted(users: &str, is_named: bool) -> Text {
    text(
        format!("sshd lets {users} in with a key alone, and no account line of pam_twinlock.so stops the login"),
        "the second factor is not asked for, and nothing shows that",
        less_than_a_code(is_named),
    )
}

pub(crate) fn key_alone_denied(users: &str, is_named: bool) -> Text {
    text(
        format!("sshd lets {users} in with a key alone, and the account line of pam_twinlock.so denies such a login"),
        "policy requires a code, and these users are never asked for one",
        less_than_a_code(is_named),
    )
}

pub(crate) fn key_required(users: &str) -> Text {
    text(
        format!("sshd asks {users} for no key, and the line of pam_twinlock.so has `require_key`"),
        "PAM denies these logins without a prompt",
        KEY_AND_CODE,
    )
}

pub(crate) fn code_alone(users: &str) -> Text {
    text(
        format!("a code alone lets {users} in: sshd asks for no key, and the PAM stack for no password"),
        "one factor is enough: anyone who sees a code or takes the phone gets in",
        KEY_AND_CODE,
    )
}

pub(crate) fn nothing_asked(users: &str) -> Text {
    text(
        format!(
            "{users} can log in without any factor: sshd asks for no key, and the PAM stack for no password and no code"
        ),
        "anyone who knows the user name gets in",
        KEY_AND_CODE,
    )
}

pub(crate) fn password_method(users: &str, is_echoed: bool) -> Text {
    let why = if is_echoed {
        "this method can answer the PAM stack with the account password only, so these logins are denied"
    } else {
        "this method answers every hidden prompt of the PAM stack with the account password: Twinlock takes the password for an \
         incorrect code and counts a failure"
    };
    text(
        format!("sshd offers {users} its password method, which cannot ask for a code"),
        why,
        "set `PasswordAuthentication no`; keyboard-interactive asks for passwords as well",
    )
}

pub(crate) fn root_cannot_answer() -> Text {
    text(
        "root has to enter a code, and sshd discards what root types unless `PermitRootLogin yes` is set",
        "root cannot log in, not even with a correct code",
        "one of three: `Match User root` with `AuthenticationMethods publickey` and a rule that exempts root; `PermitRootLogin yes` \
         together with `AuthenticationMethods publickey,keyboard-interactive`; or nothing, if root is not meant to log in",
    )
}

pub(crate) fn password_too(place: &Place) -> Text {
    text(
        "after the key, the PAM stack asks for the password as well",
        "users have to give key, password and code",
        format!(
            "if you do not want that, remove {place} and add `auth required pam_permit.so` below the line of pam_twinlock.so"
        ),
    )
}

// The doctor: sshd's PAM stack.

pub(crate) fn misspelled_service(file: &Path, service: &str) -> Text {
    text(
        format!("{} is never read: libpam looks for {service}", file.display()),
        "libpam looks up the name of a service in lower case, so the lines in this file have no effect",
        format!("move its lines to /etc/pam.d/{service}"),
    )
}

pub(crate) fn pam_file_unreadable(service: &str, error: &str) -> Text {
    let found = format!("the PAM file of {service} cannot be read: {error}");
    text(found, "libpam then denies every login", "correct the file or its permissions")
}

pub(crate) fn no_pam_file(service: &str) -> Text {
    text(
        format!("{service} has no PAM file, so /etc/pam.d/other applies"),
        "Twinlock is not called",
        "install the shipped file for your distribution",
    )
}

pub(crate) fn no_auth_line() -> Text {
    text(
        "there is no auth line of pam_twinlock.so",
        "nobody is asked for a code",
        "add `auth required pam_twinlock.so`, as in the shipped file for your distribution",
    )
}

pub(crate) fn exempts_from_code(line: &str) -> Text {
    text(
        format!("`{line}` exempts accounts from the code"),
        "these accounts log in with one factor",
        "none needed, if you meant to exempt them",
    )
}

/// `included_at` is where a line that is sufficient is included.
pub(crate) fn bypasses_code(line: &str, included_at: Option<&Place>) -> Text {
    let fix = match included_at {
        Some(place) => format!(
            "write `substack` instead of `include` at {place}: a line that is sufficient then ends the included part only"
        ),
        None => {
            "put the line of pam_twinlock.so above this line, or make this line `required`, or shorten its jump".into()
        }
    };
    text(
        format!(
            "when `{line}` succeeds, it ends the login or jumps over the line of pam_twinlock.so: no code is asked for"
        ),
        "the first factor alone is enough",
        fix,
    )
}

pub(crate) fn ignores_refusal(line: &str) -> Text {
    text(
        format!("a login can succeed although Twinlock denied it: `{line}`"),
        "an incorrect code does not keep anybody out",
        REQUIRED,
    )
}

pub(crate) fn denies_everybody() -> Text {
    text(
        "no login can succeed, not even with a correct code: the control value of this line, or a line below it, denies all",
        "nobody can log in",
        "compare with the shipped file: no line below that of pam_twinlock.so may deny everybody, as pam_deny.so does",
    )
}

/// Policy exempts somebody now, or might in future.
pub(crate) fn denies_exempt(is_now: bool) -> Text {
    text(
        "where Twinlock asks for no code, no other line succeeds, and libpam denies a login for which no line succeeds",
        if is_now {
            "users who are exempt by a rule, or not enrolled where the code is optional, cannot log in"
        } else {
            "a rule that exempts users would lock them out"
        },
        "add `auth required pam_permit.so` below the line of pam_twinlock.so",
    )
}

/// `plain` is sudo or su.
pub(crate) fn shell_without_code(plain: &str) -> Text {
    let shell = if plain == "sudo" { "sudo -i" } else { "su -" };
    text(
        format!("{plain} asks for a code, and `{shell}` does not: its PAM file has no auth line of pam_twinlock.so"),
        "users become root by the login shell without a code",
        format!("run `twinlock {plain} enable`, which adds the line on trial, or add it as in the shipped file"),
    )
}

pub(crate) fn no_guard(users_enrol_in_logins: bool) -> Text {
    text(
        "there is no account line of pam_twinlock.so, the account guard",
        if users_enrol_in_logins {
            "that line keeps an enrolment until the login is complete: without it, no enrolment is stored"
        } else {
            "if AuthenticationMethods is missing or misspelt, the second factor is off, and nothing shows that"
        },
        ADD_GUARD,
    )
}

pub(crate) fn ignores_guard(line: &str) -> Text {
    text(
        format!("a login can succeed although the account guard denied it: `{line}`"),
        "a login with a key alone would succeed",
        REQUIRED,
    )
}

pub(crate) fn exempts_from_guard(line: &str) -> Text {
    text(
        format!("`{line}` exempts accounts from the account guard"),
        "they log in with a key alone",
        "none needed, if you meant to exempt them",
    )
}

pub(crate) fn bypasses_guard(line: &str) -> Text {
    text(
        format!("`{line}` can end the account phase before the account guard runs"),
        "a login with a key alone would then succeed",
        ADD_GUARD,
    )
}

pub(crate) fn faillock_counts_codes() -> Text {
    text(
        "pam_faillock counts failures below the line of pam_twinlock.so",
        "an incorrect code counts as a wrong password and locks the account",
        "move `authfail` directly below the password's module, above the line of pam_twinlock.so, which counts failures itself",
    )
}

pub(crate) fn faillock_forgets_early() -> Text {
    text(
        "pam_faillock clears its count above the line of pam_twinlock.so",
        "a correct password clears the count of an account even if no code was ever correct",
        "move `authsucc` below the line of pam_twinlock.so",
    )
}

pub(crate) fn other_second_factor(module: &str) -> Text {
    text(
        format!("{module} asks for a second factor as well"),
        "users are asked twice",
        import_command(module).map_or_else(
            || "remove the line, or keep it if you want both".to_owned(),
            |import| format!("run `{import}` to take over what users have, then remove the line"),
        ),
    )
}

// The doctor: the module, the store and the broker.

const UNLOADABLE: &str = "libpam cannot load the module, and denies every login";

pub(crate) fn module_missing(path: &Path) -> Text {
    let found = format!("{} does not exist", path.display());
    text(found, UNLOADABLE, "install the module, or correct the path in the PAM file")
}

pub(crate) fn module_of_another_machine(path: &Path) -> Text {
    let found = format!("{} is not a library for this machine", path.display());
    text(found, UNLOADABLE, "install the package for this machine's architecture")
}

pub(crate) fn libraries_missing(path: &Path, libraries: &[String]) -> Text {
    let found = format!("{} needs libraries that are missing: {}", path.display(), libraries.join(", "));
    text(found, UNLOADABLE, "install these libraries")
}

/// Another user than root who can change a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtherWriter {
    /// By this mode.
    Others(u32),
    /// The owner, with this uid.
    Owner(u32),
}

pub(crate) fn module_writable(path: &Path, by: OtherWriter) -> Text {
    let path = path.display();
    let found = match by {
        OtherWriter::Others(mode) => format!("{path}: others than root can write to it (mode {mode:04o})"),
        OtherWriter::Owner(uid) => format!("{path}: it belongs to uid {uid}"),
    };
    text(
        found,
        "anyone who changes it runs code as root at the next login",
        format!("`chown root: {path}` and `chmod go-w {path}`"),
    )
}

/// `found` and `fix` are the store's own words.
pub(crate) fn store_fault(kind: &StoreErrorKind, found: String, fix: String) -> Text {
    let why = if matches!(kind, StoreErrorKind::Missing) {
        "without the store no code can be verified: every login that needs one is denied"
    } else if matches!(kind, StoreErrorKind::Identity(_)) {
        "it may be the empty directory below a file system that is not mounted: no user counts as not enrolled, and nobody can \
         enrol"
    } else {
        "Twinlock denies a login for which it needs a file that it cannot trust or read"
    };
    text(found, why, fix)
}

const RECORDED_FIRST: &str = "Twinlock records a code as used before it grants the login";

pub(crate) fn store_read_only() -> Text {
    text(
        "the store is on a read-only file system",
        format!("{RECORDED_FIRST}: every login that needs a code is denied"),
        "mount it writable",
    )
}

pub(crate) fn store_on_nfs() -> Text {
    text(
        "the store is on NFS",
        "logins lock a file in it and wait for the disk: while the server is away, nobody can log in",
        "move it to a local file system, and set `directory`",
    )
}

const FULL_DISK: &str = "each code that is used takes a new block there: on a full disk, every login that needs a code is \
    denied, also with a recovery code";
const REPAIR_LAYOUT: &str = "run `twinlock repair --layout`, and exclude the store from snapshots: after a snapshot, the next write \
    takes a new block";

pub(crate) fn store_on_btrfs() -> Text {
    text("the store is on btrfs without the no-copy-on-write flag", FULL_DISK, REPAIR_LAYOUT)
}

pub(crate) fn records_on_btrfs(users: &[UserName]) -> Text {
    let names: Vec<_> = users.iter().map(ToString::to_string).collect();
    let records = count(users.len(), "record on btrfs lacks", "records on btrfs lack");
    text(format!("{records} the no-copy-on-write flag: {}", named(&names)), FULL_DISK, REPAIR_LAYOUT)
}

pub(crate) fn store_on_zfs() -> Text {
    text(
        "the store is on ZFS, which has no flag against copy-on-write",
        FULL_DISK,
        "move it to another file system, or give it a dataset of its own with `refreservation` set",
    )
}

/// `label` is `None` where none can be read.
pub(crate) fn store_label(directory: &Path, label: Option<&str>) -> Text {
    text(
        label.map_or_else(
            || "SELinux is enforcing, and the labels of the store cannot be read".to_owned(),
            |label| format!("its SELinux label is {label}, not var_auth_t"),
        ),
        "where SELinux is enforcing, sshd can write to files below /var/lib only if they are labelled var_auth_t",
        format!(
            "run `restorecon -Rv {}`; if the label stays, the policy module is missing (docs/install.md)",
            directory.display()
        ),
    )
}

pub(crate) fn not_mounted(mount_point: &Path) -> Text {
    text(
        "nothing is mounted where this host is configured to mount the file system of the store",
        "the directory below the mount point is not the store: everyone who needs a second factor is denied",
        format!("run `mount {}`", mount_point.display()),
    )
}

fn little_space(found: String) -> Text {
    let why = format!("{RECORDED_FIRST}, and the first login of a user needs a new file");
    text(found, why, "free some space on that file system")
}

pub(crate) fn few_bytes(bytes: u64) -> Text {
    little_space(format!("the file system of the store has {} KiB left", bytes / 1024))
}

pub(crate) fn few_files(files: u64) -> Text {
    let files = count(usize::try_from(files).unwrap_or(usize::MAX), "more file", "more files");
    little_space(format!("the file system of the store has room for {files}"))
}

const WITHOUT_BROKER: &str =
    "users without root's rights cannot enrol or see their status; logins do not need the broker";

pub(crate) fn broker_not_started() -> Text {
    text(
        "twinlockd is installed, and its socket does not exist",
        WITHOUT_BROKER,
        "run `systemctl enable --now twinlockd.socket`, if users are meant to manage their own second factor",
    )
}

/// `found` and `fix` are the store's own words.
pub(crate) fn broker_fault(found: String, fix: String) -> Text {
    text(found, WITHOUT_BROKER, fix)
}

/// An emergency is in force.
pub(crate) fn emergency(end: &str) -> Text {
    text(
        second_factors_off(end),
        "an attacker with a key or a password gets in",
        "run `twinlock emergency on` as soon as codes work again",
    )
}

/// Something else is in the place of the order.
pub(crate) fn unusable_emergency(error: &StoreError) -> Text {
    text(
        format!("{error}, so no emergency is in force"),
        "only `twinlock emergency off` writes this file, and only root can run it",
        format!("find out who made the file, then run `rm {}`", error.path.display()),
    )
}

fn clock(found: String) -> Text {
    text(
        found,
        "a code is valid for about 30 seconds: where the clock is off by more than that, correct codes are refused",
        "let chrony or systemd-timesyncd synchronise the clock",
    )
}

pub(crate) fn clock_off(seconds: u64) -> Text {
    clock(format!("the clock is off by {seconds} s"))
}

pub(crate) fn clock_unsynchronised() -> Text {
    clock("nothing synchronises the clock".into())
}

pub(crate) fn clock_of_containers_host() -> Text {
    text(
        "this is a container, whose clock is that of its host",
        "a container can neither set the clock nor see whether it is synchronised; where it is off, correct codes are refused",
        "run `timedatectl` on the host, and let chrony or systemd-timesyncd synchronise its clock",
    )
}

pub(crate) fn clock_unknown() -> Text {
    clock("it is not known whether the clock is synchronised".into())
}

// The doctor: accounts.

/// `is_planned` is for the host as it would be.
pub(crate) fn not_enrolled(names: &[String], is_planned: bool) -> Text {
    let accounts = count(names.len(), "account", "accounts");
    let found = match (is_planned, names) {
        (true, _) => "can log in today and will be denied",
        (false, [_]) => "is not enrolled and will be denied",
        (false, _) => "are not enrolled and will be denied",
    };
    text(
        format!("{accounts} {found}: {}", named(names)),
        "policy requires a code, and nobody enrolled an authenticator for these accounts",
        format!(
            "{}; or let users enrol at their next login, {}; or keep accounts that are not meant to log in out with DenyUsers",
            run_for("twinlock enroll", names),
            if is_planned { "with --enroll-until DATE" } else { BY_RULE }
        ),
    )
}

const BY_RULE: &str = "with a rule that has `second_factor = \"enroll\"` and `until` (docs/policy.md)";

pub(crate) fn no_first_factor(names: &[String], has_key: bool) -> Text {
    let accounts = count(names.len(), "account", "accounts");
    let (lacks, fix) = if has_key {
        ("password", format!("{}, or choose `--mode key+code`", run_for("passwd", names)))
    } else {
        ("key", "add a key to the authorized_keys of each, or choose `--mode password+code`".to_owned())
    };
    let names = named(names);
    text(
        format!("{accounts} can log in today and will be denied, enrolled or not, for lack of a {lacks}: {names}"),
        format!("with this configuration, sshd asks for a {lacks} before it asks for a code"),
        fix,
    )
}

pub(crate) fn not_allowed(names: &[String]) -> Text {
    let users = count(names.len(), "enrolled user is", "enrolled users are");
    text(
        format!("{users} refused by sshd's lists of users or groups: {}", named(names)),
        "sshd asks them for a code all the same and discards what they type, so that a correct code looks wrong",
        "none needed, if they are not meant to log in through sshd; otherwise add them to AllowUsers or AllowGroups",
    )
}

pub(crate) fn no_recovery_codes(names: &[String], are_administrators: bool) -> Text {
    let users = if are_administrators {
        count(names.len(), "administrator has", "administrators have")
    } else {
        count(names.len(), "enrolled user has", "enrolled users have")
    };
    text(
        format!("{users} no recovery code left: {}", named(names)),
        "a user who loses the phone is locked out until an administrator helps",
        run_for("twinlock recovery new", names),
    )
}

pub(crate) fn earlier_owner(names: &[String]) -> Text {
    let enrolments = count(names.len(), "enrolment is", "enrolments are");
    text(
        format!("{enrolments} older than the home directory and the password of the account: {}", named(names)),
        "an account that was deleted and created again with the same name and uid accepts the phone of its former user",
        format!(
            "if somebody else has the account now, {}; for future leavers, install the hook remove-leaver (docs/roll-out.md)",
            run_for("twinlock remove", names)
        ),
    )
}

pub(crate) fn automation(names: &[String]) -> Text {
    text(
        format!("programs seem to log in as {}, and would be asked for a code", named(names)),
        "a key with a forced command, or such a shell, belongs to a program, and a program cannot enter a code",
        "exempt these accounts with a rule (\"Robots\" in docs/policy.md), and with `Match User` and \
         `AuthenticationMethods publickey`",
    )
}

pub(crate) fn no_break_glass() -> Text {
    text(
        "the console asks for a code as well, and no administrator has a recovery code or is exempt",
        "when all codes fail, because of the clock or the disk, nobody can log in",
        "leave /etc/pam.d/login as your distribution ships it, or give an administrator recovery codes",
    )
}

/// What the doctor found, in a line: how many of each severity.
pub fn doctor_summary(counts: &[(Severity, usize)]) -> String {
    let told: Vec<_> = counts
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| {
            let [one, many] = match severity {
                Severity::Lockout => ["lockout", "lockouts"],
                Severity::Open => ["open"; 2],
                Severity::Warning => ["warning", "warnings"],
                Severity::Hint => ["hint", "hints"],
            };
            count(*number, one, many)
        })
        .collect();
    let all = counts.iter().map(|(_, number)| number).sum();
    if told.is_empty() {
        "no findings".to_owned()
    } else {
        format!("{}: {}", count(all, "finding", "findings"), told.join(", "))
    }
}

// `twinlock ssh`, `sudo` and `su`: what is done, and what there is to do.

/// The files that a change replaces.
fn files_of(service: ChangedService) -> &'static str {
    match service {
        ChangedService::Ssh => "/etc/pam.d/sshd or /etc/ssh/sshd_config.d/00-twinlock.conf",
        ChangedService::Sudo => "/etc/pam.d/sudo or /etc/pam.d/sudo-i",
        ChangedService::Su => "/etc/pam.d/su or /etc/pam.d/su-l",
    }
}

/// The name of the service in a sentence.
fn name_of(service: ChangedService) -> &'static str {
    match service {
        ChangedService::Ssh => "sshd",
        ChangedService::Sudo => "sudo",
        ChangedService::Su => "su",
    }
}

fn restored(service: ChangedService) -> String {
    match service {
        ChangedService::Ssh => "sshd's previous configuration and PAM file are restored".into(),
        ChangedService::Sudo | ChangedService::Su => {
            format!("the previous PAM files of {} are restored", name_of(service))
        }
    }
}

/// What the service asks for; a mode is sshd's.
fn factors(service: ChangedService, mode: Option<EnableMode>) -> &'static str {
    match (service, mode) {
        (_, Some(EnableMode::KeyAndCode)) => "a key, then a code",
        (_, Some(EnableMode::PasswordAndCode)) => "a password, then a code",
        (ChangedService::Su, None) => "the password of the account, then the code of that account",
        (ChangedService::Sudo | ChangedService::Ssh, None) => "the password, then a code",
    }
}

/// Twinlock is enabled; `until` is the end of a trial.
pub(crate) fn enabled_already(service: ChangedService, mode: Option<EnableMode>, until: Option<&str>) -> String {
    let mode = mode.map(|mode| format!(" ({})", mode.name())).unwrap_or_default();
    let enabled = format!("Twinlock is enabled for {}{mode}", name_of(service));
    match until {
        None => enabled,
        Some(until) => {
            format!("{enabled}, on trial until {until}; to keep it, run `twinlock {} confirm`", service.verb())
        }
    }
}

pub(crate) fn nothing_to_do(why: &str) -> String {
    format!("nothing to do: {why}")
}

pub(crate) fn never_enabled(service: ChangedService) -> String {
    nothing_to_do(&never_changed(service))
}

fn never_changed(service: ChangedService) -> String {
    let what = match service {
        ChangedService::Ssh => "sshd's configuration".to_owned(),
        ChangedService::Sudo | ChangedService::Su => format!("the PAM files of {}", name_of(service)),
    };
    format!("`twinlock {} enable` has not changed {what}", service.verb())
}

pub(crate) fn enabled_to_stay(service: ChangedService, mode: Option<EnableMode>) -> String {
    format!("enabled: {} asks for {}", name_of(service), factors(service, mode))
}

pub(crate) fn enabled_on_trial(
    service: ChangedService,
    mode: Option<EnableMode>,
    span: Duration,
    until: &str,
) -> String {
    let test = match service {
        ChangedService::Ssh => "Keep this session open, log in from another terminal with `ssh -o ControlPath=none`",
        ChangedService::Sudo => {
            "Keep this root shell open, run `sudo -k true` and `sudo -ki` as an administrator in another terminal"
        }
        ChangedService::Su => "Keep this root shell open, run `su -` as a user in another terminal",
    };
    format!(
        "enabled for a trial of {}: {} asks for {}\n\
         {test}, and then run: twinlock {} confirm\n\
         If you do not confirm, {} at {until}.",
        humantime::format_duration(span),
        name_of(service),
        factors(service, mode),
        service.verb(),
        restored(service),
    )
}

/// To all who are logged in: a trial has begun.
pub(crate) fn broadcast_of_trial(service: ChangedService, mode: Option<EnableMode>, until: &str) -> String {
    format!(
        "Twinlock: {} asks for {}, on trial until {until}. If you cannot log in, `twinlock {} disable` restores the previous \
         configuration at once.",
        name_of(service),
        factors(service, mode),
        service.verb()
    )
}

/// The same when it is undone.
pub(crate) fn broadcast_of_end(service: ChangedService) -> String {
    format!("Twinlock: the trial was not confirmed; {}.", restored(service))
}

/// What `status` prints.
pub fn trial_status(service: ChangedService, status: &TrialStatus) -> String {
    let TrialStatus { state, mode, until } = status;
    let verb = service.verb();
    let text = match state {
        TrialState::Off => never_changed(service),
        TrialState::Changing => {
            format!("a change is under way, or was interrupted and is undone by the next `twinlock {verb} plan`")
        }
        TrialState::Trial => {
            let until = until.map(clock_time).unwrap_or_default();
            format!(
                "{} asks for {} until {until}; unless `twinlock {verb} confirm` is run, {} then",
                name_of(service),
                factors(service, *mode),
                restored(service)
            )
        }
        TrialState::On => format!("{} asks for {}", name_of(service), factors(service, *mode)),
    };
    format!("{}: {text}\n", state.name())
}

pub(crate) const CONFIRMED: &str = "confirmed: the new configuration stays";

pub(crate) fn disabled(service: ChangedService) -> String {
    format!("disabled: {}", restored(service))
}

pub(crate) fn undone_after_trial(service: ChangedService) -> String {
    format!("note: the trial was not confirmed in time; {}", restored(service))
}

pub(crate) fn undone_after_interruption(service: ChangedService) -> String {
    format!("note: a change was interrupted; {}", restored(service))
}

pub(crate) fn waits_for_old_logins(seconds: u64) -> String {
    format!(
        "waiting {seconds} seconds (LoginGraceTime) until logins that have begun are over, so that none of them gets in with a password"
    )
}

pub(crate) const SSHD_IS_NOT_RUNNING: &str = "note: no running sshd was found (no systemd, and no process in its PidFile). If one runs, make it read its configuration \
     again: kill -HUP";

pub(crate) fn changed_after_enable(service: ChangedService) -> String {
    format!(
        "note: a file was changed after `twinlock {} enable`; if you want to go back, {}",
        service.verb(),
        discard(service)
    )
}

fn family_name(family: Family) -> &'static str {
    match family {
        Family::Debian => "Debian",
        Family::Rhel => "RHEL",
        Family::Suse => "SUSE",
    }
}

/// What `ssh plan` says behind the differences.
pub(crate) fn ssh_plan_summary(family: Family, taken_over: Option<&str>) -> String {
    let taken_over = taken_over.map(|module| format!(" Twinlock takes the place of {module}.")).unwrap_or_default();
    format!(
        "This is a PAM file of the {} family. `twinlock ssh enable` makes these changes, tests them with `sshd -t`, and makes \
         sshd read its configuration again.{taken_over}",
        family_name(family)
    )
}

/// How users of another module are imported.
pub(crate) fn import_command(module: &str) -> Option<&'static str> {
    match module {
        "pam_google_authenticator.so" => Some("twinlock import google-authenticator --all"),
        "pam_oath.so" => Some("twinlock import oath FILE"),
        _ => None,
    }
}

/// What to do about users who are not enrolled where their codes of another module can be imported.
pub(crate) fn import_first(module: &str, fix: &str) -> String {
    let import = import_command(module).unwrap_or("twinlock import");
    format!(
        "run `{import}`, which imports the users of {module}, and says why one is not imported; for the others, {fix}"
    )
}

/// What `sudo plan` and `su plan` say behind the differences.
pub(crate) fn pam_plan_summary(service: ChangedService, family: Family) -> String {
    format!(
        "These are PAM files of the {} family. `twinlock {} enable` makes these changes.",
        family_name(family),
        service.verb()
    )
}

/// An objection that was overridden, or that is no reason to refuse.
pub fn warning(problem: &str) -> String {
    format!("warning: {problem}")
}

/// What to do about an objection, or with which option to pass over it.
pub fn overridden_by(hint: &str, option: &str) -> String {
    format!("{hint}; to enable Twinlock all the same, add {option}")
}

/// Accounts that are denied now that the change is confirmed.
pub fn denied_from_now_on(found: &str, fix: &str) -> String {
    format!("warning: {found}\nhint: {fix}")
}

/// These accounts are not known.
pub fn denied_accounts_unknown(why: &str) -> String {
    format!("warning: cannot determine which accounts are denied: {why}")
}

// `twinlock ssh`, `sudo` and `su`: lines of the log.

/// A line of the log about a change of this service.
pub(crate) fn log_of(service: ChangedService, event: &impl Display) -> String {
    format!("{}: {event}", service.verb())
}

pub(crate) fn log_enabled(service: ChangedService, mode: Option<EnableMode>) -> String {
    let mode = mode.map(|mode| format!(", {}", mode.name())).unwrap_or_default();
    log_of(service, &format!("enabled{mode}"))
}

pub(crate) const LOG_CONFIRMED: &str = "confirmed";
pub(crate) const LOG_DISABLED: &str = "disabled";
pub(crate) const LOG_EXPIRED: &str = "trial not confirmed in time; previous configuration restored";

// `twinlock ssh`: reasons not to enable it.

pub(crate) fn no_enrolled_administrator() -> (String, String) {
    (
        "no administrator is enrolled (members of sudo, wheel or admin; root counts only where `PermitRootLogin yes` lets it \
         enter a code)"
            .into(),
        "run `twinlock enroll` for one of them".into(),
    )
}

pub(crate) fn no_way_in_without_codes() -> (String, String) {
    (
        "no way in is left if codes fail: no administrator can log in on the console (PAM file login) with a password and no \
         code, and no rule exempts one"
            .into(),
        "set a password for an administrator (passwd), or write a rule that exempts one (docs/policy.md)".into(),
    )
}

/// No account that may use sudo is enrolled.
pub(crate) fn no_enrolled_sudo_user() -> (String, String) {
    (
        "no administrator who uses sudo is enrolled (members of sudo, wheel or admin)".into(),
        "run `twinlock enroll` for one of them".into(),
    )
}

/// Accounts that would be denied by sudo or su.
pub(crate) fn denied_by(service: ChangedService, names: &[String]) -> (String, String) {
    let accounts = count(names.len(), "account", "accounts");
    let today = match service {
        ChangedService::Su => "can be changed to with su today, and will be denied",
        ChangedService::Sudo | ChangedService::Ssh => "can use sudo today and will be denied",
    };
    (
        format!("{accounts} {today}: {}", named(names)),
        format!(
            "{}, or write a rule with `services` that exempts them (docs/policy.md)",
            run_for("twinlock enroll", names)
        ),
    )
}

pub(crate) fn no_way_to_root_without_codes() -> (String, String) {
    (
        "nobody can become root if codes fail: root cannot log in on the console (PAM file login) with a password and no code, \
         neither sudo nor su is left without one for an account with a password, and no rule exempts anybody"
            .into(),
        "set a password for root (passwd), or write a rule that exempts an administrator (docs/policy.md)".into(),
    )
}

/// A finding of the doctor, with where it is.
pub(crate) fn lockout(id: &str, found: &str, place: Option<&str>) -> String {
    let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
    format!("{id}: {found}{place}")
}

// `twinlock ssh`, `sudo` and `su`: errors.

fn discard(service: ChangedService) -> String {
    format!(
        "`twinlock {} disable --discard-changes` restores the files from before `enable`, and later changes are lost",
        service.verb()
    )
}

fn by_hand(service: ChangedService) -> String {
    format!("check {}, and correct them by hand", files_of(service).replace(" or ", " and "))
}

/// `--enroll-until` without a configuration.
pub(crate) fn no_config(path: &str) -> HostError {
    HostError::refused(format!("cannot add a rule to {path}: it does not exist")).hint("install the default one there")
}

/// The text of the rule does not fit behind the configuration.
pub(crate) fn no_rule_added(path: &str, error: &impl Display) -> HostError {
    HostError::refused(format!("cannot add the rule of --enroll-until to {path}: {error}"))
        .hint("write the rule yourself, and leave --enroll-until out; policy.md has it")
}

/// The rule would not decide any login.
pub(crate) fn rule_without_effect(day: &str, problem: &str, hint: &str) -> HostError {
    HostError::refused(format!("the rule of `--enroll-until {day}` would have no effect: {problem}")).hint(hint)
}

/// Users enrol in a login.
pub fn users_enroll_until(day: &str) -> String {
    format!("users who are not enrolled enrol at their next login, until the end of {day} (UTC)")
}

/// Twinlock is enabled, and the rule is not there.
pub fn no_rule_while_enabled(day: &str) -> (String, String) {
    (
        format!("Twinlock is enabled for sshd already, and no rule lets users enrol until {day}"),
        "write the rule yourself (policy.md), or run `twinlock ssh disable` first".into(),
    )
}

/// `--config` names a file that logins do not read.
pub fn rule_for_other_config(path: &str) -> String {
    format!("--enroll-until adds a rule to {path}, the file that logins read, and --config names another one")
}

pub(crate) fn rules_changed_while_enabled() -> String {
    let Text { found, fix, .. } = match_blocks_are_stale();
    format!("warning: {found}\nhint: {fix}")
}

/// A `Match` of the administrator's own has methods, so no block is made of the rules.
pub(crate) fn no_match_blocks(place: &Place) -> String {
    format!(
        "note: no Match blocks are made from the rules, because {place} sets AuthenticationMethods for some logins, and a block \
         would override it. Exempt programs that use `BatchMode=yes` need a block of your own (automation.md)"
    )
}

pub(crate) fn other_mode(mode: Option<EnableMode>, wanted: EnableMode) -> HostError {
    let enable = format!("`twinlock ssh enable --mode {}`", wanted.name());
    HostError::refused(enabled_already(ChangedService::Ssh, mode, None))
        .hint(format!("run `twinlock ssh disable`, and then {enable}"))
}

pub(crate) fn changed_while_enabled(service: ChangedService, mode: Option<EnableMode>) -> HostError {
    let enabled = enabled_already(service, mode, None);
    HostError::refused(format!("{enabled}, and {} was changed after that", files_of(service))).hint(discard(service))
}

pub(crate) fn changed_before_disable(service: ChangedService) -> HostError {
    HostError::refused(format!("{} was changed after `twinlock {} enable`", files_of(service), service.verb()))
        .hint(discard(service))
}

pub(crate) fn nothing_to_confirm(service: ChangedService) -> HostError {
    HostError::refused(format!("there is nothing to confirm: Twinlock is not enabled for {}", name_of(service)))
        .hint(format!("`twinlock {} enable` starts a trial", service.verb()))
}

pub(crate) fn undone(failure: HostError) -> HostError {
    failure.hint("nothing is changed: all steps were undone")
}

pub(crate) fn not_undone(service: ChangedService, failure: HostError, second: &HostError) -> HostError {
    failure.hint(format!(
        "the change could not be undone: {}; `twinlock {} disable` tries again",
        second.message(),
        service.verb()
    ))
}

pub(crate) fn no_randomness(error: &impl Display) -> HostError {
    HostError::refused(format!("cannot get random bytes from the kernel: {error}"))
}

pub(crate) fn drop_ins_not_included(main: &Path, included: &str) -> HostError {
    let main = main.display();
    HostError::refused(format!("{main} does not include {included} before its first Match")).hint(format!(
        "make `Include {included}` the first line of {main} (OpenSSH 8.2 or later): sshd uses the first value that it reads"
    ))
}

pub(crate) fn candidate_unreadable(complaint: &str) -> HostError {
    HostError::refused(format!("sshd cannot read the copy of its configuration: {complaint}"))
        .hint(SECURITY_MODULE_HINT)
}

pub(crate) fn candidate_rejected(complaint: &str) -> HostError {
    HostError::refused(format!("sshd would reject the new configuration: {complaint}"))
        .hint("`sshd -t` says whether it accepts the one in place")
}

pub(crate) fn settings_not_reported(user: &str, complaint: &str) -> HostError {
    HostError::refused(format!("sshd does not report the settings that would be in force for {user}: {complaint}"))
        .hint(format!("`sshd -T -C user={user}` says whether it does for the configuration in place"))
}

pub(crate) fn no_main_file(paths: &[&str]) -> HostError {
    HostError::refused(format!("sshd has no configuration: there is no {}", paths.join(" and no ")))
}

pub(crate) fn another_is_running(service: ChangedService) -> HostError {
    HostError::refused(format!("another `twinlock {}` command is running", service.verb()))
        .hint("wait until it has ended, and try again")
}

pub(crate) fn no_store(error: HostError) -> HostError {
    error.hint("if there is no store yet, run `twinlock store init`, or enrol somebody")
}

pub(crate) fn copy_is_gone(service: ChangedService, path: &Path) -> HostError {
    HostError::refused(format!("cannot read {}: the file is gone", path.display())).hint(by_hand(service))
}

pub(crate) fn record_not_understood(service: ChangedService, path: &Path, error: &impl Display) -> HostError {
    HostError::refused(format!("cannot understand {}: {error}", path.display())).hint(by_hand(service))
}

pub(crate) fn is_a_link(path: &Path) -> HostError {
    HostError::refused(format!("cannot use {}: it is a symbolic link", path.display()))
        .hint("replace it by a copy of the file that it points to, and try again")
}

pub(crate) fn is_no_configuration(path: &Path) -> HostError {
    HostError::refused(format!("cannot use {}: it is not a regular file, or larger than 1 MiB", path.display()))
        .hint("check what it is")
}

pub(crate) fn is_not_roots(path: &Path) -> HostError {
    let path = path.display();
    HostError::refused(format!("cannot use {path}: others than root can write to it"))
        .hint(format!("chown root {path}; chmod go-w {path}"))
}

pub(crate) fn no_pam_file_for_sshd() -> HostError {
    HostError::refused("PAM has no file for sshd: there is no /etc/pam.d/sshd and no /usr/lib/pam.d/sshd")
        .hint("install the OpenSSH server with its PAM file")
}

pub(crate) fn no_pam_file_for(service: ChangedService) -> HostError {
    let name = name_of(service);
    HostError::refused(format!(
        "PAM has no file for {name}: there is no /etc/pam.d/{name} and no /usr/lib/pam.d/{name}"
    ))
    .hint(format!("install {name} with its PAM file"))
}

pub(crate) fn is_not_utf8(path: &str) -> HostError {
    HostError::refused(format!("cannot understand {path}: it is not UTF-8")).hint("change it by hand")
}

/// Why a PAM file is not changed: the line, or all of it.
pub(crate) fn unknown_stack(
    service: ChangedService,
    path: &str,
    line: Option<usize>,
    problem: &StackProblem,
) -> HostError {
    const UNKNOWN: &str = "change the file by hand: the shipped files in pam.d/ show which lines, and in which order";
    let line = line.map(|line| format!(":{line}")).unwrap_or_default();
    let (what, hint) = match problem {
        StackProblem::ContinuedLines => ("it has lines that continue in the next one".to_owned(), UNKNOWN),
        StackProblem::NoPasswordLine => {
            ("no line asks for the password as in the files of Debian, RHEL and SUSE".to_owned(), UNKNOWN)
        }
        StackProblem::NoAccountLine => ("it has no account lines".to_owned(), UNKNOWN),
        StackProblem::Include(other) => (format!("it includes {other}, which Twinlock does not know"), UNKNOWN),
        StackProblem::Line { control, module } => {
            (format!("Twinlock does not know what `{control} {module}` is for"), UNKNOWN)
        }
        StackProblem::Ours => (
            "pam_twinlock.so is in this file already".to_owned(),
            match service {
                ChangedService::Ssh => "Twinlock was enabled by hand; remove these lines to let `twinlock ssh` do it",
                ChangedService::Sudo => "Twinlock was enabled by hand; remove these lines to let `twinlock sudo` do it",
                ChangedService::Su => "Twinlock was enabled by hand; remove these lines to let `twinlock su` do it",
            },
        ),
        StackProblem::OtherSecondFactor(module) => (
            format!("{module} asks for a second factor already"),
            "remove the other second factor first: users would be asked twice",
        ),
    };
    HostError::refused(format!("{path}{line}: {what}")).hint(hint)
}

/// What is not known in a PAM file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum StackProblem {
    ContinuedLines,
    NoPasswordLine,
    NoAccountLine,
    Include(String),
    Line {
        control: String,
        module: String,
    },
    /// A line of ours.
    Ours,
    OtherSecondFactor(String),
}

pub(crate) fn systemctl_failed(verb: &str, unit: &str) -> HostError {
    HostError::refused(format!("systemctl {verb} {unit} failed")).hint(format!("`systemctl status {unit}` says why"))
}

pub(crate) fn sshd_not_reloaded(pid: impl Display, error: &impl Display) -> HostError {
    HostError::refused(format!("cannot make sshd (process {pid}) read its configuration again: {error}"))
}

pub(crate) fn sshd_not_back(pid: impl Display) -> HostError {
    HostError::refused(format!(
        "sshd (process {pid}) was signalled to read its configuration again, and did not come back"
    ))
    .hint("its log says why")
}

pub(crate) fn sshd_not_found(folders: &[&str]) -> HostError {
    HostError::refused(format!("there is no sshd in {}", folders.join(", "))).hint("install the OpenSSH server")
}

pub(crate) fn program_not_run(program: &Path, error: &impl Display) -> String {
    format!("cannot run {}: {error}", program.display())
}

pub(crate) const NO_COMPLAINT: &str = "it takes too long, or does not say why";

pub(crate) fn timer_not_started(error: &impl Display) -> HostError {
    HostError::refused(format!("cannot start the timer that would end the trial: {error}")).hint("nothing was changed")
}

pub(crate) const TIMER_ENDED: &str = "it ended at once";

pub(crate) fn trial_not_undone(service: ChangedService, why: &str) -> HostError {
    HostError::refused(format!("cannot undo the trial that nobody confirmed: {why}"))
        .hint(format!("run `twinlock {} disable`", service.verb()))
}

// `twinlock check`.

/// There is nothing to report.
pub fn check_passed(config: &Path, store: &Path, users: usize) -> String {
    let users = count(users, "enrolled user", "enrolled users");
    format!("no problems found in {} and {} ({users})\n", config.display(), store.display())
}

/// The same where only the configuration was checked.
pub fn config_check_passed(config: &Path) -> String {
    format!("no problems found in {}\n", config.display())
}

/// A finding and what to do.
pub fn graded(grade: &str, found: &str, hint: &str) -> String {
    format!("{grade}: {found}\nhint: {hint}")
}

/// How many findings there are of each grade.
pub fn check_summary(errors: usize, warnings: usize) -> String {
    let counts = [(errors, "error", "errors"), (warnings, "warning", "warnings")];
    let found =
        counts.into_iter().filter(|(number, ..)| *number > 0).map(|(number, one, many)| count(number, one, many));
    format!("found {}", found.collect::<Vec<_>>().join(", "))
}

/// The catalogue of the language cannot be read: the finding and the hint.
pub fn no_catalogue(config: &Path, language: &str, error: &impl Display) -> (String, &'static str) {
    (
        format!(
            "{}: the texts of `language = \"{language}\"` cannot be read, so they are in English: {error}",
            config.display()
        ),
        "name a catalogue of /usr/share/twinlock/locale, or the absolute path of one that belongs to root",
    )
}

/// A catalogue lacks texts, or has some that cannot be used.
#[must_use]
pub fn incomplete_catalogue(config: &Path, language: &str, flaws: &[CatalogueFlaw]) -> (String, &'static str) {
    let keys = flaws.iter().map(|flaw| match flaw {
        CatalogueFlaw::UnknownKey(key) => format!("{key} (unknown)"),
        CatalogueFlaw::Missing(key) => format!("{key} (missing)"),
        CatalogueFlaw::NotPlain(key) => format!("{key} (empty, or with spaces around it or control characters)"),
        CatalogueFlaw::Placeholders(key) => format!("{key} (other values in braces than in English)"),
    });
    let keys: Vec<_> = keys.take(5).collect();
    let more = flaws.len().saturating_sub(keys.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (
        format!("{}: texts of `language = \"{language}\"` are in English: {}{more}", config.display(), keys.join(", ")),
        "correct the catalogue, or install that of this version of Twinlock",
    )
}

/// The host lacks the group of the help desk, or one that is protected from it.
pub fn help_desk_without_group(config: &Path, group: &str) -> (String, &'static str) {
    (
        format!(
            "{}: there is no group named {group}, which `[helpdesk]` names, so the help desk can help nobody",
            config.display()
        ),
        "make the group, or write its name as `id` prints it",
    )
}

/// Mail is on, and its program cannot be run: the finding and the hint.
pub fn no_sendmail(config: &Path, sendmail: &Path, error: &impl Display) -> (String, &'static str) {
    (
        format!(
            "{}: `mail = true`, and {} cannot be run, so no mail is sent: {error}",
            config.display(),
            sendmail.display()
        ),
        "install a mail server, set `sendmail` to the program of the one that is there, or set `mail = false`",
    )
}

/// What to do where accounts cannot be looked up.
pub const PASSWD_HINT: &str = "check the line `passwd:` of /etc/nsswitch.conf and the services that it names";

/// Groups or accounts cannot be looked up.
pub fn names_not_looked_up(error: &impl Display) -> String {
    format!("cannot look up the users and groups that the rules name: {error}")
}

/// A problem of a rule, with where the rule is.
pub fn rule_problem(place: &str, title: &str, problem: &str) -> String {
    format!("{place}: rule ({title}): {problem}")
}

/// Credentials for which there is no account, or which have another name.
pub fn credentials_problem(file: &str, problem: &str) -> String {
    format!("credentials/{file}.toml: {problem}")
}

/// A file in `credentials/` whose name is that of no user.
pub const NAME_OF_NO_USER: &str = "the name of the file is not the name of a user";

/// There is nobody of that name.
pub fn no_account(name: &UserName) -> String {
    format!("there is no account named {name}")
}

/// What to do about such credentials; `name` is `None` where the file's name is none.
pub fn leaver_hint(name: Option<&UserName>) -> String {
    name.map_or_else(
        || "remove the file".into(),
        |name| {
            format!(
                "if {name} was renamed, run `twinlock adopt {name} NEW` with the new name; if {name} has left, run \
                 `twinlock remove {name}`"
            )
        },
    )
}

/// A rule that lists networks, for a service whose word counts for nothing: the problem and the hint.
pub fn unverified_source(service: &str) -> (String, String) {
    (
        format!(
            "it lists networks and does not name the service {service}, whose PAM file has Twinlock: the source that {service} \
             gives counts as a name that nobody verified"
        ),
        format!(
            "add \"{service}\" to `services` of the rule if {service} gives PAM addresses and no names (no reverse look-ups), or \
             write a rule for it without `from`"
        ),
    )
}

/// A rule names a service that has no PAM file, and there is one of almost the same name: the problem and the hint.
pub fn misspelled_service_of_rule(service: &str, similar: &str) -> (String, String) {
    (
        format!("there is no PAM file `{service}`; did you mean `{similar}`?"),
        format!("write \"{similar}\" in `services`: a service has the name of its file in /etc/pam.d"),
    )
}

/// An account line in a file that services use without the auth phase: the problem and the hint.
pub fn misplaced_guard(place: &str, services: &[&str]) -> (String, &'static str) {
    (
        format!(
            "{place}: the account line of pam_twinlock.so also applies to {}, which can run the account phase without the auth \
             phase: it denies users who were never asked",
            services.join(", ")
        ),
        "remove the line from this file; it belongs in /etc/pam.d/sshd only",
    )
}

/// Users enrol during logins, and nothing stores that: the problem and the hint.
pub const ENROLMENTS_NOT_STORED: (&str, &str) =
    ("/etc/pam.d/sshd has no account line of pam_twinlock.so, so no enrolment during a login is stored", ADD_GUARD);

/// What an unreadable PAM file means.
pub const PAM_FILE_HINT: &str = "PAM denies every login by this service until the file can be read";

// `twinlock explain`.

/// What to do where groups cannot be looked up.
pub const UNDECIDED_HINT: &str =
    "such a login is denied until the group database answers again (test it with `getent group`)";

/// The service is not there.
pub fn service_without_file(service: &str) -> String {
    format!("{service} has no PAM file on this host")
}

/// A PAM file cannot be read.
pub fn service_not_read(service: &str, error: &impl Display) -> String {
    format!("the PAM file of {service} could not be read: {error}")
}

/// Twinlock is not enabled for the service.
pub fn service_without_auth_line(service: &str) -> String {
    format!("the PAM file of {service} has no auth line of pam_twinlock.so, so nobody is asked for a code there yet")
}

/// A line has `nullok`.
pub fn lets_unenrolled_pass(place: &Place) -> String {
    format!("{place} has nullok: users who are not enrolled pass")
}

/// A line has `require_key`, and no key was named.
pub fn denies_without_key(place: &Place) -> String {
    format!("{place} has require_key: it denies a login without a key; --key-type names one")
}

/// A line has another configuration.
pub fn reads_other_config(place: &Place, read: &str, file: &str) -> String {
    format!("{place} reads {read}, and this answer is about {file}")
}

/// A rule whose networks are not compared.
pub fn source_not_compared(rule: usize, title: &str, service: &str, address: impl Display) -> String {
    format!(
        "rule {rule} ({title}) lists networks and does not name {service} in `services`, so {address} counts as a name that nobody \
         verified"
    )
}

/// The guard is missing where users enrol.
pub const ENROLMENT_NOT_STORED: &str =
    "the PAM file has no account line of pam_twinlock.so, so the enrolment is not stored";

/// Where the value is that decides if no rule matches.
pub fn decides_otherwise(place: Option<(&str, usize)>) -> String {
    match place {
        Some((file, line)) => format!("second_factor of {file}:{line}"),
        None => "the default of second_factor".into(),
    }
}

/// What decides in an emergency.
pub fn emergency_decides(end: &str) -> String {
    format!("`twinlock emergency off` (until {end})")
}

/// A login by key alone, without a guard.
pub const GUARD_MISSING: &str =
    "a login with a key alone passes, because the PAM file has no account line of pam_twinlock.so";

/// A login by key alone passes.
pub const GUARD_PASSES: &str = "a login with a key alone passes as well";

/// A login by key alone is denied; `has_other_rule` where the rule with a key is another one.
pub fn guard_denies(doubt: Option<Doubt>, has_other_rule: bool) -> String {
    const FIX: &str = "(set AuthenticationMethods publickey,keyboard-interactive)";
    let why = if doubt == Some(Doubt::KeyIsNotShown) {
        format!(
            ": sshd shows the account guard no key, so a rule with key_types applies that is stricter than those below it {FIX}"
        )
    } else if has_other_rule {
        format!(": sshd shows the account guard no key, so no rule with key_types matches {FIX}")
    } else {
        String::new()
    };
    format!("a login with a key alone is denied{why}")
}

/// Which logins are remembered.
pub enum Remembering {
    /// None: the password is in the same answer.
    ForwardPass,
    /// Only those with a key.
    WithKey,
    /// Only those from an address.
    FromAddress,
    /// Those with the same key from this network, of which there are so many now.
    From { network: String, now: usize },
}

/// For how long a login is remembered, and which.
pub fn remembering(span: &str, which: &Remembering) -> String {
    match which {
        Remembering::ForwardPass => format!("not for {span}, because the PAM file has forward_pass"),
        Remembering::WithKey => format!("{span}, but only a login with a key that sshd reports"),
        Remembering::FromAddress => format!("{span}, but only a login from an address"),
        Remembering::From { network, now: 0 } => {
            format!("{span} for the same key from {network}, once a code was given")
        }
        Remembering::From { network, now } => format!(
            "{span} for the same key from {network}, once a code was given; {} now, and such a login is not asked for a code",
            count(*now, "login is remembered", "logins are remembered")
        ),
    }
}

/// The headings of the answer, in their order, and its texts.
pub fn explained_login(user: &str, service: &str, from: Option<&str>, key_type: Option<&str>, at: &str) -> String {
    let from = from.unwrap_or("this host");
    let key = key_type.map_or("no key that sshd reports".to_owned(), |name| format!("a key of type {name}"));
    format!("{user} through {service} from {from}, with {key}, at {at}")
}

/// The rule that decides.
pub fn deciding_rule(number: usize, name: Option<&str>, file: &str, line: usize, until: Option<&str>) -> String {
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let until = until.map(|day| format!(", until {day}")).unwrap_or_default();
    format!("{number}{name}, {file}:{line}{until}")
}

/// No rule decides.
pub fn no_deciding_rule(otherwise: &str) -> String {
    format!("none matches; {otherwise} applies")
}

/// Why it is the strictest.
pub fn in_doubt(doubt: &str) -> String {
    format!("{doubt}; the strictest of the possible rules applies")
}

/// What a user meets in a login, to be said behind the name.
pub fn forecast(second_factor: SecondFactor, status: &FactorStatus) -> String {
    const FIRST_FACTOR: &str = "is not asked for a code; the first factor decides";
    const DENIED: &str = "the login asks for a code all the same, and is denied whatever the answer";
    match (second_factor, status) {
        (SecondFactor::Skip, FactorStatus::Unknown) => {
            "does not exist and is not asked for a code; the first factor denies the login".into()
        }
        (SecondFactor::Skip, _) => FIRST_FACTOR.into(),
        (SecondFactor::Optional, FactorStatus::NotEnrolled) => format!("is not enrolled and {FIRST_FACTOR}"),
        (SecondFactor::Enroll, FactorStatus::NotEnrolled) => {
            "is not enrolled and enrols in the login: after the first factor (a key that sshd has verified, or a password that \
             this service has asked for), the login shows a QR code and asks for a code of the app and a recovery code"
                .into()
        }
        (SecondFactor::Enroll, FactorStatus::Unknown) => {
            "does not exist; the login shows an enrolment all the same, stores nothing, and is denied".into()
        }
        (SecondFactor::Optional | SecondFactor::Required, FactorStatus::Unknown) => format!("does not exist; {DENIED}"),
        (SecondFactor::Required, FactorStatus::NotEnrolled) => format!("is not enrolled; {DENIED}"),
        (_, FactorStatus::Unreadable(why)) => format!("is asked for a code, and denied whatever the answer: {why}"),
        (_, FactorStatus::Enrolled { codes, recovery_codes_left }) => enrolled_forecast(*codes, *recovery_codes_left),
    }
}

fn enrolled_forecast(codes: Codes, recovery_codes_left: usize) -> String {
    let code = match codes {
        Codes::One => "is enrolled and is asked for a code",
        Codes::Two => "is enrolled and, because of incorrect codes before, is asked for two consecutive codes",
        Codes::Disabled => {
            "is disabled and is asked for a code; codes of authenticators are refused until `twinlock unlock`"
        }
        Codes::Suspended => {
            "is enrolled and is asked for a code; all authenticators are suspended, and their codes are refused"
        }
    };
    let recovery = match (recovery_codes_left, matches!(codes, Codes::Disabled | Codes::Suspended)) {
        (0, true) => ", and no recovery code is left",
        (0, false) => "; no recovery code is left",
        (_, true) => ", and a recovery code is accepted",
        (_, false) => "; a recovery code is accepted as well",
    };
    format!("{code}{recovery}")
}

// `twinlock test-login`.

/// What to do where a service is not there.
pub const SERVICES_HINT: &str = "/etc/pam.d and /usr/lib/pam.d have a file for each service";

/// The helper is not there: the problem and the hint.
pub const NO_HELPER: (&str, &str) = (
    "twinlockd is not installed, and test-login needs it to call PAM",
    "install the package of twinlockd; it does not have to run",
);

/// The helper cannot be started.
pub fn helper_not_started(helper: &Path, error: &impl Display) -> String {
    format!("cannot start {}: {error}", helper.display())
}

/// The helper had no last word.
pub const BROKEN_OFF: &str = "the login was broken off: an answer is missing, or a module of the stack crashed";

/// How the login ended.
pub fn login_result(user: &UserName, denied: Option<&str>, verdict: &str) -> String {
    let result = match denied {
        None => format!("PAM lets {user} in"),
        Some(why) => format!("PAM denies {user}: {why}"),
    };
    format!("result:   {result}\ntwinlock: {verdict}\n")
}

/// What Twinlock has recorded meanwhile.
pub enum Recorded<'a> {
    /// A code of this authenticator was used.
    Code(&'a str),
    /// A recovery code was used, and so many are left.
    RecoveryCode(usize),
    /// An issued code was used.
    IssuedCode,
    /// A failure, the last of so many.
    Failure(u32),
    /// Nothing, because the user is not enrolled.
    NotEnrolled,
    /// Nothing.
    Nothing,
}

/// What Twinlock has recorded meanwhile.
pub fn recorded(recorded: &Recorded<'_>) -> String {
    match recorded {
        Recorded::Code(label) => format!("a code of \"{label}\" was correct; it is used now"),
        Recorded::RecoveryCode(left) => {
            let left = count(*left, "recovery code is left", "recovery codes are left");
            format!("a recovery code was correct; it is used now, and {left}")
        }
        Recorded::IssuedCode => "an issued code was correct; it is used now".to_owned(),
        Recorded::Failure(failures) => {
            let failures = count(usize::try_from(*failures).unwrap_or(usize::MAX), "failure", "consecutive failures");
            format!("the answer was incorrect and counts as a failure; {failures} so far")
        }
        Recorded::NotEnrolled => "not enrolled; nothing was recorded".to_owned(),
        Recorded::Nothing => {
            "nothing was recorded: no code was asked for, or the answer did not look like a code".to_owned()
        }
    }
}

/// In which phase PAM denied the login, and with which return code.
pub fn denied_in(phase: &str, code: &str, name: &str) -> String {
    format!("{name} ({code}) in the {phase} phase")
}

/// A module made another user of the one who logs in.
pub const ANOTHER_USER: &str = "a module changed the user name";

/// What a phase is for.
pub fn phase_heading(phase: &str, is_auth: bool) -> String {
    let about = if is_auth { "who logs in" } else { "whether this account may log in now" };
    format!("{phase} phase, {about}:")
}

/// In what this is not a login through sshd.
pub fn unlike_sshd(has_key: bool) -> String {
    let key = if has_key { "the key belongs to nobody, PAM gets no address" } else { "PAM gets no key and no address" };
    format!("Unlike in a login through sshd, {key}, and no session begins. What you type counts as in a login.")
}

/// A line of a PAM file, and what comes of it.
pub fn stack_line(line: &Line) -> String {
    let indent = "  ".repeat(line.level.saturating_add(1));
    let place = &line.place;
    match &line.kind {
        LineKind::Substack(name) => format!("{indent}the lines of {name}, as a stack of their own ({place})"),
        LineKind::Broken => format!("{indent}a line that libpam cannot parse, and that denies ({place})"),
        LineKind::Module { .. } => {
            let action = |code| action(line.action(code));
            format!(
                "{indent}{} {} ({place})\n{indent}  success {}; failure {}; ignore {}",
                line.control,
                line.module(),
                action(ReturnCode::SUCCESS),
                action(ReturnCode::AUTH_ERR),
                action(ReturnCode::IGNORE)
            )
        }
    }
}

fn action(action: Action) -> String {
    match action {
        Action::Ignore => "has no effect".to_owned(),
        Action::Ok => "counts".to_owned(),
        Action::Done => "counts and ends the stack".to_owned(),
        Action::Bad => "denies at the end".to_owned(),
        Action::Die => "denies at once".to_owned(),
        Action::Reset => "discards all results so far".to_owned(),
        Action::Jump(1) => "skips the next line".to_owned(),
        Action::Jump(lines) => format!("skips the next {lines} lines"),
    }
}

// Sealed credentials.

/// The key could not be sealed for this machine.
pub(crate) fn key_not_sealed(error: &impl Display) -> HostError {
    HostError::refused(format!("cannot seal the key for this machine: {error}"))
        .hint("run `systemd-creds has-tpm2` and `journalctl -b -g tpm`; without systemd, set `key_file` in [store]")
}

/// A blob does not open.
pub(crate) fn key_not_unsealed(key: KeyId, error: &impl Display) -> HostError {
    HostError::refused(format!("cannot unseal the key {key}: {error}")).hint(
        "if the TPM or the board was replaced, or the disk is in another machine, run `twinlock seal recover` with the \
         recovery phrase",
    )
}

/// What a blob holds that has the name of another key.
pub(crate) const ANOTHER_KEY: &str = "the file holds another key";

/// There is nothing to load.
pub(crate) fn no_blob() -> HostError {
    HostError::refused("no key is sealed for this machine in /etc/credstore.encrypted")
        .hint("run `twinlock seal recover` with the recovery phrase")
}

/// The kernel does not mount it.
pub(crate) fn ramfs_not_mounted(error: &impl Display) -> HostError {
    HostError::refused(format!("cannot mount a file system in memory for the key: {error}"))
        .hint("in a container without that right, set `key_file` in [store]")
}

/// What a sealed key protects from, and from what not.
pub const fn protects(protection: Protection) -> &'static str {
    match protection {
        Protection::TpmAndHost => {
            "the TPM and this host's key. A copy of the disk or of a backup shows no secrets. A stolen machine that boots by itself does"
        }
        Protection::Tpm => {
            "the TPM. A copy of the disk or of a backup shows no secrets. A stolen machine that boots by itself does"
        }
        Protection::Host => {
            "this host's key alone, a file on the same disk (/var/lib/systemd/credential.secret). A backup of the store shows no secrets. A \
             stolen or copied disk does: encrypt the disk"
        }
        Protection::Nothing => "none: the key is not encrypted",
        Protection::Unknown => "unknown to this version of Twinlock",
    }
}

/// Logins do not find the key.
pub(crate) fn seal_key_missing(error: String, hint: String) -> Text {
    text(error, "Enrolled users are denied.", hint)
}

/// Somebody put credentials there that are not sealed.
pub(crate) fn in_clear_on_sealed_host(users: &[UserName]) -> Text {
    let names: Vec<_> = users.iter().map(ToString::to_string).collect();
    let first = users.first().map_or("", UserName::as_str);
    text(
        format!("credentials in clear on a host whose secrets are sealed: {}", named(&names)),
        "These users are denied.",
        format!("Run `twinlock seal import {first}` if you put the file there; otherwise remove it."),
    )
}

/// A change of the form did not come to its end.
pub(crate) fn seal_interrupted(verb: &str) -> Text {
    text(
        format!("`twinlock seal {verb}` was interrupted"),
        "Users can log in, and some secrets are not sealed.",
        format!("Run `twinlock seal {verb}` again."),
    )
}

/// The key is in memory alone.
pub(crate) fn seal_blob_missing() -> Text {
    text(
        "the key of sealed secrets is not sealed for this machine",
        "It is gone after a restart, and enrolled users are denied.",
        "Run `twinlock seal recover` with the recovery phrase.",
    )
}

/// There is no TPM.
pub(crate) fn seal_by_host_key() -> Text {
    text(
        "secrets are sealed by a key on the same disk",
        "A backup of the store shows no secrets; a stolen or copied disk does.",
        "Encrypt the disk, or use a machine with a TPM.",
    )
}

/// The blob is none.
pub(crate) fn seal_by_nothing() -> Text {
    text(
        "the key of sealed secrets is not encrypted",
        "A copy of the disk shows all secrets.",
        "Run `twinlock seal recover` with the recovery phrase, which seals it for this machine.",
    )
}

/// The next boot does not load the key.
pub(crate) fn seal_unit_not_enabled() -> Text {
    text(
        "twinlock-unseal.service is not enabled",
        "After a restart the key is not there, and enrolled users are denied.",
        "Run `systemctl enable twinlock-unseal.service`.",
    )
}

/// The folder of keys is not the file system that the unit mounts.
pub(crate) fn seal_key_swapped() -> Text {
    text(
        "/run/twinlock-key is not a ramfs",
        "The key may be written to the swap space of the disk.",
        "Remove the folder, then run `systemctl restart twinlock-unseal.service`.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_names_five_are_named() {
        let names = |count: usize| named(&(0..count).map(|number| format!("u{number}")).collect::<Vec<_>>());
        assert_eq!(names(2), "u0, u1");
        assert_eq!(names(7), "u0, u1, u2, u3, u4 and 2 more");
    }

    #[test]
    fn a_number_agrees_with_its_noun() {
        let findings = |warnings, hints| doctor_summary(&[(Severity::Warning, warnings), (Severity::Hint, hints)]);
        assert_eq!(findings(0, 0), "no findings");
        assert_eq!(findings(1, 0), "1 finding: 1 warning");
        assert_eq!(findings(2, 1), "3 findings: 2 warnings, 1 hint");
    }
}
