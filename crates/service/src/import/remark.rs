//! What is said about an import that works: what was left behind, and what should be better.

use std::fmt;

/// A remark. Holds nothing of the text but small numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Counted from 1; `None` where it is about the whole.
    pub line: Option<usize>,
    pub what: What,
}

/// What.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The secret has fewer than the 160 bits of RFC 4226.
    ShortSecret {
        /// How many it has.
        bits: usize,
    },
    /// `WINDOW_SIZE`.
    Window,
    /// `RATE_LIMIT`.
    RateLimit,
    /// `LAST0` to `LAST9`: hosts from which no code was asked for a while.
    Grace,
    /// `RESETTING_TIME_SKEW`: codes typed to teach a skew.
    SkewLearning,
    /// `TIME_SKEW` beyond what Twinlock keeps.
    TimeSkew,
    /// `DISALLOW_REUSE` names a step that is still to come.
    FutureStep,
    /// An option that google-authenticator does not document.
    UnknownOption,
    /// Scratch codes that were asked to be left.
    ScratchCodes { count: usize },
    /// The PIN of a line of users.oath.
    Pin,
    /// A parameter of `otpauth://` for the app's eyes.
    AppOnly(&'static str),
    /// A parameter of `otpauth://` that is not known, by its number.
    UnknownParameter(usize),
    /// The label was shortened.
    LabelCut,
}

impl What {
    /// Whether something was left behind; else it was carried over and should be better.
    #[must_use]
    pub const fn is_left_behind(&self) -> bool {
        !matches!(self, Self::ShortSecret { .. })
    }

    /// One word for it, for tables of many users.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::ShortSecret { .. } => "short secret",
            Self::Window => "WINDOW_SIZE",
            Self::RateLimit => "RATE_LIMIT",
            Self::Grace => "LASTn",
            Self::SkewLearning => "RESETTING_TIME_SKEW",
            Self::TimeSkew => "TIME_SKEW",
            Self::FutureStep => "DISALLOW_REUSE of the future",
            Self::UnknownOption => "unknown option",
            Self::ScratchCodes { .. } => "scratch codes",
            Self::Pin => "PIN",
            Self::AppOnly(name) => name,
            Self::UnknownParameter(_) => "unknown parameter",
            Self::LabelCut => "long label",
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(out, "line {line}: ")?;
        }
        self.what.fmt(out)
    }
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShortSecret { bits } => write!(
                out,
                "the secret has {bits} bits, RFC 4226 recommends 160: `twinlock enroll --replace` when there is time"
            ),
            Self::Window => {
                write!(out, "WINDOW_SIZE: Twinlock accepts one step before and after, or five presses ahead")
            }
            Self::RateLimit => write!(out, "RATE_LIMIT: Twinlock has a throttle of its own, for wrong codes alone"),
            Self::Grace => write!(out, "LASTn: every login asks for a code, wherever it comes from"),
            Self::SkewLearning => {
                write!(out, "RESETTING_TIME_SKEW: clocks are set right by `twinlock resync`, never unasked")
            }
            Self::TimeSkew => {
                write!(out, "TIME_SKEW: the clock is too far off: set it right, or `twinlock resync` if that cannot be")
            }
            Self::FutureStep => {
                write!(out, "DISALLOW_REUSE names a code of the future: was this host's clock wrong?")
            }
            Self::UnknownOption => write!(out, "an option that is not documented"),
            Self::ScratchCodes { count } => write!(out, "scratch codes: {count}, left behind as asked"),
            Self::Pin => write!(out, "the PIN: let pam_unix or another module ask for a password"),
            Self::AppOnly(name) => write!(out, "{name}: it is for the app alone"),
            Self::UnknownParameter(number) => write!(out, "parameter {number} is not known"),
            Self::LabelCut => write!(out, "the label was cut to 64 characters"),
        }
    }
}
