//! Everything that happens to a second factor is told: to syslog, and to its owner by mail where the administrator wants it.

#![forbid(unsafe_code)]

mod mail;

use twinlock_core::{
    account::Subject,
    credentials::AuthenticatorId,
    host::syslog::{Severity, log},
    journal::{Entry, escaped},
    lifecycle::Change,
    login::Attempt,
    ports::{Clock, Journal},
};

/// Writes to syslog, AUTHPRIV: attempts in the words of the module, and every change with who made it.
#[derive(Clone, Copy)]
pub struct SystemJournal<'a> {
    /// Which program writes.
    pub program: &'a str,
    /// Who makes it do what it does.
    pub by_uid: u32,
    /// The PAM service of an attempt.
    pub service: &'a str,
    /// Where an attempt comes from.
    pub rhost: Option<&'a str>,
    /// Whether the owner is sent a mail about a change.
    pub mail: bool,
    /// For the date in it.
    pub clock: &'a dyn Clock,
}

impl SystemJournal<'_> {
    /// Writes a line about something that an administrator may want to look at.
    pub fn note(&self, line: &str) {
        log(self.program, Severity::Notice, line);
    }

    /// Writes that something was changed, in a word of the log.
    pub fn changed(&self, what: &str, user: &str) {
        self.note(&format!("change={what} user={} by-uid={}", escaped(user), self.by_uid));
    }
}

impl Journal for SystemJournal<'_> {
    fn attempt(&self, subject: &Subject, attempt: &Attempt) {
        let entry = Entry {
            refused: attempt.refused(),
            user: Some(subject.name.as_str()),
            method: attempt.method,
            authenticator: attempt.authenticator.as_ref().map(AuthenticatorId::as_str),
            service: Some(self.service),
            rhost: self.rhost,
            failures: attempt.failures,
            clock_offset: attempt.clock_offset,
            detail: attempt.detail.as_deref(),
        };
        let severity = if entry.refused.is_some() { Severity::Notice } else { Severity::Info };
        log(self.program, severity, &entry.to_string());
    }

    fn change(&self, subject: &Subject, change: Change) {
        let user = subject.name.as_str();
        self.changed(change.name(), user);
        if self.mail
            && let Err(error) = mail::send(user, change, self.clock.now())
        {
            self.note(&format!("mail=failed user={} detail=\"{}\"", escaped(user), error.to_string().escape_default()));
        }
    }
}
