//! The auth phase: who, under which policy, one attempt, its mark for the account phase.

use pam::constants::PamResultCode;
use twinlock_core::{
    account::{Subject, UserName},
    config::Config,
    host::{self, SystemClock},
    journal::Reason,
    login::{Attempt, Login, Outcome},
    policy::SecondFactor,
    store::{self, Store},
};

use crate::{
    arguments::Arguments,
    ffi::{Loudness, Transaction},
    returns,
};

/// What both phases begin with.
pub(crate) struct Scene {
    pub(crate) config: Config,
    pub(crate) policy: SecondFactor,
    pub(crate) store: Store,
    /// `None` if there is no such account.
    pub(crate) subject: Option<Subject>,
}

impl Scene {
    /// Reads the configuration and looks the user up; the refusal if that cannot be done.
    pub(crate) fn set(transaction: &mut Transaction<'_>, arguments: &Arguments) -> Result<Self, PamResultCode> {
        let config = store::load_config(&arguments.config).map_err(|fault| {
            returns::refuse(transaction, None, Reason::Config, Some(format!("{fault}; {}", fault.hint())))
        })?;
        let name = transaction.user.as_ref().ok().and_then(|user| UserName::parse(user).ok());
        let subject = name.map_or(Ok(None), |name| host::account(&name)).map_err(|error| {
            returns::refuse(
                transaction,
                None,
                Reason::Internal,
                Some(format!("cannot ask the passwd database: {error}")),
            )
        })?;
        let policy = if arguments.nullok { config.second_factor.nullok() } else { config.second_factor };
        if arguments.debug {
            let known = if subject.is_some() { "known" } else { "unknown" };
            let line =
                format!("debug: config={} second_factor={} user is {known}", arguments.config.display(), policy.name());
            transaction.log(Loudness::Debug, &line);
        }
        let store = Store::at(&config.store.directory);
        Ok(Self { config, policy, store, subject })
    }
}

pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    #[cfg(feature = "panic-probe")]
    assert!(transaction.service != "twinlock-panic", "the panic that was asked for");

    if let Err(none) = transaction.user {
        return returns::end(transaction, None, &Attempt::ended(Outcome::NoAnswer(none)));
    }
    let scene = match Scene::set(transaction, arguments) {
        Ok(scene) => scene,
        Err(code) => return code,
    };
    if transaction.mark(None).is_err() {
        return returns::refuse(
            transaction,
            None,
            Reason::Internal,
            Some("libpam keeps no data for this transaction".into()),
        );
    }
    transaction.ask_for_fail_delay(scene.config.fail_delay);
    transaction.echo = scene.config.echo && !arguments.noecho;

    let from = transaction.rhost.clone();
    let login = Login {
        credentials: &scene.store.credentials,
        states: &scene.store.states,
        clock: &SystemClock,
        limits: scene.config.limits(),
        prompt: arguments.prompt.as_deref().unwrap_or(&scene.config.prompt),
        from: from.as_deref(),
    };
    let subject = scene.subject.as_ref();
    let before = transaction.user.clone();
    let attempt = login.attempt(subject, scene.policy, transaction);
    let attempt = if transaction.user_now() == before { attempt } else { user_changed() };
    let attempt = explained(attempt, transaction);
    let code = returns::end(transaction, subject.map(|subject| subject.name.as_str()), &attempt);
    speak(transaction, attempt.outcome);
    match attempt.outcome {
        Outcome::Granted { .. } | Outcome::NotAsked => match transaction.mark(scene.subject) {
            Ok(()) => code,
            Err(_) => returns::refuse(
                transaction,
                None,
                Reason::Internal,
                Some("libpam keeps no data for this transaction".into()),
            ),
        },
        Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => code,
    }
}

/// A code was given for one user; nobody else may have the good of it.
fn user_changed() -> Attempt {
    let detail = Some("PAM_USER was changed while the code was asked for".into());
    Attempt { detail, ..Attempt::ended(Outcome::Refused(Reason::Internal)) }
}

/// sshd's `password` method answers no prompt that echoes: what was broken is then its configuration.
fn explained(attempt: Attempt, transaction: &Transaction<'_>) -> Attempt {
    if matches!(attempt.outcome, Outcome::NoAnswer(_)) && transaction.service.starts_with("sshd") {
        let detail = "the prompt was not answered: sshd asked through its password method (set PasswordAuthentication no), or the client left";
        return Attempt { detail: Some(detail.into()), ..attempt };
    }
    attempt
}

/// What the user is told, after the verdict is on the disk and in the log.
fn speak(transaction: &mut Transaction<'_>, outcome: Outcome) {
    match outcome {
        Outcome::Granted { recovery_codes_left: Some(0) } => {
            transaction.warn("That was your LAST recovery code. Make new ones now: ask your administrator for `twinlock recovery new`.");
        }
        Outcome::Granted { recovery_codes_left: Some(left @ 1..=3) } => {
            transaction.warn(&format!("ONLY {left} recovery codes are left. Make new ones soon: ask your administrator for `twinlock recovery new`."));
        }
        Outcome::Granted { recovery_codes_left: Some(left) } => {
            transaction.tell(&format!("{left} recovery codes are left."));
        }
        Outcome::TooSoon(rest) => {
            transaction.warn(&format!("Too many wrong codes. Try again in {} seconds.", rest.as_secs().max(1)));
        }
        Outcome::Granted { recovery_codes_left: None }
        | Outcome::NotAsked
        | Outcome::Refused(_)
        | Outcome::NoAnswer(_) => {}
    }
}
