//! The ways that sshd takes for a login.

use twinlock_core::policy::SecondFactor;

use super::host::{DROP_IN, GUARD, Host, OURS, STACK};
use crate::doctor::{
    finding::Severity::{Lockout, Open},
    host::Person,
};

#[test]
fn without_pam_nothing_is_asked() {
    let host = Host::with_key_and_code().set("UsePAM yes", "UsePAM no");
    let place = Some(host.place(DROP_IN, "UsePAM"));
    host.finds("use-pam", Open, place);
}

#[test]
fn a_login_whose_every_method_is_switched_off_is_a_lockout() {
    let host = Host::with_key_and_code().in_force("kbdinteractiveauthentication", "no");
    let place = Some(host.place(DROP_IN, "AuthenticationMethods"));
    assert!(host.texts()[0].starts_with("sshd has no way to log in for alice: "));
    let host = Host::with_key_and_code().in_force("kbdinteractiveauthentication", "no");
    host.finds("sshd-methods", Lockout, place);
}

#[test]
fn a_key_alone_is_a_lockout_and_open_without_the_guard() {
    let methods = "AuthenticationMethods publickey,keyboard-interactive\n";
    // The default is sshd's own, so there is no place.
    let host = || Host::with_key_and_code().change(DROP_IN, methods, "").in_force("authenticationmethods", "any");
    host().finds("key-alone", Lockout, None);
    let unguarded = host().change(STACK, GUARD, "");
    assert_eq!(unguarded.found()[0], ("key-alone", Open, None));
    // A condition of PAM lets this account off.
    let exempt = Person { exempt_in_pam: true, ..Person::sound("git", 1001) };
    assert_eq!(host().user(exempt).found(), []);
}

#[test]
fn a_code_alone_is_a_lockout_where_twinlock_requires_a_key_and_open_where_not() {
    let host = || {
        Host::with_key_and_code()
            .set("AuthenticationMethods publickey,keyboard-interactive", "AuthenticationMethods keyboard-interactive")
    };
    let place = Some(host().place(DROP_IN, "AuthenticationMethods"));
    host().finds("code-alone", Lockout, place.clone());
    let lenient = host().change(STACK, OURS, "auth required pam_twinlock.so");
    lenient.finds("code-alone", Open, place);
}

#[test]
fn the_password_method_is_a_lockout_unless_twinlock_takes_both_apart() {
    let ours = "auth       required     pam_twinlock.so";
    let host = || {
        Host::with_password_and_code()
            .set("PasswordAuthentication no", "PasswordAuthentication yes")
            .set("AuthenticationMethods keyboard-interactive", "AuthenticationMethods password keyboard-interactive")
    };
    let place = Some(host().place(DROP_IN, "PasswordAuthentication"));
    host().finds("password-method", Lockout, place.clone());
    assert!(host().worst().why.contains("denied"));
    assert!(host().config("echo = false\n").worst().why.contains("counts a failure"));
    assert_eq!(host().change(STACK, ours, &format!("{ours} forward_pass")).found(), []);
}

#[test]
fn root_who_has_to_answer_and_cannot_is_a_lockout() {
    let host = |line| Host::with_key_and_code().user(Person::sound("root", 0)).set_first(line);
    host("PermitRootLogin prohibit-password").finds("root", Lockout, Some(format!("{DROP_IN}:1")));
    for right in ["PermitRootLogin yes", "PermitRootLogin no"] {
        assert_eq!(host(right).found(), []);
    }
}

#[test]
fn a_login_that_is_asked_for_nothing_is_open() {
    let ways = "publickey,keyboard-interactive";
    let host = || {
        let either = format!("AuthenticationMethods {ways} keyboard-interactive");
        let bob = Person {
            enrolled: false,
            recovery_codes_left: None,
            second_factor: Some(SecondFactor::Optional),
            ..Person::sound("bob", 1001)
        };
        Host::with_key_and_code().set(&format!("AuthenticationMethods {ways}"), &either).and_user(bob)
    };
    assert_eq!(host().found(), [], "Twinlock requires a key");
    let lenient = || host().change(STACK, OURS, "auth required pam_twinlock.so");
    let place = Some(lenient().place(DROP_IN, "AuthenticationMethods"));
    assert_eq!(lenient().found(), [("code-alone", Open, place.clone()), ("code-alone", Open, place)]);
    assert_eq!(
        lenient().texts(),
        [
            "bob can log in without any factor: sshd asks for no key, and the PAM stack for no password and no code",
            "a code alone lets alice in: sshd asks for no key, and the PAM stack for no password",
        ]
    );
}
