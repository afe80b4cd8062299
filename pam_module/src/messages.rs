//! What users and the log read from the module. Nothing here decides anything, and no text holds a secret.

use std::{fmt, io};

use twinlock_core::time::UnixTime;

// Shown to users.

/// Asks for a password and a code in one answer, as google-authenticator does.
pub(crate) const FORWARD_PROMPT: &str = "Password & verification code: ";

/// How many recovery codes are left after one was used.
pub(crate) fn recovery_codes_left(left: usize) -> String {
    match left {
        0 => "That was your last recovery code. Make new ones now with `twinlock recovery new`, or ask your administrator."
            .to_owned(),
        1 => "Only 1 recovery code is left. Make new ones soon with `twinlock recovery new`, or ask your administrator."
            .to_owned(),
        2 | 3 => format!(
            "Only {left} recovery codes are left. Make new ones soon with `twinlock recovery new`, or ask your administrator."
        ),
        _ => format!("{left} recovery codes are left."),
    }
}

/// A code that was used, or one older than it.
pub(crate) const CODE_USED: &str = "That code has already been used. Enter the next one.";

/// Too soon after the last failure.
pub(crate) fn too_soon(seconds: u64) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Too many incorrect codes. Try again in {seconds} {unit}.")
}

/// The account phase denies a login that verified no code.
pub(crate) const NO_CODE_ASKED: &str = "This host requires a second factor, but it is not configured to ask you for one. \
     Tell your administrator; the log of the host has the reason.";

/// Nobody is asked in an emergency.
pub(crate) fn second_factors_off(end: UnixTime) -> String {
    format!("Second factors are off on this host until {end}.")
}

/// An enrolment waits for the end of the login.
pub(crate) const ENROLMENT_WAITS: &str = "Your second factor will be saved when this login is complete.";

/// An enrolment was stored.
pub(crate) const ENROLLED: &str = "You are enrolled. From the next login on, this host asks for a code from your app.";

/// An enrolment was not stored for certain.
pub(crate) const ENROLMENT_NOT_SAVED: &str =
    "Your second factor could not be saved. Delete the new entry from your app, and tell your administrator.";

/// Another login was faster.
pub(crate) const ENROLLED_ELSEWHERE: &str = "Another login has enrolled this account in the meantime. Delete the new entry from your app, and log in with the \
     other one.";

/// An enrolment may have been stored.
pub(crate) const ENROLMENT_UNFINISHED: &str = "Your second factor may have been saved only in part. Keep the new entry in your app and the recovery codes, \
     because they may already be valid, and tell your administrator.";

// The `detail=` of the log.

/// `require_key`, and no key.
pub(crate) fn no_key(user: Option<&str>) -> String {
    format!(
        "denied without a prompt: sshd has not verified a public key; sshd needs \
         `AuthenticationMethods publickey,keyboard-interactive` for this user{}",
        effective_settings(user)
    )
}

/// How to see what sshd does for a user.
fn effective_settings(user: Option<&str>) -> String {
    user.map_or_else(String::new, |user| format!(" (check with `sshd -T -C user={user}`)"))
}

/// Which login verified no code, as far as that decides what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unverified {
    /// One of sshd.
    Sshd,
    /// One of sshd, where rules name kinds of keys.
    SshdWithKeyTypes,
    /// One of cron, systemd-user, su by root or another service that has no auth phase, or skips it.
    OtherService,
}

/// The account phase denies a login that verified no code.
pub(crate) fn bypass(user: Option<&str>, unverified: Unverified) -> String {
    let (before, after) = match unverified {
        Unverified::Sshd => ("", ""),
        Unverified::SshdWithKeyTypes => (
            "",
            "; rules with key_types need this too, because in a login with only a key sshd does not tell PAM about the key",
        ),
        Unverified::OtherService => (
            "this service ran its account phase without the auth line of pam_twinlock.so. The account line is for sshd: \
             remove it from this service's file in /etc/pam.d and from files that it includes. If this is sshd under \
             another name: ",
            "",
        ),
    };
    format!(
        "{before}this login was not asked for a second factor: sshd needs `UsePAM yes`, `KbdInteractiveAuthentication yes` \
         and `AuthenticationMethods publickey,keyboard-interactive` for this user{}, and /etc/pam.d/sshd needs the auth \
         line of pam_twinlock.so{after}",
        effective_settings(user)
    )
}

