//! Accounts.

use twinlock_core::policy::SecondFactor;

use super::host::{DROP_IN, Host};
use crate::doctor::{
    checks::all,
    finding::Severity::{self, Hint, Lockout, Warning},
    host::{HeldFactors, HostFacts, Person},
};

fn unenrolled(name: &str, uid: u32) -> Person {
    Person { enrolled: false, recovery_codes_left: None, ..Person::sound(name, uid) }
}

/// The name, the severity and the text of each finding on a sound host with these accounts.
fn found_of(people: Vec<Person>, one_user: bool) -> Vec<(&'static str, Severity, String)> {
    let facts = HostFacts { one_user, ..HostFacts::sound().with_people(people) };
    all(&facts).into_iter().map(|finding| (finding.id, finding.severity, finding.found)).collect()
}

#[test]
fn accounts_that_are_denied_for_being_not_enrolled_are_named() {
    let by_password = HeldFactors { key: false, password: true };
    let others = || {
        vec![
            Person::sound("alice", 1000),
            Person { allowed: false, ..unenrolled("carol", 1002) },
            // With key and code, a password alone is no way in that being enrolled would open.
            Person { first_factors: by_password, ..unenrolled("dave", 1003) },
            Person { may_log_in: false, ..unenrolled("erin", 1004) },
            Person { second_factor: Some(SecondFactor::Optional), ..unenrolled("frank", 1005) },
            Person { exempt_in_pam: true, ..unenrolled("git", 1006) },
        ]
    };
    assert_eq!(found_of(others(), false), []);
    let found = |names: &str| [("not-enrolled", Lockout, names.to_owned())];
    let one = others().into_iter().chain([unenrolled("bob", 1001)]).collect();
    assert_eq!(found_of(one, false), found("1 account is not enrolled and will be denied: bob"));
    let two = vec![unenrolled("bob", 1001), unenrolled("grace", 1007)];
    assert_eq!(found_of(two, false), found("2 accounts are not enrolled and will be denied: bob, grace"));
    // An account that was asked about is meant to log in.
    let asked_about = vec![Person { first_factors: by_password, ..unenrolled("dave", 1003) }];
    assert_eq!(found_of(asked_about, true), found("1 account is not enrolled and will be denied: dave"));
}

#[test]
fn enrolled_users_whom_sshd_refuses_are_a_hint_and_a_lockout_for_the_one_asked_about() {
    let bob = || Person { allowed: false, ..Person::sound("bob", 1001) };
    let host = Host::with_key_and_code().user(bob()).set_first("DenyUsers bob");
    host.finds("not-allowed", Hint, Some(format!("{DROP_IN}:1")));
    let found = "1 enrolled user is refused by sshd's lists of users or groups: bob".to_owned();
    assert_eq!(found_of(vec![bob()], true), [("not-allowed", Lockout, found)]);
}

#[test]
fn users_without_a_recovery_code_are_a_hint_and_administrators_a_warning() {
    let alice = |admin| vec![Person { recovery_codes_left: Some(0), admin, ..Person::sound("alice", 1000) }];
    for (admin, severity, found) in [
        (false, Hint, "1 enrolled user has no recovery code left: alice"),
        (true, Warning, "1 administrator has no recovery code left: alice"),
    ] {
        assert_eq!(found_of(alice(admin), false), [("recovery-codes", severity, found.to_owned())]);
    }
}

#[test]
fn an_enrolment_that_is_older_than_the_account_is_a_hint() {
    let found = found_of(vec![Person { older_device: true, ..Person::sound("alice", 1000) }], false);
    let told = "1 enrolment is older than the home directory and the password of the account: alice".to_owned();
    assert_eq!(found, [("earlier-owner", Hint, told)]);
}

#[test]
fn a_program_that_would_be_asked_for_a_code_is_a_warning() {
    let keys = "/home/git/.ssh/authorized_keys";
    let git = |exempt_in_pam| Person { automation: Some(keys.into()), exempt_in_pam, ..Person::sound("git", 1001) };
    Host::with_key_and_code().user(git(false)).finds("automation", Warning, Some(keys.into()));
    assert_eq!(Host::with_key_and_code().user(git(true)).found(), []);
}

#[test]
fn a_console_that_asks_for_a_code_is_a_warning_where_nobody_gets_in_without_one() {
    let host = |user| {
        let login = "auth required pam_unix.so\nauth required pam_twinlock.so\naccount required pam_unix.so\n";
        Host::with_key_and_code().file("/etc/pam.d/login", login).user(user)
    };
    let user = || Person { admin: false, ..Person::sound("alice", 1000) };
    host(user()).finds("break-glass", Warning, Some("/etc/pam.d/login".into()));
    assert_eq!(host(Person::sound("alice", 1000)).found(), [], "an administrator has recovery codes");
    let exempt = Person { second_factor: Some(SecondFactor::Skip), ..user() };
    assert_eq!(host(exempt).found(), []);
}
