//! Random histories of one user: whatever is tried and however the clock moves, nothing opens twice, nothing opens
//! unproven, and the owner gets back in.

use proptest::prelude::*;

use crate::given::{End, Host, NOON, RECOVERY};

#[derive(Debug, Clone)]
enum Move {
    /// The code of this many steps from now, once or with the next one.
    Code(i64),
    TwoCodes(i64),
    Wrong,
    WrongTwice,
    Recovery(usize),
    Wait(u64),
    SetBack(u64),
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => (-3i64..=3).prop_map(Move::Code),
        3 => (-3i64..=3).prop_map(Move::TwoCodes),
        4 => Just(Move::Wrong),
        3 => Just(Move::WrongTwice),
        1 => (0usize..2).prop_map(Move::Recovery),
        5 => (0u64..90).prop_map(Move::Wait),
        1 => (0u64..100_000).prop_map(Move::SetBack),
    ];
    proptest::collection::vec(one, 1..60)
}

proptest! {
    // A recovery code costs an Argon2 run; the histories are many all the same.
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_step_and_recovery_code_opens_at_most_once(history in moves()) {
        let host = Host::with_alice();
        let (mut highest, mut recovered, mut latest) = (0u64, [0; 2], NOON);
        for this in history {
            let step = |offset: i64| (host.seconds() / 30).saturating_add_signed(offset);
            let (outcome, used, in_window) = match this {
                Move::Code(offset) => (host.alice(&[&host.code(offset)]), step(offset), offset.abs() <= 1),
                Move::TwoCodes(offset) => {
                    let outcome = host.alice(&[&host.code(offset), &host.code(offset + 1)]);
                    // In normal mode the first is enough; in step-up both must be of the window.
                    (outcome, step(offset), offset.abs() <= 1)
                }
                Move::Wrong => (host.alice(&[&host.wrong_code()]), 0, false),
                Move::WrongTwice => (host.alice(&[&host.wrong_code(), &host.wrong_code()]), 0, false),
                Move::Recovery(which) => {
                    let outcome = host.alice(&[RECOVERY[which]]);
                    if let End::Granted(recovery_codes_left) = outcome {
                        recovered[which] += 1;
                        prop_assert_eq!(recovery_codes_left, Some(2 - recovered.iter().sum::<usize>()));
                        prop_assert_eq!(recovered[which], 1);
                    }
                    continue;
                }
                Move::Wait(seconds) => {
                    host.wait(seconds);
                    latest = latest.max(host.seconds());
                    continue;
                }
                Move::SetBack(seconds) => {
                    host.set_clock(host.seconds() - seconds);
                    continue;
                }
            };
            if matches!(outcome, End::Granted(_)) {
                prop_assert!(in_window);
                prop_assert!(used > highest || used + 1 > highest, "step {} after {}", used, highest);
                let record = host.store.record(&crate::given::subject("alice")).unwrap();
                prop_assert!(record.uses[0].last_step > highest);
                highest = record.uses[0].last_step;
            }
        }
        // When the clock is right again, the owner gets in with two codes, unless a hundred were wrong.
        host.set_clock(latest + 90);
        prop_assert_eq!(host.alice(&[&host.code(0), &host.code(1)]), End::Granted(None));
    }
}
