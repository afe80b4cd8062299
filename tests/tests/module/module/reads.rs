//! How often a login goes to the store, counted by its system calls: at most once before anything is asked and once under
//! the lock, in every configuration.

use std::fs;

use twinlock_tests::{Attempt, PamCode, Setup, User, VERIFIED_KEY};

const EXACT: &str = "auth required pam_twinlock.so\n";
const FORWARD: &str = "auth required pam_twinlock.so forward_pass\n";
const FIRST_PASS: &str = "auth optional pam_unix.so nodelay\nauth required pam_twinlock.so try_first_pass\n";
const OPTIONAL: &str = "second_factor = \"optional\"\n";
const ENROLL: &str = "second_factor = \"enroll\"\n";
const REMEMBER: &str = "[[rule]]\nname = \"office\"\nsecond_factor = \"required\"\nremember = \"8h\"\n";
const ENROLL_AND_REMEMBER: &str = "[[rule]]\nname = \"office\"\nsecond_factor = \"enroll\"\nremember = \"8h\"\n";

/// Walks to the store, opened credentials, opened records.
type Reads = (usize, usize, usize);

fn reads(alice: &User<'_>, attempt: Attempt) -> (PamCode, Reads) {
    let outcome = attempt.under(["strace", "-f", "-y", "-e", "trace=openat", "-o", "/run/trace"]).run(alice.world);
    let trace = fs::read_to_string("/run/trace").unwrap();
    let count = |what: &str| trace.lines().filter(|line| line.contains(what)).count();
    let reads =
        (count("</var/lib>, \"twinlock\""), count("/credentials>, \"alice.toml\""), count("/state>, \"alice\""));
    assert!(reads.0 > 0, "{trace}");
    (outcome.code(), reads)
}

fn row(
    config: &str,
    stack: &str,
    prepare: impl FnOnce(&User<'_>) + Send,
    answers: fn(&User<'_>) -> Vec<String>,
) -> Reads {
    let mut found = None;
    Setup::new().config(config).enrolled(|alice| {
        alice.world.service("svc", stack);
        prepare(alice);
        let attempt = alice.attempt().rhost("192.0.2.7").pam_environment("SSH_AUTH_INFO_0", VERIFIED_KEY);
        let attempt = answers(alice).iter().fold(attempt, Attempt::answer);
        let (code, reads) = reads(alice, attempt);
        assert_eq!(code, PamCode::Success, "{config}{stack}");
        found = Some(reads);
    });
    found.unwrap()
}

fn code(alice: &User<'_>) -> Vec<String> {
    vec![alice.codes().next()]
}

fn two_codes(alice: &User<'_>) -> Vec<String> {
    let mut codes = alice.codes();
    vec![codes.next(), codes.next()]
}

fn recovery_code(alice: &User<'_>) -> Vec<String> {
    vec![alice.recovery_code(0).to_owned()]
}

fn in_step_up(alice: &User<'_>) {
    alice.state().wrong_codes(5).failed_ago(3600).write(alice.world);
}

fn no_record(alice: &User<'_>) {
    fs::remove_file(twinlock_tests::state_of(&alice.account.name)).unwrap();
}

fn at_most_two((walks, credentials, records): Reads, row: &str) {
    assert!(walks <= 2 && credentials <= 2 && records <= 2, "{row}: {walks} {credentials} {records}");
}

#[test]
fn a_plain_login_goes_to_the_store_once() {
    assert_eq!(row("", EXACT, |_| (), code), (1, 1, 1));
    assert_eq!(row("", EXACT, |_| (), recovery_code), (1, 1, 1));
}

#[test]
fn what_policy_asks_before_a_question_is_one_more_look() {
    for config in [OPTIONAL, ENROLL, REMEMBER, ENROLL_AND_REMEMBER] {
        at_most_two(row(config, EXACT, |_| (), code), config);
        at_most_two(row(config, EXACT, |_| (), recovery_code), config);
    }
}

#[test]
fn a_code_with_a_password_is_one_more_look() {
    at_most_two(row("", FORWARD, |_| (), |alice| vec![format!("horse{}", alice.codes().next())]), "forward_pass");
    at_most_two(row("", FIRST_PASS, |_| (), code), "try_first_pass");
}

#[test]
fn step_up_is_one_more_look_and_none_where_there_was_one_before() {
    for config in ["", OPTIONAL, ENROLL, REMEMBER, ENROLL_AND_REMEMBER] {
        at_most_two(row(config, EXACT, in_step_up, two_codes), config);
    }
}

#[test]
fn the_first_login_after_deployment_is_no_exception() {
    at_most_two(row("", EXACT, no_record, code), "no record");
}

/// Two answers are judged there, each under the lock, which is never held while somebody types.
#[test]
fn a_second_attempt_in_one_login_is_one_more_look_under_the_lock() {
    let answers = |alice: &User<'_>| vec![alice.wrong_code(), alice.codes().next()];
    assert_eq!(row(ENROLL_AND_REMEMBER, FIRST_PASS, |_| (), answers), (3, 3, 3));
}
