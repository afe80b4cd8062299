//! What a caller may do, and what must be shown first: a code for what somebody has, a first factor where there is nothing yet.
//! A code tried here is counted and used up like that of a login.

use twinlock_core::{
    account::Subject,
    audit::Reason,
    catalogue::UserText,
    credentials::{AuthenticatorId, Enrolment},
    layout::wrapped,
    policy::SecondFactor,
    ports::Dialogue,
};
use twinlock_enrol::enrolment::EnrolError;
use twinlock_login::attempt::{Outcome, Prompts};
use twinlock_store::{
    config::FirstEnrollment,
    ports::{ReadCredentials, WriteCredentials},
};

use super::{Caller, Confirm, EnrolMode, Lifecycle, NewAuthenticator, RequestError, attempt, granted};
use crate::error::Owned;
use crate::messages::{self, SelfServiceAction};

/// What was shown, and of what it is still true when the change is made.
pub(super) enum Authorization {
    /// Root needs to show nothing.
    Root,
    /// The user, who has no second factor.
    FirstFactor,
    /// The owner of exactly these authenticators and recovery codes.
    Held(String),
}

impl Authorization {
    /// Whether the authorization is for this enrolment, as it is under its lock: somebody whose stolen phone was just replaced
    /// must not go on with what it proved before.
    pub(super) fn check(&self, enrolment: &Enrolment) -> Result<(), EnrolError> {
        match self {
            Self::Root => Ok(()),
            Self::Held(identity) if *identity == enrolment.identity() => Ok(()),
            Self::FirstFactor | Self::Held(_) => Err(EnrolError::ChangedMeanwhile),
        }
    }
}

/// How often the question is asked after incorrect codes.
const TRIES: usize = 3;

