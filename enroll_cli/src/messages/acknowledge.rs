//! `twinlock acknowledge`.

/// The next login reports nothing that happened until now.
pub(crate) fn acknowledged(user: &str) -> String {
    format!("the next login of {user} reports nothing that happened until now\n")
}
