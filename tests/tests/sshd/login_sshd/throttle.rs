//! Guessing is slowed down, the owner still gets in. Time passes by sshd's clock, not by waiting.

use twinlock_tests::{Enrolled, Login, Sshd, World, in_sshd_world};

use crate::login_sshd::shipped_host::{
    NEXT, PROMPT, failures, granted, key_and_code, mode, ours, refused, set, with_alice,
};

/// The same server with its clock put off: `-600s`, `+120s`.
fn at<'w>(sshd: Sshd<'w>, offset: &str) -> Sshd<'w> {
    sshd.under(["faketime", "-f", offset])
}

/// Three incorrect codes on one connection: what is free of consequences.
fn three_wrong(sshd: &Sshd<'_>, alice: &Enrolled) -> Login {
    let wrong = alice.authenticator.wrong_code();
    let client = sshd.login("alice").option("NumberOfPasswordPrompts=3");
    let login = client.answer(&wrong).answer(&wrong).answer(&wrong).run();
    assert_eq!(ours(&login), [1, 2, 3].map(|failures| refused("wrong-code", "alice", "totp", failures)));
    login
}

fn at_step_up(world: &World) -> (Sshd<'_>, Enrolled) {
    let sshd = at(key_and_code(world), "-600s");
    let alice = world.enrol("alice");
    three_wrong(&sshd, &alice);
    (sshd.under([""; 0]), alice)
}

#[test]
fn after_three_wrong_codes_two_are_asked_for_and_then_one_again() {
    in_sshd_world(|world| {
        let (sshd, alice) = at_step_up(world);
        assert_eq!(mode(world, "alice"), "step-up");
        let mut codes = alice.codes();
        let login = sshd.login("alice").answer(codes.next()).answer(codes.next()).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT, NEXT]);
        assert_eq!(ours(&login), [granted("alice", &alice.id)]);
        assert_eq!(mode(world, "alice"), "normal");
        let code = alice.authenticator.code_at(alice.authenticator.now_step() + 4);
        let login = at(sshd, "+120s").login("alice").answer(code).run();
        assert!(login.granted, "{login:#?}");
        assert_eq!(login.prompts, [PROMPT]);
    });
}

#[test]
fn at_step_up_a_right_code_with_a_wrong_one_is_refused() {
    in_sshd_world(|world| {
        let (sshd, alice) = at_step_up(world);
        let (right, wrong) = (alice.codes().next(), alice.authenticator.wrong_code());
        let login = sshd.login("alice").answer(&right).answer(&wrong).run();
        assert!(!login.granted && login.prompts == [PROMPT, NEXT], "{login:#?}");
        assert_eq!(ours(&login), [refused("step-up", "alice", "totp", 4)]);
    });
}

#[test]
fn at_step_up_the_same_code_twice_is_not_two_codes() {
    in_sshd_world(|world| {
        let (sshd, alice) = at_step_up(world);
        let right = alice.codes().next();
        let login = sshd.login("alice").answer(&right).answer(&right).run();
        assert!(!login.granted, "{login:#?}");
        assert_eq!(ours(&login), [refused("step-up", "alice", "totp", 4)]);
    });
}

#[test]
fn at_step_up_a_missing_second_code_costs_nothing() {
    in_sshd_world(|world| {
        let (sshd, alice) = at_step_up(world);
        let login = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(!login.granted && login.prompts == [PROMPT, NEXT], "{login:#?}");
        assert_eq!(failures(world, "alice"), 3);
    });
}

#[test]
fn at_step_up_one_recovery_code_is_enough() {
    in_sshd_world(|world| {
        let (sshd, alice) = at_step_up(world);
        let login = sshd.login("alice").answer(&alice.recovery_codes[3]).run();
        assert!(login.granted && login.prompts == [PROMPT], "{login:#?}");
        assert_eq!(mode(world, "alice"), "normal");
    });
}

#[test]
fn who_is_too_early_is_told_how_long_to_wait_and_charged_nothing() {
    with_alice(key_and_code, |world, sshd, alice| {
        three_wrong(&sshd, alice);
        let login = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(!login.granted, "{login:#?}");
        let (_, rest) = login.stderr.split_once("Too many incorrect codes. Try again in ").unwrap();
        let seconds: u32 = rest.split(' ').next().unwrap().parse().unwrap();
        assert!((1..=10).contains(&seconds), "{login:#?}");
        assert_eq!(ours(&login), [refused("throttled", "alice", "totp", 3)]);
        assert_eq!(failures(world, "alice"), 3);
    });
}

#[test]
fn guesses_from_one_address_do_not_hold_up_the_address_of_the_last_login() {
    in_sshd_world(|world| {
        const HOME: &str = "BindAddress=127.0.0.2";
        let sshd = key_and_code(world);
        set(world, "spacing", "\"1h\"");
        let alice = world.enrol("alice");
        let first = sshd.login("alice").option(HOME).answer(alice.codes().next()).run();
        assert!(first.granted, "{first:#?}");
        let sshd = at(sshd, "+120s");
        three_wrong(&sshd, &alice);
        let step = alice.authenticator.now_step();
        let [one, two] = [4, 5].map(|ahead| alice.authenticator.code_at(step + ahead));
        let elsewhere = sshd.login("alice").answer(&one).answer(&two).run();
        assert_eq!(ours(&elsewhere), [refused("throttled", "alice", "totp", 3)]);
        let home = sshd.login("alice").option(HOME).answer(&one).answer(&two).run();
        assert!(home.granted && home.prompts == [PROMPT, NEXT], "{home:#?}");
        assert_eq!(ours(&home), [granted("alice", &alice.id).replace("127.0.0.1", "127.0.0.2")]);
    });
}

#[test]
fn a_disabled_authenticator_is_past_codes_but_not_past_a_recovery_code() {
    in_sshd_world(|world| {
        let mut sshd = at(key_and_code(world), "-7200s");
        set(world, "disable_after", "11");
        let alice = world.enrol("alice");
        three_wrong(&sshd, &alice);
        let wrong = alice.authenticator.wrong_code();
        for failures in 4..=11 {
            // Further apart than the longest wait of a network.
            sshd = at(sshd, &format!("-{}s", 7200 - 600 * failures));
            let login = sshd.login("alice").answer(&wrong).answer(&wrong).run();
            let now = if failures == 11 { " now=disabled" } else { "" };
            assert_eq!(ours(&login), [refused("wrong-code", "alice", "totp", failures) + now]);
        }
        let sshd = sshd.under([""; 0]);
        assert_eq!(mode(world, "alice"), "disabled");
        let mut codes = alice.codes();
        let login = sshd.login("alice").answer(codes.next()).answer(codes.next()).run();
        assert!(!login.granted && login.prompts == [PROMPT], "{login:#?}");
        assert_eq!(ours(&login), [refused("disabled", "alice", "totp", 11)]);
        let login = sshd.login("alice").answer(&alice.recovery_codes[0]).run();
        assert!(login.granted, "{login:#?}");
        let still = sshd.login("alice").answer(alice.codes().next()).run();
        assert!(!still.granted && ours(&still)[0].contains("reason=disabled"), "{still:#?}");
        assert_eq!(world.twinlock(&["unlock", "alice"]).code, Some(0));
        assert!(sshd.login("alice").answer(alice.codes().next()).run().granted);
    });
}
