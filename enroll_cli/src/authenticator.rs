//! A new authenticator, shown on the terminal: as a key, as an address and as a picture.

use std::env;

use twinlock_core::ports::Offer;
use twinlock_enrol::qr::{self, Palette};

use crate::{cli::Qr, failure::Failure, terminal::Terminal};

/// Light modules around the picture: with 2 it fits a terminal of 80x24.
const QUIET: u8 = 2;
/// The same around a picture of two characters a module: with 1, that of the usual address fits 80 columns.
const QUIET_ASCII: u8 = 1;

/// Explains, and shows the secret as a key, as an address and as a picture. The picture comes last, so that all of it is
/// on a terminal of 24 lines when the code is asked for.
pub(crate) fn show_authenticator(terminal: &mut Terminal, offer: &Offer, qr: Qr) -> Result<(), Failure> {
    let changes = offer.period.map_or_else(|| "with each use".into(), |period| format!("every {period} seconds"));
    let kind = offer.period.map_or("counter-based", |_| "time-based");
    let Offer { user, issuer, uri, key, digits, .. } = offer;
    let (uri, key) = (uri.as_str(), key.as_str());
    let picture = palette(qr).map(|(palette, quiet)| qr::draw(uri, palette, quiet));
    let scan = if matches!(picture, Some(Some(_))) { "scan the picture below, or " } else { "" };
    terminal.show(&format!(
        "\nA second factor for {user}.\n\n\
         From now on a login asks for a code that changes {changes}.\n\
         An app on your phone shows it: any app for \"TOTP\" or \"authenticator\"\n\
         codes will do. Open it and {scan}enter this by hand\n\
         ({kind}, {digits} digits):\n\n  Account  {issuer}: {user}\n  Key      {key}\n  Address  {uri}\n\n"
    ))?;
    match picture {
        Some(Some(picture)) => terminal.draw(&picture),
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
