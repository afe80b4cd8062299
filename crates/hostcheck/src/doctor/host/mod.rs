//! The facts that the checks judge, gathered from the host: everything that is read or asked is read or asked below this
//! folder, and nothing is changed.

mod access;
mod first_factor;
#[cfg(test)]
pub(crate) mod fixtures;
mod logins;
mod pam;
mod people;
mod sealing;
mod server;
mod store;

use std::net::IpAddr;

pub(crate) use first_factor::HeldFactors;
pub(crate) use logins::SshLogin;
pub(crate) use pam::PamFacts;
pub(crate) use people::Person;
pub(crate) use sealing::{OwnKey, SealFacts};
pub(crate) use server::SshdFacts;
pub(crate) use store::{Broker, Labels, StoreFacts};
use twinlock_core::{
    account::{Subject, UserName},
    policy::{self, FirstFactors, Groups, SecondFactor, Source},
    ports::Clock,
    time::UnixTime,
};
use twinlock_store::{config::Config, host::SystemClock};

use super::{clock::ClockState, module_file::ModuleFile};
use crate::{
    HostError, Installation,
    emergency::EmergencyStatus,
    host_files::Host,
    pam_stack::{Line, Phase},
    sshd::{Settings, Sshd},
};

/// Which logins it is about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// One account instead of all.
    pub(crate) user: Option<Subject>,
    /// One address instead of somewhere outside.
    pub(crate) from: Option<String>,
    /// The host as it is, or as it would be.
    pub(crate) host: Host,
    /// A PAM service other than sshd; then it is about the service's PAM file and the store, and about no accounts.
    pub(crate) service: Option<&'static str>,
}

impl Scope {
    /// Logins of one account, or of all; from one address, or from outside.
    #[must_use]
    pub fn of_logins(user: Option<Subject>, from: Option<IpAddr>) -> Self {
        Self { user, from: from.map(|address| address.to_string()), ..Self::default() }
    }

    /// The PAM file of another service than sshd on this host, and what it needs.
    pub(crate) fn of_service(service: &'static str, host: Host) -> Self {
        Self { service: Some(service), host, ..Self::default() }
    }
}

/// All that is known.
pub(crate) struct HostFacts {
    pub(crate) config: Config,
    pub(crate) now: UnixTime,
    pub(crate) sshd: Option<SshdFacts>,
    pub(crate) pam: PamFacts,
    pub(crate) modules: Vec<ModuleFile>,
    pub(crate) store: StoreFacts,
    pub(crate) clock: ClockState,
    pub(crate) people: Vec<Person>,
    pub(crate) logins: Vec<SshLogin>,
    /// Whether the question was about one login.
    pub(crate) one_user: bool,
    /// If it is the host as it would be with Twinlock enabled for sshd: what is in force in sshd today.
    pub(crate) today: Option<Settings>,
    pub(crate) broker: Broker,
    pub(crate) emergency: EmergencyStatus,
}

/// An address of nobody's (RFC 5737), for a login from outside.
pub const OUTSIDE: &str = "203.0.113.1";

impl HostFacts {
    /// Gathers them.
    pub(crate) fn of_host(installation: &Installation<'_>, scope: &Scope) -> Result<Self, HostError> {
        let now = SystemClock.now();
        let server = if scope.service.is_some() { None } else { Sshd::find(&scope.host) };
        let mut sshd = server.as_ref().map(|server| SshdFacts::gather(server, scope));
        let settings = sshd.as_ref().and_then(|sshd| sshd.settings.clone()).unwrap_or_default();
        let planned = scope.host.sshd_config.is_some();
        let today = if planned { Some(SshdFacts::settings_today().unwrap_or_default()) } else { None };
        let files = sshd.as_ref().map(|sshd| sshd.files.clone()).unwrap_or_default();
        let pam = PamFacts::gather(scope.service.unwrap_or(settings.service()), &scope.host);
        let mut store = StoreFacts::gather(installation);
        let one = scope.user.as_ref();
        let mut people = people::people(installation, &pam, &settings, &files, now, one, &mut store)?;
        if let Some(one) = one {
            people.retain(|person| person.name == one.name);
        }
        if scope.service.is_some() {
            people.clear();
        }
        let logins = match (&server, &mut sshd) {
            (Some(server), Some(sshd)) if sshd.settings.is_some() => {
                logins::logins(server, sshd, installation, &pam, &people, scope, now)
            }
            _ => Vec::new(),
        };
        Ok(Self {
            config: installation.config.clone(),
            now,
            sshd,
            modules: pam.modules(),
            pam,
            store,
            clock: ClockState::of_host(),
            people,
            logins,
            one_user: scope.user.is_some(),
            today,
            broker: Broker::of_host(),
            emergency: EmergencyStatus::of_host(),
        })
    }

    /// The settings of sshd for nobody in particular.
    pub(crate) fn settings(&self) -> Option<&Settings> {
        self.sshd.as_ref().and_then(|sshd| sshd.settings.as_ref())
    }

    /// The lines of a phase of sshd's stack.
    pub(crate) fn stack(&self, phase: Phase) -> Vec<&Line> {
        self.pam.file.as_ref().map(|service| service.phase(phase)).unwrap_or_default()
    }

    /// Where something that is in force for a login was set.
    pub(crate) fn place(&self, key: &str, login: &SshLogin) -> Option<String> {
        let files = &self.sshd.as_ref()?.files;
        files.place_of(key, login.settings.value(key), &login.user, &login.from).map(ToString::to_string)
    }

    /// The first line that has this key.
    pub(crate) fn first_place(&self, key: &str) -> Option<String> {
        let files = &self.sshd.as_ref()?.files;
        files.directives.iter().find(|directive| directive.key == key).map(|directive| directive.place.to_string())
    }

    /// The same for nobody in particular.
    pub(crate) fn global_place(&self, key: &str) -> Option<String> {
        let sshd = self.sshd.as_ref()?;
        sshd.files.place_of(key, sshd.settings.as_ref()?.value(key), "", OUTSIDE).map(ToString::to_string)
    }
}

fn decide(
    installation: &Installation<'_>,
    service: &str,
    user: &UserName,
    source: &Source,
    now: UnixTime,
    groups: &dyn Groups,
) -> Option<SecondFactor> {
    let first_factors = FirstFactors::default();
    let facts = policy::Facts { service, user: Some(user), source, first_factors: &first_factors, now };
    installation.config.policy.decide(&facts, groups).ok().map(|decision| decision.second_factor)
}
