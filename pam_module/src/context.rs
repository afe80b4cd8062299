//! What a phase begins with: the configuration, the account, the rule that decides, and the back end.

use std::{borrow::Cow, cell::OnceCell, time::Duration};

use pam::constants::PamResultCode;
#[cfg(feature = "enrol-in-login")]
use twinlock_core::time::UnixTime;
use twinlock_core::{
    account::{Subject, UserName},
    audit::Reason,
    catalogue::Catalogue,
    layout::ascii,
    policy::{EmergencyInForce, Facts, FirstFactors, Rule, SecondFactor, Source, is_sshd},
    ports::{Clock as _, Randomness as _},
    remember::Client,
};
use twinlock_login::{attempt::AuditEntry, wire::LoginRequest};
use twinlock_store::{
    config::Config,
    files::{self, Store},
    host::{self, Kernel, SystemClock, SystemGroups},
    ports::Snapshot,
};

use crate::{
    arguments::Arguments,
    backend::Backend,
    messages, result,
    transaction::{Priority, Transaction},
};

/// What both phases begin with.
pub(crate) struct Context {
    pub(crate) config: Config,
    /// What the rule that decides asks for, after the arguments of the PAM file.
    pub(crate) policy: SecondFactor,
    pub(crate) backend: Backend,
    /// `None` if there is no such account.
    pub(crate) subject: Option<Subject>,
    /// For how long the rule that decides remembers a login.
    remember: Option<Duration>,
    /// The rule that decides.
    pub(crate) rule: Option<String>,
    /// What decides instead of any rule.
    pub(crate) emergency: Option<EmergencyInForce>,
    /// When that rule ends.
    #[cfg(feature = "enrol-in-login")]
    pub(crate) until: Option<UnixTime>,
    pub(crate) source: Source,
    catalogue: OnceCell<Catalogue>,
}

/// Where an administrator's text on how to get help is shown.
pub(crate) enum Help {
    /// There is none.
    None,
    /// As information, after a refusal.
    AfterRefusal(String),
    /// In the prompt: clients of sshd show other characters than ASCII nowhere else, and this text needs them.
    InPrompt(String),
}

impl Context {
    /// Reads the configuration, looks the user up and asks the policy; the refusal if that cannot be done.
    ///
    /// The account phase loads it anew: a login may take minutes, and what was changed meanwhile holds.
    ///
    /// In an emergency the configuration decides nothing, and one that cannot be used is no reason to refuse.
    pub(crate) fn load(transaction: &mut Transaction<'_>, arguments: &Arguments) -> Result<Self, PamResultCode> {
        let emergency = files::emergency_in_force();
        let config = match files::load_config(&arguments.config) {
            Ok(config) => config,
            Err(_) if emergency.is_some() => Config::default(),
            Err(fault) => {
                let detail = format!("{fault}; {}", fault.hint());
                return Err(result::refuse(transaction, None, Reason::Config, Some(detail)));
            }
        };
        let name = transaction.user.as_ref().ok().and_then(|user| UserName::parse(user).ok());
        let subject = name.map_or(Ok(None), |name| host::account(&name)).map_err(|error| {
            let detail = messages::no_passwd_database(&error);
            result::refuse(transaction, None, Reason::Internal, Some(detail))
        })?;
        let source = Source::from_rhost(transaction.rhost.as_deref());
        let facts = Facts {
            service: &transaction.service.to_ascii_lowercase(),
            user: subject.as_ref().map(|subject| &subject.name),
            source: &source,
            first_factors: &transaction.first_factors,
            now: SystemClock.now(),
        };
        let decision = match emergency {
            Some(emergency) => Ok(emergency.decision()),
            None => config.policy.decide(&facts, &SystemGroups),
        };
        let decision = decision.map_err(|undecided| {
            let user = subject.as_ref().map(|subject| subject.name.as_str());
            result::refuse(transaction, user, Reason::Internal, Some(undecided.to_string()))
        })?;
        let policy = if arguments.nullok { decision.second_factor.nullok() } else { decision.second_factor };
        if arguments.debug {
            let known = if subject.is_some() { "known" } else { "unknown" };
            let rule = decision.rule.map_or("-", Rule::title);
            let doubt = decision.doubt.map_or_else(|| "-".into(), |doubt| doubt.to_string());
            let line = format!(
                "debug: config={} second_factor={} rule=\"{rule}\" doubt=\"{doubt}\" user is {known}",
                arguments.config.display(),
                policy.name()
            );
            transaction.log(Priority::Debug, &line);
        }
        let (remember, rule) = (decision.remember, decision.rule.map(|rule| rule.title().to_owned()));
        #[cfg(feature = "enrol-in-login")]
        let until = decision.rule.and_then(|rule| rule.until);
        let backend = Backend::choose(Store::at(&config.store, &arguments.config), policy);
        Ok(Self {
            config,
            policy,
            backend,
            subject,
            remember,
            rule,
            emergency,
            #[cfg(feature = "enrol-in-login")]
            until,
            source,
            catalogue: OnceCell::new(),
        })
    }

