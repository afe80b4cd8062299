//! Moving in: from files that Debian's own `google-authenticator`, `pam_google_authenticator` and `pam_oath` wrote, to
//! logins through the built module.

mod files;
mod given;
mod google;
mod guide;
mod many;
mod oath;
mod uri;