impl Lifecycle<'_> {
    /// Whether the administrator leaves it to users.
    pub(super) fn permit(&self, allowed: bool, action: SelfServiceAction) -> Result<(), RequestError> {
        match self.caller {
            Caller::Root => Ok(()),
            Caller::Owner(_) if allowed => Ok(()),
            Caller::Owner(_) | Caller::Helper(_) => Err(messages::reserved_for_administrators(action)),
        }
    }

    /// For what users may not do for themselves at all.
    pub(super) fn permit_root_alone(&self) -> Result<(), RequestError> {
        match self.caller {
            Caller::Root => Ok(()),
            Caller::Owner(_) | Caller::Helper(_) => Err(messages::needs_root_or_help_desk()),
        }
    }

    /// What is stored unconfirmed may be no good to its owner: root alone may want that.
    pub(super) fn permit_confirm(&self, confirm: Confirm) -> Result<(), RequestError> {
        match (self.caller, confirm) {
            (Caller::Root, _) | (Caller::Owner(_), Confirm::Ask) => Ok(()),
            (Caller::Owner(_), Confirm::Skip) | (Caller::Helper(_), _) => {
                Err(messages::skipping_confirmation_needs_root())
            }
        }
    }

    pub(super) fn authorize_enrolment(&self, wanted: &NewAuthenticator) -> Result<(), RequestError> {
        let service = &self.config.self_service;
        match wanted.mode {
            EnrolMode::First => self.permit(service.enroll, SelfServiceAction::Enrol)?,
            EnrolMode::Add => self.permit(service.device, SelfServiceAction::AddDevice)?,
            EnrolMode::Replace => self.permit(service.replace, SelfServiceAction::Replace)?,
        }
        self.permit_confirm(wanted.confirm)?;
        match (self.caller, &wanted.secret) {
            (Caller::Owner(_) | Caller::Helper(_), Some(_)) => Err(messages::given_secret_needs_root()),
            (Caller::Owner(_) | Caller::Helper(_), None) | (Caller::Root, _) => Ok(()),
        }
    }

    /// Told at once, not after the phone was set up; looked at again when it is stored.
    pub(super) fn prove_for_enrolment(
        &self,
        subject: &Subject,
        mode: EnrolMode,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Authorization, RequestError> {
        let enrolled = match (self.caller, mode) {
            // As root also what cannot be read is replaced.
            (Caller::Root, EnrolMode::Replace) => return Ok(Authorization::Root),
            // Root may enrol anew somebody whose credentials were lost.
            (Caller::Root, _) => self.store.credentials.read_ignoring_state(subject)?.is_some(),
            (Caller::Owner(_) | Caller::Helper(_), _) => self.store.credentials.read(subject)?.is_some(),
        };
        match (mode, enrolled) {
            (EnrolMode::First, true) => Err(messages::enrol_error(&EnrolError::AlreadyEnrolled, subject.name.as_str())),
            (EnrolMode::Add | EnrolMode::Replace, false) => Err(RequestError::not_enrolled(subject.name.as_str())),
            (EnrolMode::First, false) => self.prove_first_factor(subject, dialogue),
            (EnrolMode::Add | EnrolMode::Replace, true) => self.prove(subject, dialogue),
        }
    }

    fn prove_first_factor(
        &self,
        subject: &Subject,
        dialogue: &mut dyn Dialogue,
    ) -> Result<Authorization, RequestError> {
        let first_factor = match self.caller {
            Caller::Root => return Ok(Authorization::Root),
            Caller::Owner(first_factor) => first_factor,
            Caller::Helper(_) => return Err(messages::not_for_the_help_desk()),
        };
        match self.config.self_service.first_enrollment {
            FirstEnrollment::Password => {
                let introduction = format!("{}\n", wrapped(dialogue.catalogue().get(UserText::IdentityPassword)));
                dialogue.tell(&introduction)?;
                first_factor.password(subject, dialogue)?;
            }
            FirstEnrollment::Session => first_factor.fresh_session(subject)?,
            FirstEnrollment::Off => return Err(messages::first_enrolment_off()),
        }
        Ok(Authorization::FirstFactor)
    }

    /// Asks the owner for a code of what is there now.
    pub(super) fn prove(&self, subject: &Subject, dialogue: &mut dyn Dialogue) -> Result<Authorization, RequestError> {
        self.prove_with(subject, dialogue).map(|(authorization, _)| authorization)
    }

    /// The same, with the authenticator whose code it was; `None` for a recovery code, and for root.
    pub(super) fn prove_with(
        &self,
        subject: &Subject,
        dialogue: &mut dyn Dialogue,
    ) -> Result<(Authorization, Option<AuthenticatorId>), RequestError> {
        match self.caller {
            Caller::Root => Ok((Authorization::Root, None)),
            Caller::Owner(_) => self.ask_for_code(subject, dialogue),
            Caller::Helper(_) => Err(messages::not_for_the_help_desk()),
        }
    }

    /// The same for every caller.
    pub(super) fn ask_for_code(
        &self,
        subject: &Subject,
        dialogue: &mut dyn Dialogue,
    ) -> Result<(Authorization, Option<AuthenticatorId>), RequestError> {
        let Some(enrolment) = self.store.credentials.read(subject)? else {
            return Err(RequestError::not_enrolled(subject.name.as_str()));
        };
        let mut left = TRIES;
        let catalogue = dialogue.catalogue();
        let prompts = Prompts::beginning_with(catalogue.prompt(UserText::IdentityCodePrompt), catalogue);
        loop {
            left = left.saturating_sub(1);
            let attempt = self.login(&prompts).attempt(Some(subject), SecondFactor::Required, &mut *dialogue);
            self.audit_log.attempt(subject, &attempt);
            if granted(&attempt).is_some() {
                return Ok((Authorization::Held(enrolment.identity()), attempt.audit.authenticator));
            }
            if let Outcome::NoAnswer(none) = attempt.outcome {
                return Err(none.into());
            }
            let attempt = self.as_told(attempt);
            let refusal = attempt::refusal(&attempt, subject.name.as_str(), Owned::by(Some(&enrolment)));
            let again =
                matches!(attempt.outcome, Outcome::Refused(Reason::WrongCode | Reason::Replayed | Reason::Junk));
            if !again || left == 0 {
                return Err(refusal);
            }
            dialogue.tell(&format!("{refusal}\n"))?;
        }
    }
}
