//! One flaw, and what it is tried on.

use crate::contender::Contender;

/// A row of the matrix.
pub(crate) struct Row {
    /// A letter for the group, and a number.
    pub(crate) id: &'static str,
    /// What went wrong, in one line.
    pub(crate) flaw: &'static str,
    /// Where it was published: an advisory, a commit, an issue or a release. None for what only our own tests found.
    pub(crate) origin: Option<&'static str>,
    /// How it is tried here.
    pub(crate) trial: Trial,
}

/// How a row is tried.
pub(crate) enum Trial {
    /// On what we ship alone. It says what was seen, and panics where we have the flaw.
    Ours(fn() -> String),
    /// On every module.
    Everyone(fn(Contender) -> Finding),
    /// Not at all, because there is nothing here that could have the flaw; and why.
    Never(&'static str),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It does not have the flaw; what was seen, in a few words.
    Holds(String),
    /// It has the flaw; what was seen.
    Broken(String),
    /// It cannot be set this task, and why.
    Unfit(&'static str),
}

impl Row {
    /// Tries the row on those of these modules that it can be tried on.
    pub(crate) fn try_on(&self, contenders: &[Contender]) -> Vec<(Contender, Finding)> {
        match self.trial {
            Trial::Ours(attack) => vec![(Contender::Twinlock, Finding::Holds(attack()))],
            Trial::Everyone(attack) => contenders.iter().map(|contender| (*contender, attack(*contender))).collect(),
            Trial::Never(_) => Vec::new(),
        }
    }
}

impl Finding {
    /// `Holds` or `Broken`, and what was seen.
    pub(crate) fn of(holds: bool, seen: impl Into<String>) -> Self {
        if holds { Self::Holds(seen.into()) } else { Self::Broken(seen.into()) }
    }
}
