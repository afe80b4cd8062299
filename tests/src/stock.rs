//! A host as a distribution installs it, with Twinlock installed and not switched on.

use crate::shipped::{Family, sshd_has_run};
use crate::sshd::Sshd;
use crate::world::World;

/// Debian 12's `/etc/pam.d/sshd`, its longer comments left out.
const DEBIAN_SSHD: &str = "\
# PAM configuration for the Secure Shell service

# Standard Un*x authentication.
@include common-auth

# Disallow non-root logins when /etc/nologin exists.
account    required     pam_nologin.so

# Uncomment and edit /etc/security/access.conf if you need to set complex
# access limits that are hard to express in sshd_config.
# account  required     pam_access.so

# Standard Un*x authorization.
@include common-account

# SELinux needs to be the first session rule.
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so close

# Set the loginuid process attribute.
session    required     pam_loginuid.so

# Create a new session keyring.
session    optional     pam_keyinit.so force revoke

# Standard Un*x session setup and teardown.
@include common-session

# Print the message of the day upon successful login.
session    optional     pam_motd.so  motd=/run/motd.dynamic
session    optional     pam_motd.so noupdate

# Print the status of the user's mailbox upon successful login.
session    optional     pam_mail.so standard noenv # [1]

# Set up user limits from /etc/security/limits.conf.
session    required     pam_limits.so

# Read environment variables from /etc/environment and
# /etc/security/pam_env.conf.
session    required     pam_env.so # [1]
session    required     pam_env.so user_readenv=1 envfile=/etc/default/locale

# SELinux needs to intervene at login time.
session [success=ok ignore=ignore module_unknown=ignore default=bad]        pam_selinux.so open

# Standard Un*x password updating.
@include common-password
";

/// RHEL 9's `/etc/pam.d/sshd`.
const RHEL_SSHD: &str = "\
#%PAM-1.0
auth       substack     password-auth
auth       include      postlogin
account    required     pam_sepermit.so
account    required     pam_nologin.so
account    include      password-auth
password   include      password-auth
# pam_selinux.so close should be the first session rule
session    required     pam_selinux.so close
session    required     pam_loginuid.so
# pam_selinux.so open should only be followed by sessions to be executed in the user context
session    required     pam_selinux.so open env_params
session    required     pam_namespace.so
session    optional     pam_keyinit.so force revoke
session    optional     pam_motd.so
session    include      password-auth
session    include      postlogin
";

impl World {
    /// A host of this family on which nothing was edited, and the server of it: Twinlock is installed, as `make install`
    /// does it, and not switched on.
    pub fn stock(&self, family: Family) -> Sshd<'_> {
        let sshd = self.distribution(family);
        let (text, console) = match family {
            Family::Debian => (DEBIAN_SSHD, "@include common-auth\n@include common-account\n@include common-session\n"),
            Family::Rhel => (RHEL_SSHD, "auth substack system-auth\naccount include system-auth\n"),
        };
        self.service("sshd", text);
        self.service("login", console);
        self.set_up(&self.shipped("config.toml"));
        self.install();
        sshd_has_run();
        sshd
    }
}
