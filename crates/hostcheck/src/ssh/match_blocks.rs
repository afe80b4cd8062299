//! The `Match` blocks for the logins that policy exempts, so that a program with `BatchMode=yes` gets in with its key alone.
//!
//! The account guard still decides each login by the rules, and denies one that they do not exempt. So a block too many lets
//! nobody in: it changes only what a denied login looks like. Yet a block is made only where the rule says beyond doubt what
//! `Match` says, and no earlier rule can decide otherwise.
//!
//! sshd takes the first value that it finds, and the blocks come before everything else. So none is made where a `Match` of the
//! administrator's own says by which methods somebody logs in: it may ask for more than a key.

use std::fmt::Write as _;

use twinlock_core::policy::{Names, Policy, Rule, SecondFactor};

use super::EnableMode;
use crate::{
    HostError,
    pam_stack::Place,
    sshd::Files,
    trial::{self, ChangedService, TrialState, service::SSHD_DROP_IN},
};

/// What they begin with in the drop-in.
const HEADING: &str =
    "\n# Made from the rules of Twinlock by `twinlock ssh enable`: sshd asks these logins for a key alone.\n";

/// The blocks for a policy, to be put behind the drop-in of key + code; empty if no rule has one, and if the files of sshd
/// have methods for some logins already.
pub(crate) fn generate(policy: &Policy, files: &Files) -> String {
    if methods_for_some(files).is_some() {
        return String::new();
    }
    let mut blocks = String::new();
    let mut others: Vec<&Rule> = Vec::new();
    let applies = |rule: &&Rule| rule.services.as_ref().is_none_or(|services| services.contain("sshd"));
    for rule in policy.rules.iter().filter(applies) {
        match criteria(rule) {
            Some(criteria) if others.iter().all(|other| are_disjoint(other, rule)) => {
                // Writing to a String does not fail.
                let _ = writeln!(blocks, "Match{criteria}\n    AuthenticationMethods publickey");
            }
            Some(_) | None => others.push(rule),
        }
    }
    // With the last line, nothing that is added to the file later falls into the last block.
    if blocks.is_empty() { blocks } else { format!("{HEADING}{blocks}Match all\n") }
}

/// Where a `Match` that is not ours says by which methods somebody logs in.
pub(crate) fn methods_for_some(files: &Files) -> Option<&Place> {
    let ours = SSHD_DROP_IN.path();
    let methods = files.directives.iter().filter(|one| one.key == "authenticationmethods" && one.condition.is_some());
    methods.map(|one| &one.place).find(|place| place.file != ours)
}

/// The blocks in place, if `twinlock ssh enable` has made the drop-in for key + code.
pub(crate) fn in_place() -> Result<Option<String>, HostError> {
    let status = trial::status(ChangedService::Ssh)?;
    let is_enabled = matches!(status.state, TrialState::Trial | TrialState::On);
    if !is_enabled || status.mode != Some(EnableMode::KeyAndCode) {
        return Ok(None);
    }
    let Some(drop_in) = SSHD_DROP_IN.place().read()? else {
        return Ok(None);
    };
    let drop_in = String::from_utf8_lossy(&drop_in.content);
    let blocks = drop_in.find(HEADING).and_then(|start| drop_in.get(start..));
    Ok(Some(blocks.unwrap_or_default().to_owned()))
}

/// What `Match` says of the logins of a rule that exempts them; `None` if it cannot, or if the rule does not.
fn criteria(rule: &Rule) -> Option<String> {
    let of_sshd = rule.services.as_ref().is_none_or(|services| services.unwanted.is_empty());
    let others = (&rule.groups, &rule.key_types, rule.until, rule.remember);
    if rule.second_factor != SecondFactor::Skip || !of_sshd || others != (&None, &None, None, None) {
        return None;
    }
    let mut criteria = String::new();
    if let Some(users) = &rule.users {
        let users = plain(users).filter(|users| users.iter().all(|name| is_literal(name)))?;
        criteria = format!(" User {}", users.join(","));
    }
    if let Some(networks) = &rule.from {
        let networks: Vec<_> = networks.iter().map(ToString::to_string).collect();
        if networks.is_empty() {
            return None;
        }
        criteria = format!("{criteria} Address {}", networks.join(","));
    }
    (!criteria.is_empty()).then_some(criteria)
}

/// Whether both rules list users, and no user in common.
fn are_disjoint(one: &Rule, other: &Rule) -> bool {
    let users = |rule: &'_ Rule| rule.users.as_ref().and_then(plain).map(<[String]>::to_vec);
    match (users(one), users(other)) {
        (Some(one), Some(other)) => !one.iter().any(|name| other.contains(name)),
        (Some(_) | None, _) => false,
    }
}

