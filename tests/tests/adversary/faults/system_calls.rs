//! Every system call of an attempt, struck.

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use twinlock_tests::{Blow, Call, Faults, PamCode, Random, Share, is_long, sample_of_sweep, sweep_of, tally};

use crate::faults::attempts::on_a_host;
use crate::faults::invariants::slots_written;
use crate::faults::scenario::{Scenario, Worth, of};

const ERRORS: [Errno; 12] = [
    Errno::EIO,
    Errno::ENOSPC,
    Errno::EROFS,
    Errno::EDQUOT,
    Errno::EINTR,
    Errno::EAGAIN,
    Errno::ENOMEM,
    Errno::EMFILE,
    Errno::EPERM,
    Errno::EACCES,
    Errno::ENOSYS,
    Errno::ESTALE,
];
const SHARES: [Share; 3] = [Share::Nothing, Share::OneByte, Share::AllButOneByte];
/// What the log says of an answer that was looked at.
const JUDGED: [&str; 4] =
    ["reason=wrong-code", "reason=replayed", "reason=- user=alice method=totp", "reason=- user=alice method=recovery"];
/// Pairs of an error and a kill later on in the whole sweep of a scenario.
const PAIRS: usize = 650;

/// What can happen to the system call at this place.
fn blows(scenario: &Scenario, call: &Call) -> impl Iterator<Item = Blow> {
    let signals: &[_] = if is_long() {
        &[Signal::SIGKILL, Signal::SIGTERM, Signal::SIGALRM, Signal::SIGSTOP]
    } else {
        &[Signal::SIGKILL, Signal::SIGTERM]
    };
    // A list of accounts or groups that ends early is whole to libc, and so to everybody who asks it.
    let ours = scenario.service != "crew";
    let moves_bytes =
        ours && [libc::SYS_read, libc::SYS_pread64, libc::SYS_write, libc::SYS_pwrite64].contains(&call.number);
    let shares = SHARES.iter().filter(move |_| moves_bytes).map(|share| Blow::Short(*share));
    let errors = ERRORS.iter().map(|errno| Blow::Errno(*errno as i32));
    signals.iter().map(|signal| Blow::Signal(*signal as i32)).chain(errors).chain(shares)
}

/// Where a login can be granted, it is looked at whether it was on the disk before.
fn struck_by(scenario: &Scenario, blows: Vec<(usize, Blow)>) -> Faults {
    Faults { blows, traced: is_long() || scenario.worth == Worth::OneLogin, ..Faults::default() }
}

/// Strikes the scenario everywhere.
fn sweep(scenario: &Scenario) {
    on_a_host(|scene| {
        let whole = scene.strike(scenario, &Faults { traced: true, ..Faults::default() });
        assert_eq!(whole.code(), Some(scenario.normal), "{}: {whole:?}", scenario.name);
        let length = whole.calls.len();
        assert!(length >= scenario.floor, "{}: only {length} system calls", scenario.name);
        let judged = whole.log.iter().any(|line| JUDGED.iter().any(|words| line.contains(words)));
        assert!(!judged || slots_written(&whole.calls) >= 2, "I3: a charge, then the end: {whole:?}");
        let mut struck = 0;
        let calls = whole.calls.iter().enumerate();
        let all = calls.flat_map(|(at, call)| blows(scenario, call).map(move |blow| (at, blow)));
        for (at, blow) in sample_of_sweep(11, all) {
            let told = scene.strike(scenario, &struck_by(scenario, vec![(at, blow)]));
            assert_eq!(told.struck, 1, "{}: {blow:?} at {at} never fell", scenario.name);
            struck += 1;
        }
        let mut random = Random::new(0x2026_1124_0700_0003);
        let mut pairs = 0;
        let attempted = sweep_of(PAIRS);
        for _ in 0..attempted {
            let first = random.below(length - 1);
            let second = first + 1 + random.below(length - first - 1);
            let errno = ERRORS[random.below(ERRORS.len())] as i32;
            let blows = vec![(first, Blow::Errno(errno)), (second, Blow::Signal(Signal::SIGKILL as i32))];
            let told = scene.strike(scenario, &struck_by(scenario, blows));
            // An attempt may end early of an error, before the kill.
            assert!(told.struck >= 1);
            pairs += usize::from(told.struck == 2);
        }
        assert!(pairs * 4 >= attempted, "only {pairs} of {attempted} pairs fell");
        scene.assert_silent();
        tally("faults", "system calls struck", struck + u64::try_from(pairs).unwrap() * 2);
    });
}

#[test]
fn a_file_that_ends_too_early_is_not_taken_for_whole() {
    let scenario = of("right code");
    on_a_host(|scene| {
        let whole = scene.strike(&scenario, &Faults { traced: true, ..Faults::default() });
        // Configuration, the id of the store and credentials: read with one byte more than they have.
        let is_whole_file = |call: &Call| {
            call.number == libc::SYS_read
                && call.result.is_some_and(|read| read > 0 && read.cast_unsigned() + 1 == call.length)
        };
        let reads: Vec<_> = (0..whole.calls.len()).filter(|at| is_whole_file(&whole.calls[*at])).collect();
        assert_eq!(reads.len(), 3, "{whole:?}");
        for (at, reason) in reads.into_iter().zip(["reason=config", "granted", "reason=store"]) {
            let told = scene.strike(&scenario, &struck_by(&scenario, vec![(at, Blow::Short(Share::Nothing))]));
            // A mode that cannot be read hinders nobody whose credentials are in clear.
            let code = if reason == "granted" { PamCode::Success } else { PamCode::AuthinfoUnavail };
            assert_eq!(told.code(), Some(code), "{reason}: {told:?}");
            assert!(told.log[0].contains(reason), "{told:?}");
        }
    });
}

/// One test for every scenario, so that they run side by side.
macro_rules! sweeps {
    ($($test:ident: $name:literal,)*) => { $(
        #[test]
        fn $test() {
            sweep(&of($name));
        }
    )* };
}

sweeps! {
    a_right_code_opens_once_at_most: "right code",
    a_wrong_code_opens_nothing: "wrong code",
    a_used_code_opens_nothing: "used code",
    junk_opens_nothing: "junk",
    a_right_recovery_code_opens_once_at_most: "right recovery code",
    a_wrong_recovery_code_opens_nothing: "wrong recovery code",
    a_used_recovery_code_opens_nothing: "used recovery code",
    who_is_throttled_stays_throttled: "throttled",
    two_right_codes_open_once_at_most: "two right codes",
    a_first_attempt_leaves_nothing_in_the_way: "first attempt ever",
    a_torn_half_is_left_behind: "torn first half",
    a_login_to_be_remembered_opens_once_at_most: "remembering",
    a_remembered_login_opens_nothing_else: "remembered",
    who_is_enrolled_is_asked_where_it_is_optional: "enrolled where it is optional",
    who_is_asked_for_a_group_alone_is_asked: "asked for a group alone",
    who_is_not_enrolled_passes_where_it_is_optional_and_nobody_else: "not enrolled where it is optional",
    who_is_not_enrolled_passes_nowhere_else: "not enrolled where it is required",
}
