//! `--enroll-until`: the rule by which users enrol at their next login until a last day. It is added behind the text of the
//! configuration, whose comments and order stay as they are.

use twinlock_core::{
    policy::{SecondFactor, review},
    ports::Clock as _,
    time::UnixTime,
};
use twinlock_store::{
    config::Config,
    host::{SystemClock, SystemGroups},
};

use crate::{
    HostError, messages,
    trial::{
        place::Version,
        plan::{diff, text},
        service::TWINLOCK_CONFIG,
    },
};

/// The configuration with the rule.
pub(super) struct RollOut {
    pub(super) before: Version,
    /// Its text; the same as before if it has the rule already.
    pub(super) after: String,
    pub(super) config: Config,
}

impl RollOut {
    /// Puts it together, and makes sure that the rule has an effect. `day` is the beginning of the last day.
    pub(super) fn until(day: UnixTime) -> Result<Self, HostError> {
        let path = TWINLOCK_CONFIG.path();
        let before = TWINLOCK_CONFIG.place().read()?.ok_or_else(|| messages::no_config(&path))?;
        let mut after = text(&before, &path)?.to_owned();
        let parse = |text: &str| Config::parse(text.as_bytes()).map_err(|error| messages::no_rule_added(&path, &error));
        let mut config = parse(&after)?;
        if !enrolls_until(&config, day) {
            let line_end = if after.is_empty() || after.ends_with('\n') { "" } else { "\n" };
            after = format!("{after}{line_end}{}", rule(day));
            config = parse(&after)?;
            let problems = review(&config.policy, SystemClock.now(), &SystemGroups)
                .map_err(|error| HostError::refused(messages::no_passwd_database(&error)))?;
            let added = config.policy.rules.last().map(|rule| rule.offset);
            if let Some(flaw) = problems.iter().find(|flaw| Some(flaw.rule.offset) == added) {
                return Err(messages::rule_without_effect(&day.day(), &flaw.problem, &flaw.hint));
            }
        }
        Ok(Self { before, after, config })
    }

    /// The difference, as `diff -u` shows it.
    pub(super) fn diff(&self) -> String {
        let path = TWINLOCK_CONFIG.path();
        diff(&String::from_utf8_lossy(&self.before.content), &self.after, &path, &path)
    }
}

/// Whether a rule of the configuration lets everybody enrol in a login by sshd until that day.
#[must_use]
pub fn enrolls_until(config: &Config, day: UnixTime) -> bool {
    config.policy.rules.iter().any(|rule| {
        let for_everybody = (&rule.users, &rule.groups, &rule.from, &rule.key_types) == (&None, &None, &None, &None);
        let for_sshd = rule.services.as_ref().is_none_or(|services| services.contain("sshd"));
        let until_then = rule.last_day() == Some(day.day());
        rule.second_factor == SecondFactor::Enroll && for_everybody && for_sshd && until_then
    })
}

fn rule(day: UnixTime) -> String {
    format!(
        "\n# Users who are not enrolled enrol at their next login. After the last day they are denied.\n\
         [[rule]]\nname = \"roll-out\"\nservices = [\"sshd\"]\nuntil = {}\nsecond_factor = \"enroll\"\n",
        day.day()
    )
}