/// The names, if there are some and none is negated.
fn plain(names: &Names) -> Option<&[String]> {
    (names.unwanted.is_empty() && !names.wanted.is_empty()).then_some(&names.wanted)
}

/// Whether a name is neither a pattern nor more than one word to sshd.
fn is_literal(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use twinlock_store::config::Config;

    use super::*;

    const DEPLOY: &str = "users = [\"deploy\"]\nfrom = [\"10.0.5.0/24\", \"fd00::1\"]\nsecond_factor = \"skip\"";
    const GIT: &str = "users = [\"git\", \"backup\"]\nservices = [\"sudo\", \"sshd\"]\nsecond_factor = \"skip\"";
    const OFFICE: &str = "from = [\"192.0.2.7\"]\nsecond_factor = \"skip\"";

    /// The conditions of the blocks for these rules.
    fn matches_of(rules: &[&str]) -> Vec<String> {
        let config = rules.iter().flat_map(|rule| ["[[rule]]\n", rule, "\n"]).collect::<String>();
        let made = generate(&Config::parse(config.as_bytes()).unwrap().policy, &Files::default());
        let mut conditions: Vec<_> = made.lines().filter_map(|line| line.strip_prefix("Match ")).collect();
        assert_eq!(conditions.pop(), (!made.is_empty()).then_some("all"), "{made}");
        assert_eq!(made.matches("\n    AuthenticationMethods publickey\n").count(), conditions.len(), "{made}");
        conditions.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_rule_that_exempts_users_or_networks_alone_has_a_block() {
        const OF_DEPLOY: &str = "User deploy Address 10.0.5.0/24,fd00::1/128";
        assert_eq!(matches_of(&[DEPLOY]), [OF_DEPLOY]);
        assert_eq!(matches_of(&[GIT]), ["User git,backup"]);
        assert_eq!(matches_of(&[OFFICE]), ["Address 192.0.2.7/32"]);
        assert_eq!(matches_of(&[DEPLOY, OFFICE, GIT]), [OF_DEPLOY, "Address 192.0.2.7/32", "User git,backup"]);
    }

    #[test]
    fn a_rule_that_says_anything_else_has_none() {
        for rule in [
            "second_factor = \"skip\"",
            "services = [\"sshd\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\"]\nsecond_factor = \"required\"",
            "users = [\"deploy\"]\nsecond_factor = \"enroll\"",
            "users = [\"deploy\"]\nservices = [\"sudo\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\"]\nservices = [\"!sudo\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\"]\ngroups = [\"robots\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\"]\nkey_types = [\"ssh-ed25519\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\"]\nuntil = 2199-01-31\nsecond_factor = \"skip\"",
            "users = [\"!deploy\"]\nsecond_factor = \"skip\"",
            "users = [\"deploy\", \"!git\"]\nsecond_factor = \"skip\"",
            "users = [\"de*\"]\nsecond_factor = \"skip\"",
            "users = [\"git\", \"de,ploy\"]\nsecond_factor = \"skip\"",
            "users = [\"de ploy\"]\nsecond_factor = \"skip\"",
        ] {
            assert_eq!(matches_of(&[rule]), [""; 0], "{rule}");
        }
    }

    #[test]
    fn an_earlier_rule_that_may_decide_otherwise_leaves_none() {
        for (earlier, expected) in [
            // It can decide for the same users.
            ("from = [\"10.0.5.9\"]\nsecond_factor = \"required\"", false),
            ("groups = [\"staff\"]\nsecond_factor = \"required\"", false),
            ("users = [\"deploy\"]\nfrom = [\"10.9.0.0/16\"]\nsecond_factor = \"required\"", false),
            ("users = [\"!alice\"]\nsecond_factor = \"required\"", false),
            ("users = [\"deploy\"]\nkey_types = [\"ssh-ed25519\"]\nsecond_factor = \"skip\"", false),
            // It cannot.
            ("users = [\"alice\"]\ngroups = [\"staff\"]\nsecond_factor = \"required\"", true),
            ("services = [\"sudo\"]\nsecond_factor = \"required\"", true),
        ] {
            let made = matches_of(&[earlier, DEPLOY]);
            assert_eq!(made.len(), usize::from(expected), "{earlier}: {made:?}");
            // What a rule without users would exempt, the earlier rule may decide for, unless it is of another service.
            let made = matches_of(&[earlier, OFFICE]);
            assert_eq!(made.len(), usize::from(earlier.starts_with("services")), "{earlier}: {made:?}");
        }
        // A rule that has no block because of an earlier one counts as an earlier one.
        let required = "users = [\"deploy\"]\nsecond_factor = \"required\"";
        assert_eq!(matches_of(&[required, OFFICE, GIT]), [""; 0]);
        assert_eq!(matches_of(&[GIT, required]), ["User git,backup"]);
    }
}
