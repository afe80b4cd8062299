//! One `[[rule]]`: its conditions, all of which must hold, and what then holds.

use std::time::Duration;

use super::{KeyType, Network, SecondFactor};
use crate::time::UnixTime;

/// A rule of the administrator. A condition that is not given holds for everybody; an empty one for nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Where it begins in the file, in bytes.
    pub offset: usize,
    /// What the administrator calls it.
    pub name: Option<String>,
    /// PAM services, in lower case.
    pub services: Option<Names>,
    /// Accounts, by `pw_name`.
    pub users: Option<Names>,
    /// Groups.
    pub groups: Option<Names>,
    /// Where the login comes from.
    pub from: Option<Vec<Network>>,
    /// A key of one of these kinds was proven.
    pub key_types: Option<Vec<KeyType>>,
    /// The rule's end, which is the end of its last day in UTC.
    pub until: Option<UnixTime>,
    /// What holds.
    pub second_factor: SecondFactor,
    /// For how long a login is remembered; never if it is not given.
    pub remember: Option<Duration>,
}

/// Names one of which is wanted, and names none of which is: `["admins", "!robots"]`. With only the latter, everybody
/// else is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// One of these, if there are any.
    pub wanted: Vec<String>,
    /// None of these.
    pub unwanted: Vec<String>,
}

impl Names {
    /// Whether one name fits.
    #[must_use]
    pub fn contain(&self, name: &str) -> bool {
        let listed = |names: &[String]| names.iter().any(|known| known == name);
        !listed(&self.unwanted) && (listed(&self.wanted) || self.mean_everybody_else())
    }

    /// Whether nobody can fit.
    #[must_use]
    pub fn fit_nobody(&self) -> bool {
        !self.mean_everybody_else() && self.wanted.iter().all(|name| self.unwanted.contains(name))
    }

    /// Whether nobody is named but those who are not meant.
    pub(super) const fn mean_everybody_else(&self) -> bool {
        self.wanted.is_empty() && !self.unwanted.is_empty()
    }
}

impl Rule {
    /// Its last day, if it has one.
    #[must_use]
    pub fn last_day(&self) -> Option<String> {
        self.until.map(|end| UnixTime::from_seconds(end.seconds().saturating_sub(1)).day())
    }

    /// What the administrator calls the rule, or where it stands.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("without a name")
    }
}
