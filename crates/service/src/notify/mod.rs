//! Everything that happens to a second factor is told: to syslog, and to its owner by mail where the administrator wants it.

pub mod mail;

use std::{path::Path, thread};

use twinlock_core::{
    account::Subject,
    audit::{AuditLine, escaped},
    catalogue::Language,
    notice::Change,
    ports::Clock,
    time::UnixTime,
};
use twinlock_login::attempt::Attempt;
use twinlock_store::files::load_catalogue;

use crate::{
    lifecycle::AuditLog,
    messages::MailedChange,
    syslog::{SyslogPriority, log},
};

/// How a mail about a change is sent, by which sendmail and in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mailing<'a> {
    /// Not at all.
    Off,
    /// At once, and waited for: by who ends soon.
    AtOnce(&'a Path, &'a Language),
    /// On a thread, while the change goes on: for a program that runs on.
    Aside(&'a Path, &'a Language),
}

/// The source of the statement what service an attempt is of, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptSource {
    /// This program.
    Known,
    /// A program of the user's own, which may say anything.
    Claimed,
}

/// Writes to syslog, AUTHPRIV: attempts in the words of the module, and every change with who made it.
#[derive(Clone, Copy)]
pub struct SystemAuditLog<'a> {
    /// Which program writes.
    pub program: &'a str,
    /// The user who runs it.
    pub by_uid: u32,
    /// The user who logged in before becoming that user, where it is known for certain.
    pub by_login_uid: Option<u32>,
    /// The PAM service of an attempt.
    pub service: &'a str,
    /// Where an attempt comes from.
    pub rhost: Option<&'a str>,
    /// Where service and rhost are from.
    pub source: AttemptSource,
    /// Whether the owner is sent a mail about a change.
    pub mail: Mailing<'a>,
    /// For the date in it.
    pub clock: &'a dyn Clock,
}

impl SystemAuditLog<'_> {
    /// Writes a line about something that an administrator may want to look at.
    pub fn notice(&self, line: &str) {
        log(self.program, SyslogPriority::Notice, line);
    }

    /// Writes that something was changed, in a word of the log.
    pub fn changed(&self, what: &str, user: &str) {
        self.change(what, user, "");
    }

    /// Writes that something was changed for all users, for a time or to stay.
    pub fn changed_for_all(&self, what: &str, until: Option<UnixTime>) {
        self.change(what, "-", &until.map(|until| format!(" until={until}")).unwrap_or_default());
    }

    fn change(&self, what: &str, user: &str, more: &str) {
        let login = self.by_login_uid.map(|uid| format!(" by-loginuid={uid}")).unwrap_or_default();
        let line = format!("change={what} user={} by-uid={}{login}{more}", escaped(user), self.by_uid);
        log(self.program, SyslogPriority::Warning, &line);
    }

    /// Sends the owner a mail about a change, where that is wanted. `login` is the service of the login in which it was made,
    /// and where that came from.
    pub fn mail(&self, subject: &Subject, change: Change, login: Option<(&str, Option<&str>)>) {
        let user = subject.name.as_str();
        let texts = |language| {
            // In English where the catalogue cannot be read, which `twinlock check` reports.
            let catalogue = load_catalogue(language).unwrap_or_default();
            MailedChange { user, change, at: self.clock.now(), login }.texts(&mail::host_name(), &catalogue)
        };
        match self.mail {
            Mailing::Off => {}
            Mailing::AtOnce(sendmail, language) => send(self.program, sendmail, user, &texts(language)),
            Mailing::Aside(sendmail, language) => {
                let (program, sendmail, user) = (self.program.to_owned(), sendmail.to_owned(), user.to_owned());
                let texts = texts(language);
                let sending = thread::Builder::new().spawn(move || send(&program, &sendmail, &user, &texts));
                if let Err(error) = sending {
                    self.notice(&format!("mail=failed detail=\"cannot start a thread: {error}\""));
                }
            }
        }
    }

    /// Writes how an attempt ended: of an account, or of nobody in particular.
    pub fn attempt_of(&self, user: Option<&str>, attempt: &Attempt) {
        let entry = AuditLine {
            user,
            service: Some(self.service),
            rhost: self.rhost,
            claimed: self.source == AttemptSource::Claimed,
            ..attempt.audit.line(attempt.refused())
        };
        let severity = if entry.refused.is_some() { SyslogPriority::Notice } else { SyslogPriority::Info };
        log(self.program, severity, &entry.to_string());
    }
}

impl AuditLog for SystemAuditLog<'_> {
    fn attempt(&self, subject: &Subject, attempt: &Attempt) {
        self.attempt_of(Some(subject.name.as_str()), attempt);
    }

    fn change(&self, subject: &Subject, change: Change) {
        self.changed(change.name(), subject.name.as_str());
        self.mail(subject, change, None);
    }

    fn helped(&self, subject: &Subject, what: &str) {
        self.notice(&format!("help={what} user={} by-uid={}", escaped(subject.name.as_str()), self.by_uid));
    }
}

/// Sends a mail; the log says if it did not go out.
fn send(program: &str, sendmail: &Path, user: &str, (about, body): &(String, String)) {
    if let Err(error) = mail::deliver(sendmail, user, about, body) {
        let detail = error.to_string().escape_default().to_string();
        log(program, SyslogPriority::Notice, &format!("mail=failed user={} detail=\"{detail}\"", escaped(user)));
    }
}
