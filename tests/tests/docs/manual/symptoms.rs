//! The symptoms of docs/troubleshooting.md, provoked on a host with the shipped files: the log and the client have the lines
//! that the page quotes, and the doctor finds one of the checks that it names.

use twinlock_tests::{World, in_sshd_world};

use crate::manual::scenes::{self as on, Host};
use crate::manual::troubleshooting::entries;

/// Provokes a symptom, and returns the standard error of the client, if there is one.
type Scene = fn(&Host<'_>) -> String;

/// Every symptom that has a line of the log, and one for each check that is easily provoked.
const SCENES: [(&str, Scene); 43] = [
    ("A correct code is refused: it was used before", on::used_already),
    ("A correct code is refused: a clock is wrong", on::clock_off),
    ("A code is refused, and no clock is wrong", on::wrong_code),
    ("Two codes are asked for", on::second_code),
    ("A login must wait some seconds", on::too_soon),
    ("Every code is refused", on::disabled),
    ("The phone is lost", on::no_recovery_codes),
    ("Users who are not enrolled are refused", on::not_enrolled),
    ("Users who need no code are refused", on::ignored),
    ("No code is asked for: the key alone is enough", on::key_alone),
    ("No code is asked for: a rule or a remembered login", on::not_asked),
    ("A code alone is enough", on::code_alone),
    ("Denied without a prompt: sshd has verified no key", on::no_key),
    ("The key is accepted, and the login is denied", on::bypass),
    ("No authentication methods enabled, with a correct key", on::switched_off_for_some),
    ("sshd does not start: Disabled method \"keyboard-interactive\"", on::switched_off_for_all),
    ("A change of the configuration has no effect", on::unheard),
    ("No code is asked for after a system upgrade", on::replaced_by_an_upgrade),
    ("Too many authentication failures before any code", on::too_many_keys),
    ("A password is asked for although a key was used", on::password_too),
    ("The password is correct, and permission is denied", on::password_method),
    ("root is always refused", on::root),
    ("One user is always refused, with a correct key and code", on::not_allowed),
    ("The connection closes while a user types or enrols", on::grace_time),
    ("scp, sftp, rsync, git or ansible: Permission denied (keyboard-interactive)", on::nobody_to_ask),
    ("cron, sudo or another service is refused", on::another_service),
    ("Every login is refused after a change of config.toml", on::broken_configuration),
    ("Every login is refused after a change of the PAM file", on::unknown_argument),
    ("A file is not trusted", on::readable_by_others),
    ("/var/lib/twinlock does not exist", on::no_store),
    ("/var/lib/twinlock is not the store of this host", on::not_mounted),
    ("Sealed secrets cannot be opened", on::without_key),
    ("The credentials of an enrolled user are missing", on::without_credentials),
    ("A renamed account is refused, or a new one has a former user's second factor", on::renamed),
    ("Read-only file system, or no space left on device", on::read_only),
    ("PAM unable to dlopen(pam_twinlock.so)", on::no_module),
    ("Local users can log in, users from LDAP or SSSD cannot", on::unknown_user),
    ("A rule with `from` never matches", on::name_for_an_address),
    ("sudo asks for a code, and sudo -i does not", on::login_shell),
    ("Accounts are locked after incorrect codes", on::faillock),
    ("Two different codes are asked for", on::other_module),
    ("no broker is running", on::no_broker),
    ("Internal error", on::user_changed),
];

#[test]
fn every_line_of_the_log_on_the_page_is_written_and_the_doctor_finds_what_is_named() {
    let mut wrong = Vec::new();
    for (symptom, scene) in SCENES {
        in_sshd_world(|world| wrong.extend(tried(world, symptom, scene)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_symptom_with_a_line_of_the_log_is_tried() {
    twinlock_tests::in_world(|world| {
        for entry in entries(world).iter().filter(|entry| !entry.block("log").is_empty()) {
            assert!(SCENES.iter().any(|(symptom, _)| *symptom == entry.symptom), "{}", entry.symptom);
        }
    });
}

/// What the page says about a symptom and does not happen on the host.
fn tried(world: &World, symptom: &str, scene: Scene) -> Vec<String> {
    let entry = entries(world).into_iter().find(|entry| entry.symptom == symptom);
    let entry = entry.unwrap_or_else(|| panic!("the page has no {symptom}"));
    let host = Host::of(world);
    let mark = world.log_mark();
    let said = alike(&scene(&host));
    let log: Vec<_> = world.log_since(mark).iter().map(|line| alike(&line.text)).collect();
    let unwritten =
        entry.block("log").into_iter().filter(|quoted| !log.iter().any(|written| is_quoted(quoted, written)));
    let unsaid = entry.block("client").into_iter().filter(|line| !said.contains(line.trim_end()));
    let mut wrong: Vec<_> = unwritten
        .chain(unsaid)
        .map(|line| format!("{symptom}:\n  {line}\nin\n  {}\n{said}", log.join("\n  ")))
        .collect();
    let (checks, found) = (entry.checks(), host.found());
    if !checks.is_empty() && !checks.iter().any(|id| found.iter().any(|one| one == id)) {
        wrong.push(format!("{symptom}: the doctor found {found:?}"));
    }
    wrong
}

/// Keys that the page leaves out of a line where they say nothing about the symptom.
const LEFT_OUT: [&str; 6] = ["user", "method", "authenticator", "service", "rhost", "failures"];

/// Whether this is the line that the page quotes. It leaves out how each line of an attempt begins, some keys (` ...`), and
/// the end of a detail (`..."`).
fn is_quoted(quoted: &str, written: &str) -> bool {
    let Some((begin, end)) = quoted.split_once(" ...") else { return quoted == written };
    let begin = match begin.strip_prefix("reason=") {
        Some("-" | "emergency") => format!("pam_twinlock(sshd:auth): result=granted {begin}"),
        Some(_) => format!("pam_twinlock(sshd:auth): result=refused {begin}"),
        None => begin.to_owned(),
    };
    let Some(mut rest) = written.strip_prefix(&begin) else { return false };
    loop {
        let is_end = match end.strip_suffix("...\"") {
            Some(shortened) => rest.starts_with(shortened) && rest.ends_with('"'),
            None => rest == end,
        };
        let Some((key, others)) = rest.strip_prefix(' ').and_then(|rest| rest.split_once('=')) else { return is_end };
        if is_end || !LEFT_OUT.contains(&key) {
            return is_end;
        }
        rest = others.find(' ').map_or("", |at| &others[at..]);
    }
}

#[test]
fn a_quoted_line_may_leave_out_keys_and_the_end_of_a_detail_and_nothing_else() {
    let written =
        "pam_twinlock(sshd:auth): result=refused reason=store user=alice method=- failures=2 detail=\"no room; mount\"";
    for quoted in
        [written, "reason=store ... failures=2 detail=\"no room; mount\"", "reason=store ... detail=\"no room; ...\""]
    {
        assert!(is_quoted(quoted, written), "{quoted}");
    }
    for other in [
        "reason=store ...",
        "reason=store ... failures=2",
        "reason=store ... detail=\"no\"",
        "reason=- ... detail=\"no room; ...\"",
    ] {
        assert!(!is_quoted(other, written), "{other}");
    }
}

/// The text with what differs from run to run replaced by what the page has.
fn alike(text: &str) -> String {
    let words = text.replace("127.0.0.1", "192.0.2.7").replace("alice@192.0.2.7", "alice@host");
    let mut before = "";
    let words = words.trim_end().split(' ').map(|word| {
        let is_port = before == "port" && word.starts_with(|c: char| c.is_ascii_digit());
        before = word;
        match () {
            () if is_port => word.split_once(':').map_or("50000".into(), |(_, rest)| format!("50000:{rest}")),
            () if word.starts_with("SHA256:") => "SHA256:...".into(),
            () => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
