//! One count of incorrect codes for all services.

use twinlock_tests::{Launch, PASSWORD};

use crate::other_services::hosts::{CODE, Dialogue, PASSWORD_PROMPT, SUDO_PASSWORD, on_each_host, right_and_wrong};

const AS_ROOT: [&str; 4] = ["sudo", "sh", "-c", "echo ran as $(id -u)"];
const TOO_MANY: &str = "Too many incorrect codes. Try again in";

#[test]
fn wrong_codes_given_to_sudo_slow_sshd_down() {
    on_each_host(|host| {
        let (right, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let one = |dialogue: Dialogue| dialogue.answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &wrong);
        let mark = host.world.log_mark();
        assert_eq!(one(one(one(host.alice_runs(&AS_ROOT)))).end().code, Some(1), "{:?}", host.family);
        let login = host.sshd.login("alice").without_key().answer(PASSWORD).answer(&right).run();
        assert!(!login.granted, "{:?}: {login:#?}", host.family);
        let expected = ["wrong-code", "wrong-code", "wrong-code", "throttled"];
        assert_eq!(host.reasons_since(mark), expected, "{:?}", host.family);
    });
}

#[test]
fn wrong_codes_given_to_sshd_slow_sudo_and_su_down() {
    on_each_host(|host| {
        let (right, wrong) = right_and_wrong(&host.world.enrol("alice"));
        let mark = host.world.log_mark();
        for _ in 0..3 {
            let login = host.sshd.login("alice").without_key().answer(PASSWORD).answer(&wrong).run();
            assert!(!login.granted, "{:?}: {login:#?}", host.family);
        }
        let sudo = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &right);
        let shown = sudo.refused_with("Sorry, try again.");
        // sudo keeps modules from saying anything but what they ask.
        assert!(!shown.contains("ran as 0") && !shown.contains(TOO_MANY), "{:?}: {shown}", host.family);

        let su = Dialogue::begin(Launch::new(["su", "alice", "-c", "echo I am $(id -un)"]).account(&host.bob));
        let output = su.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE, &right).expect(TOO_MANY).end();
        assert!(output.code == Some(1) && !output.stdout.contains("I am alice"), "{:?}: {output:#?}", host.family);
        let expected = ["wrong-code", "wrong-code", "wrong-code", "throttled", "throttled"];
        assert_eq!(host.reasons_since(mark), expected, "{:?}", host.family);
    });
}

#[test]
fn a_code_that_sudo_took_is_used_up_for_sshd() {
    on_each_host(|host| {
        let mut codes = host.world.enrol("alice").codes();
        let code = codes.next();
        let output = host.alice_runs(&AS_ROOT).answer(SUDO_PASSWORD, PASSWORD).answer(CODE, &code).end();
        assert_eq!(output.code, Some(0), "{:?}: {output:#?}", host.family);
        let login = host.sshd.login("alice").without_key();
        assert!(!login.clone().answer(PASSWORD).answer(&code).run().granted, "{:?}", host.family);
        assert!(login.answer(PASSWORD).answer(codes.next()).run().granted, "{:?}", host.family);
    });
}
