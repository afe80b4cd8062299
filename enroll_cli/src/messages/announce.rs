//! `twinlock announce`.

use std::{fmt::Display, time::Duration};

use twinlock_core::{layout::push_wrapped, time::UnixTime};

use super::count;
use crate::failure::Failure;

/// Nobody has to be told, or not today.
pub(crate) const NOBODY: &str =
    "nothing to announce: no user who is not enrolled has a last day, or a reminder, today\n";

/// The text for users: the last day on which they can enrol, and what to do. `help` is the administrator's.
pub(crate) fn announcement(host: &str, day: UnixTime, help: Option<&str>) -> String {
    let (last, first) = (day.day(), day.after(Duration::from_hours(24)).day());
    let mut text = String::new();
    push_wrapped(
        &mut text,
        &format!(
            "From {first} on, logging in to {host} needs a code from your phone in addition to your key or password. Until \
             {last}, your next login sets this up. It takes three minutes:"
        ),
    );
    text.push_str(
        "\n\n  1. Install an authenticator app on your phone.\n\
         \x20 2. Make the terminal window at least 24 lines high, and log in.\n\
         \x20 3. Press Enter and scan the QR code, or type the key into the app.\n\
         \x20 4. Type the code that the app shows.\n\
         \x20 5. Write down the ten recovery codes, and type one of them.\n\n",
    );
    push_wrapped(
        &mut text,
        "If you lose your phone, type a recovery code instead. Never tell anyone a code: no administrator needs one.",
    );
    text.push('\n');
    if let Some(help) = help {
        push_wrapped(&mut text, &format!("\nHelp: {help}\n"));
    }
    text
}

/// The announcement, and the users for whom it is.
pub(crate) fn to_users(users: &[&str], text: &str) -> String {
    let mut to = String::new();
    push_wrapped(&mut to, &format!("To: {}", users.join(", ")));
    format!("{to}\n\n{text}")
}

/// The subject of the mail.
pub(crate) fn subject(host: &str) -> String {
    format!("Set up your second factor for {host}")
}

/// A mail that sendmail accepted.
pub(crate) fn sent(user: &str, day: UnixTime) -> String {
    format!("{user}: mail sent (last day {})", day.day())
}

/// A mail that sendmail did not accept.
pub(crate) fn not_sent(user: &str, error: &impl Display) -> String {
    format!("{user}: mail not sent: {error}")
}

/// Some mails were not sent.
pub(crate) fn some_not_sent(mails: usize) -> Failure {
    Failure::refused(format!("{} not sent", count(mails, "mail was", "mails were")))
        .hint("check `sendmail` in [notify] of the configuration, and the log of the mail server")
}

/// The rule by which somebody enrols has no last day.
pub(crate) fn no_last_day(user: &str) -> Failure {
    Failure::refused(format!("{user} can enrol at any time: the rule that decides has no last day"))
        .hint("add `until` to this rule, or name the day with --until")
}
