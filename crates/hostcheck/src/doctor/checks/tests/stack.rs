//! sshd's PAM stack.

use super::{
    found,
    host::{GUARD, Host, OURS, STACK},
};
use crate::doctor::{
    finding::Severity::{self, Hint, Lockout, Open, Warning},
    host::HostFacts,
};

const PERMIT: &str = "auth       required     pam_permit.so";

/// The sound host with other lines in the place of one of the stack.
fn with(from: &str, to: &str) -> Host {
    Host::with_key_and_code().change(STACK, from, to)
}

/// This is found and nothing else, at the line of the stack that begins so.
#[track_caller]
fn finds(host: Host, id: &'static str, severity: Severity, line: &str) {
    let place = Some(host.place(STACK, line));
    host.finds(id, severity, place);
}

#[test]
fn a_stack_without_twinlock_or_without_a_file_is_open() {
    with(OURS, "").finds("pam-line", Open, Some(STACK.into()));
    Host::with_key_and_code().without(STACK).finds("pam-line", Open, Some(STACK.into()));
}

#[test]
fn a_jump_over_the_code_is_open() {
    let jump = "auth [success=1 default=ignore] pam_unix.so";
    let host = with(OURS, &format!("{jump}\n{OURS}"));
    let place = Some(host.place(STACK, jump));
    let found = host.found();
    assert!(found.contains(&("pam-order", Open, place)), "{found:?}");
}

#[test]
fn a_condition_that_leads_past_the_code_is_a_hint() {
    let condition = "auth [success=1 default=ignore] pam_succeed_if.so user in git:backup";
    let host = with(OURS, &format!("{condition}\n{OURS}"));
    finds(host, "pam-order", Hint, condition);
}

#[test]
fn a_control_value_that_does_not_refuse_is_open() {
    for control in ["optional", "sufficient", "[success=ok default=ignore]"] {
        let host = with(OURS, &format!("auth {control} pam_twinlock.so require_key"));
        finds(host, "pam-control", Open, &format!("auth {control}"));
    }
}

#[test]
fn a_stack_in_which_nobody_can_succeed_is_a_lockout() {
    for refusal in ["auth       required     pam_deny.so", "auth       include     nosuch"] {
        let host = with(PERMIT, refusal);
        finds(host, "pam-refuses", Lockout, OURS);
    }
}

#[test]
fn a_stack_in_which_nothing_else_succeeds_is_a_lockout_once_somebody_is_not_asked() {
    let host = with(PERMIT, "");
    let place = Some(host.place(STACK, OURS));
    host.finds("pam-ignore", Hint, place.clone());
    with(PERMIT, "").config("[[rule]]\nusers = [\"root\"]\nsecond_factor = \"skip\"\n").finds(
        "pam-ignore",
        Lockout,
        place,
    );
}

#[test]
fn a_login_shell_without_the_line_that_the_plain_command_has_is_a_warning() {
    const STOCK: &str = "@include common-auth\n@include common-account\n";
    const ASKS: &str = "@include common-auth\nauth required pam_twinlock.so\n@include common-account\n";
    const INCLUDES: &str = "auth include sudo\naccount include sudo\n";
    let with = |plain: &str, plains: &str, shell: &str, shells: &str| {
        let host = Host::with_key_and_code();
        host.file(&format!("/etc/pam.d/{plain}"), plains).file(&format!("/etc/pam.d/{shell}"), shells)
    };
    for (plain, shell) in [("sudo", "sudo-i"), ("su", "su-l")] {
        let place = Some(format!("/etc/pam.d/{shell}"));
        with(plain, ASKS, shell, STOCK).finds("login-shell", Warning, place);
        for (plains, shells) in [(STOCK, STOCK), (ASKS, ASKS), (STOCK, ASKS)] {
            assert_eq!(with(plain, plains, shell, shells).found(), [], "{plain}");
        }
    }
    assert_eq!(with("sudo", ASKS, "sudo-i", INCLUDES).found(), []);
    assert_eq!(Host::with_key_and_code().file("/etc/pam.d/sudo", ASKS).found(), [], "there is no sudo-i");
}

#[test]
fn a_missing_guard_is_a_warning_and_a_lockout_where_users_enrol_inside_the_login() {
    let host = with(GUARD, "");
    host.finds("guard", Warning, Some(STACK.into()));
    let found = with(GUARD, "").config("second_factor = \"enroll\"\n").found();
    assert_eq!(found, [("guard", Lockout, Some(STACK.into())), ("grace-time", Warning, None)]);
}

