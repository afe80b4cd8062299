//! The policy: the administrator's rules, of which the first that fits decides. Pure: the facts of a login are
//! arguments, groups are asked for through a trait.
//!
//! A rule whose conditions cannot be judged (a source that is a name, a group that is not there) is neither passed over
//! nor followed: of all that the rules could then mean, the strictest holds. What cannot be asked at all denies.

mod emergency;
mod first_factor;
mod network;
mod review;
mod rule;
mod second_factor;

use std::{
    cell::{OnceCell, RefCell},
    fmt, io,
    time::Duration,
};

pub use emergency::{Emergency, EmergencyInForce, LONGEST_EMERGENCY};
pub use first_factor::{FirstFactors, KeyType, ProvenKey, is_sshd};
pub use network::{Network, Source};
pub use review::{Grade, Hosts, RuleProblem, review};
pub use rule::{Names, Rule};
pub use second_factor::SecondFactor;

use crate::{account::UserName, messages, time::UnixTime};

/// All rules, and what holds where none fits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    /// The first that fits decides.
    pub rules: Vec<Rule>,
    /// For everybody no rule speaks of.
    pub otherwise: SecondFactor,
}

/// What is known of one login before anything is asked.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The PAM service.
    pub service: &'a str,
    /// `pw_name`; `None` if no such account was found: nobody can tell then whether a condition on users or groups fits.
    pub user: Option<&'a UserName>,
    /// Where the login comes from.
    pub source: &'a Source,
    /// What sshd has verified already.
    pub first_factors: &'a FirstFactors,
    pub now: UnixTime,
}

/// Tells who is in which group. Asked late, and each thing once: a directory may be behind it.
pub trait Groups {
    /// The names of all groups of an account, the primary one included.
    ///
    /// # Errors
    /// The group database could not be asked.
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>>;

    /// The members that a group itself names, or `None` if there is none that [`Groups::groups_of`] calls exactly so.
    /// Directories may name nobody.
    ///
    /// # Errors
    /// The group database could not be asked.
    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>>;
}

/// What holds for a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Decision<'p> {
    /// Whether a second factor is asked for.
    pub second_factor: SecondFactor,
    /// For how long a login is remembered.
    pub remember: Option<Duration>,
    /// The rule that says so; `None` if no rule fits.
    pub rule: Option<&'p Rule>,
    /// Why a rule that is stricter than the one that fits holds instead.
    pub doubt: Option<Doubt<'p>>,
}

