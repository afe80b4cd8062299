//! What holds after every attempt, whatever struck it (SECURITY section 3.2).

use std::fs;
use std::slice::from_ref;

use nix::libc;
use twinlock_tests::{Attempt, Blow, Call, End, Faults, LogEntry, PamCode, SLOT, State, Told, state_of};

use crate::faults::attempts::{Given, RECOVERY, Scene, attempt, attempt_of};
use crate::faults::scenario::{Afterwards, Scenario, Worth};

/// What the log says of a panic.
const BUG: &str = "a bug in pam_twinlock.so";

impl Scene<'_> {
    /// Strikes one attempt of the scenario, and checks all that must hold then and for the attempts that follow.
    pub(crate) fn strike(&self, scenario: &Scenario, faults: &Faults) -> Told {
        self.strike_as(scenario, faults, |attempt| attempt)
    }

    /// The same with something else about the attempt.
    pub(crate) fn strike_as(
        &self,
        scenario: &Scenario,
        faults: &Faults,
        change: impl FnOnce(Attempt) -> Attempt,
    ) -> Told {
        let state = (scenario.state)(self);
        self.put(state.as_deref());
        let given = self.given();
        let failures = failures();
        let told = self.run(&[change(attempt_of(scenario, &given))], faults.clone());
        let context = format!("{} {:?}: {:?} {:#?}", scenario.name, faults, told.end, told.log);
        check_end(scenario, &given, faults, &told, &context);
        check_charge(scenario, &told, failures, &context);
        match scenario.afterwards {
            Afterwards::Open => self.check_open(scenario, &given, told.code(), &context),
            Afterwards::TwoCodes => self.check_two_codes(&given, told.code(), &context),
            Afterwards::Throttled => {
                assert_eq!(fs::read(state_of("alice")).ok(), state, "nothing was looked at: {context}");
                let ends = self.ends(&[from_ref(&given.code)], &context);
                assert_eq!((ends[0].0, ends[0].1.as_str()), (PamCode::AuthErr, "throttled"), "I4: {context}");
            }
            Afterwards::NotEnrolled => {
                let again = self.run(&[attempt_of(scenario, &given)], Faults::default());
                assert_eq!(again.code(), Some(scenario.normal), "{context}");
            }
        }
        self.assert_tidy(&context);
        told
    }

    /// Attempts of alice without faults, one after another, end so and say so: the code of each, its reason in the log (`-`
    /// where it was granted) and the failures that it counts.
    fn ends(&self, answers: &[&[String]], context: &str) -> Vec<(PamCode, String, String)> {
        let attempts: Vec<_> = answers.iter().map(|answers| attempt("svc", "alice", answers)).collect();
        let told = self.run(&attempts, Faults::default());
        let End::Returned(codes) = &told.end else { panic!("{told:?} after {context}") };
        let lines = told.lines();
        assert_eq!((codes.len(), lines.len()), (attempts.len(), attempts.len()), "I7: {told:?} after {context}");
        assert_eq!(told.changed, None, "I5, after {context}");
        let entries = lines.iter().map(|line| LogEntry::parse(line).unwrap());
        let ends = codes.iter().zip(entries);
        ends.map(|(code, entry)| (*code, entry.value("reason").to_owned(), entry.value("failures").to_owned()))
            .collect()
    }

    fn check_open(&self, scenario: &Scenario, given: &Given, ended: Option<PamCode>, context: &str) {
        let before = failures();
        let (wrong, next) = ([given.wrong.clone()], [given.next.clone()]);
        let same = if scenario.worth == Worth::OneLogin { (scenario.answers)(given) } else { Vec::new() };
        let mut answers: Vec<&[String]> = vec![&wrong, &next, &next];
        if !same.is_empty() {
            answers.splice(1..1, [same.as_slice(), same.as_slice()]);
        }
        let mut ends = self.ends(&answers, context);
        let charged = (PamCode::AuthErr, "wrong-code".to_owned(), (before + 1).to_string());
        assert_eq!(ends.remove(0), charged, "I3: the wrong answer after {context}");
        if !same.is_empty() {
            let opened = |code: &PamCode| usize::from(*code == PamCode::Success);
            let mut successes = ended.as_ref().map_or(0, opened);
            for (code, reason, _) in ends.drain(..2) {
                assert!(code == PamCode::Success || reason == "replayed", "I4: {code:?} {reason} after {context}");
                successes += opened(&code);
            }
            assert!(successes <= 1, "I2: {context}");
        }
        let next: Vec<_> = ends.into_iter().map(|(code, reason, _)| (code, reason)).collect();
        let expected = [(PamCode::Success, "-".to_owned()), (PamCode::AuthErr, "replayed".to_owned())];
        assert_eq!(next, expected, "I4: a new code, twice, after {context}");
    }

    fn check_two_codes(&self, given: &Given, ended: Option<PamCode>, context: &str) {
        let both = [given.code.clone(), given.next.clone()];
        let failures = failures();
        let ends = self.ends(&[&both, &both], context);
        let ends: Vec<_> = ends.iter().map(|(code, reason, _)| (*code, reason.as_str())).collect();
        let refused = |reason| (PamCode::AuthErr, reason);
        match failures {
            // It was accepted, whether that was told or not. Of one code more than is needed, the first one is looked at.
            0 => assert_eq!(ends, [refused("replayed"), refused("replayed")], "I2: {context}"),
            // It was not looked at, or it was and is waited for.
            10 => assert_eq!(ends, [(PamCode::Success, "-"), refused("replayed")], "I4: {context}"),
            11 => assert_eq!(ends, [refused("throttled"), refused("throttled")], "I4: {context}"),
            other => panic!("{other} failures: {context}"),
        }
        assert!(failures == 0 || ended != Some(PamCode::Success), "I2: {context}");
    }
}

