//! What is kept of users as text: formats without a file, so that another store than files can use them.

mod credentials;
mod issued;
mod notice;
mod record;
mod remembered;
pub(crate) mod rule;

pub use credentials::CredentialsError;
use toml::de::DeValue;
use toml_writer::ToTomlValue as _;
use twinlock_core::{credentials::AuthenticatorId, recovery::RecoverySetId};

use crate::document::string;

/// A value that is kept as a TOML document.
pub trait TomlDocument: Sized {
    /// What it is read from.
    type Source: ?Sized;
    /// What it is written as.
    type Text;
    /// Why a document is refused.
    type Error;

    /// Reads a document.
    ///
    /// # Errors
    /// Anything that [`TomlDocument::to_toml`] does not write, or did not write in an earlier version.
    fn parse(text: &Self::Source) -> Result<Self, Self::Error>;

    /// The document, as [`TomlDocument::parse`] reads it.
    #[must_use]
    fn to_toml(&self) -> Self::Text;
}

/// A text as a TOML string.
fn quoted(text: &str) -> String {
    toml_writer::TomlStringBuilder::new(text).as_basic().to_toml_value()
}

fn authenticator_id(value: &DeValue<'_>) -> Result<AuthenticatorId, String> {
    AuthenticatorId::parse(string(value)?).ok_or_else(|| "an id has 1 to 16 lower-case letters and digits".into())
}

fn recovery_set_id(value: &DeValue<'_>) -> Result<RecoverySetId, String> {
    RecoverySetId::parse(string(value)?).ok_or_else(|| "an id has 1 to 16 lower-case letters and digits".into())
}
