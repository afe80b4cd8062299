//! In the place of `enrolment.rs` where the feature `enrol-in-login` is off: the module makes no secrets, draws no QR code and
//! writes no credentials.

use pam::constants::PamResultCode;
use twinlock_core::{account::Subject, audit::Reason};
use twinlock_login::{
    attempt::{Attempt, AuditEntry},
    snapshot::LazySnapshot,
};
use twinlock_store::files::Store;

use crate::{
    arguments::Arguments,
    context::Context,
    messages, result,
    transaction::{Staged, Transaction},
};

pub(crate) const fn should_offer<'c>(
    _: &Transaction<'_>,
    _: &Arguments,
    _: (&'c Context, &LazySnapshot<'_>),
) -> Option<&'c Store> {
    None
}

pub(crate) fn enrol_in_login(_: &mut Transaction<'_>, _: &Context, _: &Store) -> Result<Box<Staged>, Attempt> {
    Err(Attempt::refused_for(Reason::NotEnrolled).with_detail(messages::NOT_OFFERED))
}

pub(crate) const fn audit_of(staged: &Staged) -> AuditEntry {
    match *staged {}
}

pub(crate) fn hand_over(transaction: &mut Transaction<'_>, _: &Context, subject: &Subject) -> PamResultCode {
    result::refuse(transaction, Some(subject.name.as_str()), Reason::NotEnrolled, Some(messages::NOT_OFFERED.into()))
}

/// `pam_setcred`, of a login in which another build of the module handed an enrolment over.
pub(crate) fn run(transaction: &mut Transaction<'_>, _: &Arguments) -> PamResultCode {
    // The session must not see its id.
    transaction.take_pending();
    result::refuse(transaction, None, Reason::NotEnrolled, Some(messages::NOT_OFFERED.into()));
    result::NOT_STORED
}
