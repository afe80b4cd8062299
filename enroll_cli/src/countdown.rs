//! A trial on the terminal at which it began: how long it lasts, and the question whether to keep the change. The trial itself
//! is another process's, so this one may be interrupted at any time.

use std::{
    io::{self, BufRead as _, Write as _},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use twinlock_core::ports::Clock as _;
use twinlock_hostcheck::trial::{self, ChangedService, TrialState};
use twinlock_store::host::SystemClock;

use crate::{failure::Failure, messages::trial as messages, output::print_note};

/// How it ended for the person at the terminal.
pub(crate) enum Watched {
    /// It is to be kept.
    ToBeConfirmed,
    /// Somebody has confirmed it, or nobody types here any more.
    Ended,
}

/// Shows the time that is left, until the trial is confirmed here or elsewhere.
///
/// # Errors
/// It was undone.
pub(crate) fn watch(service: ChangedService) -> Result<Watched, Failure> {
    let lines = typed_lines();
    let mut is_asked = false;
    loop {
        let status = trial::status(service)?;
        match (status.state, status.until) {
            (TrialState::Trial, Some(until)) if !is_asked => draw(&messages::time_left(until.since(SystemClock.now()))),
            (TrialState::Trial | TrialState::Changing, _) => {}
            (TrialState::On, _) => {
                draw("");
                print_note(messages::CONFIRMED_ELSEWHERE);
                return Ok(Watched::Ended);
            }
            (TrialState::Off, _) => {
                draw("");
                return Err(messages::undone());
            }
        }
        match lines.recv_timeout(Duration::from_secs(1)) {
            Ok(answer) if is_asked && answer.trim() == "yes" => return Ok(Watched::ToBeConfirmed),
            Ok(_) => {
                is_asked = !is_asked;
                if is_asked {
                    draw(messages::keep(service));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                draw("");
                return Ok(Watched::Ended);
            }
        }
    }
}

/// The lines of the terminal, read aside: it ends with this process.
fn typed_lines() -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        io::stdin().lock().lines().map_while(Result::ok).try_for_each(|line| sender.send(line).ok());
    });
    lines
}

/// Puts a text in the place of the line.
fn draw(text: &str) {
    let mut terminal = io::stderr().lock();
    // Nobody is left to see it if stderr is closed.
    let _ = write!(terminal, "\r\x1b[K{text}").and_then(|()| terminal.flush());
}
