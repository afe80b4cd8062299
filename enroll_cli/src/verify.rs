//! `twinlock verify`: one attempt, as a login makes it.

use std::path::Path;

use twinlock_core::{
    account::Subject,
    credentials::Enrolment,
    journal::Reason,
    login::{Attempt, Outcome},
    policy::SecondFactor,
    ports::ReadCredentials,
};

use crate::{
    cli,
    failure::Failure,
    journal,
    output::print,
    scene::{self, Scene},
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &cli::User) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    let mut terminal = Terminal::or_stdin("a code", "pipe the code into stdin")?;
    let attempt = scene.login().attempt(Some(&subject), SecondFactor::Required, &mut terminal);
    journal::attempt(user, &attempt);
    match attempt.outcome {
        Outcome::Granted { recovery_codes_left: None } => print("right: the code is used now\n"),
        Outcome::Granted { recovery_codes_left: Some(left) } => {
            print(&format!("right: the recovery code is used now, {left} are left\n"))
        }
        Outcome::TooSoon(_) | Outcome::NoAnswer(_) | Outcome::NotAsked | Outcome::Refused(_) => {
            Err(failure(&attempt, user, Owned::by(&subject, &scene)))
        }
    }
}

/// What a user's codes come from: the advice is about these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owned {
    /// Apps, whose clocks can be wrong.
    Phones,
    /// Tokens, whose counters can have run ahead.
    Tokens,
    /// Some of each.
    Both,
}

impl Owned {
    /// The devices that are not suspended. Where nothing can be read, it is phones, which most have.
    pub(crate) fn by(subject: &Subject, scene: &Scene) -> Self {
        let enrolment = scene.store.credentials.read(subject).ok().flatten();
        let clocks = || enrolment.iter().flat_map(Enrolment::active).map(|device| device.otp.period());
        match (clocks().any(|period| period.is_some()), clocks().any(|period| period.is_none())) {
            (true, true) => Self::Both,
            (false, true) => Self::Tokens,
            (_, false) => Self::Phones,
        }
    }
}

/// What an attempt that was not granted is to whoever made it.
pub(crate) fn failure(attempt: &Attempt, user: &str, owned: Owned) -> Failure {
    match attempt.outcome {
        Outcome::TooSoon(rest) => Failure::refused(format!(
            "too many wrong codes: not looked at, try again in {} seconds",
            rest.as_secs().max(1)
        )),
        Outcome::Refused(Reason::NotEnrolled) => Failure::not_enrolled(user),
        Outcome::Refused(reason) => refused(reason, attempt, user, owned),
        Outcome::Granted { .. } | Outcome::NoAnswer(_) | Outcome::NotAsked => {
            Failure::refused("no code was given").hint("pipe the code into stdin, or type it")
        }
    }
}

fn refused(reason: Reason, attempt: &Attempt, user: &str, owned: Owned) -> Failure {
    let (message, hint) = match reason {
        Reason::WrongCode if attempt.clock_offset.is_some() => (
            "wrong: it is the code of another time",
            format!(
                "the clocks differ by {:+} seconds: set this host's or the phone's right, or twinlock resync {user}",
                attempt.clock_offset.unwrap_or_default()
            ),
        ),
        Reason::WrongCode => match owned {
            Owned::Phones => (
                "wrong: no code of now and no recovery code",
                "is the clock of the phone right (automatic date and time), and that of this host?".into(),
            ),
            Owned::Tokens => (
                "wrong: none of the token's next codes and no recovery code",
                format!("if its button was pressed often without a login: twinlock resync {user}"),
            ),
            Owned::Both => (
                "wrong: no code of any device and no recovery code",
                format!(
                    "is the clock of the phone right, and that of this host? \
                     If the button of a token was pressed often without a login: twinlock resync {user}"
                ),
            ),
        },
        Reason::Replayed => (
            "wrong: the code was used before",
            match owned {
                Owned::Phones => "wait for the next one".into(),
                Owned::Tokens => "press the token for the next one".into(),
                Owned::Both => "wait for the phone's next one, or press the token".into(),
            },
        ),
        Reason::StepUp => (
            "wrong: the second code did not follow the first",
            format!("two codes in a row, or twinlock unlock {user}"),
        ),
        Reason::Junk => ("not a code: 6 to 8 digits, or a recovery code of 16 symbols", "nothing was charged".into()),
        Reason::Disabled => {
            ("disabled after too many wrong codes; recovery codes still work", format!("twinlock unlock {user}"))
        }
        Reason::Throttled
        | Reason::NotEnrolled
        | Reason::Bypass
        | Reason::Config
        | Reason::Store
        | Reason::UnknownUser
        | Reason::NoAnswer
        | Reason::Internal => {
            ("it could not be verified", attempt.detail.clone().unwrap_or_else(|| reason.name().into()))
        }
    };
    Failure::refused(message).hint(hint)
}
