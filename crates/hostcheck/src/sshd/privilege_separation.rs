//! The folder in which sshd's processes without privileges are locked up. Debian's is `/run/sshd`. systemd makes it for
//! the time that ssh.service runs: where sshd is started by its socket, there is none between connections, and sshd then
//! judges no configuration.

use std::{
    fs::{self, DirBuilder, Permissions},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::Path,
};

/// Makes the folder that sshd complains of as missing, as its unit does. Returns whether there is one now.
///
/// It is not removed afterwards. An sshd that a connection starts meanwhile takes it over, and would lose it: every login
/// would fail until it is started again. systemd removes it when that sshd stops.
pub(crate) fn make_missing_folder(complaint: &str) -> bool {
    let Some(folder) = missing_folder(complaint).map(Path::new) else {
        return false;
    };
    // Made with no more rights than it will have, whatever the umask takes away.
    DirBuilder::new().mode(0o755).create(folder).is_ok()
        && fs::set_permissions(folder, Permissions::from_mode(0o755)).is_ok()
}

/// Only where folders do not outlive the boot: elsewhere the package of sshd brings it.
fn missing_folder(complaint: &str) -> Option<&str> {
    let mut lines = complaint.lines().map(|line| line.trim_end_matches('\r'));
    let folder = lines.find_map(|line| line.strip_prefix("Missing privilege separation directory: "))?;
    folder.starts_with("/run/").then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_folder_is_the_one_that_sshd_names_below_run() {
        let complaint = "Missing privilege separation directory: /run/sshd\r\n";
        assert_eq!(missing_folder(complaint), Some("/run/sshd"));
        assert_eq!(missing_folder("Missing privilege separation directory: /var/empty"), None);
        assert_eq!(missing_folder("/etc/ssh/sshd_config line 3: Bad configuration option: x"), None);
    }
}
