//! Logins that sshd is asked about: of accounts that a Match block may treat differently.

use std::collections::HashSet;

use twinlock_core::{
    policy::{SecondFactor, Source},
    time::UnixTime,
};
use twinlock_store::host::{SystemGroups, accounts};

use super::{OUTSIDE, PamFacts, Person, Scope, SshdFacts, decide, pam::PamExemptions};
use crate::{
    Installation,
    pam_stack::Phase,
    sshd::{Files, Settings, Sshd},
};

/// A login that was asked about.
#[derive(Clone)]
pub(crate) struct SshLogin {
    pub(crate) user: String,
    pub(crate) from: String,
    pub(crate) settings: Settings,
    pub(crate) enrolled: bool,
    /// A code is wanted in the auth phase.
    pub(crate) asked: bool,
    /// The guard refuses it where nobody was asked.
    pub(crate) guarded: bool,
}

/// How many accounts sshd is asked about, which takes it some milliseconds each.
const MOST_ASKED: usize = 24;

/// Asks sshd about accounts that a Match block may treat differently. Without one there are none.
pub(super) fn logins(
    server: &Sshd,
    sshd: &SshdFacts,
    installation: &Installation<'_>,
    pam: &PamFacts,
    people: &[Person],
    scope: &Scope,
    now: UnixTime,
) -> Vec<SshLogin> {
    let differs = sshd.files.directives.iter().any(|directive| directive.key == "match");
    let addresses = match &scope.from {
        Some(from) => vec![from.clone()],
        None => [OUTSIDE.to_owned()]
            .into_iter()
            .chain(sshd.files.matched("address").iter().filter_map(|net| first_of(net)))
            .collect(),
    };
    let mut all = Vec::new();
    let asked = worth_asking(&sshd.files, installation, people);
    for (number, address) in addresses.iter().enumerate() {
        let source = Source::from_rhost(Some(address));
        // Where an address decides, two accounts show it.
        let count = if number == 0 { MOST_ASKED } else { 2 };
        for person in asked.iter().take(count) {
            let name = person.name.as_str();
            let settings = if differs { server.settings(name, address) } else { sshd.settings.clone() };
            let Some(settings) = settings else {
                continue;
            };
            let policy =
                decide(installation, &pam.service, &person.name, &source, now, &SystemGroups).unwrap_or_default();
            let exempt = PamExemptions::gather(pam, &person.name, person.uid);
            let wanted = |phase| wants(if pam.nullok(phase) { policy.nullok() } else { policy }, person.enrolled);
            all.push(SshLogin {
                user: name.to_owned(),
                from: address.clone(),
                settings,
                enrolled: person.enrolled,
                asked: wanted(Phase::Auth) && !exempt.auth,
                guarded: wanted(Phase::Account) && !exempt.account,
            });
        }
    }
    all
}

fn wants(policy: SecondFactor, enrolled: bool) -> bool {
    policy >= SecondFactor::Enroll || (policy == SecondFactor::Optional && enrolled)
}

/// Those for whom sshd or the rules may have something else: root, who is named somewhere, and of all others one who is
/// enrolled and one who is not.
fn worth_asking<'p>(files: &Files, installation: &Installation<'_>, people: &'p [Person]) -> Vec<&'p Person> {
    let rules = installation.config.policy.rules.iter().filter_map(|rule| rule.users.as_ref());
    let mut names: Vec<String> = rules.flat_map(|users| users.wanted.iter().chain(&users.unwanted).cloned()).collect();
    names.extend(files.matched("user"));
    for group in files.matched("group") {
        let members = accounts::members(&group).ok().flatten();
        names.extend(members.and_then(|members| members.names().next()).map(|name| name.to_string()));
    }
    for key in ["allowusers", "denyusers"] {
        names.extend(files.listed(key));
    }
    let is_named = |person: &&Person| names.iter().any(|name| name == person.name.as_str());
    let others = |enrolled: bool| people.iter().find(move |person| person.uid != 0 && person.enrolled == enrolled);
    let mut asked: Vec<&Person> = others(true).into_iter().chain(others(false)).collect();
    asked.extend(people.iter().filter(|person| person.uid == 0));
    asked.extend(people.iter().filter(is_named));
    let mut known = HashSet::new();
    asked.retain(|person| known.insert(person.name.as_str()));
    asked.truncate(MOST_ASKED);
    asked
}

/// An address of a network, or the address itself.
fn first_of(network: &str) -> Option<String> {
    let address = network.split('/').next()?;
    address.parse::<std::net::IpAddr>().ok().map(|address| address.to_string())
}
