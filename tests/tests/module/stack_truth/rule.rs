//! What must come of a login, written from the rule and not from what libpam does:
//!
//! It succeeds exactly when the first factor was right, a password or a key that sshd verified, and the second was verified, or a
//! documented setting asks nobody for it.

use twinlock_tests::PamCode;

use crate::stack_truth::ours::Ours;
use crate::stack_truth::stack::{AfterAWrongFirst, Stack};

impl Ours {
    /// The owner's app was at hand.
    fn is_verified(self) -> bool {
        matches!(self, Self::Verified | Self::VerifiedUnderOptional)
    }

    /// The documentation says that nobody is asked then: `second_factor = "skip"`, and `"optional"` or `nullok` for
    /// users who are not enrolled.
    fn is_documented_ignore(self) -> bool {
        matches!(self, Self::SkippedForAll | Self::NotEnrolledUnderOptional | Self::NotEnrolledUnderNullok)
    }

    fn account_exists(self) -> bool {
        !matches!(self, Self::UnknownUser | Self::UnknownUserUnderOptional)
    }
}

/// `pam_authenticate`. `first` is what came of the first factor.
pub(crate) fn authenticates(stack: &Stack, first: PamCode, ours: Ours) -> bool {
    let first_is_right = first == PamCode::Success;
    first_is_right && second_is_enough(stack, ours)
}

/// `pam_setcred` after it: success exactly where that one succeeded. There is one exception, which opens nothing: for
/// `sufficient` in `system-auth` a password that is right and expired is a success, and only `pam_authenticate` tells.
pub(crate) fn sets_credentials(stack: &Stack, first: PamCode, ours: Ours) -> bool {
    let expired = first == PamCode::NewAuthtokReqd && stack.after_a_wrong_first == AfterAWrongFirst::LeavesSubstack;
    authenticates(stack, first, ours) || (expired && second_is_enough(stack, ours))
}

fn second_is_enough(stack: &Stack, ours: Ours) -> bool {
    ours.is_verified() || (ours.is_documented_ignore() && stack.lets_ignored_pass)
}

/// `pam_acct_mgmt` in the same transaction, whatever came of `pam_authenticate`.
pub(crate) fn account_passes(stack: &Stack, first: PamCode, ours: Ours) -> bool {
    let asked = stack.after_a_wrong_first != AfterAWrongFirst::Ends || first == PamCode::Success;
    // pam_authenticate(3): an application has to come back to it first, and anything else it calls is refused.
    let unfinished = first == PamCode::Incomplete || (asked && ours == Ours::AnswerLater);
    !unfinished && (account_alone_passes(stack, ours) || (asked && ours.is_verified()))
}

/// `pam_acct_mgmt` where the application skipped the auth phase: sshd after a key, sudo after `NOPASSWD`, cron.
pub(crate) fn account_alone_passes(stack: &Stack, ours: Ours) -> bool {
    ours.account_exists() && (!stack.has_guard || ours.is_documented_ignore())
}
