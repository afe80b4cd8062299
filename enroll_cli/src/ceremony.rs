//! What is said and asked when somebody is enrolled: the secret shown, its proof, the recovery codes handed over.

use std::env;

use twinlock_core::{
    account::Subject,
    credentials::Authenticator,
    enrol::{self, Parameters},
    host::SystemClock,
    otp::MovingFactor,
    ports::Clock,
    qr::{self, Palette},
    recovery::RecoveryCode,
};

use crate::{choices::doubts, cli::Qr, failure::Failure, terminal::Terminal};

/// How often a wrong answer is asked again before the enrolment is given up.
const TRIES: usize = 5;
/// Light modules around the picture: with 2 it fits a terminal of 80x24.
const QUIET: u8 = 2;
/// The same around a picture of two characters a module: with 1, that of the usual address fits 80 columns.
const QUIET_ASCII: u8 = 1;

/// Explains, and shows the secret as a key, as an address and as a picture. The picture comes last, so that all of it is
/// on a terminal of 24 lines when the code is asked for.
pub(crate) fn introduce(
    terminal: &mut Terminal,
    subject: &Subject,
    authenticator: &Authenticator,
    (issuer, uri): (&str, &str),
    qr: Qr,
) -> Result<(), Failure> {
    let otp = &authenticator.otp;
    let changes = otp.period().map_or_else(|| "with each use".into(), |period| format!("every {period} seconds"));
    let key = otp.secret().in_groups();
    let kind = otp.period().map_or("counter-based", |_| "time-based");
    let picture = palette(qr).map(|(palette, quiet)| qr::draw(uri, palette, quiet));
    let scan = if matches!(picture, Some(Some(_))) { "scan the picture below, or " } else { "" };
    terminal.show(&format!(
        "\nA second factor for {0}.\n\n\
         From now on a login asks for a code that changes {changes}.\n\
         An app on your phone shows it: any app for \"TOTP\" or \"authenticator\"\n\
         codes will do. Open it and {scan}enter this by hand\n\
         ({kind}, {1} digits):\n\n  Account  {issuer}: {0}\n  Key      {2}\n  Address  {uri}\n\n",
        subject.name,
        otp.digits(),
        key.as_str()
    ))?;
    match picture {
        Some(Some(picture)) => terminal.show(&picture),
        Some(None) => terminal.show("(The address is too long for a picture.)\n"),
        None => Ok(()),
    }
}

/// How the picture is drawn, and how many light modules are around it. `NO_COLOR` (no-color.org) asks for no colours at
/// all; half blocks are then right on dark terminals, and `##` on light ones.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn palette(qr: Qr) -> Option<(Palette, u8)> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let plain = set("NO_COLOR") || env::var_os("TERM").is_some_and(|term| term == "dumb");
    match qr {
        Qr::Auto | Qr::Utf8 => Some((if plain { Palette::Plain } else { Palette::BlackAndWhite }, QUIET)),
        Qr::Ascii => Some((if plain { Palette::Ascii } else { Palette::BlackAndWhiteSpaces }, QUIET_ASCII)),
        Qr::None => None,
    }
}

/// Asks for a code of the authenticator, as proof that it has the secret; gives its step.
pub(crate) fn confirm(terminal: &mut Terminal, authenticator: &Authenticator) -> Result<u64, Failure> {
    let otp = &authenticator.otp;
    let (prompt, doubt) = match otp.factor() {
        MovingFactor::Time { .. } => (
            "The code that the app shows now: ",
            format!(
                "That is not the code of now. Is the phone's clock right, and this host's\n\
                 ({})? Is it the entry just scanned, and not an older one of\n\
                 the same name? Try the next code.\n",
                SystemClock.now()
            ),
        ),
        MovingFactor::Counter { .. } => (
            "The code that the token shows when its button is pressed: ",
            "That is none of its next hundred codes. Is it this token, and is --counter right?\n".to_owned(),
        ),
    };
    let parameters = Parameters { algorithm: otp.algorithm(), digits: otp.digits(), factor: otp.factor() };
    let doubts: String =
        doubts(parameters).iter().fold(String::new(), |said, doubt| said + "Is it that " + doubt + "?\n");
    for _ in 0..TRIES {
        let typed = terminal.ask(prompt)?.ok_or_else(given_up)?;
        if let Some(step) = enrol::confirm(authenticator, &typed, SystemClock.now()) {
            return Ok(step);
        }
        terminal.show(&doubt)?;
        terminal.show(&doubts)?;
    }
    Err(given_up())
}

/// Shows the recovery codes and asks one of them back, as proof that they were kept.
pub(crate) fn hand_over(terminal: &mut Terminal, codes: &[RecoveryCode]) -> Result<(), Failure> {
    terminal.show(
        "\nRecovery codes. Each opens one login when the phone is not at hand. Write\n\
         them down or print them, and keep them apart from the phone: they are not\n\
         shown again.\n\n",
    )?;
    terminal.show(&enrol::listed(codes))?;
    for _ in 0..TRIES {
        let typed = terminal.ask("\nType one of them, to show that you have them: ")?.ok_or_else(given_up)?;
        if enrol::typed_back(codes, &typed) {
            return Ok(());
        }
        terminal.show("That is none of them.")?;
    }
    Err(given_up())
}

fn given_up() -> Failure {
    Failure::refused("not confirmed, so nothing was changed")
        .hint("run the command again when the phone and the codes are at hand")
}