    /// The texts of prompts, in the language of the configuration. A catalogue that cannot be read refuses nobody: its texts
    /// are said in English then, and `twinlock check` reports it. It is opened by logins that need a text.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        self.catalogue.get_or_init(|| files::load_catalogue(&self.config.language).unwrap_or_default())
    }

    /// The texts of information. Clients of sshd show it in ASCII alone, and escape all else.
    pub(crate) fn information(&self, transaction: &Transaction<'_>) -> Cow<'_, Catalogue> {
        if is_sshd(&transaction.service) {
            Cow::Owned(self.catalogue().in_ascii())
        } else {
            Cow::Borrowed(self.catalogue())
        }
    }

    /// How to get help, and where that is shown.
    pub(crate) fn help(&self, transaction: &Transaction<'_>) -> Help {
        let information = self.information(transaction);
        let Some(help) = self.config.help(&information) else { return Help::None };
        if !is_sshd(&transaction.service) {
            return Help::AfterRefusal(help.to_owned());
        }
        ascii(help).map_or_else(|| Help::InPrompt(help.to_owned()), Help::AfterRefusal)
    }

    /// The name of the account, if there is one, for the log.
    pub(crate) fn user(&self) -> Option<&str> {
        self.subject.as_ref().map(|subject| subject.name.as_str())
    }

    /// What the log says of a login that needs no code: what exempts it, if that is not the default of the configuration.
    pub(crate) fn exemption(&self) -> AuditEntry {
        let detail = match (self.emergency, &self.rule) {
            (Some(emergency), _) => Some(messages::exempted_by_emergency(emergency.end(SystemClock.now()))),
            (None, Some(rule)) => Some(messages::exempted_by_rule(rule)),
            (None, None) => None,
        };
        AuditEntry { emergency: self.emergency.is_some(), detail, ..AuditEntry::default() }
    }

    /// The client to recognise, where the rule remembers logins: one that proved a key, from an address.
    pub(crate) fn client<'k>(&self, first_factors: &'k FirstFactors) -> Option<Client<'k>> {
        let (span, network) = (self.remember?, self.source.neighbourhood()?);
        let key = first_factors.keys().first()?;
        let mut fresh = [0; 16];
        Kernel.fill(&mut fresh).ok()?;
        Some(Client { key, network, span, fresh })
    }

    /// What the user's files say before anything is asked; `None` if they cannot be read by this process.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        match (&self.backend, &self.subject) {
            (Backend::Store(store), Some(subject)) => store.snapshot(subject).ok(),
            (Backend::Store(_), None) | (Backend::Broker, _) => None,
        }
    }

    /// What the broker needs to know of this login.
    pub(crate) fn request(&self, transaction: &Transaction<'_>, prompt: Option<&str>) -> LoginRequest {
        LoginRequest {
            user: self.user().unwrap_or_default().to_owned(),
            policy: self.policy,
            service: transaction.service.clone(),
            rhost: transaction.rhost.clone(),
            prompt: prompt.map(str::to_owned),
        }
    }
}
