//! Rules that can never decide anything: what `twinlock check` says about them. A mistake in a rule is most often one
//! that makes it fit nobody.

use std::io;

use super::{Groups, Names, Policy, Rule};
use crate::{account::UserName, messages, time::UnixTime};

/// Tells which names exist on this host.
pub trait Hosts: Groups {
    /// The `pw_name` of the account that is found by a name, which may be spelled otherwise.
    ///
    /// # Errors
    /// The passwd database could not be asked.
    fn account_found_as(&self, name: &UserName) -> io::Result<Option<UserName>>;
}

/// How much a finding of `twinlock check` matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// A mistake on every host and every day.
    Error,
    /// It comes about without a mistake: a user leaves, a day passes, a host lacks a group of the others.
    Warning,
}

impl Grade {
    /// As JSON and messages spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem<'p> {
    pub rule: &'p Rule,
    pub grade: Grade,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

/// Everything that is wrong with the rules, in their order.
///
/// # Errors
/// A name of a rule could not be looked up.
pub fn review<'p>(policy: &'p Policy, now: UnixTime, hosts: &dyn Hosts) -> io::Result<Vec<RuleProblem<'p>>> {
    let mut flaws = Vec::new();
    for (index, rule) in policy.rules.iter().enumerate() {
        let mut say = |grade, problem: String, hint: &str| {
            flaws.push(RuleProblem { rule, grade, problem, hint: hint.to_owned() });
        };
        for problem in empty_conditions(rule) {
            say(Grade::Error, problem, messages::CONDITION_HINT);
        }
        if rule.until.is_some_and(|end| end <= now) {
            let (problem, hint) = messages::EXPIRED;
            say(Grade::Warning, problem.into(), hint);
        }
        if let Some(earlier) = policy.rules.iter().take(index).find(|earlier| covers(earlier, rule)) {
            say(Grade::Error, messages::never_reached(earlier.title()), messages::NEVER_REACHED_HINT);
        }
        for (named, unnamed, used_by) in second_names(rule) {
            if !policy.rules.iter().any(|other| is_same_but_for_services(other, rule) && does_name(other, unnamed)) {
                say(
                    Grade::Error,
                    messages::other_service(named, unnamed, used_by),
                    &messages::other_service_hint(&both(rule, named, unnamed)),
                );
            }
        }
        // What lets a login off by its key is passed over where no key is shown.
        let without_key = policy.most_lenient_after(index, |later| later.key_types.is_none());
        if rule.key_types.as_ref().is_some_and(|types| !types.is_empty()) && without_key < rule.second_factor {
            say(Grade::Error, messages::strict_without_key(rule.second_factor), messages::STRICT_WITHOUT_KEY_HINT);
        }
        for group in names(rule.groups.as_ref()) {
            if hosts.members(group)?.is_none() {
                say(Grade::Warning, messages::unknown_group(group), messages::UNKNOWN_GROUP_HINT);
            }
        }
        for user in names(rule.users.as_ref()) {
            let found = match UserName::parse(user.as_bytes()) {
                Ok(name) => hosts.account_found_as(&name)?,
                Err(_) => None,
            };
            match found {
                Some(called) if called.as_str() == user => {}
                Some(account) => {
                    say(Grade::Error, messages::misspelt_account(user, &account), messages::MISSPELT_ACCOUNT_HINT);
                }
                None => say(Grade::Warning, messages::unknown_account(user), messages::UNKNOWN_ACCOUNT_HINT),
            }
        }
    }
    Ok(flaws)
}

/// Programs with two PAM services, each with a command that uses it: the plain one, and that of a login shell.
const TWO_SERVICES: [[(&str, &str); 2]; 2] =
    [[("sudo", "sudo"), ("sudo-i", "sudo -i")], [("su", "su"), ("su-l", "su -")]];

