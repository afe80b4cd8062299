//! Enrolment inside a login: the usual dialogue in prompts. What comes of it is staged, and stored only where the whole login
//! has passed: see [`crate::pending`].

use twinlock_core::{
    account::Subject,
    audit::Reason,
    catalogue::Catalogue,
    credentials::{Authenticator, Enrolment},
    devices::free_label,
    ports::{Clock, Conversation, Dialogue as _, Offer, Randomness},
    time::UnixTime,
};
use twinlock_login::attempt::{Attempt, Outcome};
use twinlock_store::{
    config::Pictures,
    ports::{Hashing, StateStore, WriteCredentials},
};
use zeroize::Zeroizing;

use crate::{
    dialogue::{GivenUp, confirm_authenticator, hand_over_recovery_codes},
    enrolment::{self, EnrolError, IfEnrolled, Parameters},
    messages,
    offered::Offered,
    prompts::PromptDialogue,
};

/// Longest address whose picture is that small (version 5).
const SMALL: usize = 106;

/// An enrolment that waits for the end of the login. No `Debug`: it holds a secret.
pub struct Staged {
    pub(crate) subject: Subject,
    pub(crate) enrolment: Enrolment,
    pub(crate) confirmed: u64,
}

impl Staged {
    /// What is enrolled.
    #[must_use]
    pub fn authenticator(&self) -> Option<&Authenticator> {
        self.enrolment.authenticators.first()
    }

    /// Stores it, with the confirming code used up. The next logins tell of it: who enrolled may not have been the owner.
    ///
    /// # Errors
    /// [`EnrolError::AlreadyEnrolled`] if another login was faster; [`EnrolError::Store`], after which it may count all the
    /// same: its last write comes when the enrolment is on the disk.
    pub fn store<C: WriteCredentials, S: StateStore>(
        &self,
        stores: (&C, &S),
        now: UnixTime,
    ) -> Result<Stored, EnrolError> {
        enrolment::store_enrolment_with(stores, &self.subject, &self.enrolment, (IfEnrolled::Fail, now), |record| {
            for authenticator in &self.enrolment.authenticators {
                record.use_step(&authenticator.id, self.confirmed, now);
            }
            record.note_enrolment_in_login(now);
        })?;
        Ok(Stored(()))
    }
}

/// The evidence that an enrolment inside a login was stored: [`Staged::store`] alone makes it.
#[derive(Debug)]
pub struct Stored(());

/// Enrols somebody who is asked for it.
pub struct Onboarding<'a, S> {
    /// Read after every answer.
    pub clock: &'a dyn Clock,
    /// For the secret and the recovery codes.
    pub randomness: &'a mut dyn Randomness,
    /// For its permit to hash.
    pub states: &'a S,
    /// The issuer, as the app shows it.
    pub issuer: &'a str,
    /// The texts of the user's language.
    pub catalogue: &'a Catalogue,
    pub invitation: Invitation<'a>,
}

/// What a user is told before the first question of an enrolment inside a login, and how the authenticator is shown.
#[derive(Debug, Clone, Copy)]
pub struct Invitation<'a> {
    /// When the rule ends that offers the enrolment.
    pub until: Option<UnixTime>,
    /// The administrator's text on how to get help; may be empty.
    pub help: &'a str,
    pub pictures: Pictures,
}

impl<S: StateStore> Onboarding<'_, S> {
    /// Asks everything there is to ask. For an unknown account (`None`, called `typed`) the same dialogue runs, and
    /// nothing is stored.
    ///
    /// # Errors
    /// How the attempt ended instead.
    pub fn run(
        &mut self,
        (subject, offered): (Option<&Subject>, Offered),
        typed: &str,
        conversation: &mut dyn Conversation,
    ) -> Result<Box<Staged>, Attempt> {
        let now = self.clock.now();
        let authenticator = enrolment::new_authenticator(
            (free_label(&[]), offered.secret.clone()),
            Parameters::default(),
            now,
            self.randomness,
        )
        .map_err(|error| failed(&error))?;
        let account: String = typed.chars().filter(|c| !c.is_control()).take(64).collect();
        let account = subject.map_or(account.as_str(), |subject| subject.name.as_str());
        let Invitation { until, help, pictures } = self.invitation;
        let mut dialogue = PromptDialogue::over(conversation, self.catalogue, pictures);
        dialogue.invite(until, help);
        let confirmed = self.confirm(&authenticator, account, &mut dialogue);
        let confirmed = confirmed.map_err(|given_up| Self::given_up(given_up, &dialogue))?;
        let (codes, set) = {
            let _permit = self.states.hash_permit(Hashing::NewCodes).map_err(Attempt::from)?;
            enrolment::new_recovery_codes(now, self.randomness).map_err(|error| failed(&error))?
        };
        let kept = hand_over_recovery_codes(&codes, &mut dialogue);
        kept.map_err(|given_up| Self::given_up(given_up, &dialogue))?;
        let Some(subject) = subject else {
            return Err(Attempt::refused_for(Reason::UnknownUser));
        };
        let enrolment = Enrolment {
            user: subject.name.clone(),
            uid: Some(subject.uid),
            authenticators: vec![authenticator],
            recovery: Some(set),
        };
        Ok(Box::new(Staged { subject: subject.clone(), enrolment, confirmed }))
    }

    /// Shows the authenticator and asks for a code of it.
    fn confirm(
        &self,
        authenticator: &Authenticator,
        account: &str,
        dialogue: &mut PromptDialogue<'_>,
    ) -> Result<u64, GivenUp> {
        let otp = &authenticator.otp;
        dialogue.show_authenticator(&Offer {
            user: account.to_owned(),
            issuer: self.issuer.to_owned(),
            uri: address(authenticator, self.issuer, account),
            key: otp.secret().in_groups(),
            digits: otp.digits(),
            period: otp.period(),
        })?;
        confirm_authenticator(authenticator, self.clock, dialogue)
    }

    /// How an attempt ends whose enrolment was given up.
    fn given_up(given_up: GivenUp, dialogue: &PromptDialogue<'_>) -> Attempt {
        match given_up {
            GivenUp::NoAnswer(_) if dialogue.is_blocked => Attempt::blocked(),
            GivenUp::NoAnswer(none) => Attempt::ended(Outcome::NoAnswer(none)),
            GivenUp::NoCode => ended(Reason::NotEnrolled, messages::ABANDONED_WITHOUT_CODE),
            GivenUp::NoRecoveryCode => ended(Reason::NotEnrolled, messages::ABANDONED_WITHOUT_RECOVERY_CODE),
        }
    }
}

/// The address for the app. Where its picture would not fit a terminal, the issuer stands in the label alone.
fn address(authenticator: &Authenticator, issuer: &str, account: &str) -> Zeroizing<String> {
    let whole = enrolment::uri(authenticator, issuer, account);
    match whole.rsplit_once("&issuer=") {
        Some((short, _)) if whole.len() > SMALL => Zeroizing::new(short.to_owned()),
        Some(_) | None => whole,
    }
}

fn ended(reason: Reason, detail: &str) -> Attempt {
    Attempt::refused_for(reason).with_detail(detail)
}

fn failed(error: &EnrolError) -> Attempt {
    ended(Reason::Internal, &messages::cannot_enrol(error))
}