/// What the struck attempt itself returned, logged and left.
fn check_end(scenario: &Scenario, given: &Given, faults: &Faults, told: &Told, context: &str) {
    match &told.end {
        End::Left(_) => {
            let meant = faults.blows.iter().any(|(_, blow)| *blow == Blow::Signal(libc::SIGALRM));
            assert!(meant, "the host left: {context}");
        }
        End::Killed(signal) => {
            let meant = faults.blows.iter().any(|(_, blow)| *blow == Blow::Signal(*signal));
            let out_of_memory = told.refused_memory && *signal == libc::SIGABRT;
            assert!(meant || out_of_memory, "the host was killed: {context}");
        }
        End::Returned(_) => {
            let code = told.code().unwrap();
            let passes = [PamCode::Success, PamCode::CredUnavail, PamCode::Ignore].contains(&code);
            assert!(code == scenario.normal || !passes, "I1: {context}");
            if scenario.worth == Worth::OneLogin {
                assert_ne!(code, PamCode::AuthErr, "a right answer is not called wrong: {context}");
                let durable = told.calls.is_empty() || is_durable(&told.calls);
                assert!(code != PamCode::Success || durable, "granted before it was on the disk: {context}");
            }
            if !lets_libraries_keep_a_descriptor(faults, told) {
                assert_eq!(told.changed, None, "I5: {context}");
            }
        }
    }
    let lines = told.lines();
    let entries: Vec<_> = lines.iter().filter(|line| line.text.contains("result=")).collect();
    assert!(entries.len() <= 1, "I7: {context}");
    if matches!(told.end, End::Returned(_))
        && scenario.normal != PamCode::CredUnavail
        && !log_was_struck(faults, told)
        && !log_had_no_memory(told)
    {
        assert_eq!(entries.len(), 1, "I7: {context}");
    }
    for line in entries {
        let entry = LogEntry::parse(line).unwrap_or_else(|error| panic!("I7: {error}: {context}"));
        assert!(!entry.text.contains(BUG), "{context}");
    }
    let secrets = [&given.code, &given.next, RECOVERY[0].0];
    assert!(!lines.iter().any(|line| secrets.iter().any(|secret| line.text.contains(*secret))), "I6: {context}");
}

/// I3: every result that was seen was counted, and nothing is counted twice.
fn check_charge(scenario: &Scenario, told: &Told, before: u64, context: &str) {
    let after = failures();
    match told.code() {
        Some(PamCode::Success) if scenario.worth == Worth::OneLogin => assert_eq!(after, 0, "{context}"),
        // Judged; not what was no code at all, came too early, or is nobody's.
        Some(PamCode::AuthErr) if told.log.iter().any(|line| line.contains("wrong-code")) => {
            assert_eq!(after, before + 1, "I3: {context}");
        }
        // A used code is not counted, a used recovery code is.
        Some(PamCode::AuthErr) if told.log.iter().any(|line| line.contains("replayed")) => {
            let charged = u64::from(told.log.iter().any(|line| line.contains("method=recovery")));
            assert_eq!(after, before + charged, "I3: {context}");
        }
        Some(PamCode::AuthErr | PamCode::Success | PamCode::CredUnavail) if scenario.worth != Worth::OneLogin => {
            assert!(after == before || after == before + 1, "{context}");
        }
        _ => {
            let accepted = scenario.worth == Worth::OneLogin && after == 0;
            assert!(accepted || after == before || after == before + 1, "{context}");
        }
    }
}

/// Wrong answers in a row on alice's record; none where there is no record yet.
fn failures() -> u64 {
    if fs::exists(state_of("alice")).unwrap() { State::of("alice").charges()[0] } else { 0 }
}

/// How many slots were written.
pub(crate) fn slots_written(calls: &[Call]) -> usize {
    calls.iter().filter(|call| writes_slot(call)).count()
}

/// A slot and not a mark, be it a byte short.
fn writes_slot(call: &Call) -> bool {
    call.number == libc::SYS_pwrite64 && call.length > SLOT as u64 / 2
}

/// Whether the last slot that was written was synced with success before the attempt ended.
fn is_durable(calls: &[Call]) -> bool {
    let written = calls.iter().rposition(writes_slot);
    let synced = calls.iter().rposition(|call| call.number == libc::SYS_fdatasync && call.result == Some(0));
    written.is_some() && synced > written
}

/// Whether a blow hit one of these system calls.
fn struck(faults: &Faults, told: &Told, numbers: &[i64]) -> bool {
    faults.blows.iter().any(|(at, _)| told.calls.get(*at).is_some_and(|call| numbers.contains(&call.number)))
}

/// libc opens a new socket to syslog where the old one fails. Where the kernel has no randomness to give, the crate that
/// asks for it opens `/dev/urandom`, and keeps it.
fn lets_libraries_keep_a_descriptor(faults: &Faults, told: &Told) -> bool {
    struck(faults, told, &[libc::SYS_sendto, libc::SYS_getrandom])
}

/// Whether a blow hit what the line of the log is sent by. geteuid(2) never fails; if it did, the module would think
/// itself not root, and leave the log to the broker.
fn log_was_struck(faults: &Faults, told: &Told) -> bool {
    struck(faults, told, &[libc::SYS_sendto, libc::SYS_connect, libc::SYS_socket, libc::SYS_geteuid])
}

/// Whether libpam had none to make the line of the log, or to begin with the stack; it says so itself.
fn log_had_no_memory(told: &Told) -> bool {
    const SAID: [&str; 2] = ["printf: Cannot allocate memory", "_pam_dispatch_aux: no memory"];
    told.refused_memory && told.log.iter().any(|line| SAID.iter().any(|said| line.contains(said)))
}