/// Why it cannot be told whether a rule fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt<'p> {
    /// It asks for networks, and the source of the login is a name.
    SourceIsAName,
    /// It asks for networks, and the service is neither sshd nor one that it names: what such a service gives as an address
    /// may be a name that somebody's DNS gave, and nobody checked.
    SourceIsUnverified,
    /// It is stricter than what follows and asks for kinds of keys, and sshd may have a key that it does not show.
    KeyIsNotShown,
    /// It speaks of users or groups, and the account was not found. Where one source of accounts cannot be read, libc says
    /// what the others know as if that were all.
    NoSuchAccount,
    /// It names this group, which does not exist.
    NoSuchGroup(&'p str),
    /// It names this group, which names the user, and the list of the user's groups lacks it. libc makes that list as long
    /// as it can, and tells of no error.
    NotInTheList(&'p str),
}

/// The group database could not be asked: nothing is decided, and nobody gets in.
#[derive(Debug)]
pub struct PolicyError {
    message: String,
    error: io::Error,
}

/// Whether a rule fits.
enum Fit<'p> {
    Yes,
    No,
    /// No, unless one of its groups does not exist, or says otherwise.
    NoIfGroupsAgree,
    /// Nobody can tell.
    Unsure(Doubt<'p>),
}

impl Policy {
    /// Whether anybody may enrol inside a login.
    #[must_use]
    pub fn enrolls(&self) -> bool {
        self.otherwise == SecondFactor::Enroll
            || self.rules.iter().any(|rule| rule.second_factor == SecondFactor::Enroll)
    }

    /// Whether anybody may enrol inside a login by this service, today.
    #[must_use]
    pub fn enrolls_in(&self, service: &str, now: UnixTime) -> bool {
        self.otherwise == SecondFactor::Enroll
            || self.rules.iter().any(|rule| {
                rule.second_factor == SecondFactor::Enroll
                    && rule.services.as_ref().is_none_or(|services| services.contain(service))
                    && rule.until.is_none_or(|end| now < end)
            })
    }

    /// Whether some login of an account, wherever it comes from, asks for a second factor or for an enrolment. In doubt
    /// it does: who is asked about this wants to be rid of a second factor.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn asks_somewhere(&self, user: &UserName, groups: &dyn Groups) -> Result<bool, PolicyError> {
        let groups = AskedOnce::new(groups);
        for rule in &self.rules {
            if !rule.may_speak_of(user, &groups)? {
                continue;
            }
            if rule.second_factor >= SecondFactor::Enroll {
                return Ok(true);
            }
            let conditions = (&rule.services, &rule.from, &rule.key_types, rule.until);
            if matches!(conditions, (None, None, None, None)) && rule.groups.is_none() {
                return Ok(false);
            }
        }
        Ok(self.otherwise >= SecondFactor::Enroll)
    }

    /// The rules that exempt some of the logins of an account by one service, namely those from a network or with a type of
    /// key, up to the first rule that decides all its logins. In doubt a rule is one of them: an auditor asks.
    ///
    /// # Errors
    /// [`PolicyError`].
    pub fn partial_exemptions(
        &self,
        service: &str,
        user: &UserName,
        now: UnixTime,
        groups: &dyn Groups,
    ) -> Result<Vec<&Rule>, PolicyError> {
        let groups = AskedOnce::new(groups);
        let mut found = Vec::new();
        for rule in &self.rules {
            let applies = rule.services.as_ref().is_none_or(|services| services.contain(service))
                && rule.until.is_none_or(|end| now < end);
            if !applies || !rule.may_speak_of(user, &groups)? {
                continue;
            }
            if rule.from.is_none() && rule.key_types.is_none() {
                break;
            }
            if rule.second_factor < SecondFactor::Enroll {
                found.push(rule);
            }
        }
        Ok(found)
    }

    /// The most lenient of what the rules behind one say, of those that count, and of what holds where none fits.
    fn most_lenient_after(&self, index: usize, counts: impl Fn(&Rule) -> bool) -> SecondFactor {
        let following = self.rules.iter().skip(index.saturating_add(1)).filter(|rule| counts(rule));
        following.map(|rule| rule.second_factor).fold(self.otherwise, SecondFactor::min)
    }

    /// What holds for a login.
    ///
    /// # Errors
    /// [`PolicyError`]: deny.
    #[inline(never)]
    pub fn decide(&self, facts: &Facts<'_>, groups: &dyn Groups) -> Result<Decision<'_>, PolicyError> {
        let groups = AskedOnce::new(groups);
        let mut passed_over = Vec::new();
        let mut first = None;
        for (index, rule) in self.rules.iter().enumerate() {
            let is_stricter = || self.most_lenient_after(index, |_| true) < rule.second_factor;
            match rule.fit(facts, &groups, is_stricter)? {
                Fit::Yes => {
                    first = Some(rule);
                    break;
                }
                Fit::No => {}
                Fit::NoIfGroupsAgree => passed_over.push((rule, None)),
                Fit::Unsure(doubt) => passed_over.push((rule, Some(doubt))),
            }
        }
        let mut decision = Decision {
            second_factor: first.map_or(self.otherwise, |rule| rule.second_factor),
            remember: first.and_then(|rule| rule.remember),
            rule: first,
            doubt: None,
        };
        for (rule, doubt) in passed_over {
            let stricter = rule.second_factor > decision.second_factor;
            if !stricter && decision.remember.is_none() {
                continue;
            }
            let doubt = match doubt {
                Some(doubt) => Some(doubt),
                None => rule.doubtful_group(facts, &groups)?,
            };
            if doubt.is_some() {
                decision.remember = None;
            }
            if stricter && doubt.is_some() {
                decision = Decision { second_factor: rule.second_factor, remember: None, rule: Some(rule), doubt };
            }
        }
        Ok(decision)
    }
}

impl Rule {
    /// Whether the rule fits. What costs nothing is looked at first.
    fn fit<'p: 'a, 'a>(
        &'p self,
        facts: &Facts<'_>,
        groups: &AskedOnce<'a>,
        is_stricter: impl Fn() -> bool,
    ) -> Result<Fit<'p>, PolicyError> {
        let names_fit = self.services.as_ref().is_none_or(|services| services.contain(facts.service))
            && self.users.as_ref().is_none_or(|users| match facts.user {
                Some(user) => users.contain(user.as_str()),
                None => !users.fit_nobody(),
            })
            && self.until.is_none_or(|end| facts.now < end);
        if !names_fit {
            return Ok(Fit::No);
        }
        let key = match &self.key_types {
            None => Fit::Yes,
            Some(types) if facts.first_factors.has_key_of(types) => Fit::Yes,
            // Nothing hangs on a key where the rule is not the stricter one: no group is asked for it then.
            Some(types) if !types.is_empty() && facts.first_factors.may_lack_a_key(facts.service) && is_stricter() => {
                Fit::Unsure(Doubt::KeyIsNotShown)
            }
            Some(_) => return Ok(Fit::No),
        };
        let source = match (&self.from, facts.source) {
            (None, _) => key,
            (Some(networks), Source::Address(_)) if !networks.is_empty() && !self.trusts_source_of(facts.service) => {
                Fit::Unsure(Doubt::SourceIsUnverified)
            }
            (Some(networks), Source::Address(address)) if networks.iter().any(|net| net.contains(*address)) => key,
            (Some(networks), Source::Name) if !networks.is_empty() => Fit::Unsure(Doubt::SourceIsAName),
            (Some(_), Source::Here | Source::Name | Source::Address(_)) => return Ok(Fit::No),
        };
        let Some(user) = facts.user else {
            let for_everybody = self.users.is_none() && self.groups.is_none();
            return Ok(if for_everybody { source } else { Fit::Unsure(Doubt::NoSuchAccount) });
        };
        let Some(wanted) = &self.groups else {
            return Ok(source);
        };
        let own = groups.groups_of(user)?;
        if wanted.unwanted.iter().any(|group| own.contains(group)) {
            return Ok(Fit::No);
        }
        if !wanted.mean_everybody_else() && !wanted.wanted.iter().any(|group| own.contains(group)) {
            return Ok(Fit::NoIfGroupsAgree);
        }
        // "Everybody but" a group that is not there would be everybody. It matters where the rule lets somebody off.
        if (self.second_factor < SecondFactor::Required || self.remember.is_some())
            && let Some(doubt) = groups.first_doubt(&wanted.unwanted, user)?
        {
            return Ok(Fit::Unsure(doubt));
        }
        Ok(source)
    }

    /// Whether the source that a service gives is compared with networks: sshd gives the peer's address, and of another
    /// service the administrator says so by naming it.
    #[must_use]
    pub fn trusts_source_of(&self, service: &str) -> bool {
        let names = |services: &Names| services.wanted.iter().any(|name| name == service);
        is_sshd(service) || self.services.as_ref().is_some_and(names)
    }

    /// Whether its users and groups fit an account, or may fit: of a group that is not there nobody knows who is in it.
    fn may_speak_of<'p: 'a, 'a>(&'p self, user: &UserName, groups: &AskedOnce<'a>) -> Result<bool, PolicyError> {
        if self.users.as_ref().is_some_and(|users| !users.contain(user.as_str())) {
            return Ok(false);
        }
        let Some(wanted) = &self.groups else {
            return Ok(true);
        };
        let own = groups.groups_of(user)?;
        if wanted.unwanted.iter().any(|group| own.contains(group)) {
            return Ok(false);
        }
        let fits = wanted.mean_everybody_else() || wanted.wanted.iter().any(|group| own.contains(group));
        Ok(fits || groups.first_doubt(&wanted.wanted, user)?.is_some())
    }

    fn doubtful_group<'p: 'a, 'a>(
        &'p self,
        facts: &Facts<'_>,
        groups: &AskedOnce<'a>,
    ) -> Result<Option<Doubt<'p>>, PolicyError> {
        let (Some(names), Some(user)) = (&self.groups, facts.user) else {
            return Ok(None);
        };
        match groups.first_doubt(&names.wanted, user)? {
            Some(doubt) => Ok(Some(doubt)),
            None => groups.first_doubt(&names.unwanted, user),
        }
    }
}

