//! The host is left as it was.

use twinlock_tests::{Attempt, Operation, PamCode, STORE, Setup, Snapshot, User};

use crate::module::end::{granted, run};

const ALL: [Operation; 6] = [
    Operation::Authenticate,
    Operation::AcctMgmt,
    Operation::SetCred,
    Operation::OpenSession,
    Operation::CloseSession,
    Operation::DeleteCred,
];

/// Attempts of every kind, by name.
fn attempts(alice: &User<'_>) -> Vec<(&'static str, Attempt)> {
    let answered = |answer: &str| alice.attempt().answer(answer);
    let right = alice.codes().next();
    vec![
        ("right", answered(&right)),
        ("replayed", answered(&right)),
        ("wrong", answered(&alice.wrong_code())),
        ("junk", answered("hunter2")),
        ("no answer", alice.attempt()),
        ("recovery code", answered(alice.recovery_code(0))),
        ("unknown", Attempt::new("svc").user("zoe").answer("123456")),
    ]
}

#[test]
fn descriptors_ids_signals_limits_umask_and_environment_are_as_before() {
    Setup::new().enrolled(|alice| {
        for (what, attempt) in attempts(alice) {
            let outcome = attempt.operations(ALL).run(alice.world);
            assert_eq!(outcome.after, outcome.before, "I5: {what}");
        }
        std::fs::remove_dir_all(STORE).unwrap();
        let outcome = alice.attempt().answer("123456").operations(ALL).run(alice.world);
        assert_eq!((outcome.code(), &outcome.after), (PamCode::AuthinfoUnavail, &outcome.before), "no store");
    });
}

#[test]
fn files_are_never_open_under_the_numbers_of_the_standard_streams() {
    Setup::new().enrolled(|alice| {
        let trace = ["strace", "-f", "-o", "/run/trace", "-e", "trace=pread64,pwrite64,fdatasync,flock,read"];
        let (_, end) = run(alice.world, alice.attempt().closed_stdio().under(trace).answer(alice.codes().next()));
        assert_eq!(end, granted());
        let trace = std::fs::read_to_string("/run/trace").unwrap();
        let in_state = trace
            .lines()
            .filter(|line| ["pread64(", "pwrite64(", "fdatasync(", "flock("].iter().any(|call| line.contains(call)));
        let low = in_state.filter(|line| {
            ["(0", "(1", "(2"].iter().any(|low| line.contains(&format!("{low},")) || line.contains(&format!("{low})")))
        });
        assert_eq!(low.collect::<Vec<_>>(), Vec::<&str>::new());
    });
}

#[test]
fn a_login_grows_the_host_by_less_than_2_mib() {
    Setup::new().enrolled(|alice| {
        let (outcome, end) = run(alice.world, alice.attempt().answer(alice.codes().next()));
        assert_eq!(end, granted());
        assert!(outcome.grown_kib < 2048, "{} KiB", outcome.grown_kib);
    });
}

#[test]
fn a_host_that_is_not_root_is_denied_where_no_broker_runs() {
    if !twinlock_tests::is_root_in_earnest("an account of its own number") {
        return;
    }
    Setup::new().enrolled(|alice| {
        let store = Snapshot::of(STORE);
        let attempt = alice.attempt().as_account(&alice.account).answer(alice.codes().next());
        let (outcome, end) = run(alice.world, attempt);
        assert_eq!(end.code, PamCode::AuthinfoUnavail);
        assert!(
            end.log.contains("reason=store user=alice") && end.log.contains("the broker (twinlockd) is not running"),
            "{end:?}"
        );
        assert_eq!(outcome.prompts(), [""; 0]);
        assert_eq!(Snapshot::of(STORE), store);
    });
}
