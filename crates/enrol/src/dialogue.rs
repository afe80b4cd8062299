//! The dialogue of every enrolment, on a terminal, over the broker's socket and inside a login: a code of the new
//! authenticator, the recovery codes, and one of them back.

use twinlock_core::{
    catalogue::UserText,
    credentials::Authenticator,
    otp::MovingFactor,
    ports::{Clock, Dialogue, NoAnswer, Question},
    recovery::RecoveryCode,
};

use crate::{
    enrolment::{self, Parameters},
    messages,
};

/// How often an answer is asked for before the enrolment is given up.
const TRIES: usize = 5;

/// Why an enrolment was given up. Nothing is stored then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// There was no answer.
    NoAnswer(NoAnswer),
    /// No code of the authenticator was given.
    NoCode,
    /// No recovery code was typed back.
    NoRecoveryCode,
}

impl From<NoAnswer> for GivenUp {
    fn from(none: NoAnswer) -> Self {
        Self::NoAnswer(none)
    }
}

/// Asks for a code of the authenticator, as proof that it has the secret; gives its time step or count.
///
/// # Errors
/// [`GivenUp`].
pub fn confirm_authenticator(
    authenticator: &Authenticator,
    clock: &dyn Clock,
    dialogue: &mut dyn Dialogue,
) -> Result<u64, GivenUp> {
    let otp = &authenticator.otp;
    let prompt = dialogue.catalogue().prompt(match otp.factor() {
        MovingFactor::Time { .. } => UserText::AppCodePrompt,
        MovingFactor::Counter { .. } => UserText::TokenCodePrompt,
    });
    for _ in 0..TRIES {
        let typed = dialogue.ask(Question::Code(&prompt))?;
        let now = clock.now();
        if let Some(step) = enrolment::confirm(authenticator, &typed, now) {
            return Ok(step);
        }
        let mismatch = match otp.factor() {
            MovingFactor::Time { .. } => messages::app_code_mismatch(dialogue.catalogue(), now),
            MovingFactor::Counter { .. } => messages::token_code_mismatch(dialogue.catalogue()),
        };
        dialogue.tell(&mismatch)?;
        let parameters = Parameters { algorithm: otp.algorithm(), digits: otp.digits(), factor: otp.factor() };
        for doubt in parameters.doubts() {
            dialogue.tell(&messages::possible_cause(doubt))?;
        }
    }
    Err(GivenUp::NoCode)
}

/// Shows the recovery codes and asks one of them back, as proof that they were kept.
///
/// # Errors
/// [`GivenUp`].
pub fn hand_over_recovery_codes(codes: &[RecoveryCode], dialogue: &mut dyn Dialogue) -> Result<(), GivenUp> {
    if codes.is_empty() {
        return Ok(());
    }
    let (introduction, prompt) =
        (messages::recovery_codes(dialogue.catalogue()), messages::saved_code_prompt(dialogue.catalogue()));
    dialogue.tell(&introduction)?;
    dialogue.tell(&enrolment::listed(codes))?;
    for _ in 0..TRIES {
        let typed = dialogue.ask(Question::Text(&prompt))?;
        if enrolment::typed_back(codes, &typed) {
            return Ok(());
        }
        let mismatch = messages::not_a_shown_code(dialogue.catalogue());
        dialogue.tell(&mismatch)?;
    }
    Err(GivenUp::NoRecoveryCode)
}
