//! One `[[rule]]`: its conditions, all of which must hold, and what then holds.

use std::time::Duration;

use toml::de::DeValue;

use super::{KeyType, Network, SecondFactor};
use crate::{
    document::{ParseError, ParseErrorKind, Table, array, date, each, string},
    time::UnixTime,
};

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

    fn take(value: &DeValue<'_>) -> Result<Self, String> {
        let mut names = Self::default();
        for element in array(value)? {
            let name = string(element.get_ref())?;
            let (list, name) = match name.strip_prefix('!') {
                Some(name) => (&mut names.unwanted, name),
                None => (&mut names.wanted, name),
            };
            let sound = !name.is_empty() && name.len() <= 256 && !name.chars().any(|c| c.is_control() || c == '!');
            if !sound {
                return Err(
                    "a name has 1 to 256 characters, none a control character; `!name` means all but that one".into()
                );
            }
            list.push(name.to_owned());
        }
        Ok(names)
    }

    fn take_services(value: &DeValue<'_>) -> Result<Self, String> {
        let Self { wanted, unwanted } = Self::take(value)?;
        // Linux-PAM looks for the file of a service under its name in lower case.
        let lower = |names: Vec<String>| names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Ok(Self { wanted: lower(wanted), unwanted: lower(unwanted) })
    }
}

impl Rule {
    /// What the administrator calls the rule, or where it stands.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or("without a name")
    }

    /// Reads one rule.
    pub(crate) fn take(mut table: Table<'_>) -> Result<Self, ParseError> {
        let rule = Self {
            offset: table.place(),
            name: table.optional("name", title)?,
            services: table.optional("services", Names::take_services)?,
            users: table.optional("users", Names::take)?,
            groups: table.optional("groups", Names::take)?,
            from: table.optional("from", |value| each(value, |net| Network::parse(string(net)?)))?,
            key_types: table.optional("key_types", |value| each(value, |name| KeyType::named(string(name)?)))?,
            until: table.optional("until", last_day)?,
            second_factor: table.required("second_factor", |value| SecondFactor::named(string(value)?))?,
            remember: table.optional("remember", |value| crate::config::span(value, "1m", "30d"))?,
        };
        if rule.remember.is_some() && rule.second_factor == SecondFactor::Skip {
            let message = "a rule that asks nobody has nothing to remember: leave `remember` out".to_owned();
            return Err(ParseError { offset: rule.offset, message, kind: ParseErrorKind::Value });
        }
        table.end()?;
        Ok(rule)
    }
}

fn title(value: &DeValue<'_>) -> Result<String, String> {
    let text = string(value)?;
    let sound = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if sound { Ok(text.into()) } else { Err("a rule's name has 1 to 100 characters, none a control character".into()) }
}

fn last_day(value: &DeValue<'_>) -> Result<UnixTime, String> {
    const DAY: Duration = Duration::from_hours(24);
    Ok(date(value)?.after(DAY))
}
