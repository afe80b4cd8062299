//! The clock, and time going on.

use twinlock_tests::{CONFIG, PamCode, one_after_another, tally};

use crate::contender::{Contender, granted};
use crate::row::Finding;
use crate::tools::{at, middle_of_a_step};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

pub(super) fn stale_codes_stay_stale(contender: Contender) -> Finding {
    const ROW: u64 = 4;
    contender.scene(|scene| {
        let now = middle_of_a_step();
        for (ago, shift) in [("ago", -2 * HOUR.cast_signed()), ("ahead", 2 * HOUR.cast_signed())] {
            scene.reset();
            for number in 0..ROW {
                let time = now + 30 * number;
                if scene.answer_at(time, &scene.code_at(time.strict_add_signed(shift))) == PamCode::Success {
                    let how = match contender {
                        Contender::GoogleAuthenticator => "; `noskewadj` switches it off",
                        Contender::Twinlock | Contender::Oath => "",
                    };
                    return Finding::Broken(format!("code {} of a row from two hours {ago} accepted{how}", number + 1));
                }
            }
        }
        Finding::Holds("codes from two hours ago and ahead: denied".into())
    })
}

pub(super) fn a_clock_set_back_forgets_no_guess(contender: Contender) -> Finding {
    if contender == Contender::Oath {
        return Finding::Unfit("no count of guesses: see O03");
    }
    contender.scene(|scene| {
        let now = middle_of_a_step();
        let jumps = [("a minute", 60), ("an hour", HOUR), ("a year", 365 * DAY), ("1970", now - 30)];
        let forgot = jumps.into_iter().filter(|(_, back)| {
            scene.reset();
            let guesses = vec![at(scene.attempt(), now).answer(scene.app.wrong_code()); 3];
            assert_eq!(granted(&one_after_another(scene.world, guesses)), 0);
            assert_ne!(scene.answer_at(now, &scene.code_at(now)), PamCode::Success, "the throttle is exhausted");
            scene.answer_at(now - back, &scene.code_at(now - back)) == PamCode::Success
        });
        let forgot: Vec<_> = forgot.map(|(name, _)| name).collect();
        Finding::of(
            forgot.is_empty(),
            if forgot.is_empty() {
                "throttled after going back a minute, hour, year, and to 1970".into()
            } else {
                format!("not throttled after going back {}", forgot.join(", "))
            },
        )
    })
}

pub(super) fn a_clock_set_back_brings_no_code_back(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let now = middle_of_a_step();
        let code = scene.code_at(now);
        assert_eq!(scene.answer_at(now, &code), PamCode::Success);
        assert_eq!(scene.answer_at(now + 600, &scene.code_at(now + 600)), PamCode::Success);
        let again = scene.answer_at(now, &code) == PamCode::Success;
        Finding::of(!again, if again { "used code accepted" } else { "used code denied" })
    })
}

pub(super) fn used_codes_stay_used_login_after_login(contender: Contender) -> Finding {
    const LOGINS: u64 = 25;
    contender.scene(|scene| {
        match contender {
            // So that what is seen is the list of used codes, and not the throttle.
            Contender::Twinlock => scene.world.write(CONFIG, "[throttle]\nbudget = 1000\n"),
            Contender::GoogleAuthenticator => scene.change_state("RATE_LIMIT 3 30", "RATE_LIMIT 9 30"),
            Contender::Oath => {}
        }
        let start = middle_of_a_step();
        let (mut logins, mut given, mut replays) = (0, 0, 0);
        for number in 0..LOGINS {
            let time = start + 30 * number;
            // The correct code, and then it and the one before it, which the window still has.
            let before = if number == 0 { time } else { time - 30 };
            let answers = [time, time, before].map(|time| scene.code_at(time));
            let ends = one_after_another(scene.world, answers.map(|answer| at(scene.attempt(), time).answer(answer)));
            logins += granted(&ends[..1]);
            given += ends.len() - 1;
            replays += granted(&ends[1..]);
        }
        tally("security", "used codes given again", given as u64);
        assert_eq!(logins as u64, LOGINS, "{}", contender.name());
        Finding::of(replays == 0, format!("{LOGINS} logins: {replays} of {given} used codes accepted"))
    })
}
