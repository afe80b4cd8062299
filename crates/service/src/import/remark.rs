//! What is said about an import that works: what was left behind, and what should be better.

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
}
