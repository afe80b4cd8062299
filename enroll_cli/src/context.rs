//! What every verb begins with: root's rights, the configuration, the store, the account.

use std::path::Path;

use twinlock_core::{
    account::{Subject, UserName},
    ports::Clock,
};
use twinlock_hostcheck::Installation;
use twinlock_service::{
    notify::{AttemptSource, Mailing, SystemAuditLog},
    status::Status,
};
use twinlock_store::{
    config::Config,
    files::{self, Reading, Store},
    host::{self, SystemClock},
    ports::{StoreError, WriteCredentials},
};
use zeroize::Zeroizing;

use crate::{failure::Failure, messages};

/// Configuration and store, opened by root.
pub(crate) struct CommandContext {
    pub(crate) config: Config,
    pub(crate) store: Store,
}

impl CommandContext {
    /// Reads the configuration. Root alone may use the store.
    pub(crate) fn load(config: &Path) -> Result<Self, Failure> {
        Self::load_with_text(config).map(|(context, _)| context)
    }

    /// The same with the text of the configuration, for those who say where in it something stands.
    pub(crate) fn load_with_text(config: &Path) -> Result<(Self, Zeroizing<Vec<u8>>), Failure> {
        root_alone()?;
        let path = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
        let (config, text) = files::load_config_and_text(&path)?;
        let store = Store::at(&config.store, &path);
        Ok((Self { config, store }, text))
    }

    /// What the checks of the host need of it.
    pub(crate) const fn installation(&self) -> Installation<'_> {
        Installation { config: &self.config, store: &self.store }
    }

    /// How one user among many stands.
    pub(crate) fn read_status(&self, reading: &Reading, subject: &Subject) -> Result<Status, StoreError> {
        Status::read(reading, subject, &self.config.limits(), SystemClock.now())
    }

    /// Where everything is written down.
    pub(crate) fn audit_log(&self) -> SystemAuditLog<'_> {
        let notify = &self.config.notify;
        audit_log(if notify.mail { Mailing::AtOnce(&notify.sendmail, &self.config.language) } else { Mailing::Off })
    }
}

/// Where everything is written down, and a mail may be sent.
pub(crate) fn audit_log(mail: Mailing<'_>) -> SystemAuditLog<'_> {
    SystemAuditLog {
        program: "twinlock",
        by_uid: nix::unistd::Uid::current().as_raw(),
        by_login_uid: host::login_uid(),
        service: "twinlock",
        rhost: None,
        source: AttemptSource::Known,
        mail,
        clock: &SystemClock,
    }
}

/// Refuses everybody but root.
pub(crate) fn root_alone() -> Result<(), Failure> {
    if host::is_root() {
        return Ok(());
    }
    Err(messages::root_only())
}

/// The accounts of these names. All are looked up before anything is done to one.
pub(crate) fn accounts(typed: &[String]) -> Result<Vec<Subject>, Failure> {
    typed.iter().map(|user| account(Some(user))).collect()
}

/// A name as it was typed.
pub(crate) fn user_name(typed: &str) -> Result<UserName, Failure> {
    UserName::parse(typed.as_bytes()).map_err(|bad| messages::invalid_user_name(typed, &bad))
}

/// The account of that name, or a user who was enrolled and is no account any more.
pub(crate) fn account_or_leaver(store: &Store, typed: &str) -> Result<Subject, Failure> {
    let name = user_name(typed)?;
    let found = host::account(&name);
    let found = found.map_err(|error| messages::no_passwd_database(&error))?;
    if let Some(subject) = found {
        return Ok(subject);
    }
    // Under which uid is not asked: what cannot be read is to be removed as well.
    let unknown = Subject { name, uid: 0 };
    match (store.states.look(&unknown), store.credentials.read_any_uid(&unknown)) {
        (Ok(None), Ok(None)) => Err(messages::no_account(&unknown.name)),
        (Ok(Some(record)), _) => Ok(record.subject()),
        (_, Ok(Some(enrolment))) => Ok(Subject { uid: enrolment.uid.unwrap_or(0), ..unknown }),
        (Err(_) | Ok(None), Err(_)) | (Err(_), Ok(None)) => Ok(unknown),
    }
}

/// The account of that name, or that of the user who runs the command.
pub(crate) fn account(typed: Option<&str>) -> Result<Subject, Failure> {
    let Some(typed) = typed else {
        let own = host::own_account().map_err(|error| messages::no_passwd_database(&error))?;
        return own.ok_or_else(|| messages::no_own_account(nix::unistd::Uid::current().as_raw()));
    };
    let name = user_name(typed)?;
    let found = host::account(&name).map_err(|error| messages::no_passwd_database(&error))?;
    found.ok_or_else(|| messages::no_account(&name))
}
