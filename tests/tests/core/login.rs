//! Whole logins, told as stories: who is asked what, what it leads to, and what is remembered.

use std::time::Duration;

use twinlock_core::{
    audit::Reason,
    policy::{Network, SecondFactor},
    record::Record,
    throttle::Throttle,
    time::UnixTime,
};

use crate::given::{End, Host, NOON, RECOVERY, enrolment, id, subject};

const GRANTED: End = End::Granted(None);

const fn refused(reason: Reason) -> End {
    End::Refused(reason)
}

const fn recovered(left: usize) -> End {
    End::Granted(Some(left))
}

#[test]
fn a_code_opens_once() {
    let host = Host::with_alice();
    let code = host.code(0);
    assert_eq!(host.alice(&[&code]), GRANTED);
    assert_eq!(host.alice(&[&code]), refused(Reason::Replayed));
    assert_eq!(host.alice(&[&host.code(-1)]), refused(Reason::Replayed));
    assert_eq!(host.alice(&[&host.code(1)]), GRANTED);
}

#[test]
fn what_was_used_is_forgotten_only_once_the_new_enrolment_is_surely_there() {
    let host = Host::with_alice();
    assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
    let mut renamed = enrolment("alice");
    renamed.authenticators[0].id = id("phone2");
    // As by somebody who died before the sync.
    host.store.enrol(&subject("alice"), &renamed);
    for made_durable in [1, 1] {
        host.wait(30);
        assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
        assert_eq!(host.store.made_durable(), made_durable);
    }
}

#[test]
fn a_used_code_has_no_second_spelling() {
    let host = Host::with_alice();
    let code = host.code(0);
    assert_eq!(host.alice(&[&code]), GRANTED);
    let (head, tail) = code.split_at(3);
    for spelling in [format!(" {code}"), format!("{head} {tail}"), format!("{head}-{tail}\t")] {
        let host_outcome = host.alice(&[&spelling]);
        assert_eq!(host_outcome, refused(Reason::Replayed), "{spelling:?}");
        host.store.enrol(&subject("alice"), &enrolment("alice"));
        twinlock_service::admin::unlock(&host.store, &subject("alice"), UnixTime::from_seconds(NOON)).unwrap();
    }
    for junk in [format!("0{code}0"), format!("+{code}"), format!("{code}\n"), format!("{head}\u{a0}{tail}")] {
        assert!(matches!(host.alice(&[&junk]), End::Refused(Reason::Junk | Reason::WrongCode)), "{junk:?}");
    }
}

#[test]
fn junk_is_neither_verified_nor_charged() {
    let host = Host::with_alice();
    for answer in ["", "hunter2", "\u{8}\n\r\u{7f}INCORRECT", "12345", "１２３４５６"] {
        assert_eq!(host.alice(&[answer]), refused(Reason::Junk), "{answer:?}");
    }
    assert_eq!(host.store.record(&subject("alice")), None);
}

#[test]
fn a_recovery_code_opens_once_and_says_how_many_are_left() {
    let host = Host::with_alice();
    assert_eq!(host.alice(&[RECOVERY[0]]), recovered(1));
    assert_eq!(host.alice(&[&RECOVERY[0].to_lowercase()]), refused(Reason::Replayed));
    assert_eq!(host.alice(&[RECOVERY[1]]), recovered(0));
    assert_eq!(host.alice(&["ZZZZ-ZZZZ-ZZZZ-ZZZZ"]), refused(Reason::WrongCode));
}

#[test]
fn everybody_is_asked_the_same() {
    let host = Host::with_alice();
    for user in ["alice", "bob", "nobody-knows"] {
        assert_eq!(host.attempt(user, &["000000"]).1, ["Code: "], "{user}");
    }
    let outcome = |user| End::of(&host.attempt(user, &["000000"]).0);
    assert_eq!(outcome("bob"), refused(Reason::NotEnrolled));
    assert_eq!(outcome("nobody-knows"), refused(Reason::UnknownUser));
}

#[test]
fn only_policy_and_a_sound_store_let_anybody_pass_unasked() {
    let mut host = Host::with_alice();
    for (policy, user, asked, outcome) in [
        (SecondFactor::Required, "bob", 1, refused(Reason::NotEnrolled)),
        (SecondFactor::Optional, "bob", 0, End::NotAsked),
        (SecondFactor::Optional, "alice", 1, refused(Reason::WrongCode)),
        (SecondFactor::Optional, "nobody-knows", 1, refused(Reason::UnknownUser)),
        (SecondFactor::Skip, "alice", 0, End::NotAsked),
    ] {
        host.policy = policy;
        let (attempt, prompts) = host.attempt(user, &[&host.wrong_code()]);
        assert_eq!((prompts.len(), End::of(&attempt)), (asked, outcome), "{policy:?} {user}");
    }
    host.policy = SecondFactor::Optional;
    host.store.let_reads_fail(true);
    let (attempt, prompts) = host.attempt("bob", &["000000"]);
    assert_eq!((prompts.len(), End::of(&attempt)), (1, refused(Reason::Store)));
}

