//! What the broker logs for a connection: changes and judged answers each, what costs its cause nothing as far as there is
//! room.

use twinlock_core::{account::Subject, audit::Reason, notice::Change};
use twinlock_login::attempt::Attempt;
use twinlock_service::{lifecycle::AuditLog, notify::SystemAuditLog};

use crate::{limits::Holder, refusals::Refusals};

/// The audit log of one connection.
pub(crate) struct BrokerAuditLog<'a> {
    pub(crate) system: SystemAuditLog<'a>,
    pub(crate) holder: Holder,
    pub(crate) refusals: &'a Refusals,
}

impl BrokerAuditLog<'_> {
    /// Logs how an attempt ended: of an account, or of nobody in particular.
    pub(crate) fn attempt_of(&self, user: Option<&str>, attempt: &Attempt) {
        let log = || self.system.attempt_of(user, attempt);
        if attempt.refused().is_none_or(is_counted) { log() } else { self.refusals.log(self.holder, log) }
    }
}

impl AuditLog for BrokerAuditLog<'_> {
    fn attempt(&self, subject: &Subject, attempt: &Attempt) {
        self.attempt_of(Some(subject.name.as_str()), attempt);
    }

    fn change(&self, subject: &Subject, change: Change) {
        self.system.change(subject, change);
    }

    fn helped(&self, subject: &Subject, what: &str) {
        self.refusals.log(self.holder, || self.system.helped(subject, what));
    }
}

/// Whether an answer was counted: the throttle bounds how many there can be.
const fn is_counted(refused: Reason) -> bool {
    match refused {
        Reason::WrongCode | Reason::StepUp => true,
        Reason::Replayed
        | Reason::Throttled
        | Reason::Junk
        | Reason::NotEnrolled
        | Reason::Disabled
        | Reason::Bypass
        | Reason::Config
        | Reason::Store
        | Reason::Sealed
        | Reason::UnknownUser
        | Reason::NoAnswer
        | Reason::Internal => false,
    }
}
