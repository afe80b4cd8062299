//! The life of a second factor (NIST SP 800-63B-4 section 4): made, added to, renewed, tried, removed. The one place that
//! says who may do what to it and what must be shown first; the command as root and the broker both end here.

mod attempt;
mod authorization;
mod help_desk;
mod request;

use std::time::Duration;

use authorization::Authorization;
pub use request::{Confirm, DeviceChanged, Done, EnrolMode, Enrolled, Issued, NewAuthenticator, Request};
use twinlock_core::{
    account::Subject,
    credentials::{Authenticator, Enrolment},
    decide::Audience,
    devices::DeviceChange,
    issued::IssuedCode,
    notice::Change,
    policy::{Groups, SecondFactor},
    ports::{Clock, Dialogue, Offer, Randomness},
    recovery::{RecoveryCode, RecoverySet},
};
use twinlock_enrol::{
    dialogue::{confirm_authenticator, hand_over_recovery_codes},
    enrolment::{self, EnrolError, IfEnrolled},
};
use twinlock_login::attempt::{Attempt, Granted, Login, Outcome, Prompts};
use twinlock_store::{
    config::{Config, check_issuer},
    files::{CredentialFiles, StateFiles, Store},
    host,
    ports::{Hashing, LockedState as _, ReadCredentials, StateStore as _, StoreError, WriteCredentials as _},
};

pub use crate::error::{RequestError, RequestErrorKind};
use crate::{
    admin,
    error::Owned,
    messages::{self, SelfServiceAction},
    status::Status,
};

