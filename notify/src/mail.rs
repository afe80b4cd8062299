//! A mail to the owner of a second factor, given to the host's own `sendmail`, which knows where the mail of a local account
//! goes. It holds no secret and no address to click on.

use std::fmt;

use lettre::{Message, SendmailTransport, Transport, address::AddressError, message::Mailbox};
use twinlock_core::{host, lifecycle::Change, time::UnixTime};

/// Why no mail went out. What it was to tell of has happened all the same.
#[derive(Debug)]
pub(crate) enum MailError {
    /// The name of the account or of the host is none that mail knows.
    Address(AddressError),
    /// The mail could not be written.
    Message(lettre::error::Error),
    /// sendmail did not take it.
    Sendmail(lettre::transport::sendmail::Error),
}

/// Tells `user` of a change.
pub(crate) fn send(user: &str, change: Change, at: UnixTime) -> Result<(), MailError> {
    let host = host::name();
    let host = if host.is_empty() { "localhost" } else { host.as_str() };
    let address = |local: &str| lettre::Address::new(local, host).map_err(MailError::Address);
    let message = Message::builder()
        .from(Mailbox::new(Some("Twinlock".into()), address("root")?))
        .to(Mailbox::new(None, address(user)?))
        .subject(format!("Your second factor on {host} was changed"))
        .body(format!(
            "{} on {at}, for the account {user} on {host}.\n\nWas that you? Then there is nothing to do.\n\
             Was it not you? Tell the administrator of {host} at once.\n",
            change.told()
        ))
        .map_err(MailError::Message)?;
    SendmailTransport::new().send(&message).map_err(MailError::Sendmail)
}

impl fmt::Display for MailError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => write!(out, "no address for this account: {error}"),
            Self::Message(error) => write!(out, "cannot write the mail: {error}"),
            Self::Sendmail(error) => write!(out, "sendmail did not take the mail: {error}"),
        }
    }
}

impl std::error::Error for MailError {}
