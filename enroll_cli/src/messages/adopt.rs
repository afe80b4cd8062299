//! `twinlock adopt`.

use twinlock_core::account::{Subject, UserName};

use crate::failure::Failure;

/// The account has another uid than when it was enrolled.
pub(crate) fn adopted(subject: &Subject) -> String {
    format!("{}: the second factor now belongs to uid {}", subject.name, subject.uid)
}

/// The account has another name than when it was enrolled.
pub(crate) fn moved(old: &UserName, new: &UserName) -> String {
    format!("{new}: took over the second factor of {old}")
}

/// There is no second factor under the earlier name.
pub(crate) fn old_not_enrolled(old: &UserName) -> Failure {
    Failure::not_enrolled(old.as_str())
        .hint("check the spelling: `twinlock check` lists the second factors that belong to no account")
}

/// Both names are accounts, so nobody was renamed.
pub(crate) fn old_name_in_use(old: &UserName, new: &UserName) -> Failure {
    Failure::refused(format!("{old} is still an account of this host, so {new} cannot take over its second factor"))
        .hint(format!("`twinlock enroll {new}` sets up a separate second factor for {new}"))
}

/// The account already has a second factor under its present name.
pub(crate) fn both_enrolled(old: &UserName, new: &UserName) -> Failure {
    Failure::refused(format!("{new} already has a second factor, so it cannot take over that of {old}"))
        .hint(format!("remove the one that is not needed: `twinlock remove {old}` or `twinlock remove {new}`"))
}
