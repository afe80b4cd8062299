//! One line per attempt: why, who, how, from where. Text only; who sends it is the caller.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::notice::Change;

/// Why a login ended as it did: the vocabulary of the log, and of the module's return codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No code of the window, no recovery code of the set.
    WrongCode,
    /// A correct code that was used before. Someone may have watched.
    Replayed,
    /// Too soon after the last failure.
    Throttled,
    /// Two consecutive codes were asked for, and the second was not right.
    StepUp,
    /// Not shaped like a code: nothing was verified or counted.
    Junk,
    /// Required, but the user has no second factor.
    NotEnrolled,
    /// Too many wrong answers in a row.
    Disabled,
    /// The guard: no second factor was verified in this login.
    Bypass,
    /// The configuration or the module's arguments cannot be used.
    Config,
    /// The store cannot be used.
    Store,
    /// Sealed credentials cannot be opened.
    Sealed,
    /// No such account.
    UnknownUser,
    /// The application gave no answer.
    NoAnswer,
    /// Something that cannot happen did.
    Internal,
}

impl Reason {
    /// All of them, in the order of the manual page.
    pub const ALL: [Self; 14] = [
        Self::WrongCode,
        Self::Replayed,
        Self::Throttled,
        Self::StepUp,
        Self::Junk,
        Self::NotEnrolled,
        Self::Disabled,
        Self::Bypass,
        Self::Config,
        Self::Store,
        Self::Sealed,
        Self::UnknownUser,
        Self::NoAnswer,
        Self::Internal,
    ];

    /// What it means to an administrator, for the manual page.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::WrongCode => {
                "The answer is neither a current code nor a recovery code. With `clock-offset=` it is the code for a different time: a clock is off by that much."
            }
            Self::Replayed => {
                "The code was correct, but used before. Someone may have watched the user. Only a used recovery code counts as a failure."
            }
            Self::Throttled => "Too soon after the last incorrect code. The answer was not checked or counted.",
            Self::StepUp => "Two consecutive codes were required, and the second did not follow the first.",
            Self::Junk => "The answer does not look like a code. It was not checked or counted.",
            Self::NotEnrolled => "A second factor is required, and the user has none.",
            Self::Disabled => {
                "Too many consecutive incorrect codes. Recovery codes still work; `twinlock unlock` ends it."
            }
            Self::Bypass => {
                "The account phase found that no code was verified in this login. In sshd_config(5), AuthenticationMethods must include keyboard-interactive."
            }
            Self::Config => {
                "The configuration or an option of the module cannot be used. `detail=` names file, line and column."
            }
            Self::Store => "A file of the store cannot be used. `detail=` names it and says what to do.",
            Self::Sealed => {
                "Sealed credentials cannot be opened: the key is not there, or the file was changed. `detail=` names the file and says what to do."
            }
            Self::UnknownUser => "The account does not exist. Its name is not logged, because it may be a password.",
            Self::NoAnswer => "The application or the client gave no answer.",
            Self::Internal => "The host failed the module, or the module has a bug. `detail=` says how.",
        }
    }

    /// As the log spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WrongCode => "wrong-code",
            Self::Replayed => "replayed",
            Self::Throttled => "throttled",
            Self::StepUp => "step-up",
            Self::Junk => "junk",
            Self::NotEnrolled => "not-enrolled",
            Self::Disabled => "disabled",
            Self::Bypass => "bypass",
            Self::Config => "config",
            Self::Store => "store",
            Self::Sealed => "sealed",
            Self::UnknownUser => "unknown-user",
            Self::NoAnswer => "no-answer",
            Self::Internal => "internal",
        }
    }
}

/// One line of the log: fixed keys in a fixed order, `-` where there is nothing to say.
///
/// # Security
/// Values from outside are cut and percent-escaped; codes, secrets and names that are no account never come here.
#[derive(Debug, Clone, Default)]
pub struct AuditLine<'a> {
    /// Why it was refused; `None` if it was granted.
    pub refused: Option<Reason>,
    /// Whether it was granted because of an emergency.
    pub emergency: bool,
    /// `pw_name`.
    pub user: Option<&'a str>,
    /// `totp`, `hotp` or `recovery`.
    pub method: Option<&'static str>,
    /// The id of the authenticator.
    pub authenticator: Option<&'a str>,
    /// The PAM service.
    pub service: Option<&'a str>,
    /// Where from, as the application says.
    pub rhost: Option<&'a str>,
    /// Wrong answers in a row, this one included.
    pub failures: Option<u32>,
    /// Whether service and rhost are the word of the user's own program.
    pub claimed: bool,
    /// By how many seconds the authenticator's clock is off, if that is why. Only where it is known.
    pub clock_offset: Option<i64>,
    /// Whether this attempt was the one too many, after which answers by its method are refused.
    pub disables: bool,
    /// For the administrator: what is broken and what to do. One line, quoted, at the end.
    pub detail: Option<&'a str>,
}

