//! What logins change about a user: the body of a state slot.

use crate::{
    account::{Subject, UserName},
    credentials::{AuthenticatorId, Enrolment},
    issued::IssuedCode,
    notice::Notice,
    otp::ReplayState,
    recovery::RecoverySetId,
    remember::Remembered,
    throttle::Throttle,
    time::UnixTime,
};

/// The memory of one user's logins. Always fits its slot: every part is bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub user: UserName,
    /// The uid that the account had.
    pub uid: u32,
    /// Failures and budget.
    pub throttle: Throttle,
    /// One entry per authenticator that was used.
    pub uses: Vec<Use>,
    /// The recovery codes that are used up.
    pub recovery: Option<Spent>,
    /// Which logins are remembered.
    pub remembered: Option<Remembered>,
    /// What was changed last.
    pub notice: Option<Notice>,
    /// Codes that were issued beside the recovery codes, the oldest first; some may be over.
    pub issued: Vec<IssuedCode>,
    /// No enrolment was finished and no answer was judged with this record yet. Where its credentials are missing, the
    /// enrolment for which it was made was interrupted; any other record without credentials says that there was one.
    pub provisional: bool,
    /// Keys and values that other versions of the same format pass over, in the order of the keys: `news.rs` has those of this
    /// version. Others are kept and written back as they are. Nothing is decided by them: without them nobody is let in who would not be let in with them.
    pub extra: Vec<(String, String)>,
}

/// The last use of one authenticator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub id: AuthenticatorId,
    /// The last step used: this one and all before it are refused for ever after.
    pub last_step: u64,
    /// Steps by which the authenticator's clock is off.
    pub drift: i64,
    /// When it was used, by the host's clock.
    pub last_used: UnixTime,
    /// Where from, if not from this host.
    pub last_from: Option<Origin>,
}

/// Where somebody came from, as the application said: 1 to 45 of `A` to `Z`, `a` to `z`, `0` to `9` and `._:-`, which is
/// room for every address and for the beginning of a name. For people to read; nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    text: String,
    /// Whether it is the word of the user's own program, which may say anything.
    is_claimed: bool,
}

/// Recovery codes that were used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The set they belong to.
    pub set: RecoverySetId,
    pub ids: Vec<u8>,
}

impl Record {
    /// The record of somebody who never logged in.
    #[must_use]
    pub fn new(subject: &Subject) -> Self {
        Self {
            user: subject.name.clone(),
            uid: subject.uid,
            throttle: Throttle::default(),
            uses: Vec::new(),
            recovery: None,
            remembered: None,
            notice: None,
            issued: Vec::new(),
            provisional: true,
            extra: Vec::new(),
        }
    }