#[test]
fn after_three_wrong_codes_two_consecutive_ones_are_asked_for() {
    let host = Host::with_alice();
    host.wrong_codes(3);
    host.wait(10);
    let (attempt, prompts) = host.attempt("alice", &[&host.code(0), &host.code(1)]);
    assert_eq!(
        (End::of(&attempt), prompts),
        (GRANTED, vec!["Code: ".to_owned(), "Wait for the next code and enter it: ".to_owned()])
    );
    host.wait(60);
    assert_eq!(host.attempt("alice", &[&host.code(0)]).1.len(), 1);
}

#[test]
fn the_owner_who_waits_for_the_next_code_gets_in() {
    let mut host = Host::with_alice();
    host.wrong_codes(3);
    host.wait(10);
    host.seconds_an_answer = 30;
    assert_eq!(host.alice(&[&host.code(1), &host.code(2)]), GRANTED);
}

#[test]
fn in_step_up_one_right_code_is_worth_nothing() {
    for (second, reason) in [("wrong", Reason::StepUp), ("same", Reason::StepUp), ("junk", Reason::Junk)] {
        let host = Host::with_alice();
        host.wrong_codes(3);
        host.wait(10);
        let first = host.code(0);
        let second = match second {
            "wrong" => host.wrong_code(),
            "same" => first.clone(),
            _ => "hunter2".into(),
        };
        assert_eq!(host.alice(&[&first, &second]), refused(reason), "{second}");
    }
}

#[test]
fn asking_for_the_second_code_charges_nothing() {
    let host = Host::with_alice();
    host.wrong_codes(3);
    host.wait(10);
    let before = host.store.record(&subject("alice"));
    assert_eq!(host.alice(&[&host.wrong_code()]), End::NoAnswer(19));
    assert_eq!(host.store.record(&subject("alice")), before);
}

#[test]
fn too_early_is_refused_unseen_and_uncharged() {
    let host = Host::with_alice();
    host.wrong_codes(3);
    let before = host.store.record(&subject("alice"));
    for (wait, left) in [(0, 10), (4, 6), (5, 1)] {
        host.wait(wait);
        assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), End::TooSoon(Duration::from_secs(left)));
    }
    assert_eq!(host.store.record(&subject("alice")), before);
    host.wait(1);
    assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), GRANTED);
}

#[test]
fn a_recovery_code_is_one_answer_in_step_up() {
    let host = Host::with_alice();
    host.wrong_codes(3);
    host.wait(10);
    let (attempt, prompts) = host.attempt("alice", &[RECOVERY[0]]);
    assert_eq!((End::of(&attempt), prompts.len()), (recovered(1), 1));
}

#[test]
fn a_recovery_code_may_be_the_second_answer() {
    let host = Host::with_alice();
    host.wrong_codes(3);
    host.wait(10);
    assert_eq!(host.alice(&[&host.wrong_code(), RECOVERY[0]]), recovered(1));
}

#[test]
fn a_hundred_wrong_codes_disable_and_recovery_codes_still_open() {
    let host = Host::with_alice();
    host.wrong_codes(100);
    host.wait(3600);
    let (attempt, prompts) = host.attempt("alice", &[&host.code(0), &host.code(1)]);
    assert_eq!((End::of(&attempt), prompts.len()), (refused(Reason::Disabled), 1));
    assert_eq!(host.alice(&[RECOVERY[0]]), recovered(1));
    assert_eq!(host.alice(&[&host.code(0)]), refused(Reason::Disabled));
    twinlock_service::admin::unlock(&host.store, &subject("alice"), UnixTime::from_seconds(NOON)).unwrap();
    assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
}

#[test]
fn the_budget_makes_patient_guessing_ask_for_two_codes() {
    let host = Host::with_alice();
    for _ in 0..15 {
        host.wrong_codes(2);
        host.wait(60);
        assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), GRANTED);
    }
    host.wait(60);
    assert_eq!(host.attempt("alice", &[&host.code(0), &host.code(1)]).1.len(), 2);
    host.wait(86_400);
    assert_eq!(host.attempt("alice", &[&host.code(0)]).1.len(), 1);
}

#[test]
fn a_clock_set_back_opens_nothing_and_locks_nobody_out() {
    let host = Host::with_alice();
    let code = host.code(0);
    assert_eq!(host.alice(&[&code]), GRANTED);
    host.wait(600);
    assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
    host.set_clock(NOON);
    assert_eq!(host.alice(&[&code]), refused(Reason::Replayed));
    assert_eq!(host.alice(&[RECOVERY[0]]), recovered(1));
}

