//! The symptoms of docs/troubleshooting.md, brought about on a host as shipped: the lines that the page quotes are those that
//! are written, the client says what is quoted of it, and the doctor finds one of the checks that are named.

use twinlock_tests::{World, in_sshd_world};

use crate::manual::scenes::{self as on, Host};
use crate::manual::troubleshooting::entries;

/// What brings a symptom about; the standard error of the client, where there is one.
type Scene = fn(&Host<'_>) -> String;

/// Every symptom that has a line of the log, and one for each check that is cheaply provoked.
const SCENES: [(&str, Scene); 41] = [
    ("The right code is refused: used already", on::used_already),
    ("The right code is refused: a clock is off", on::clock_off),
    ("The right code is refused: always, and no clock is off", on::wrong_code),
    ("Two codes are asked for", on::second_code),
    ("Too many wrong codes. Try again in N seconds", on::too_soon),
    ("Refused whatever is typed", on::disabled),
    ("The phone is lost", on::no_recovery_codes),
    ("Users without a second factor are refused", on::not_enrolled),
    ("Everybody whom a rule lets off is refused", on::ignored),
    ("No code is asked for: the key alone lets in", on::key_alone),
    ("No code is asked for: by a rule, or a remembered login", on::not_asked),
    ("A code alone lets in, without key or password", on::code_alone),
    ("No question, no key: nobody was asked, because sshd has verified no key before", on::no_key),
    ("This host requires a second factor, but was not set up to ask you for one", on::bypass),
    (
        "Permission denied (publickey), or no authentication methods enabled, and the key is right",
        on::switched_off_for_some,
    ),
    (
        "sshd does not start any more: Disabled method \"keyboard-interactive\" in AuthenticationMethods list",
        on::switched_off_for_all,
    ),
    ("The configuration was changed, and nothing changes", on::unheard),
    ("After an upgrade of the system no code is asked for", on::replaced_by_an_upgrade),
    ("Too many authentication failures, before any code", on::too_many_keys),
    ("Password: before Verification code:, although a key was used", on::password_too),
    ("The password is right, and Permission denied", on::password_method),
    ("root is always refused", on::root),
    ("One user is always refused, with the right key and code", on::not_allowed),
    ("Connection closed or reset while enrolling or typing", on::grace_time),
    ("scp, sftp, rsync, git or ansible: Permission denied (keyboard-interactive)", on::nobody_to_ask),
    ("cron, sudo or another service is refused", on::another_service),
    ("Everybody is refused since config.toml was changed", on::broken_configuration),
    ("Everybody is refused since the PAM file was changed", on::unknown_argument),
    ("cannot trust FILE: its mode is 0644", on::readable_by_others),
    ("cannot open /var/lib/twinlock: it does not exist", on::no_store),
    ("/var/lib/twinlock is not the store of this host: store-id is missing", on::not_mounted),
    ("alice was enrolled, and credentials/alice.toml is missing", on::without_credentials),
    ("A renamed account is refused, or a new account is asked for a code that its owner does not have", on::renamed),
    ("Read-only file system, No space left on device", on::read_only),
    ("PAM unable to dlopen(pam_twinlock.so), Module is unknown: everybody is locked out", on::no_module),
    ("Local users get in, users from LDAP or SSSD do not", on::unknown_user),
    ("A rule with `from` never fits: a name in rhost=", on::name_for_an_address),
    ("Accounts are locked after wrong codes", on::faillock),
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

/// What the page says of a symptom and the host does not.
fn tried(world: &World, symptom: &str, scene: Scene) -> Vec<String> {
    let entry = entries(world).into_iter().find(|entry| entry.symptom == symptom);
    let entry = entry.unwrap_or_else(|| panic!("the page has no {symptom}"));
    let host = Host::of(world);
    let mark = world.log_mark();
    let said = alike(&scene(&host));
    let log: Vec<_> = world.log_since(mark).iter().map(|line| alike(&line.text)).collect();
    let unwritten = entry.block("log").into_iter().filter(|line| !log.iter().any(|written| written == line));
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

/// What differs from run to run, as the page has it.
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
