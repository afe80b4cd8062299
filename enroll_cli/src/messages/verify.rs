//! `twinlock verify` and `twinlock resync`.

use twinlock_core::catalogue::Phrase;
use twinlock_service::self_service::SelfServiceText;

use crate::language::say;

/// The code was accepted; `recovery_codes_left` if it is a recovery code.
pub(crate) fn accepted(recovery_codes_left: Option<usize>) -> String {
    let phrase = match recovery_codes_left {
        None => SelfServiceText::CodeCorrect.into(),
        Some(left) => Phrase::from(SelfServiceText::RecoveryCodeCorrect).with("count", left),
    };
    format!("{}\n", say(phrase))
}

/// The two codes are consecutive codes of one device.
pub(crate) fn resynced() -> String {
    format!("{}\n", say(SelfServiceText::Resynced))
}