#[test]
fn wrong_codes_at_a_clock_set_far_ahead_do_not_bar_the_owner_afterwards() {
    let host = Host::with_alice();
    host.set_clock(NOON + 365 * 86_400);
    host.wrong_codes(3);
    host.set_clock(NOON);
    assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), End::TooSoon(Duration::from_secs(10)));
    host.wait(10);
    assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), GRANTED);
}

#[test]
fn what_cannot_be_recorded_is_not_granted() {
    let host = Host::with_alice();
    host.wrong_codes(1);
    let before = host.store.record(&subject("alice"));
    host.store.let_writes_fail(true);
    for answer in [host.code(0), RECOVERY[0].to_owned(), host.wrong_code()] {
        assert_eq!(host.alice(&[&answer]), refused(Reason::Store));
    }
    host.store.let_writes_fail(false);
    assert_eq!(host.store.record(&subject("alice")), before);
    assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
}

#[test]
fn credentials_of_another_uid_are_refused() {
    let host = Host::with_alice();
    let other = twinlock_core::credentials::Enrolment { uid: Some(7), ..enrolment("alice") };
    host.store.enrol(&subject("alice"), &other);
    assert_eq!(host.alice(&[&host.code(0)]), refused(Reason::Store));
}

#[test]
fn no_answer_charges_nothing() {
    let host = Host::with_alice();
    assert_eq!(host.alice(&[]), End::NoAnswer(19));
    assert_eq!(host.store.record(&subject("alice")), None);
}

#[test]
fn the_first_login_after_deployment_makes_the_record() {
    let host = Host::with_alice();
    assert_eq!(host.store.record(&subject("alice")), None);
    assert_eq!(host.alice(&[&host.code(0)]), GRANTED);
    let record = host.store.record(&subject("alice")).unwrap();
    assert_eq!((record.uses.len(), record.throttle), (1, Throttle::default()));
}

fn network(text: &str) -> Network {
    Network::parse(text).unwrap()
}

#[test]
fn a_login_from_no_network_leaves_home_where_it_is() {
    let mut host = Host::with_alice();
    let home = |host: &Host| host.store.record(&subject("alice")).unwrap().throttle.home;
    assert_eq!((host.alice(&[&host.code(-1)]), home(&host)), (GRANTED, None));
    host.network = Some(network("198.51.100.7"));
    assert_eq!((host.alice(&[&host.code(0)]), home(&host)), (GRANTED, host.network));
    host.network = None;
    assert_eq!((host.alice(&[RECOVERY[0]]), home(&host)), (recovered(1), Some(network("198.51.100.7"))));
}

#[test]
fn a_refusal_makes_no_network_home() {
    let mut host = Host::with_alice();
    host.network = Some(network("198.51.100.7"));
    host.wrong_codes(4);
    assert_eq!(host.store.record(&subject("alice")).unwrap().throttle.home, None);
}

#[test]
fn in_step_up_home_is_let_in_though_others_failed_in_between() {
    let mut host = Host::with_alice();
    host.network = Some(network("198.51.100.7"));
    assert_eq!(host.alice(&[&host.code(-1)]), GRANTED);
    host.network = Some(network("203.0.113.9"));
    host.wrong_codes(4);
    let codes = [host.code(0), host.code(1)];
    let codes = codes.each_ref().map(String::as_str);
    assert!(matches!(host.alice(&codes), End::TooSoon(_)));
    host.network = Some(network("198.51.100.7"));
    assert_eq!(host.alice(&codes), GRANTED);
}

#[test]
fn a_network_is_told_its_own_wait() {
    let mut host = Host::with_alice();
    host.network = Some(network("203.0.113.9"));
    // Three that are free, and two.
    host.wrong_codes(5);
    host.wait(3);
    let wrong = host.wrong_code();
    assert_eq!(host.alice(&[&wrong, &wrong]), End::TooSoon(Duration::from_secs(17)));
    host.network = Some(network("203.0.113.10"));
    assert_eq!(host.alice(&[&wrong, &wrong]), End::TooSoon(Duration::from_secs(7)));
}

#[test]
fn the_line_of_the_log_has_the_failures_as_they_stand() {
    let host = Host::with_alice();
    let failures = |answers: &[&str]| host.attempt("alice", answers).0.audit.failures;
    let wrong = host.wrong_code();
    assert_eq!((failures(&[&wrong]), failures(&[&wrong]), failures(&[&host.code(0)])), (Some(1), Some(2), Some(0)));
}

#[test]
fn the_record_of_a_user_without_credentials_is_left_alone() {
    let host = Host::with_alice();
    host.wrong_codes(1);
    let before: Option<Record> = host.store.record(&subject("alice"));
    twinlock_store::ports::WriteCredentials::remove(&host.store, &subject("alice")).unwrap();
    assert_eq!(host.alice(&[&host.code(0)]), refused(Reason::Store));
    assert_eq!(host.store.record(&subject("alice")), before);
}
