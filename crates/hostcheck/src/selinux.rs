//! `SELinux`: whether it enforces, and the type of what login programs read.

use std::{io, path::Path};

use crate::{pam_stack::on_disk, programs};

/// The type that `packaging/selinux` gives to the store, and that all login programs may use.
pub(crate) const LABEL: &str = "var_auth_t";

/// Whether it enforces.
pub(crate) fn enforces() -> bool {
    matches!(on_disk(Path::new("/sys/fs/selinux/enforce")), Ok(Some(text)) if text.trim() == "1")
}

/// Whether a policy is loaded, whether it enforces or not.
pub(crate) fn is_on() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// Gives a file that root has made the type with which login programs may read it, where that matters.
///
/// # Errors
/// It was not given.
pub fn let_logins_read(path: &Path) -> io::Result<()> {
    if !enforces() {
        return Ok(());
    }
    let chcon = programs::find("chcon").ok_or(io::ErrorKind::NotFound)?;
    let done = programs::run(&chcon, &["-t".as_ref(), LABEL.as_ref(), path.as_os_str()])?;
    if done.succeeded { Ok(()) } else { Err(io::Error::other(done.errors.trim().to_owned())) }
}
