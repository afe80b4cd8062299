//! sudo: it asks for the invoking user's password, then for their code.

use twinlock_tests::{Family, Launch, PASSWORD, STORE, Snapshot};

use crate::other_services::hosts::{CODE, Dialogue, SUDO_PASSWORD, on_each_host, ran, right_and_wrong};

const AS_ROOT: [&str; 4] = ["sudo", "sh", "-c", "echo ran as $(id -u)"];
const RAN: &str = "ran as 0";
const SORRY: &str = "Sorry, try again.";

#[test]
fn the_right_password_and_code_of_the_invoking_user_run_the_command_once() {
    on_each_host(|host| {
        let code = host.world.enrol("alice").codes().next();
        let mark = host.world.log_mark();
        let output = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &code).end();
        assert!(ran(&output, RAN), "{:?}: {output:#?}", host.family);

        let again = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &code);
        assert!(!again.refused_with(SORRY).contains(RAN), "{:?}", host.family);
        assert_eq!(host.reasons_since(mark), ["-", "replayed"], "{:?}", host.family);
    });
}

#[test]
fn a_wrong_code_is_refused_and_the_next_try_of_the_same_sudo_is_a_new_one() {
    on_each_host(|host| {
        let (right, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let mark = host.world.log_mark();
        let dialogue = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &wrong).expect(SORRY);
        let output = dialogue.answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &right).end();
        assert!(ran(&output, RAN), "{:?}: {output:#?}", host.family);
        assert_eq!(host.reasons_since(mark), ["wrong-code", "-"], "{:?}", host.family);
    });
}

#[test]
fn three_wrong_codes_end_sudo_without_running_anything() {
    on_each_host(|host| {
        let (_, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let one = |dialogue: Dialogue| dialogue.answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &wrong);
        let output = one(one(one(host.alice_runs(&AS_ROOT)))).end();
        assert_eq!(output.code, Some(1), "{:?}: {output:#?}", host.family);
        assert!(!output.stdout.contains(RAN), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn a_wrong_password_is_refused_before_the_code_and_charges_nobody() {
    on_each_host(|host| {
        let code = host.world.enrol("alice").codes().next();
        let store = Snapshot::of(STORE);
        let shown = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, "wrong").refused_with(SORRY);
        assert!(!shown.contains(CODE), "{:?}: {shown}", host.family);
        assert_eq!(Snapshot::of(STORE), store, "{:?}", host.family);

        let output = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &code).end();
        assert!(ran(&output, RAN), "the code is still good: {:?}: {output:#?}", host.family);
    });
}

#[test]
fn where_nothing_may_be_asked_sudo_fails_at_once_and_charges_nobody() {
    on_each_host(|host| {
        host.world.enrol("alice");
        let store = Snapshot::of(STORE);
        let output = Launch::new(["sudo", "-n", "id", "-u"]).account(&host.alice).run();
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{:?}: {output:#?}", host.family);
        assert!(output.stderr.contains("a password is required"), "{:?}: {output:#?}", host.family);
        assert_eq!(Snapshot::of(STORE), store, "{:?}", host.family);
    });
}

#[test]
fn what_sudo_remembers_of_a_terminal_is_not_asked_again_until_it_is_forgotten() {
    on_each_host(|host| {
        let mut codes = host.world.enrol("alice").codes();
        let script = "sudo echo one; sudo echo two; sudo -k; sudo echo three";
        let dialogue = host.alice_runs(&["sh", "-c", script]);
        let dialogue = dialogue.answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &codes.next()).expect("one\ntwo\n");
        let output = dialogue.answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &codes.next()).end();
        assert!(ran(&output, "three"), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn a_rule_with_nopasswd_asks_for_nothing() {
    on_each_host(|host| {
        host.world.enrol("alice");
        host.add_to_sudoers("alice ALL=(ALL) NOPASSWD: ALL");
        let output = Launch::new(AS_ROOT).account(&host.alice).run();
        assert!(ran(&output, RAN), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn a_guard_would_refuse_a_rule_with_nopasswd() {
    on_each_host(|host| {
        host.world.enrol("alice");
        host.add_to_sudoers("alice ALL=(ALL) NOPASSWD: ALL");
        host.add_guard("sudo");
        let mark = host.world.log_mark();
        let output = Launch::new(AS_ROOT).account(&host.alice).run();
        assert!(output.code == Some(1) && !output.stdout.contains(RAN), "{:?}: {output:#?}", host.family);
        assert_eq!(host.reasons_since(mark), ["bypass"], "{:?}", host.family);
    });
}

#[test]
fn a_login_shell_of_root_needs_the_code_too() {
    on_each_host(|host| {
        let (right, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let shell = ["sudo", "-i", "sh", "-c", "echo ran as $(id -u)"];
        let refused = host.alice_runs(&shell).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &wrong);
        assert!(!refused.refused_with(SORRY).contains(RAN), "{:?}", host.family);
        let output = host.alice_runs(&shell).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &right).end();
        assert!(ran(&output, RAN), "{:?}: {output:#?}", host.family);
    });
}

#[test]
fn on_debian_a_login_shell_of_root_needs_no_code_as_long_as_its_own_file_has_no_twinlock() {
    on_each_host(|host| {
        if host.family == Family::Debian {
            host.world.enrol("alice");
            let stock = "@include common-auth\n@include common-account\n@include common-session\n";
            host.world.service("sudo-i", stock);
            let shell = ["sudo", "-i", "sh", "-c", "echo ran as $(id -u)"];
            let output = host.alice_runs(&shell).answer(SUDO_PASSWORD, PASSWORD).end();
            assert!(ran(&output, RAN), "{output:#?}");
        }
    });
}
