//! Enrolment inside a login: the auth phase offers it, the account phase puts it aside, `pam_setcred` stores it. Without the
//! feature `enrol-in-login` the file `no_enrolment.rs` takes the place of this one.
//!
//! Applications call `pam_setcred` when the whole login has passed: after all account modules, and in sshd after every
//! method of `AuthenticationMethods`. sshd does so in another process than the account phase, so a file of the store keeps
//! the enrolment meanwhile, and the PAM environment its id.

use pam::constants::PamResultCode;
use twinlock_core::{
    account::Subject,
    audit::{self, Reason},
    catalogue::UserText,
    credentials::AuthenticatorId,
    pending::{OfferedTo, PendingId},
    policy::SecondFactor,
    ports::Clock as _,
};
use twinlock_enrol::{
    enrolment::EnrolError,
    offered::Offered,
    onboarding::{Invitation, Onboarding, Staged},
};
use twinlock_login::{
    attempt::{Attempt, AuditEntry},
    snapshot::LazySnapshot,
};
use twinlock_store::{
    files::Store,
    host::{self, Kernel, SystemClock},
    ports::ReadCredentials as _,
};

use crate::{
    arguments::Arguments,
    backend::{self, Backend},
    context::Context,
    messages,
    result::{self, Logged},
    transaction::{AuthResult, Evidence, Priority, Transaction},
};

/// The store to enrol in, if this login is one to enrol in: policy says so, a first factor can have been given, and the user
/// is not enrolled. A store that cannot be read is not an answer of "not enrolled"; the usual attempt then says what is broken.
pub(crate) fn should_offer<'c>(
    transaction: &Transaction<'_>,
    arguments: &Arguments,
    (context, forecast): (&'c Context, &LazySnapshot<'_>),
) -> Option<&'c Store> {
    let Backend::Store(store) = &context.backend else { return None };
    let offered = context.policy == SecondFactor::Enroll
        && !arguments.use_first_pass
        && (transaction.first_factors.any() || transaction.password().is_some())
        && (context.subject.is_none() || forecast.is_not_enrolled());
    offered.then_some(store)
}

/// Enrols the user inside the login. What comes of it waits for the end of the login.
pub(crate) fn enrol_in_login(
    transaction: &mut Transaction<'_>,
    context: &Context,
    store: &Store,
) -> Result<Box<Staged>, Attempt> {
    // The picture is part of a prompt that echoes: clients show no other whole.
    transaction.echo = true;
    let issuer = host::issuer(&context.config.issuer);
    let client = OfferedTo::client(&transaction.first_factors, transaction.rhost.as_deref());
    let to = (context.subject.as_ref(), client.as_ref());
    let offered = Offered::again_or_new(&store.credentials, to, SystemClock.now(), &mut Kernel);
    let offered =
        offered.map_err(|error| Attempt::refused_for(Reason::Internal).with_detail(messages::not_kept(&error)))?;
    let invitation = Invitation { until: context.until, help: &context.config.help, pictures: context.config.qr };
    let mut onboarding = Onboarding {
        clock: &SystemClock,
        randomness: &mut Kernel,
        states: &store.states,
        issuer: &issuer,
        catalogue: context.catalogue(),
        invitation,
    };
    let typed = transaction.user.clone().unwrap_or_default();
    onboarding.run((context.subject.as_ref(), offered), &String::from_utf8_lossy(&typed), transaction)
}

/// What the log says of an enrolment that waits.
pub(crate) fn audit_of(staged: &Staged) -> AuditEntry {
    AuditEntry {
        method: Some("totp"),
        authenticator: staged.authenticator().map(|authenticator| authenticator.id.clone()),
        detail: Some(messages::STAGED.into()),
        ..AuditEntry::default()
    }
}

/// The account phase: what the auth phase staged waits for the end of the login.
pub(crate) fn hand_over(transaction: &mut Transaction<'_>, context: &Context, subject: &Subject) -> PamResultCode {
    match put_aside(transaction, context, subject) {
        Ok(Some(id)) => {
            if transaction.set_pending(&id).is_err() {
                return result::no_data(transaction);
            }
            let text = context.information(transaction).get(UserText::EnrolmentWaits).to_owned();
            transaction.tell(&text);
            PamResultCode::PAM_SUCCESS
        }
        Ok(None) => PamResultCode::PAM_SUCCESS,
        Err(error @ EnrolError::AlreadyEnrolled) => not_stored(transaction, (context, subject), None, &error),
        Err(error) => {
            let detail = messages::not_kept(&error);
            let code = result::refuse(transaction, Some(subject.name.as_str()), reason_of(&error), Some(detail));
            let text = context.information(transaction).get(UserText::EnrolmentNotSaved).to_owned();
            transaction.warn(&text);
            code
        }
    }
}