/// The caller of a request.
#[derive(Clone, Copy)]
pub enum Caller<'a> {
    /// Root, for anybody: nothing has to be shown.
    Root,
    /// The owner of the second factor.
    Owner(&'a dyn FirstFactor),
    /// This user, for somebody else: as a member of the help desk, if they are one.
    Helper(&'a Subject),
}

/// Verifies the identity of a user who has no second factor yet.
pub trait FirstFactor {
    /// Asks for the account's password.
    ///
    /// # Errors
    /// A [`RequestError`] if it was not given.
    fn password(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<(), RequestError>;

    /// Looks whether the caller belongs to a login session that has just begun.
    ///
    /// # Errors
    /// A [`RequestError`] if not, or if it cannot be told.
    fn fresh_session(&self, subject: &Subject) -> Result<(), RequestError>;
}

/// Writes down what was attempted and what was changed.
pub trait AuditLog {
    /// An attempt to verify a code.
    fn attempt(&self, subject: &Subject, attempt: &Attempt);

    /// A second factor was made or changed.
    fn change(&self, subject: &Subject, change: Change);

    /// The help desk was shown a status, or was refused something.
    fn helped(&self, subject: &Subject, what: &str);
}

/// What is worked with.
pub struct Lifecycle<'a> {
    pub caller: Caller<'a>,
    /// What holds on this host.
    pub config: &'a Config,
    /// Where second factors are kept.
    pub store: &'a Store,
    /// Read after every answer.
    pub clock: &'a dyn Clock,
    /// For secrets and recovery codes.
    pub randomness: &'a mut dyn Randomness,
    /// For rules that name groups.
    pub groups: &'a dyn Groups,
    /// Where everything is written down.
    pub audit_log: &'a dyn AuditLog,
}

impl Lifecycle<'_> {
    /// Does what is wanted for `subject`.
    ///
    /// # Errors
    /// A [`RequestError`]; nothing was changed then, unless the disk failed at the very end: see [`EnrolError`].
    pub fn perform(
        &mut self,
        subject: &Subject,
        request: &Request,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Done, RequestError> {
        if let Caller::Helper(helper) = self.caller {
            return self.help(helper, subject, request, dialogue);
        }
        match request {
            Request::Status => Ok(Done::Status(self.status(subject)?)),
            Request::Enroll(wanted) => self.enroll(subject, wanted, dialogue),
            Request::RenewRecovery(confirm) => self.renew_recovery(subject, *confirm, dialogue),
            Request::IssueRecovery(seconds) => {
                self.permit_root_alone()?;
                self.issue_recovery(subject, *seconds, 0)
            }
            Request::Unlock => {
                self.permit_root_alone()?;
                self.unlock(subject)
            }
            Request::Device(device, change) => self.change_device(subject, device, change, dialogue),
            Request::Remove => self.remove(subject, dialogue),
            Request::Verify => self.verify(subject, dialogue).map(Done::Verified),
            Request::Resync => self.resync(subject, dialogue),
            Request::Acknowledge => self.acknowledge(subject, dialogue),
        }
    }

    /// How the user stands.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn status(&self, subject: &Subject) -> Result<Status, StoreError> {
        Status::read(&self.store.reading()?, subject, &self.config.limits(), self.clock.now())
    }

    fn stores(&self) -> (&CredentialFiles, &StateFiles) {
        (&self.store.credentials, &self.store.states)
    }

    fn enroll(
        &mut self,
        subject: &Subject,
        wanted: &NewAuthenticator,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Done, RequestError> {
        self.authorize_enrolment(wanted)?;
        let issuer = match &wanted.issuer {
            Some(issuer) => check_issuer(issuer).map_err(|bad| RequestError::new(RequestErrorKind::Refused, bad))?,
            None => host::issuer(&self.config.issuer),
        };
        // A store that is missing may be a disk that is not mounted: only root may say that it is a new one.
        if let Caller::Root = self.caller {
            self.store.prepare(self.randomness)?;
        }
        let authorization = self.prove_for_enrolment(subject, wanted.mode, dialogue)?;
        // Refused before anything is shown, and once more under the lock.
        if wanted.mode == EnrolMode::Add
            && let Some(held) = self.store.credentials.read(subject)?
        {
            held.check_label(&wanted.label, None).map_err(EnrolError::from).map_err(enrol_failure(subject))?;
        }
        let given = wanted.secret.clone();
        let secret =
            given.map_or_else(|| enrolment::new_secret(self.randomness), Ok).map_err(enrol_failure(subject))?;
        let label_and_secret = (wanted.label.clone(), secret);
        let authenticator =
            enrolment::new_authenticator(label_and_secret, wanted.parameters, self.clock.now(), self.randomness)
                .map_err(enrol_failure(subject))?;
        let (codes, set) = match wanted.mode {
            EnrolMode::Add => (Vec::new(), None),
            EnrolMode::First | EnrolMode::Replace => {
                let made = self.new_recovery_codes().map_err(enrol_failure(subject))?;
                (made.0, Some(made.1))
            }
        };
        let uri = enrolment::uri(&authenticator, &issuer, subject.name.as_str());
        let otp = &authenticator.otp;
        dialogue.show_authenticator(&Offer {
            user: subject.name.to_string(),
            issuer,
            uri: uri.clone(),
            key: otp.secret().in_groups(),
            digits: otp.digits(),
            period: otp.period(),
        })?;
        let confirmed = match wanted.confirm {
            Confirm::Skip => None,
            Confirm::Ask => {
                let step = confirm_authenticator(&authenticator, self.clock, dialogue)?;
                hand_over_recovery_codes(&codes, dialogue)?;
                Some(step)
            }
        };
        self.store_new(subject, (&authenticator, set), confirmed, wanted.mode, &authorization)?;
        Ok(Done::Enrolled(Enrolled {
            authenticator: authenticator.id.as_str().to_owned(),
            label: authenticator.label.as_str().to_owned(),
            r#type: otp.kind().to_owned(),
            uri,
            recovery_codes: formatted(&codes),
        }))
    }

    fn new_recovery_codes(&mut self) -> Result<(Vec<RecoveryCode>, RecoverySet), EnrolError> {
        let _permit = self.store.states.hash_permit(Hashing::NewCodes)?;
        enrolment::new_recovery_codes(self.clock.now(), self.randomness)
    }

    fn store_new(
        &self,
        subject: &Subject,
        (authenticator, set): (&Authenticator, Option<RecoverySet>),
        confirmed: Option<u64>,
        mode: EnrolMode,
        authorization: &Authorization,
    ) -> Result<(), RequestError> {
        let now = self.clock.now();
        let (change, if_enrolled) = match (mode, authorization) {
            (EnrolMode::Add, _) => {
                enrolment::update_enrolment(self.stores(), subject, |enrolment, record| {
                    authorization.check(enrolment)?;
                    record.note_change(Change::DeviceAdded, now);
                    enrolment::add(enrolment, record, (authenticator.clone(), confirmed), now)
                })
                .map_err(enrol_failure(subject))?;
                self.audit_log.change(subject, Change::DeviceAdded);
                return Ok(());
            }
            (EnrolMode::First, _) | (EnrolMode::Replace, Authorization::FirstFactor) => {
                (Change::Enrolled, IfEnrolled::Fail)
            }
            (EnrolMode::Replace, Authorization::Root) => (Change::Replaced, IfEnrolled::Replace),
            (EnrolMode::Replace, Authorization::Held(identity)) => (Change::Replaced, IfEnrolled::ReplaceIf(identity)),
        };
        let enrolment = Enrolment {
            user: subject.name.clone(),
            uid: Some(subject.uid),
            authenticators: vec![authenticator.clone()],
            recovery: set,
        };
        enrolment::store_enrolment_with(self.stores(), subject, &enrolment, (if_enrolled, now), |record| {
            if let Some(step) = confirmed {
                record.use_step(&authenticator.id, step, now);
            }
            record.note_change(change, now);
        })
        .map_err(enrol_failure(subject))?;
        self.audit_log.change(subject, change);
        Ok(())
    }

    fn renew_recovery(
        &mut self,
        subject: &Subject,
        confirm: Confirm,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Done, RequestError> {
        self.permit(self.config.self_service.recovery, SelfServiceAction::RenewRecoveryCodes)?;
        self.permit_confirm(confirm)?;
        if self.store.credentials.read(subject)?.is_none() {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        }
        let authorization = self.prove(subject, dialogue)?;
        let (codes, set) = self.new_recovery_codes().map_err(enrol_failure(subject))?;
        if confirm == Confirm::Ask {
            hand_over_recovery_codes(&codes, dialogue)?;
        }
        let now = self.clock.now();
        enrolment::update_enrolment(self.stores(), subject, |enrolment, record| {
            authorization.check(enrolment)?;
            record.note_change(Change::RecoveryRenewed, now);
            enrolment::renew_recovery(enrolment, record, set);
            Ok(())
        })
        .map_err(enrol_failure(subject))?;
        self.audit_log.change(subject, Change::RecoveryRenewed);
        Ok(Done::RecoveryRenewed(formatted(&codes)))
    }

    /// One more code, for somebody who has no phone at hand and has to log in.
    fn issue_recovery(&mut self, subject: &Subject, seconds: u64, by_uid: u32) -> Result<Done, RequestError> {
        let valid = Duration::from_secs(seconds);
        if !IssuedCode::SPAN.contains(&valid) {
            return Err(messages::issued_for_too_long_or_short());
        }
        let Some(enrolment) = self.store.credentials.read(subject)? else {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        };
        let (code, hashed) = self.new_issued_code(&enrolment, valid, by_uid).map_err(enrol_failure(subject))?;
        let expires = hashed.expires.to_string();
        enrolment::store_issued_code(self.stores(), subject, hashed).map_err(enrol_failure(subject))?;
        self.audit_log.change(subject, Change::RecoveryIssued);
        Ok(Done::RecoveryIssued(Issued { code: code.formatted(), expires }))
    }

    fn new_issued_code(
        &mut self,
        enrolment: &Enrolment,
        valid: Duration,
        by_uid: u32,
    ) -> Result<(RecoveryCode, IssuedCode), EnrolError> {
        let code = enrolment::new_recovery_code(self.randomness)?;
        let set = enrolment.recovery_set().map_err(EnrolError::Recovery)?;
        let hash = {
            let _permit = self.store.states.hash_permit(Hashing::NewCodes)?;
            set.hash(&code).map_err(EnrolError::Recovery)?
        };
        let issued = self.clock.now();
        Ok((code, IssuedCode { set: set.set.clone(), hash: *hash, issued, expires: issued.after(valid), by_uid }))
    }

    /// Forgets the failures of somebody, who can log in with one code again.
    fn unlock(&self, subject: &Subject) -> Result<Done, RequestError> {
        if self.store.credentials.read(subject)?.is_none() {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        }
        admin::unlock(&self.store.states, subject, self.clock.now())?;
        self.audit_log.change(subject, Change::Unlocked);
        Ok(Done::Unlocked)
    }

    fn change_device(
        &self,
        subject: &Subject,
        device: &str,
        change: &DeviceChange,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Done, RequestError> {
        self.permit(self.config.self_service.device, SelfServiceAction::ChangeDevice)?;
        let authorization = self.prove(subject, dialogue)?;
        let now = self.clock.now();
        let what = match change {
            DeviceChange::Rename(_) => Change::DeviceRenamed,
            DeviceChange::Suspend => Change::DeviceSuspended,
            DeviceChange::Resume => Change::DeviceResumed,
            DeviceChange::Remove => Change::DeviceRemoved,
        };
        let changed = enrolment::update_enrolment(self.stores(), subject, |enrolment, record| {
            authorization.check(enrolment)?;
            record.note_change(what, now);
            let id = enrolment.change_device(device, change)?;
            Ok(DeviceChanged { authenticator: id.as_str().to_owned(), active: enrolment.active().count() })
        })
        .map_err(enrol_failure(subject))?;
        self.audit_log.change(subject, what);
        Ok(Done::DeviceChanged(changed))
    }

    fn remove(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<Done, RequestError> {
        self.permit(self.config.self_service.remove, SelfServiceAction::Remove)?;
        if let Caller::Owner(_) = self.caller
            && self
                .config
                .policy
                .asks_somewhere(&subject.name, self.groups)
                .map_err(|undecided| RequestError::new(RequestErrorKind::Host, undecided.to_string()))?
        {
            return Err(messages::second_factor_required());
        }
        // As root also what cannot be read is removed: the way out of a damaged file.
        if self.store.holds_nothing_of(subject)? {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        }
        let authorization = self.prove(subject, dialogue)?;
        admin::remove(self.stores(), subject, self.clock.now(), |held| match (&authorization, held) {
            (Authorization::Root, _) => Ok(()),
            (Authorization::FirstFactor | Authorization::Held(_), Ok(Some(enrolment))) => {
                authorization.check(enrolment)
            }
            (Authorization::FirstFactor | Authorization::Held(_), _) => Err(EnrolError::ChangedMeanwhile),
        })
        .map_err(enrol_failure(subject))?;
        self.audit_log.change(subject, Change::Removed);
        Ok(Done::Removed)
    }

    /// One attempt, as a login makes it: recovery codes left, if one was used.
    fn verify(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<Option<usize>, RequestError> {
        let attempt = self.login(&self.prompts(dialogue)).attempt(Some(subject), SecondFactor::Required, dialogue);
        self.audit_log.attempt(subject, &attempt);
        let attempt = self.as_told(attempt);
        let granted = granted(&attempt).map(Granted::recovery_codes_left);
        granted.ok_or_else(|| attempt::refusal(&attempt, subject.name.as_str(), self.owned(subject)))
    }

    fn resync(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<Done, RequestError> {
        let attempt = self.login(&self.prompts(dialogue)).resync(subject, dialogue);
        self.audit_log.attempt(subject, &attempt);
        if granted(&attempt).is_none() {
            return Err(attempt::resync_refusal(&attempt, subject.name.as_str(), self.owned(subject)));
        }
        self.audit_log.change(subject, Change::Resynced);
        Ok(Done::Resynced)
    }

    /// Ends the notices. An intruder who added a device or made new recovery codes must not silence the notice with them: of a
    /// user it takes a code of an authenticator that was there before all the changes, and was not switched on by one.
    fn acknowledge(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<Done, RequestError> {
        let (authorization, authenticator) = self.prove_with(subject, dialogue)?;
        let Some(mut state) = self.store.states.open(subject)? else {
            return Ok(Done::Acknowledged);
        };
        let mut next = state.record().clone();
        if let (Authorization::Held(_) | Authorization::FirstFactor, Some(_)) =
            (&authorization, next.notice.filter(|notice| notice.is_new(self.clock.now())))
        {
            let enrolment = self.store.credentials.read_ignoring_state(subject)?;
            let enrolment = enrolment.ok_or_else(|| RequestError::not_enrolled(subject.name.as_str()))?;
            authorization.check(&enrolment).map_err(enrol_failure(subject))?;
            let proof = enrolment.authenticators.iter().find(|one| Some(&one.id) == authenticator.as_ref());
            let is_older = next.changes().zip(proof).is_some_and(|(changes, proof)| changes.are_after(proof));
            if !is_older {
                return Err(messages::proof_is_too_new());
            }
        }
        next.acknowledge();
        if next != *state.record() {
            state.change(&next)?;
            self.audit_log.change(subject, Change::Acknowledged);
        }
        Ok(Done::Acknowledged)
    }

    /// The attempt as the caller may know it. Only root is told that a code will be valid later: somebody who guesses
    /// would know which guess to keep until then, and have ten minutes of codes to hit with each instead of three.
    fn as_told(&self, mut attempt: Attempt) -> Attempt {
        let may_know = |offset: &i64| matches!(self.caller, Caller::Root) || *offset < 0;
        attempt.audit.clock_offset = attempt.audit.clock_offset.filter(may_know);
        attempt
    }

    /// What the user's codes come from.
    fn owned(&self, subject: &Subject) -> Owned {
        Owned::by(self.store.credentials.read(subject).ok().flatten().as_ref())
    }

    /// The questions of a login, in the language of the dialogue.
    fn prompts(&self, dialogue: &dyn Dialogue) -> Prompts {
        Prompts::beginning_with(self.config.prompt(dialogue.catalogue()), dialogue.catalogue())
    }

    /// What an attempt works with: the same as a login's.
    fn login<'l>(&'l self, prompts: &'l Prompts) -> Login<'l, CredentialFiles, StateFiles> {
        Login {
            credentials: &self.store.credentials,
            states: &self.store.states,
            clock: self.clock,
            limits: self.config.limits(),
            prompts,
            from: None,
            network: None,
            client: None,
            audience: Audience::Nobody,
            forecast: None,
        }
    }
}

/// What the user reads about an enrolment of theirs that failed.
fn enrol_failure(subject: &Subject) -> impl FnOnce(EnrolError) -> RequestError {
    |error| messages::enrol_error(&error, subject.name.as_str())
}

/// The evidence, if it was granted.
const fn granted(attempt: &Attempt) -> Option<&Granted> {
    match &attempt.outcome {
        Outcome::Granted(granted) => Some(granted),
        Outcome::NotAsked(_) | Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => None,
    }
}

fn formatted(codes: &[RecoveryCode]) -> zeroize::Zeroizing<Vec<String>> {
    zeroize::Zeroizing::new(codes.iter().map(|code| code.formatted().to_string()).collect())
}
