//! What a check found: how bad it is, where it stands, why it matters and how it is fixed.

use std::fmt;

use serde::Serialize;

/// How bad it is, from the worst on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody who should get in does not.
    Lockout,
    /// Somebody gets in with one factor, or none.
    Open,
    /// It will be one of these soon, or for somebody.
    Warning,
    /// Good to know.
    Hint,
}

/// One thing that was found. What is printed is for people; `id` and `severity` are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is so.
    pub found: String,
    /// `file:line` or a path; null if it is nowhere in particular.
    pub place: Option<String>,
    /// Why it matters.
    pub why: String,
    /// What to do.
    #[serde(rename = "mend")]
    pub fix: String,
}

impl Severity {
    /// As people and JSON have it; stable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lockout => "lockout",
            Self::Open => "open",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, found, place, why, fix } = self;
        write!(out, "{} {id}: {found}", severity.name().to_uppercase())?;
        if let Some(place) = place {
            write!(out, " ({place})")?;
        }
        write!(out, "\n  why:  {why}\n  fix:  {fix}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_block_of_three_lines_the_place_in_the_first() {
        let finding = Finding {
            id: "pam-order",
            severity: Severity::Open,
            found: "the code is not asked for".into(),
            place: Some("/etc/pam.d/sshd:3".into()),
            why: "one factor is enough".into(),
            fix: "write `substack`".into(),
        };
        let told = "OPEN pam-order: the code is not asked for (/etc/pam.d/sshd:3)\n  why:  one factor is enough\n  \
                    fix:  write `substack`\n";
        assert_eq!(finding.to_string(), told);
    }
}
