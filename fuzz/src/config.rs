//! The administrator's settings.

use std::time::Duration;

use twinlock_core::policy::SecondFactor;
use twinlock_store::config::Config;

/// What is taken is in its ranges and lets nobody pass without a word for it; what is not has a place. Without its comments it
/// says the same.
#[must_use]
pub fn check(text: &[u8]) -> bool {
    let config = Config::parse(text);
    assert_eq!(Config::parse_without_places(text).map(forget_places), config.clone().map(forget_places));
    match config {
        Ok(config) => {
            sound(&config);
            if !says_that_some_may_pass(text) {
                let all = config.policy.rules.iter().map(|rule| rule.second_factor);
                let lenient = all.chain([config.policy.otherwise]).min();
                assert!(lenient >= Some(SecondFactor::Enroll));
            }
            true
        }
        Err(bad) => {
            assert!(bad.line >= 1 && bad.column >= 1);
            assert!(bad.line <= text.split(|byte| *byte == b'\n').count());
            let picture = bad.picture().unwrap();
            assert!(!format!("{bad}{picture}").contains(|c: char| c.is_control() && c != '\n'), "{bad}");
            let (kind, unquoted) = (bad.kind.to_string(), bad.without_quotes());
            assert!(unquoted.picture().is_none() && unquoted.message.starts_with(&kind), "{unquoted}");
            false
        }
    }
}

fn forget_places(mut config: Config) -> Config {
    config.policy.rules.iter_mut().for_each(|rule| rule.offset = 0);
    config
}

fn sound(config: &Config) {
    let limits = config.limits();
    assert!((1..=10).contains(&limits.free_failures) && (1..=1000).contains(&limits.budget));
    assert!((11..=100).contains(&limits.disable_after));
    assert!((Duration::from_secs(1)..=Duration::from_hours(1)).contains(&limits.spacing));
    assert!(config.fail_delay <= Duration::from_secs(10) && config.store.directory.is_absolute());
    let shown = [&config.prompt, &config.issuer, &config.help];
    assert!(!shown.iter().any(|text| text.contains(char::is_control)));
}

/// The two words, and the character that other spellings of them need.
fn says_that_some_may_pass(text: &[u8]) -> bool {
    let says = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
    says(b"skip") || says(b"optional") || says(b"\\")
}