/// The reason of a login that `twinlock emergency off` lets pass, the only one that is granted for a reason.
pub const EMERGENCY: &str = "emergency";

/// Longest value from outside, in bytes before escaping.
const LONGEST: usize = 64;
/// Bytes that a value does not show as they are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'@').remove(b':').remove(b'-');
/// Longest detail, in characters.
const LONGEST_DETAIL: usize = 600;

impl fmt::Display for AuditLine<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (result, reason) = match self.refused {
            Some(reason) => ("refused", reason.name()),
            None => ("granted", if self.emergency { EMERGENCY } else { "-" }),
        };
        write!(out, "result={result} reason={reason}")?;
        let values = [
            ("user", self.user),
            ("method", self.method),
            ("authenticator", self.authenticator),
            ("service", self.service),
            ("rhost", self.rhost),
        ];
        for (key, value) in values {
            write!(out, " {key}={}", escaped(value.unwrap_or("-")))?;
        }
        match self.failures {
            Some(failures) => write!(out, " failures={failures}")?,
            None => write!(out, " failures=-")?,
        }
        if self.claimed {
            out.write_str(" claimed=service,rhost")?;
        }
        if let Some(offset) = self.clock_offset {
            write!(out, " clock-offset={offset:+}s")?;
        }
        if self.disables {
            out.write_str(" now=disabled")?;
        }
        match self.detail {
            Some(detail) => write!(out, " detail=\"{}\"", plain(detail)),
            None => Ok(()),
        }
    }
}

/// The line of an enrolment inside a login, as the module writes it: that of any change, and which login it was.
#[must_use]
pub fn enrolled_in_login(user: &str, uid: u32, service: &str, rhost: Option<&str>) -> String {
    let (user, service, rhost) = (escaped(user), escaped(service), escaped(rhost.unwrap_or("-")));
    format!("change={} user={user} by-uid={uid} service={service} rhost={rhost}", Change::Enrolled.name())
}

/// A value as `[A-Za-z0-9._@:-]`, everything else as `%XX`; cut to 64 bytes, `-` if empty.
#[must_use]
pub fn escaped(value: &str) -> String {
    let bytes = value.as_bytes();
    let text = percent_encode(bytes.get(..LONGEST).unwrap_or(bytes), ESCAPED).to_string();
    if text.is_empty() { "-".into() } else { text }
}

/// A detail on one line of printable ASCII without quotes.
fn plain(text: &str) -> String {
    text.chars()
        .take(LONGEST_DETAIL)
        .map(|c| match c {
            '"' => '\'',
            ' '..='~' => c,
            _ => ' ',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_stands_in_its_place() {
        let entry = AuditLine {
            refused: Some(Reason::WrongCode),
            user: Some("alice"),
            method: Some("totp"),
            authenticator: Some("k3v9q2"),
            service: Some("sshd"),
            rhost: Some("2001:db8::7"),
            failures: Some(2),
            claimed: true,
            clock_offset: Some(180),
            disables: true,
            ..AuditLine::default()
        };
        assert_eq!(
            entry.to_string(),
            "result=refused reason=wrong-code user=alice method=totp authenticator=k3v9q2 service=sshd rhost=2001:db8::7 failures=2 claimed=service,rhost clock-offset=+180s now=disabled"
        );
        assert_eq!(
            AuditLine::default().to_string(),
            "result=granted reason=- user=- method=- authenticator=- service=- rhost=- failures=-"
        );
        let emergency = AuditLine { emergency: true, ..AuditLine::default() };
        assert!(emergency.to_string().starts_with("result=granted reason=emergency "), "{emergency}");
    }

    #[test]
    fn nothing_from_outside_can_forge_a_line() {
        let rhost = "x\nNov 24 sshd[1]: Accepted \u{1b}[31m%s \u{202e}";
        let detail = "bad \"quote\"\nresult=granted";
        let line = AuditLine { rhost: Some(rhost), detail: Some(detail), ..AuditLine::default() }.to_string();
        assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        assert!(line.contains("rhost=x%0ANov%2024%20sshd%5B1%5D:"), "{line}");
        assert!(line.ends_with("detail=\"bad 'quote' result=granted\""), "{line}");
    }

    #[test]
    fn a_long_value_is_cut() {
        assert_eq!(escaped(&"a".repeat(100_000)).len(), LONGEST);
    }
}
