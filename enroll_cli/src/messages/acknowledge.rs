//! `twinlock acknowledge`.

use twinlock_service::self_service::SelfServiceText;

use crate::language::say_of;

/// The next login reports nothing that happened until now.
pub(crate) fn acknowledged(user: &str) -> String {
    format!("{}\n", say_of(user, SelfServiceText::DoneAcknowledged))
}
