//! The talk with a helper of the broker, which runs a PAM stack: its questions relayed to the user.

use std::time::Duration;

use twinlock_core::ports::{Dialogue, Question};
use twinlock_login::wire::{Connection, FrameError, Kind};
use zeroize::Zeroizing;

/// How long the helper may take for its next word: PAM holds failures back, and directories are slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// Carries questions and answers; the helper's last word.
///
/// # Errors
/// [`FrameError`]; also where a question gets no answer. There is no last word then.
pub fn relay(helper: &Connection, dialogue: &mut dyn Dialogue) -> Result<Zeroizing<Vec<u8>>, FrameError> {
    loop {
        let frame = helper.read(PATIENCE)?;
        let question = match frame.kind {
            Kind::Ask => Question::Text(frame.text()?),
            Kind::AskHidden => Question::Password(frame.text()?),
            Kind::Tell => {
                dialogue.tell(frame.text()?).map_err(|_| FrameError::Gone)?;
                continue;
            }
            Kind::Verdict => return Ok(frame.content),
            Kind::Request
            | Kind::Login
            | Kind::EnrolledInLogin
            | Kind::Answer
            | Kind::NoAnswer
            | Kind::Introduce
            | Kind::Done
            | Kind::Refused => return Err(FrameError::OutOfPlace),
        };
        let typed = dialogue.ask(question).map_err(|_| FrameError::Gone)?;
        helper.write(Kind::Answer, &typed, PATIENCE)?;
    }
}