    /// The account that the record was made for.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject { name: self.user.clone(), uid: self.uid }
    }

    /// The record in the place of one that is lost: what was used of `enrolment` is not known any more, so everything
    /// that may have been used counts as used: tokens altogether, recovery codes, and steps up to the last that could be
    /// right at `now`, for by how much a clock was set right is lost too.
    #[must_use]
    pub fn assume_everything_used(subject: &Subject, enrolment: &Enrolment, now: UnixTime) -> Self {
        let mut record = Self { provisional: false, ..Self::new(subject) };
        for authenticator in &enrolment.authenticators {
            record.use_step(&authenticator.id, authenticator.otp.furthest_step(now).unwrap_or(u64::MAX), now);
        }
        if let Some(set) = &enrolment.recovery {
            for id in set.ids() {
                record.spend(&set.set, id);
            }
        }
        record
    }

    /// The last use of an authenticator.
    #[must_use]
    pub fn use_of(&self, id: &AuthenticatorId) -> Option<&Use> {
        self.uses.iter().find(|used| used.id == *id)
    }

    /// The ids of the used codes of the recovery set named `set`.
    #[must_use]
    pub fn spent(&self, set: &RecoverySetId) -> &[u8] {
        self.recovery.as_ref().filter(|spent| spent.set == *set).map_or(&[], |spent| &spent.ids)
    }

    /// What is known of an authenticator from its earlier uses.
    #[must_use]
    pub fn replay_state(&self, id: &AuthenticatorId) -> ReplayState {
        self.use_of(id).map_or_else(ReplayState::default, |used| ReplayState {
            last_step: Some(used.last_step),
            drift: used.drift,
        })
    }

    /// How many recovery codes of `enrolment` are left.
    #[must_use]
    pub fn recovery_codes_left(&self, enrolment: &Enrolment) -> usize {
        enrolment.recovery.as_ref().map_or(0, |set| {
            let spent = self.spent(&set.set);
            set.ids().filter(|id| !spent.contains(id)).count()
        })
    }

    /// The issued codes that may be used now, of a user whose recovery set is `set`.
    pub fn valid_issued_codes(&self, set: &RecoverySetId, now: UnixTime) -> impl Iterator<Item = &IssuedCode> {
        self.issued.iter().filter(move |issued| issued.set == *set && issued.is_valid(now))
    }

    /// Adds an issued code. Where there are [`IssuedCode::MOST`], the oldest ends.
    pub fn issue(&mut self, issued: IssuedCode) {
        while self.issued.len() >= IssuedCode::MOST {
            self.issued.remove(0);
        }
        self.issued.push(issued);
    }

    /// Ends the issued code with this hash.
    pub fn use_issued(&mut self, hash: &[u8; IssuedCode::HASH]) {
        self.issued.retain(|issued| issued.hash != *hash);
    }

    /// Drops the issued codes that are over: no clock that is set back makes them valid again.
    pub fn drop_expired(&mut self, now: UnixTime) {
        self.issued.retain(|issued| now < issued.expires);
    }

    /// Notes the use of `step` of an authenticator.
    pub fn use_step(&mut self, id: &AuthenticatorId, step: u64, now: UnixTime) {
        if let Some(used) = self.uses.iter_mut().find(|used| used.id == *id) {
            used.last_step = used.last_step.max(step);
            used.last_used = now;
            used.last_from = None;
        } else {
            self.uses.push(Use { id: id.clone(), last_step: step, drift: 0, last_used: now, last_from: None });
        }
    }

    /// Notes where the last use of an authenticator came from.
    pub fn set_from(&mut self, id: &AuthenticatorId, from: Option<&Origin>) {
        for used in self.uses.iter_mut().filter(|used| used.id == *id) {
            used.last_from = from.cloned();
        }
    }

    /// Notes by how many steps the clock of an authenticator that was used is ahead.
    pub fn set_drift(&mut self, id: &AuthenticatorId, drift: i64) {
        for used in self.uses.iter_mut().filter(|used| used.id == *id) {
            used.drift = drift;
        }
    }

    /// Notes that the recovery code `id` of the set named `set` is used up.
    pub fn spend(&mut self, set: &RecoverySetId, id: u8) {
        match &mut self.recovery {
            Some(spent) if spent.set == *set => spent.ids.push(id),
            Some(_) | None => self.recovery = Some(Spent { set: set.clone(), ids: vec![id] }),
        }
    }

    /// Whether anything is noted of authenticators or recovery sets that `enrolment` no longer has. Before it is dropped,
    /// `enrolment` must be on the disk.
    #[must_use]
    pub fn has_stale_entries(&self, enrolment: &Enrolment) -> bool {
        let mut kept = self.clone();
        kept.prune(enrolment);
        kept != *self
    }

    /// Drops what belongs to authenticators and recovery sets that `enrolment` no longer has.
    pub fn prune(&mut self, enrolment: &Enrolment) {
        self.uses.retain(|used| enrolment.authenticators.iter().any(|authenticator| authenticator.id == used.id));
        self.recovery =
            self.recovery.take().filter(|spent| enrolment.recovery.as_ref().is_some_and(|set| set.set == spent.set));
        let set = enrolment.recovery_set_id();
        self.issued.retain(|issued| issued.set == set);
    }
}

impl Origin {
    /// Longest origin in bytes: an IPv6 address that ends in an IPv4 one.
    pub const LONGEST: usize = 45;