/// The group database, asked when the first rule wants to know, and for each thing once.
struct AskedOnce<'a> {
    groups: &'a dyn Groups,
    /// Those of the one account.
    own: OnceCell<Vec<String>>,
    /// Found to exist, and not to name the one account.
    agreed: RefCell<Vec<&'a str>>,
}

impl<'a> AskedOnce<'a> {
    const fn new(groups: &'a dyn Groups) -> Self {
        Self { groups, own: OnceCell::new(), agreed: RefCell::new(Vec::new()) }
    }

    fn groups_of(&self, user: &UserName) -> Result<&[String], PolicyError> {
        if let Some(own) = self.own.get() {
            return Ok(own);
        }
        let own = self.groups.groups_of(user).map_err(|error| PolicyError::of_groups_of(user, error))?;
        Ok(self.own.get_or_init(|| own))
    }

    /// Of groups that the list of the user's groups lacks, the first that does not exist or that names the user.
    fn first_doubt<'p: 'a>(&self, names: &'p [String], user: &UserName) -> Result<Option<Doubt<'p>>, PolicyError> {
        let mut agreed = self.agreed.borrow_mut();
        for name in names {
            if agreed.contains(&name.as_str()) {
                continue;
            }
            let members = self.groups.members(name);
            match members.map_err(|error| PolicyError::of_group(name, error))? {
                None => return Ok(Some(Doubt::NoSuchGroup(name))),
                Some(members) if members.iter().any(|member| member == user.as_str()) => {
                    return Ok(Some(Doubt::NotInTheList(name)));
                }
                Some(_) => agreed.push(name),
            }
        }
        Ok(None)
    }
}

impl PolicyError {
    pub(crate) fn of_group(name: &str, error: io::Error) -> Self {
        Self { message: messages::group(name, &error), error }
    }

    pub(crate) fn of_groups_of(user: &UserName, error: io::Error) -> Self {
        Self { message: messages::groups_of(user, &error), error }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for PolicyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