fn put_aside(
    transaction: &Transaction<'_>,
    context: &Context,
    subject: &Subject,
) -> Result<Option<PendingId>, EnrolError> {
    let Some(Evidence::Staged(staged)) = transaction.auth_result().map(|passed| &passed.evidence) else {
        return Ok(None);
    };
    let Backend::Store(store) = &context.backend else { return Err(EnrolError::ChangedMeanwhile) };
    let credentials = &store.credentials;
    if credentials.read(subject)?.is_some() {
        return Err(EnrolError::AlreadyEnrolled);
    }
    let id = PendingId::new(&mut Kernel).map_err(EnrolError::Randomness)?;
    credentials.write_pending(subject, &id, &staged.to_pending(&id))?;
    Ok(Some(id))
}

/// `pam_setcred`, of a login whose account phase handed an enrolment over.
pub(crate) fn run(transaction: &mut Transaction<'_>, arguments: &Arguments) -> PamResultCode {
    // Whatever comes of it, the session must not see it.
    let id = transaction.take_pending();
    let Ok(context) = Context::load(transaction, arguments) else { return result::NOT_STORED };
    let (Some(id), Some(subject), Backend::Store(store)) = (id, &context.subject, &context.backend) else {
        result::refuse(transaction, None, Reason::Internal, Some(messages::NOTHING_PENDING.into()));
        return result::NOT_STORED;
    };
    let (authenticator, stored) = match fetch(store, subject, &id) {
        Ok(staged) => {
            let authenticator = staged.authenticator().map(|authenticator| authenticator.id.clone());
            let stored = staged.store((&store.credentials, &store.states), SystemClock.now());
            // What is left there means nothing: its id is used up.
            let _ = store.credentials.remove_pending(subject);
            (authenticator, stored)
        }
        Err(error) => (None, Err(error)),
    };
    let stored = match stored {
        Ok(stored) => stored,
        Err(error) => {
            not_stored(transaction, (&context, subject), authenticator, &error);
            return result::NOT_STORED;
        }
    };
    let detail = Some(messages::STORED.to_owned());
    let audit = AuditEntry { method: Some("totp"), authenticator, detail, ..AuditEntry::default() };
    let code = result::enrolled(transaction, Some(subject.name.as_str()), &audit);
    let text = context.information(transaction).get(UserText::Enrolled).to_owned();
    transaction.tell(&text);
    let (service, rhost) = (transaction.service.clone(), transaction.rhost.clone());
    let line = audit::enrolled_in_login(subject.name.as_str(), subject.uid, &service, rhost.as_deref());
    transaction.log(Priority::Warning, &line);
    if context.config.notify.mail {
        backend::mail_enrolment(transaction, subject.name.as_str());
    }
    // Where one process does it all, the account phase may come again; there is nothing left to hand over then.
    if transaction.auth_result().is_some() {
        let result = AuthResult { subject: subject.clone(), evidence: Evidence::Stored(stored) };
        if transaction.set_auth_result(Some(result)).is_err() {
            return result::no_data(transaction);
        }
    }
    code
}

/// The enrolment that this very login handed over.
fn fetch(store: &Store, subject: &Subject, id: &PendingId) -> Result<Staged, EnrolError> {
    let content = store.credentials.read_pending(subject)?;
    content.and_then(|content| Staged::from_pending(&content, subject, id)).ok_or(EnrolError::ChangedMeanwhile)
}

/// Whether the store or its seal is what failed.
const fn reason_of(error: &EnrolError) -> Reason {
    if let EnrolError::Store(error) = error { error.reason() } else { Reason::Store }
}

/// Says that the enrolment inside this login was not stored, to the log and to the user.
fn not_stored(
    transaction: &mut Transaction<'_>,
    (context, subject): (&Context, &Subject),
    authenticator: Option<AuthenticatorId>,
    error: &EnrolError,
) -> PamResultCode {
    let (reason, detail, said) = if matches!(error, EnrolError::AlreadyEnrolled | EnrolError::ChangedMeanwhile) {
        (Reason::NotEnrolled, messages::not_stored(error), UserText::EnrolledElsewhere)
    } else {
        // A write that failed may have come after the one that counts.
        (reason_of(error), messages::perhaps_stored(error, subject.name.as_str()), UserText::EnrolmentUnfinished)
    };
    let mut attempt = Attempt::refused_for(reason).with_detail(detail);
    (attempt.audit.method, attempt.audit.authenticator) = (Some("totp"), authenticator);
    let code = result::end(transaction, Some(subject.name.as_str()), &attempt, Logged::NotYet);
    let text = context.information(transaction).get(said).to_owned();
    transaction.warn(&text);
    code
}
