//! Accounts: who would not get in, and who could not get back in.

use twinlock_core::policy::SecondFactor;

use super::Symptom;
use crate::{
    doctor::{
        finding::Severity::{self, Hint, Lockout, Warning},
        host::{HeldFactors, HostFacts, Person},
    },
    messages,
    sshd::{KEYBOARD, Settings},
};

/// The names of some people; `None` if there are none.
fn names<'p>(people: impl Iterator<Item = &'p Person>) -> Option<Vec<String>> {
    let names: Vec<_> = people.map(|person| person.name.to_string()).collect();
    (!names.is_empty()).then_some(names)
}

/// Accounts that sshd would let in by their first factor and that are denied because they are not enrolled.
pub(super) fn not_enrolled(facts: &HostFacts) -> Option<Symptom> {
    facts.pam.auth.ours?;
    let in_force = facts.today.as_ref().or_else(|| facts.settings());
    let denied = |person: &&Person| {
        person.may_log_in
            && person.allowed
            // An account that was asked about is meant to log in.
            && (facts.one_user || admits(facts, in_force, person.first_factors))
            && !person.enrolled
            && person.second_factor == Some(SecondFactor::Required)
            && !person.exempt_in_pam
    };
    let denied = names(facts.people.iter().filter(denied))?;
    Some(Symptom::new(Lockout, None, messages::not_enrolled(&denied, facts.today.is_some())))
}

/// Of a plan: accounts that can log in today and lack what a login begins with afterwards, whether they are enrolled or not.
pub(super) fn no_first_factor(facts: &HostFacts) -> Option<Symptom> {
    let today = facts.today.as_ref()?;
    let denied = |person: &&Person| {
        let held = person.first_factors;
        person.may_log_in
            && person.allowed
            && admits(facts, Some(today), held)
            && !admits(facts, facts.settings(), held)
    };
    let denied: Vec<&Person> = facts.people.iter().filter(denied).collect();
    let has_key = denied.first()?.first_factors.key;
    Some(Symptom::new(Warning, None, messages::no_first_factor(&names(denied.into_iter())?, has_key)))
}

/// Whether sshd lets an account in by what it has as a first factor. In doubt it does.
fn admits(facts: &HostFacts, settings: Option<&Settings>, held: HeldFactors) -> bool {
    const METHODS: [&str; 4] =
        ["authenticationmethods", "passwordauthentication", "kbdinteractiveauthentication", "pubkeyauthentication"];
    let mut directives = facts.sshd.iter().flat_map(|sshd| &sshd.files.directives);
    let for_some = directives.any(|one| one.condition.is_some() && METHODS.contains(&one.key.as_str()));
    let ways = settings.map(Settings::ways).unwrap_or_default();
    if for_some || ways.is_empty() {
        return held.key || held.password;
    }
    ways.iter().any(|way| {
        let has = |method: &str| way.iter().any(|one| one == method);
        let by_password = !has("publickey") && (has("password") || has(KEYBOARD));
        if by_password { held.password } else { held.key }
    })
}

/// Those who are enrolled and refused by sshd's own lists.
pub(super) fn not_allowed(facts: &HostFacts) -> Option<Symptom> {
    let refused = names(facts.people.iter().filter(|person| person.enrolled && !person.allowed))?;
    let keys = ["allowusers", "denyusers", "allowgroups", "denygroups"];
    let place = keys.into_iter().find_map(|key| facts.first_place(key));
    Some(Symptom::new(if facts.one_user { Lockout } else { Hint }, place, messages::not_allowed(&refused)))
}

/// Those who cannot get back in without their phone.
pub(super) fn recovery_codes(facts: &HostFacts) -> Vec<Symptom> {
    let one = |severity: Severity, admin: bool| {
        let without = |person: &&Person| person.admin == admin && person.recovery_codes_left == Some(0);
        let names = names(facts.people.iter().filter(without))?;
        Some(Symptom::new(severity, None, messages::no_recovery_codes(&names, admin)))
    };
    one(Warning, true).into_iter().chain(one(Hint, false)).collect()
}

/// Those whose second factor may be that of a former owner of the account.
pub(super) fn earlier_owner(facts: &HostFacts) -> Option<Symptom> {
    let names = names(facts.people.iter().filter(|person| person.older_device))?;
    Some(Symptom::new(Hint, None, messages::earlier_owner(&names)))
}

/// Programs that would be asked.
pub(super) fn automation(facts: &HostFacts) -> Option<Symptom> {
    facts.pam.auth.ours?;
    let asked = |person: &&Person| !person.exempt_in_pam && person.automation.is_some();
    let people: Vec<&Person> = facts.people.iter().filter(asked).collect();
    let place = people.first()?.automation.clone();
    Some(Symptom::new(Warning, place, messages::automation(&names(people.into_iter())?)))
}

/// A way in that does not need a code.
pub(super) fn break_glass(facts: &HostFacts) -> Option<Symptom> {
    let exempt =
        facts.people.iter().any(|person| person.may_log_in && person.second_factor == Some(SecondFactor::Skip));
    let recoverable =
        facts.people.iter().any(|person| person.admin && person.recovery_codes_left.is_some_and(|left| left > 0));
    let found = !facts.one_user && facts.pam.console_asks && !exempt && !recoverable;
    found.then(|| Symptom::new(Warning, Some("/etc/pam.d/login".into()), messages::no_break_glass()))
}
