//! One flaw, and what it is tried on.

use crate::contender::Contender;

/// A row of the matrix.
pub(crate) struct Row {
    /// As the catalogue of flaws has it: the source's letter and a number.
    pub(crate) id: &'static str,
    /// What went wrong there, in one line.
    pub(crate) flaw: &'static str,
    /// How it is tried here.
    pub(crate) trial: Trial,
}

/// How a row is tried.
pub(crate) enum Trial {
    /// On what we ship alone. It says what was seen, and panics where we have the flaw.
    Ours(fn() -> String),
    /// On every module that is here.
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
    /// Tries the row on everybody it can be tried on.
    pub(crate) fn try_all(&self) -> Vec<(Contender, Finding)> {
        match self.trial {
            Trial::Ours(attack) => vec![(Contender::Twinlock, Finding::Holds(attack()))],
            Trial::Everyone(attack) => {
                Contender::ALL.iter().map(|contender| (*contender, attack(*contender))).collect()
            }
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
