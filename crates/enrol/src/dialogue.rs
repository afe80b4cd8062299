//! The dialogue of every enrolment, on a terminal, over the broker's socket and inside a login: a code of the new
//! authenticator, the recovery codes, and one of them back.

use twinlock_core::{
    credentials::Authenticator,
    otp::MovingFactor,
    ports::{Clock, Dialogue, NoAnswer, Question},
    recovery::RecoveryCode,
};

use crate::enrolment::{self, Parameters};

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
    let prompt = match otp.factor() {
        MovingFactor::Time { .. } => "The code that the app shows now: ",
        MovingFactor::Counter { .. } => "The code that the token shows when its button is pressed: ",
    };
    for _ in 0..TRIES {
        let typed = dialogue.ask(Question::Code(prompt))?;
        let now = clock.now();
        if let Some(step) = enrolment::confirm(authenticator, &typed, now) {
            return Ok(step);
        }
        match otp.factor() {
            MovingFactor::Time { .. } => dialogue.tell(&format!(
                "That is not the code of now. Is the phone's clock right, and this host's\n\
                 ({now})? Is it the entry just scanned, and not an older one of\n\
                 the same name? Try the next code.\n",
            ))?,
            MovingFactor::Counter { .. } => {
                dialogue.tell("That is none of its next hundred codes. Is it this token, and is --counter right?\n")?;
            }
        }
        let parameters = Parameters { algorithm: otp.algorithm(), digits: otp.digits(), factor: otp.factor() };
        for doubt in parameters.doubts() {
            dialogue.tell(&format!("Is it that {doubt}?\n"))?;
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
    dialogue.tell(
        "\nRecovery codes. Each opens one login when the phone is not at hand. Write\n\
         them down or print them, and keep them apart from the phone: they are not\n\
         shown again.\n\n",
    )?;
    dialogue.tell(&enrolment::listed(codes))?;
    for _ in 0..TRIES {
        let typed = dialogue.ask(Question::Text("\nType one of them, to show that you have them: "))?;
        if enrolment::typed_back(codes, &typed) {
            return Ok(());
        }
        dialogue.tell("That is none of them.")?;
    }
    Err(GivenUp::NoRecoveryCode)
}
