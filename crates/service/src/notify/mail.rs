//! A mail to a user, given to the host's own `sendmail`, which knows where the mail of a local account goes. It holds no
//! secret and no address to click on.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use lettre::{
    Message,
    message::{Mailbox, header::ContentType},
};
use twinlock_store::host;

pub use crate::error::MailError;
use crate::process::ChildGuard;

/// How long sendmail may take: it has to put the mail into its queue, no more.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends `user` a mail.
///
/// # Errors
/// [`MailError`]: it was not sent.
pub fn deliver(sendmail: &Path, user: &str, subject: &str, body: &str) -> Result<(), MailError> {
    let host = host_name();
    let address = |local: &str| lettre::Address::new(local, host.as_str()).map_err(MailError::Address);
    let message = Message::builder()
        .from(Mailbox::new(Some("Twinlock".into()), address("root")?))
        .to(Mailbox::new(None, address(user)?))
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body(body.to_owned())
        .map_err(MailError::Message)?;
    hand_over(sendmail, &message)
}

/// The name of this host.
pub(crate) fn host_name() -> String {
    let host = host::name();
    if host.is_empty() { "localhost".to_owned() } else { host }
}

/// Gives the mail to sendmail, as lettre does, which would wait for ever.
fn hand_over(sendmail: &Path, message: &Message) -> Result<(), MailError> {
    let envelope = message.envelope();
    let mut command = Command::new(sendmail);
    command.arg("-i");
    if let Some(from) = envelope.from() {
        command.arg("-f").arg(from);
    }
    command.arg("--").args(envelope.to());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut sendmail = command.spawn().map_err(MailError::Run)?;
    let input = sendmail.stdin.take();
    let mut sendmail = ChildGuard::new(sendmail);
    if let Some(mut input) = input {
        // It fits into the pipe. A program that does not read it gives the reason by its exit status.
        let _ = input.write_all(&message.formatted());
    }
    match sendmail.end_within(PATIENCE).map_err(MailError::Run)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(MailError::Refused(status)),
        None => Err(MailError::TooLong(PATIENCE)),
    }
}