/// A rule exempts the login.
pub(crate) fn exempted_by_rule(rule: &str) -> String {
    format!("not asked, by the rule: {rule}")
}

/// An emergency exempts the login.
pub(crate) fn exempted_by_emergency(end: UnixTime) -> String {
    format!("not asked: `twinlock emergency off` is in force until {end}")
}

/// The prompt of a login over sshd was not answered.
pub(crate) const NOT_ANSWERED: &str = "the prompt was not answered: the client left, or sshd asked through its password \
     method, which `PasswordAuthentication no` turns off";

/// Another module changed the user.
pub(crate) const USER_CHANGED: &str = "PAM_USER changed while the user was asked for a code";

/// A code of `try_first_pass`, `use_first_pass` or `forward_pass`.
pub(crate) const CODE_WITH_PASSWORD: &str = "the code came with the password of an earlier module";

/// `use_first_pass`, and no code.
pub(crate) const NO_CODE_WITH_PASSWORD: &str = "use_first_pass: no code came with the password of an earlier module";

/// A user who is not enrolled and was offered no enrolment, under `enroll`.
#[cfg(feature = "enrol-in-login")]
pub(crate) const NOT_OFFERED: &str = "no enrolment was offered, because no first factor was verified before: there is neither a method in \
     SSH_AUTH_INFO_0 nor a password in this stack";

/// The same in a module without enrolment inside a login.
#[cfg(not(feature = "enrol-in-login"))]
pub(crate) const NOT_OFFERED: &str =
    "no enrolment was offered: this build of pam_twinlock.so cannot enrol users inside a login";

/// An enrolment that waits for the end of the login.
pub(crate) const STAGED: &str = "enrolled inside this login, to be stored when the login is complete; if no later line confirms that, the \
     login ended early, this service has no account line of pam_twinlock.so, or it does not call pam_setcred";

/// An enrolment that was stored.
pub(crate) const STORED: &str = "the enrolment inside this login was stored";

/// The account phase could not keep an enrolment.
pub(crate) fn not_kept(error: &dyn fmt::Display) -> String {
    format!("the enrolment inside this login could not be kept until its end, nothing was stored: {error}")
}

/// Another login was faster.
pub(crate) fn not_stored(error: &dyn fmt::Display) -> String {
    format!("the enrolment inside this login was not stored, because another login was faster: {error}")
}

/// A write failed, perhaps after the one that counts.
pub(crate) fn perhaps_stored(error: &dyn fmt::Display, user: &str) -> String {
    format!("the enrolment inside this login may have been stored in part, see `twinlock status {user}`: {error}")
}

/// `pam_setcred` found no enrolment.
pub(crate) const NOTHING_PENDING: &str = "the account phase handed over no valid enrolment";

/// The passwd database failed.
pub(crate) fn no_passwd_database(error: &io::Error) -> String {
    format!("cannot look up the account in the passwd database: {error}")
}

/// libpam refused to keep the result of the auth phase.
pub(crate) const NO_DATA: &str = "libpam cannot keep data for this transaction";

/// A panic.
pub(crate) const PANICKED: &str = "a bug in pam_twinlock.so stopped this attempt; please report it";

/// An argument that the module does not accept.
pub(crate) fn bad_argument(argument: &str, problem: &str) -> String {
    format!("argument `{argument}` of pam_twinlock.so is not valid: {problem}; fix the line in /etc/pam.d")
}

/// An argument that does not exist; `known` are those that do.
pub(crate) fn unknown_argument(known: &[&str]) -> String {
    format!("the arguments are {}", known.join(", "))
}

/// `config=` with something else.
pub(crate) const RELATIVE_CONFIG: &str = "config= needs an absolute path";

/// An argument that is not text.
pub(crate) const NOT_UTF8: &str = "it is not UTF-8";
