//! Several logins at once that must not get in each other's way. That one answer is used once is in `races`.

use std::collections::BTreeMap;

use twinlock_tests::{Account, Attempt, Enrolled, ForgedState, Outcome, PamCode, Setup, State, World, race};

/// A user of a round.
fn user(world: &World, name: &str) -> (Account, Enrolled) {
    let account = world.account(name);
    ForgedState::of(&account).write(world);
    (account, world.deploy(name))
}

fn attempt(user: &Enrolled, answer: &str) -> Attempt {
    Attempt::new("svc").user(&user.user).answer(answer)
}

fn granted(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.code() == PamCode::Success).count()
}

/// How often each reason stands in the log since the mark.
fn reasons(world: &World, mark: usize) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for entry in world.entries_since(mark) {
        *reasons.entry(entry.value("reason").to_owned()).or_default() += 1;
    }
    reasons
}

#[test]
fn of_logins_with_different_recovery_codes_all_are_granted_and_nobody_is_locked_out() {
    Setup::new().host(|world| {
        let (_, user) = user(world, "alice");
        let outcomes = race(world, user.recovery_codes.iter().take(6).map(|code| attempt(&user, code)));
        assert_eq!(granted(&outcomes), 6, "L04: {:#?}", world.log());
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 0]);
    });
}

#[test]
fn a_right_code_among_guesses_is_granted_or_throttled_and_never_replayed() {
    Setup::new().config("[throttle]\nspacing = \"1h\"").host(|world| {
        for round in 0..4 {
            let (_, user) = user(world, &format!("u{round}"));
            let mark = world.log_mark();
            let wrong = vec![attempt(&user, &user.authenticator.wrong_code()); 4];
            let code = user.codes().next();
            let outcomes = race(world, [vec![attempt(&user, &code); 2], wrong].concat());
            assert!(granted(&outcomes) <= 1, "{:#?}", world.log());
            let seen = reasons(world, mark);
            assert!(seen.get("replayed").is_none_or(|replayed| granted(&outcomes) == 1 && *replayed == 1), "{seen:?}");
        }
    });
}

#[test]
fn a_prompt_left_open_holds_up_nobody() {
    Setup::new().host(|world| {
        let (account, user) = user(world, "alice");
        ForgedState::of(&account).wrong_codes(3).write(world);
        let mut codes = user.codes();
        let (now, next) = (codes.next(), codes.next());
        // Held at the second prompt, between the two looks at the throttle.
        let held = attempt(&user, &now).held().answer(&next).start(world);
        assert_eq!(attempt(&user, &now).answer(&next).run(world).code(), PamCode::Success);
        assert_eq!(held.release().code(), PamCode::AuthErr, "what was used meanwhile is used");
    });
}

#[test]
fn one_user_does_not_hold_up_another() {
    Setup::new().host(|world| {
        let (_, alice) = user(world, "alice");
        let (_, bob) = user(world, "bob");
        let lock =
            format!("exec 9<>{}; flock -x 9; echo locked; read line", twinlock_tests::state_of("alice").display());
        let mut holder = twinlock_tests::Launch::new(["sh", "-c", &lock]).start();
        holder.wait_for_output("locked");
        assert_eq!(attempt(&bob, &bob.codes().next()).run(world).code(), PamCode::Success);
        let mark = world.log_mark();
        let waited = attempt(&alice, &alice.codes().next()).run(world);
        assert_eq!(waited.code(), PamCode::AuthinfoUnavail, "after 3 seconds");
        let entries = world.entries_since(mark);
        assert!(
            entries.len() == 1
                && entries[0]
                    .detail
                    .as_deref()
                    .is_some_and(|detail| detail.contains("others held the lock for 3 seconds"))
        );
        holder.write(b"\n");
        holder.finish();
        assert_eq!(attempt(&alice, &alice.codes().next()).run(world).code(), PamCode::Success);
    });
}
