//! What users and the log read from the module. Nothing here decides anything, and no text holds a secret.

use std::{fmt, io};

use twinlock_core::{
    catalogue::{Catalogue, UserText},
    layout::wrapped,
    time::UnixTime,
};

// Shown to users.

/// How many recovery codes are left after one was used.
pub(crate) fn recovery_codes_left(catalogue: &Catalogue, left: usize) -> String {
    let text = match left {
        0 => UserText::RecoveryCodesNone,
        1 => UserText::RecoveryCodesOne,
        2 | 3 => UserText::RecoveryCodesFew,
        _ => UserText::RecoveryCodesLeft,
    };
    catalogue.fill(text, &[("count", &left.to_string())])
}

/// Too soon after the last failure.
pub(crate) fn too_soon(catalogue: &Catalogue, seconds: u64) -> String {
    let text = if seconds == 1 { UserText::TooSoonOne } else { UserText::TooSoon };
    catalogue.fill(text, &[("seconds", &seconds.to_string())])
}

/// Nobody is asked in an emergency.
pub(crate) fn second_factors_off(catalogue: &Catalogue, end: UnixTime) -> String {
    catalogue.fill(UserText::SecondFactorsOff, &[("time", &end.to_string())])
}

/// A prompt below the administrator's text on how to get help. sshd's client puts "(user@host) " before it.
pub(crate) fn prompt_with_help(help: &str, prompt: &str) -> String {
    format!("\n{}\n{prompt}", wrapped(help))
}

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