/// Services of a program that a rule names, without the other one of that program: both, and what uses the latter.
fn second_names(rule: &Rule) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let pairs = TWO_SERVICES.iter().flat_map(|[one, two]| [(one.0, two.0, two.1), (two.0, one.0, one.1)]);
    pairs.filter(|(named, unnamed, _)| does_name(rule, named) && !does_name(rule, unnamed))
}

fn does_name(rule: &Rule, service: &str) -> bool {
    names(rule.services.as_ref()).any(|name| name == service)
}

fn is_same_but_for_services(one: &Rule, other: &Rule) -> bool {
    let conditions = |rule: &Rule| (rule.users.clone(), rule.groups.clone(), rule.until);
    conditions(one) == conditions(other) && one.from == other.from && one.key_types == other.key_types
}

/// Both names, as the rule would have them in its list.
fn both(rule: &Rule, named: &str, unnamed: &str) -> String {
    let is_unwanted = rule.services.as_ref().is_some_and(|services| services.unwanted.iter().any(|name| name == named));
    let not = if is_unwanted { "!" } else { "" };
    format!("\"{not}{named}\", \"{not}{unnamed}\"")
}

fn names(names: Option<&Names>) -> impl Iterator<Item = &str> {
    names.into_iter().flat_map(|names| names.wanted.iter().chain(&names.unwanted)).map(String::as_str)
}

/// The problem of each condition that nothing can meet.
fn empty_conditions(rule: &Rule) -> impl Iterator<Item = String> {
    let of_names = [("services", &rule.services), ("users", &rule.users), ("groups", &rule.groups)];
    let names = of_names.into_iter().filter_map(move |(condition, names)| {
        let names = names.as_ref().filter(|names| names.fit_nobody())?;
        let describe =
            if names.wanted.is_empty() { messages::empty_condition } else { messages::contradictory_condition };
        Some(describe(condition))
    });
    let from = rule.from.as_ref().filter(|from| from.is_empty()).map(|_| messages::empty_condition("from"));
    let key_types =
        rule.key_types.as_ref().filter(|types| types.is_empty()).map(|_| messages::empty_condition("key_types"));
    names.chain(from).chain(key_types)
}

/// Whether `earlier` surely fits every login that `later` fits. `false` where that cannot be seen from the rules alone.
fn covers(earlier: &Rule, later: &Rule) -> bool {
    fn wider<T>(earlier: Option<&T>, later: Option<&T>, covers: impl Fn(&T, &T) -> bool) -> bool {
        match (earlier, later) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(earlier), Some(later)) => covers(earlier, later),
        }
    }
    wider(earlier.services.as_ref(), later.services.as_ref(), covers_names)
        && wider(earlier.users.as_ref(), later.users.as_ref(), covers_names)
        && wider(earlier.groups.as_ref(), later.groups.as_ref(), covers_groups)
        && wider(earlier.from.as_ref(), later.from.as_ref(), |earlier, later| {
            later.iter().all(|net| earlier.iter().any(|wide| wide.covers(net)))
        })
        && wider(earlier.key_types.as_ref(), later.key_types.as_ref(), |earlier, later| {
            later.iter().all(|key_type| earlier.contains(key_type))
        })
        && wider(earlier.until.as_ref(), later.until.as_ref(), |earlier, later| earlier >= later)
}

/// For things that have one name.
fn covers_names(earlier: &Names, later: &Names) -> bool {
    if later.wanted.is_empty() {
        earlier.mean_everybody_else() && earlier.unwanted.iter().all(|name| later.unwanted.contains(name))
    } else {
        later.wanted.iter().filter(|name| !later.unwanted.contains(name)).all(|name| earlier.contain(name))
    }
}

/// For groups, of which somebody has many: being in one wanted group says nothing about the unwanted ones.
fn covers_groups(earlier: &Names, later: &Names) -> bool {
    let excludes_less = earlier.unwanted.iter().all(|name| later.unwanted.contains(name));
    let wants_as_much = !later.wanted.is_empty() && later.wanted.iter().all(|name| earlier.wanted.contains(name));
    excludes_less && (earlier.mean_everybody_else() || wants_as_much)
}
