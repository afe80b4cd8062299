//! Many people on the same morning (the bench has a hundred), and what the broker keeps of the host's memory.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use twinlock_tests::{PamCode, is_long, one_after_another};

use crate::injection::{later_code, wait_until_idle, with_host};
use crate::person::{Given, Talk, enroll};

/// In a long run, and otherwise.
const TOGETHER: [usize; 2] = [40, 10];
/// As the command has: their recovery codes are hashed two at a time.
const PATIENCE: Duration = Duration::from_mins(3);
/// What an idle broker may hold in RAM.
const IDLE_KIB: u64 = 4 * 1024;

#[test]
fn an_idle_broker_is_small() {
    with_host("", |host| {
        let broker = host.world.broker();
        wait_until_idle(&broker);
        let idle = broker.resident_kib();
        assert!(idle < IDLE_KIB, "{idle} KiB");
    });
}

#[test]
fn many_users_enrol_at_once() {
    let together = TOGETHER[usize::from(!is_long())];
    with_host("", |host| {
        let accounts: Vec<_> = (0..together).map(|number| host.world.account(&format!("user{number:03}"))).collect();
        let broker = host.world.broker();
        let callers: Vec<_> = accounts.iter().map(|account| host.world.caller(account.uid)).collect();
        let start = Barrier::new(together);
        let apps: Vec<_> = thread::scope(|scope| {
            let one = |caller| {
                let start = &start;
                scope.spawn(move || {
                    let caller: &twinlock_tests::Caller = caller;
                    start.wait();
                    let mut talk = Talk::begin(caller.connect().patient(PATIENCE), &enroll("first"), Given::password());
                    let end = talk.finish();
                    assert!(end.is_done(), "{}: {end:?}", caller.uid());
                    talk.app.unwrap()
                })
            };
            let threads: Vec<_> = callers.iter().map(one).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        wait_until_idle(&broker);
        host.assert_sound("many at once");
        let logins = accounts
            .iter()
            .zip(&apps)
            .map(|(account, app)| twinlock_tests::Attempt::new("svc").user(&account.name).answer(later_code(app)));
        let outcomes = one_after_another(host.world, logins);
        assert!(outcomes.iter().all(|outcome| outcome.code() == PamCode::Success));
        // Threads and buffers of all of them are given back.
        let after = broker.resident_kib();
        assert!(after < 4 * IDLE_KIB, "{after} KiB");
        assert_eq!(broker.stop().code, Some(0));
    });
}