    /// What is left of `text` without the characters that an origin does not have, cut. `None` if nothing is left.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
        let text: String = text.chars().filter(known).take(Self::LONGEST).collect();
        (!text.is_empty()).then_some(Self { text, is_claimed: false })
    }

    /// The same as the word of the user's own program.
    #[must_use]
    pub fn claimed(self) -> Self {
        Self { is_claimed: true, ..self }
    }

    /// Whether it is the word of the user's own program: of a host that is not root's.
    #[must_use]
    pub const fn is_claimed(&self) -> bool {
        self.is_claimed
    }

    /// The origin.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        credentials::{Authenticator, Label},
        otp::{Algorithm, Code, Match, MovingFactor, Otp, Window},
        recovery::RecoverySet,
        secret::Secret,
    };

    fn used_from(from: &str) -> Record {
        let mut record = Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 });
        let phone = AuthenticatorId::parse("phone").unwrap();
        record.use_step(&phone, 7, UnixTime::from_seconds(210));
        record.set_from(&phone, Origin::from_text(from).as_ref());
        record
    }

    fn kept(from: &str) -> Option<String> {
        Origin::from_text(from).map(|origin| origin.as_str().to_owned())
    }

    #[test]
    fn a_code_of_a_new_set_ends_what_is_known_of_the_old_one() {
        let [old, new] = ["set0", "set1"].map(|set| RecoverySetId::parse(set).unwrap());
        let mut record = used_from("");
        record.spend(&old, 3);
        record.spend(&old, 4);
        assert_eq!((record.spent(&old), record.spent(&new)), (&[3, 4][..], &[][..]));
        record.spend(&new, 1);
        assert_eq!((record.spent(&old), record.spent(&new)), (&[][..], &[1][..]));
    }

    #[test]
    fn what_is_noted_of_one_authenticator_is_not_noted_of_another() {
        let [phone, tablet] = ["phone", "tablet"].map(|id| AuthenticatorId::parse(id).unwrap());
        let mut record = used_from("192.0.2.7");
        record.use_step(&tablet, 9, UnixTime::from_seconds(270));
        record.set_drift(&tablet, 5);
        assert_eq!(record.replay_state(&phone), ReplayState { last_step: Some(7), drift: 0 });
        assert_eq!(record.replay_state(&tablet), ReplayState { last_step: Some(9), drift: 5 });
        let from = |id| record.use_of(id).and_then(|used| used.last_from.clone());
        assert_eq!((from(&phone), from(&tablet)), (Origin::from_text("192.0.2.7"), None));
    }

    #[test]
    fn recovery_codes_that_are_spent_are_not_left() {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        let set = RecoverySetId::parse("set1").unwrap();
        let recovery = RecoverySet::from_stored(set.clone(), None, &[(1, hash), (2, hash), (3, hash)]).ok();
        let user = UserName::parse(b"alice").unwrap();
        let enrolment = Enrolment { user, uid: None, authenticators: Vec::new(), recovery };
        let mut record = used_from("");
        assert_eq!(record.recovery_codes_left(&enrolment), 3);
        record.spend(&set, 2);
        assert_eq!(record.recovery_codes_left(&enrolment), 2);
        assert_eq!(record.recovery_codes_left(&Enrolment { recovery: None, ..enrolment }), 0);
    }

    #[test]
    fn of_more_issued_codes_than_there_may_be_the_oldest_ends() {
        let at = UnixTime::from_seconds;
        let code = |hash: u8, expires| IssuedCode {
            set: RecoverySetId::none(),
            hash: [hash; IssuedCode::HASH],
            issued: at(10),
            expires: at(expires),
            by_uid: 0,
        };
        let mut record = used_from("");
        for (hash, expires) in [(1, 90), (2, 20), (3, 30)] {
            record.issue(code(hash, expires));
        }
        assert_eq!(record.issued, [code(2, 20), code(3, 30)]);
        record.drop_expired(at(20));
        assert_eq!(record.issued, [code(3, 30)]);
        let set1 = RecoverySetId::parse("set1").unwrap();
        let valid = |set, now| record.valid_issued_codes(set, at(now)).count();
        let none = RecoverySetId::none();
        assert_eq!([valid(&none, 10), valid(&none, 9), valid(&none, 30), valid(&set1, 10)], [1, 0, 0, 0]);
    }

    #[test]
    fn what_is_noted_of_an_authenticator_that_is_no_more_outlived_it() {
        let enrolment = |id: &str| {
            let factor = MovingFactor::Time { period: 30 };
            let otp = Otp::new(Secret::from_bytes(&[1; 20]).unwrap(), Algorithm::Sha1, 6, factor).unwrap();
            let (id, label) = (AuthenticatorId::parse(id).unwrap(), Label::parse("phone").unwrap());
            let authenticators = vec![Authenticator { id, label, otp, created: None, suspended: false }];
            Enrolment { user: UserName::parse(b"alice").unwrap(), uid: None, authenticators, recovery: None }
        };
        let mut record = Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 });
        assert!(!record.has_stale_entries(&enrolment("phone")));
        record.use_step(&AuthenticatorId::parse("phone").unwrap(), 7, UnixTime::default());
        assert!(!record.has_stale_entries(&enrolment("phone")));
        assert!(record.has_stale_entries(&enrolment("tablet")));
        record.prune(&enrolment("tablet"));
        assert!(!record.has_stale_entries(&enrolment("tablet")));
    }

    #[test]
    fn where_a_record_is_lost_no_code_is_good_again_whose_clock_was_set_right() {
        let factor = MovingFactor::Time { period: 30 };
        let otp = Otp::new(Secret::from_bytes(&[1; 20]).unwrap(), Algorithm::Sha1, 6, factor).unwrap();
        let id = AuthenticatorId::parse("phone").unwrap();
        let label = Label::parse("phone").unwrap();
        let phone = Authenticator { id: id.clone(), label, otp: otp.clone(), created: None, suspended: false };
        let user = UserName::parse(b"alice").unwrap();
        let enrolment = Enrolment { user: user.clone(), uid: None, authenticators: vec![phone], recovery: None };
        // At noon a phone that is ten minutes ahead is accepted; at once the record is lost and made anew.
        let (noon, ahead) = (UnixTime::from_seconds(1_800_000_000), ReplayState { last_step: None, drift: 20 });
        let record = Record::assume_everything_used(&Subject { name: user, uid: 1001 }, &enrolment, noon);
        assert!(!record.provisional, "of a user who is enrolled");
        for step in 60_000_019..=60_000_021 {
            let code = Code::parse(otp.code(step).as_bytes()).unwrap();
            assert_eq!(otp.find(&code, noon, ahead, Window::Login), Match::Fresh(step));
            for later in (0..1_200).step_by(10).map(|seconds| noon.after(Duration::from_secs(seconds))) {
                let found = otp.find(&code, later, record.replay_state(&id), Window::Login);
                assert!(!matches!(found, Match::Fresh(_)), "{step} at {later}");
            }
        }
        // And what the phone shows eleven minutes later is good.
        let (later, past) = (noon.after(Duration::from_mins(11)), record.replay_state(&id));
        let code = Code::parse(otp.code(otp.step_at(later, past)).as_bytes()).unwrap();
        assert_eq!(otp.find(&code, later, past, Window::Login), Match::Fresh(60_000_022));
    }

    #[test]
    fn an_origin_is_an_address_or_a_name_and_nothing_else() {
        assert_eq!(kept("192.0.2.7"), Some("192.0.2.7".into()));
        assert_eq!(kept("fe80::1%eth0"), Some("fe80::1eth0".into()));
        assert_eq!(kept("host-1.example_x.org"), Some("host-1.example_x.org".into()));
        assert_eq!(kept("\u{1b}[31m\"\n[throttle]\nfailures = 0 é\u{202e}"), Some("31mthrottlefailures0".into()));
        assert_eq!(kept(" \"\\ \u{202e}"), None);
        assert_eq!(kept(""), None);
        assert_eq!(kept(&"x".repeat(10_000)).unwrap().len(), Origin::LONGEST);
    }

    #[test]
    fn an_origin_that_a_users_own_program_claims_is_marked() {
        let seen = Origin::from_text("192.0.2.7").unwrap();
        assert!(!seen.is_claimed());
        assert!(seen.claimed().is_claimed());
    }

    #[test]
    fn a_use_without_an_origin_forgets_the_one_before() {
        let mut record = used_from("192.0.2.7");
        record.use_step(&AuthenticatorId::parse("phone").unwrap(), 8, UnixTime::from_seconds(240));
        assert_eq!(record.uses[0].last_from, None);
    }
}
