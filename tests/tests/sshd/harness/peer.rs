//! The peer: Debian's `pam_google_authenticator.so`, known to work.

use twinlock_tests::{Account, Authenticator, World, set_mode};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// The peer without its change of user, which a user
/// namespace does not allow.
pub(crate) const PEER_AS_ROOT: &str = "auth required pam_google_authenticator.so \
                            secret=/home/${USER}/.google_authenticator user=root no_strict_owner\n";

/// The same as people use it.
pub(crate) const PEER: &str = "auth required pam_google_authenticator.so\n\
                    account required pam_permit.so\nsession required pam_permit.so\n";

/// Enrols the account with the peer.
pub(crate) fn enrol_with_peer(world: &World, account: &Account) -> Authenticator {
    let file = account.home.join(".google_authenticator");
    world.write(&file, format!("{SECRET}\n\" TOTP_AUTH\n\" WINDOW_SIZE 3\n"));
    set_mode(&file, 0o400);
    world.give(&file, account);
    Authenticator::from_base32(SECRET)
}
