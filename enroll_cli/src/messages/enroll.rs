//! `twinlock enroll`. What users read while they enrol is in the language of the locale.

use std::{
    fmt::{self, Display},
    io,
    path::Path,
};

use twinlock_core::{
    catalogue::{Catalogue, UserText},
    layout::{cells, wrapped},
    ports::Offer,
};
use twinlock_service::self_service::SelfServiceText;
use zeroize::Zeroizing;

use crate::{
    failure::Failure,
    language::{say, say_of},
    secret::SecretTextError,
};

/// There is nobody to show the secret to.
pub(crate) fn without_terminal(user: &str) -> Failure {
    Failure::refused(say_of(user, SelfServiceText::NoTerminalToEnrol)).hint(say(SelfServiceText::TerminalOrJson))
}

/// What the new authenticator is for, how it gets into an app, and its address.
pub(crate) fn introduction(catalogue: &Catalogue, offer: &Offer, with_qr_code: bool) -> Zeroizing<String> {
    let about = match offer.period {
        Some(period) => catalogue.fill(UserText::AboutApps, &[("seconds", &period.to_string())]),
        None => catalogue.get(UserText::AboutTokens).to_owned(),
    };
    let kind = catalogue.get(offer.period.map_or(UserText::CounterBased, |_| UserText::TimeBased));
    let how = if with_qr_code { UserText::ScanQrCode } else { UserText::EnterShownKey };
    let how = catalogue.fill(how, &[("kind", kind), ("digits", &offer.digits.to_string())]);
    let title = catalogue.fill(UserText::NewSecondFactor, &[("user", &offer.user)]);
    let address = field(catalogue, UserText::Address, &offer.uri);
    Zeroizing::new(format!("\n{}\n\n{}\n\n{}\n\n", wrapped(&title), wrapped(&format!("{about} {how}")), *address))
}

/// Its key, and the account that the app shows.
pub(crate) fn key(catalogue: &Catalogue, offer: &Offer) -> Zeroizing<String> {
    let account = format!("{}: {}", offer.issuer, offer.user);
    let (account, key) = (field(catalogue, UserText::Account, &account), field(catalogue, UserText::Key, &offer.key));
    Zeroizing::new(format!("{}\n{}\n", *account, *key))
}

/// A value behind its name, which is as wide as the widest.
fn field(catalogue: &Catalogue, name: UserText, value: &str) -> Zeroizing<String> {
    let widths = [UserText::Account, UserText::Address, UserText::Key].map(|text| cells(catalogue.get(text)));
    let name = catalogue.get(name);
    let gap = widths.into_iter().max().unwrap_or_default().saturating_sub(cells(name)).saturating_add(2);
    Zeroizing::new(format!("  {name}{}{value}", " ".repeat(gap)))
}

/// The new authenticator is stored.
pub(crate) fn enrolled(user: &str) -> String {
    say_of(user, SelfServiceText::DoneEnrolled)
}

// Options.

/// `--counter` for an app.
pub(crate) fn counter_of_an_app() -> Failure {
    Failure::usage("--counter can only be used with --type hotp")
        .hint("apps compute codes from the time: leave out --counter")
}

/// `--period` for a hardware token.
pub(crate) fn period_of_a_token() -> Failure {
    Failure::usage("--period can only be used with --type totp")
        .hint("hardware tokens compute codes from a counter: leave out --period")
}

/// A choice that some apps get wrong.
pub(crate) fn doubt(doubt: &str) -> String {
    format!("warning: {doubt}")
}

// A given secret.

/// Where a given secret is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SecretSource<'a> {
    File(&'a Path),
    Stdin,
}

impl Display for SecretSource<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "in {}", path.display()),
            Self::Stdin => write!(out, "on stdin"),
        }
    }
}

/// The secret cannot be read.
pub(crate) fn secret_not_read(source: SecretSource<'_>, error: &io::Error) -> Failure {
    Failure::refused(format!("cannot read the secret {source}: {error}"))
}

/// The text is no secret.
pub(crate) fn secret_not_valid(source: SecretSource<'_>, error: &SecretTextError) -> Failure {
    Failure::refused(format!("cannot use the secret {source}: {error}")).hint(
        "the secret must be base32, as in otpauth:// addresses, or hexadecimal after `hex:`, and have 16 to 128 bytes",
    )
}

impl Display for SecretTextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(out, "it is too long"),
            Self::NotText => write!(out, "it is not text"),
            Self::NotHexadecimal => write!(out, "it is not hexadecimal"),
            Self::Secret(error) => error.fmt(out),
        }
    }
}

/// The secret is valid, but short.
pub(crate) const SHORT_SECRET: &str = "warning: the secret has fewer than the 160 bits that RFC 4226 recommends";

// The QR code as a file.

/// The file of the QR code cannot be written.
pub(crate) fn qr_code_not_written(path: &Path, error: &io::Error) -> Failure {
    let hint = if error.kind() == io::ErrorKind::AlreadyExists {
        "name a file that does not exist yet"
    } else {
        "name a file in a folder that you can write to, on a file system with free space"
    };
    Failure::refused(format!("cannot write the QR code to {}: {error}", path.display())).hint(hint)
}

/// The address has no room in a QR code, whatever its size.
pub(crate) fn qr_code_too_long() -> Failure {
    Failure::refused("the address is too long for a QR code").hint("use a shorter --issuer")
}

/// The PNG cannot be made.
pub(crate) fn png_not_made(error: &impl Display) -> Failure {
    Failure::refused(format!("cannot make the PNG: {error}")).hint("use --svg")
}
