//! What logins change about a user: the body of a state slot.

use serde::{Deserialize, Serialize};

use crate::{
    account::Subject,
    credentials::{AuthenticatorId, Enrolment},
    throttle::Throttle,
    time::UnixTime,
};

/// The memory of one user's logins. Always fits its slot: every part is bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Whose it is.
    pub user: crate::account::UserName,
    /// The uid that the account had.
    pub uid: u32,
    /// Failures and budget.
    pub throttle: Throttle,
    /// One entry per authenticator that was used.
    #[serde(default, rename = "authenticator")]
    pub uses: Vec<Use>,
    /// Which recovery codes are spent.
    #[serde(default)]
    pub recovery: Option<Spent>,
}

/// The last use of one authenticator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Use {
    /// Which one.
    pub id: AuthenticatorId,
    /// The last step used: this one and all before it are refused for ever after.
    pub last_step: u64,
    /// Steps by which the authenticator's clock is off.
    #[serde(default)]
    pub drift: i64,
    /// When it was used, by the host's clock.
    pub last_used: UnixTime,
}

/// Recovery codes that were used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spent {
    /// The set they belong to.
    pub set: String,
    /// Their ids.
    pub ids: Vec<u8>,
}

impl Record {
    /// The record of somebody who never logged in.
    #[must_use]
    pub fn new(subject: &Subject) -> Self {
        Self { user: subject.name.clone(), uid: subject.uid, throttle: Throttle::default(), uses: Vec::new(), recovery: None }
    }

    /// The last use of an authenticator.
    #[must_use]
    pub fn use_of(&self, id: &AuthenticatorId) -> Option<&Use> {
        self.uses.iter().find(|used| used.id == *id)
    }

    /// The spent ids of the recovery set named `set`.
    #[must_use]
    pub fn spent(&self, set: &str) -> &[u8] {
        self.recovery.as_ref().filter(|spent| spent.set == set).map_or(&[], |spent| &spent.ids)
    }

    /// How many recovery codes of `enrolment` are left.
    #[must_use]
    pub fn recovery_codes_left(&self, enrolment: &Enrolment) -> usize {
        enrolment.recovery.as_ref().map_or(0, |set| {
            let spent = self.spent(&set.set);
            set.ids().filter(|id| !spent.contains(id)).count()
        })
    }

    /// Notes the use of `step` of an authenticator.
    pub fn use_step(&mut self, id: &AuthenticatorId, step: u64, now: UnixTime) {
        if let Some(used) = self.uses.iter_mut().find(|used| used.id == *id) {
            used.last_step = used.last_step.max(step);
            used.last_used = now;
        } else {
            self.uses.push(Use { id: id.clone(), last_step: step, drift: 0, last_used: now });
        }
    }

    /// Notes that the recovery code `id` of the set named `set` is spent.
    pub fn spend(&mut self, set: &str, id: u8) {
        match &mut self.recovery {
            Some(spent) if spent.set == set => spent.ids.push(id),
            Some(_) | None => self.recovery = Some(Spent { set: set.to_owned(), ids: vec![id] }),
        }
    }

    /// Drops what belongs to authenticators and recovery sets that `enrolment` no longer has.
    pub fn keep_only(&mut self, enrolment: &Enrolment) {
        self.uses.retain(|used| enrolment.authenticators.iter().any(|authenticator| authenticator.id == used.id));
        self.recovery = self.recovery.take().filter(|spent| enrolment.recovery.as_ref().is_some_and(|set| set.set == spent.set));
    }
}
