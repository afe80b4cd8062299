//! A new authenticator, shown on the terminal: as an address, as a picture and as a key.

use std::{env, ffi::OsStr};

use twinlock_core::ports::Offer;
use twinlock_enrol::qr::{self, Palette};

use crate::{cli::Qr, failure::Failure, language, messages::enroll as messages, terminal::Terminal};

/// Light modules around the picture: with 2 it fits a terminal of 80x24.
const QUIET: u8 = 2;
/// The same around a picture of two characters a module: with 1, that of the usual address fits 80 columns.
const QUIET_ASCII: u8 = 1;

/// Explains, and shows the secret as an address, as a picture and as a key. The key comes last, next to the question: on a
/// terminal of 24 lines the picture moves all else out of sight.
pub(crate) fn show_authenticator(terminal: &mut Terminal, offer: &Offer, qr: Qr) -> Result<(), Failure> {
    let picture = palette(qr).and_then(|(palette, quiet)| qr::draw(offer.uri.as_str(), palette, quiet));
    let catalogue = language::catalogue();
    terminal.show(&messages::introduction(catalogue, offer, picture.is_some()))?;
    if let Some(picture) = picture {
        terminal.draw(&picture)?;
    }
    terminal.show(&messages::key(catalogue, offer))
}

/// How the picture is drawn, and how many light modules are around it. `NO_COLOR` (no-color.org) asks for no colours at
/// all; half blocks are then right on dark terminals, and `##` on light ones.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn palette(qr: Qr) -> Option<(Palette, u8)> {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty());
    let plain = variable("NO_COLOR").is_some() || variable("TERM").is_some_and(|term| term == "dumb");
    // Where no locale is set, nothing speaks against blocks.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let has_blocks = locale.is_none_or(|locale| is_utf8(&locale));
    Some(match (qr, has_blocks, plain) {
        (Qr::Auto, true, true) | (Qr::Utf8, _, true) => (Palette::Plain, QUIET),
        (Qr::Auto, true, false) | (Qr::Utf8, _, false) => (Palette::BlackAndWhite, QUIET),
        (Qr::Auto, false, false) => (Palette::BlackAndWhiteSpaces, QUIET_ASCII),
        (Qr::Auto, false, true) | (Qr::Ascii, _, _) => (Palette::Ascii, QUIET_ASCII),
        (Qr::None, _, _) => return None,
    })
}

/// Whether a locale such as `de_DE.UTF-8` or `C.utf8` is of that encoding.
fn is_utf8(locale: &OsStr) -> bool {
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    ["utf-8", "utf8"].iter().any(|encoding| locale.contains(encoding))
}
