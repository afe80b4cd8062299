//! Accounts: who would not get in, and who could not get back in.

use twinlock_core::policy::SecondFactor;

use super::Symptom;
use crate::doctor::{
    finding::{
        Severity::{self, Hint, Lockout, Warning},
        named,
    },
    host::{Facts, Person},
};

fn names<'p>(people: impl Iterator<Item = &'p Person>) -> Vec<String> {
    people.map(|person| person.name.to_string()).collect()
}

/// Accounts that sshd would let in by their first factor and that are denied because they are not enrolled.
pub(super) fn not_enrolled(facts: &Facts) -> Vec<Symptom> {
    if facts.pam.auth.ours.is_none() {
        return Vec::new();
    }
    let denied = |person: &&Person| {
        person.may_log_in
            && person.allowed
            // An account that was asked about is meant to log in.
            && (person.has_first_factor || facts.one_user)
            && !person.enrolled
            && person.second_factor == Some(SecondFactor::Required)
            && !person.exempt_in_pam
    };
    let denied = names(facts.people.iter().filter(denied));
    if denied.is_empty() {
        return Vec::new();
    }
    let accounts = count(denied.len());
    let found = if facts.planned {
        format!("{accounts} can log in today and will be denied: {}", named(&denied))
    } else {
        let are = if denied.len() == 1 { "is" } else { "are" };
        format!("{accounts} {are} not enrolled and will be denied: {}", named(&denied))
    };
    let why = "policy requires a code, and these accounts have no app or token that makes one";
    let mend = "enrol them (`twinlock enroll USER`); or let them enrol at their next login, by a rule with `second_factor = \"enroll\"` \
                and `until` (docs/policy.md); or keep accounts that are not meant to log in out with DenyUsers";
    vec![Symptom::new(Lockout, None, found, why, mend)]
}

/// Those who are enrolled and refused by sshd's own lists.
pub(super) fn not_allowed(facts: &Facts) -> Vec<Symptom> {
    let told = names(facts.people.iter().filter(|person| person.enrolled && !person.allowed));
    if told.is_empty() {
        return Vec::new();
    }
    let keys = ["allowusers", "denyusers", "allowgroups", "denygroups"];
    let place = keys.into_iter().find_map(|key| facts.first_place(key));
    let found = format!("enrolled, and refused by sshd's lists of users or groups: {}", named(&told));
    let why = "sshd asks them all the same and replaces what they type, so that a right code looks wrong";
    let mend = "nothing, if they are not to log in by sshd; else add them to AllowUsers or AllowGroups";
    vec![Symptom::new(if facts.one_user { Lockout } else { Hint }, place, found, why, mend)]
}

/// Those who cannot get back in without their phone.
pub(super) fn recovery_codes(facts: &Facts) -> Vec<Symptom> {
    let without = |admin: bool| {
        names(facts.people.iter().filter(|person| person.admin == admin && person.recovery_codes_left == Some(0)))
    };
    let one = |severity: Severity, who: Vec<String>, what: &str| {
        let found = format!("{what} without a recovery code: {}", named(&who));
        let why = "a lost phone locks them out until somebody with root's rights helps";
        (!who.is_empty()).then(|| Symptom::new(severity, None, found, why, "`twinlock recovery new USER`"))
    };
    let admins = one(Warning, without(true), "administrators");
    admins.into_iter().chain(one(Hint, without(false), "enrolled users")).collect()
}

/// Those whose second factor may be that of a former owner of the account.
pub(super) fn earlier_owner(facts: &Facts) -> Vec<Symptom> {
    let told = names(facts.people.iter().filter(|person| person.older_device));
    if told.is_empty() {
        return Vec::new();
    }
    let found = format!("enrolled before the account's home folder was made and its password set: {}", named(&told));
    let why =
        "an account that was deleted and made anew with the same name and number accepts the phone of the former user";
    let mend = "if another person has the account now: `twinlock remove USER`. For leavers to come: the hook remove-leaver, see \
                docs/admin-guide.md";
    vec![Symptom::new(Hint, None, found, why, mend)]
}

/// Programs that would be asked.
pub(super) fn automation(facts: &Facts) -> Vec<Symptom> {
    if facts.pam.auth.ours.is_none() {
        return Vec::new();
    }
    let asked = |person: &&Person| !person.exempt_in_pam && person.automation.is_some();
    let people: Vec<&Person> = facts.people.iter().filter(asked).collect();
    let Some(place) = people.first().map(|person| person.automation.clone()) else {
        return Vec::new();
    };
    let found =
        format!("programs seem to log in as {}, and would be asked for a code", named(&names(people.into_iter())));
    let why =
        "a key with a command of its own, or such a shell, belongs to a program, and a program cannot give a code";
    let mend = "exempt them by a rule, as \"Robots\" in docs/policy.md has it, and by `Match User` with `AuthenticationMethods publickey`";
    vec![Symptom::new(Warning, place, found, why, mend)]
}

/// A way in that does not need a code.
pub(super) fn break_glass(facts: &Facts) -> Vec<Symptom> {
    let exempt =
        facts.people.iter().any(|person| person.may_log_in && person.second_factor == Some(SecondFactor::Skip));
    let recoverable =
        facts.people.iter().any(|person| person.admin && person.recovery_codes_left.is_some_and(|left| left > 0));
    if facts.one_user || !facts.pam.console_asks || exempt || recoverable {
        return Vec::new();
    }
    let found = "the console asks for a code, too, and no administrator has a recovery code or is exempt";
    let why = "when codes fail for all, because of the clock or the disk, nobody gets in any more";
    let mend = "leave /etc/pam.d/login as the distribution has it, or give an administrator recovery codes";
    vec![Symptom::new(Warning, Some("/etc/pam.d/login".into()), found, why, mend)]
}

fn count(number: usize) -> String {
    if number == 1 { "1 account".to_owned() } else { format!("{number} accounts") }
}
