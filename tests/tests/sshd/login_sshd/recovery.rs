//! Recovery codes.

use crate::login_sshd::shipped_host::{PROMPT, key_and_code, on_a_host, ours, refused, with_alice};

#[test]
fn a_recovery_code_lets_in_once() {
    with_alice(key_and_code, |_, sshd, alice| {
        let code = &alice.recovery_codes[0];
        let first = sshd.login("alice").answer(code).run();
        assert!(first.granted, "{first:#?}");
        assert_eq!(first.prompts, [PROMPT]);
        assert!(first.stderr.contains("9 recovery codes are left."), "{first:#?}");
        let line = "result=granted reason=- user=alice method=recovery authenticator=- service=sshd rhost=127.0.0.1 failures=0";
        assert_eq!(ours(&first), [line]);
        for spelling in [code.clone(), code.to_lowercase().replace('-', " ")] {
            let again = sshd.login("alice").answer(spelling).run();
            assert!(!again.granted, "{again:#?}");
            assert!(
                ours(&again)[0].starts_with("result=refused reason=replayed user=alice method=recovery"),
                "{again:#?}"
            );
        }
    });
}

#[test]
fn a_recovery_code_of_somebody_else_is_wrong() {
    on_a_host(key_and_code, |world, sshd| {
        world.account("bob");
        world.enrol("alice");
        let bob = world.enrol("bob");
        let login = sshd.login("alice").answer(&bob.recovery_codes[0]).run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ours(&login), [refused("wrong-code", "alice", "recovery", 1)]);
        assert!(sshd.login("bob").answer(&bob.recovery_codes[0]).run().granted);
    });
}

#[test]
fn the_last_recovery_codes_come_with_a_warning() {
    with_alice(key_and_code, |_, sshd, alice| {
        let told: Vec<_> = alice
            .recovery_codes
            .iter()
            .map(|code| sshd.login("alice").answer(code).run())
            .inspect(|login| assert!(login.granted, "{login:#?}"))
            .map(|login| login.stderr.lines().next().unwrap_or_default().to_owned())
            .collect();
        assert!(told[5].starts_with("4 recovery codes are left."), "{told:#?}");
        assert!(told[6].starts_with("Only 3 recovery codes are left."), "{told:#?}");
        assert!(told[9].starts_with("That was your last recovery code."), "{told:#?}");
    });
}