#[test]
fn a_guard_that_does_not_refuse_or_comes_too_late_is_a_warning() {
    let host = with(GUARD, "account optional pam_twinlock.so");
    finds(host, "guard", Warning, "account optional");
    let host = with(GUARD, "").change(STACK, "@include common-account", &format!("@include common-account\n{GUARD}"));
    host.finds("guard", Warning, Some("/etc/pam.d/common-account:1".into()));
}

#[test]
fn a_condition_before_the_guard_is_a_hint() {
    let condition = "account [success=1 default=ignore] pam_succeed_if.so user = git";
    let host = with(GUARD, &format!("{condition}\n{GUARD}"));
    finds(host, "guard", Hint, condition);
}

#[test]
fn a_password_after_the_key_is_a_hint() {
    let host = with("#@include common-auth", "@include common-auth");
    finds(host, "password-too", Hint, "@include common-auth");
}

#[test]
fn pam_faillock_on_the_wrong_side_of_the_code_is_a_warning() {
    let ours = "auth       required     pam_twinlock.so";
    let host = Host::with_password_and_code;
    let failures = "auth [default=die] pam_faillock.so authfail";
    let behind = host().change(STACK, ours, &format!("{ours}\n{failures}\n#"));
    let place = Some(behind.place(STACK, failures));
    let found = behind.found();
    assert!(found.contains(&("faillock", Warning, place)), "{found:?}");
    let forgets = "auth required pam_faillock.so authsucc";
    let before = host().change(STACK, ours, &format!("{forgets}\n{ours}"));
    finds(before, "faillock", Warning, forgets);
}

#[test]
fn another_second_factor_is_a_hint_with_how_to_import_it() {
    for (module, fix) in [
        ("pam_google_authenticator.so", "google-authenticator --all"),
        ("pam_oath.so", "oath FILE"),
        ("pam_duo.so", "if you want both"),
    ] {
        let line = format!("auth required {module}");
        let host = || with(OURS, &format!("{line}\n{OURS}"));
        finds(host(), "other-second-factor", Hint, &line);
        assert!(host().worst().fix.contains(fix), "{module}");
    }
}

/// RHEL's stack with the password asked for by authselect's file, which is named with this control value.
fn with_password_auth(control: &str) -> Host {
    const STACK_OF_RHEL: &str = include_str!("../../../../../../config/pam.d/rhel/sshd.password-and-code");
    const AUTHSELECT: &str = "auth required pam_env.so\nauth sufficient pam_unix.so nullok\n\
        -auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\naccount required pam_unix.so\n\
        account required pam_permit.so\npassword required pam_unix.so\nsession required pam_unix.so\n";
    let host = Host::with_password_and_code()
        .file(STACK, STACK_OF_RHEL)
        .file("/etc/pam.d/password-auth", AUTHSELECT)
        .file("/etc/pam.d/postlogin", "session optional pam_umask.so silent\n");
    let named = format!("\nauth       {control}     password-auth");
    let own = [
        "auth       required                        pam_env",
        "auth       [success=2",
        "-auth",
        "auth       requisite",
    ];
    own.iter().fold(host.change(STACK, "\n#auth       substack     password-auth", &named), |host, line| {
        host.change(STACK, &format!("\n{line}"), &format!("\n#{line}"))
    })
}

#[test]
fn a_substack_with_the_password_is_sound() {
    assert_eq!(with_password_auth("substack").found(), []);
}

#[test]
fn an_include_that_ends_the_stack_before_the_code_is_open_at_the_included_lines() {
    let host = || with_password_auth("include");
    let orders: Vec<_> = host().found().into_iter().filter(|(id, ..)| *id == "pam-order").collect();
    let at = |line| ("pam-order", Open, Some(format!("/etc/pam.d/password-auth:{line}")));
    assert_eq!(orders, [at(2), at(3)]);
    let one = host().findings().into_iter().find(|one| one.id == "pam-order").unwrap();
    let by = host().place(STACK, "auth       include     password-auth");
    assert!(one.fix.contains("`substack`") && one.fix.contains(&by), "{one:#?}");
}

#[test]
fn a_file_of_the_service_in_capitals_is_a_warning() {
    let mut facts = HostFacts::sound();
    facts.pam.misspelled = vec!["/etc/pam.d/SSHD".into()];
    assert_eq!(found(&facts), [("service-name", Warning, Some("/etc/pam.d/SSHD".to_owned()))]);
}
