//! Accounts: who would not get in, and who could not get back in.

use twinlock_core::policy::SecondFactor;

use super::Symptom;
use crate::{
    doctor::{
        finding::{
            Severity::{self, Hint, Lockout, Warning},
            named,
        },
        host::{HeldFactors, HostFacts, Person},
    },
    sshd::{KEYBOARD, Settings},
};

fn names<'p>(people: impl Iterator<Item = &'p Person>) -> Vec<String> {
    people.map(|person| person.name.to_string()).collect()
}

/// Accounts that sshd would let in by their first factor and that are denied because they are not enrolled.
pub(super) fn not_enrolled(facts: &HostFacts) -> Vec<Symptom> {
    if facts.pam.auth.ours.is_none() {
        return Vec::new();
    }
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
    let denied = names(facts.people.iter().filter(denied));
    if denied.is_empty() {
        return Vec::new();
    }
    let accounts = count(denied.len());
    let found = if facts.today.is_some() {
        format!("{accounts} can log in today and will be denied: {}", named(&denied))
    } else {
        let are = if denied.len() == 1 { "is" } else { "are" };
        format!("{accounts} {are} not enrolled and will be denied: {}", named(&denied))
    };
    let why = "policy requires a code, and these accounts have no app or token that makes one";
    let fix = "enrol them (`twinlock enroll USER`); or let them enrol at their next login, by a rule with `second_factor = \"enroll\"` \
                and `until` (docs/policy.md); or keep accounts that are not meant to log in out with DenyUsers";
    vec![Symptom::new(Lockout, None, found, why, fix)]
}

/// Of a plan: accounts that can log in today and lack what a login begins with afterwards, whether they are enrolled or not.
pub(super) fn no_first_factor(facts: &HostFacts) -> Vec<Symptom> {
    let Some(today) = &facts.today else {
        return Vec::new();
    };
    let denied = |person: &&Person| {
        let held = person.first_factors;
        person.may_log_in
            && person.allowed
            && admits(facts, Some(today), held)
            && !admits(facts, facts.settings(), held)
    };
    let denied: Vec<&Person> = facts.people.iter().filter(denied).collect();
    let Some(first) = denied.first() else {
        return Vec::new();
    };
    let (lacks, fix) = if first.first_factors.key {
        ("password", "set a password for them (`passwd USER`), or choose `--mode key+code`")
    } else {
        ("key", "add a key to the authorized_keys of each, or choose `--mode password+code`")
    };
    let accounts = count(denied.len());
    let named = named(&names(denied.into_iter()));
    let found =
        format!("{accounts} can log in today and will be denied, enrolled or not, for lack of a {lacks}: {named}");
    let why = "with this configuration, sshd asks for it before it asks for a code";
    vec![Symptom::new(Warning, None, found, why, fix)]
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
pub(super) fn not_allowed(facts: &HostFacts) -> Vec<Symptom> {
    let told = names(facts.people.iter().filter(|person| person.enrolled && !person.allowed));
    if told.is_empty() {
        return Vec::new();
    }
    let keys = ["allowusers", "denyusers", "allowgroups", "denygroups"];
    let place = keys.into_iter().find_map(|key| facts.first_place(key));
    let found = format!("enrolled, and refused by sshd's lists of users or groups: {}", named(&told));
    let why = "sshd asks them all the same and replaces what they type, so that a right code looks wrong";
    let fix = "nothing, if they are not to log in by sshd; else add them to AllowUsers or AllowGroups";
    vec![Symptom::new(if facts.one_user { Lockout } else { Hint }, place, found, why, fix)]
}

/// Those who cannot get back in without their phone.
pub(super) fn recovery_codes(facts: &HostFacts) -> Vec<Symptom> {
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
pub(super) fn earlier_owner(facts: &HostFacts) -> Vec<Symptom> {
    let told = names(facts.people.iter().filter(|person| person.older_device));
    if told.is_empty() {
        return Vec::new();
    }
    let found = format!("enrolled before the account's home folder was made and its password set: {}", named(&told));
    let why =
        "an account that was deleted and made anew with the same name and number accepts the phone of the former user";
    let fix = "if another person has the account now: `twinlock remove USER`. For leavers to come: the hook remove-leaver, see \
                docs/roll-out.md";
    vec![Symptom::new(Hint, None, found, why, fix)]
}

/// Programs that would be asked.
pub(super) fn automation(facts: &HostFacts) -> Vec<Symptom> {
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
    let fix = "exempt them by a rule, as \"Robots\" in docs/policy.md has it, and by `Match User` with `AuthenticationMethods publickey`";
    vec![Symptom::new(Warning, place, found, why, fix)]
}

/// A way in that does not need a code.
pub(super) fn break_glass(facts: &HostFacts) -> Vec<Symptom> {
    let exempt =
        facts.people.iter().any(|person| person.may_log_in && person.second_factor == Some(SecondFactor::Skip));
    let recoverable =
        facts.people.iter().any(|person| person.admin && person.recovery_codes_left.is_some_and(|left| left > 0));
    if facts.one_user || !facts.pam.console_asks || exempt || recoverable {
        return Vec::new();
    }
    let found = "the console asks for a code, too, and no administrator has a recovery code or is exempt";
    let why = "when codes fail for all, because of the clock or the disk, nobody gets in any more";
    let fix = "leave /etc/pam.d/login as the distribution has it, or give an administrator recovery codes";
    vec![Symptom::new(Warning, Some("/etc/pam.d/login".into()), found, why, fix)]
}

fn count(number: usize) -> String {
    if number == 1 { "1 account".to_owned() } else { format!("{number} accounts") }
}
