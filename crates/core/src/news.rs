//! What users are told after a correct answer: incorrect answers since their last login, and changes of their second factor in
//! the last week. A stolen key shows here first.
//!
//! It is kept in the keys `FAILED` and `CHANGES` of [`Record::extra`]: an older version passes over them and writes them
//! back, and without them nobody is let in. Each is bounded.

use std::time::Duration;

use crate::{
    catalogue::{Catalogue, UserText},
    credentials::Authenticator,
    notice::{Change, Notice},
    record::{Origin, Record},
    time::UnixTime,
};

/// `COUNT FIRST LAST [ORIGIN]`, times in seconds.
const FAILED: &str = "failed";
/// `FIRST CHANGE AT CHANGE AT ...`: when the first of these changes was made, and the latest time of each kind of change.
const CHANGES: &str = "changes";

/// Incorrect answers that no login has reported yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempts {
    pub count: u32,
    pub first: UnixTime,
    pub last: UnixTime,
    /// Where the last came from, if the application said so.
    pub from: Option<Origin>,
}

/// Changes of the second factor that were reported to nobody for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// When the first was made.
    pub first: UnixTime,
    /// Each kind with the time of its latest, the gravest first.
    pub latest: Vec<(Change, UnixTime)>,
}

/// What there is to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub failed: Option<FailedAttempts>,
    pub notice: Option<Notice>,
    /// The changes by name; empty where only the gravest is known.
    pub latest: Vec<(Change, UnixTime)>,
}

impl Changes {
    /// Whether an authenticator was there, and active, before the first of these changes. Of a device that was switched on by one
    /// of them that is not known. An authenticator without a date was put there by root.
    #[must_use]
    pub fn are_after(&self, authenticator: &Authenticator) -> bool {
        authenticator.created.is_none_or(|created| created < self.first)
            && !self.latest.iter().any(|(change, _)| *change == Change::DeviceResumed)
    }
}

impl FailedAttempts {
    /// Incorrect answers right before a correct one from the same place are typing errors of the user.
    const TYPING: Duration = Duration::from_mins(5);

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let count = words.next()?.parse().ok()?;
        let (first, last) = (time(words.next()?)?, time(words.next()?)?);
        Some(Self { count, first, last, from: words.next().and_then(Origin::from_text) })
    }

    fn are_typing_errors(&self, from: Option<&Origin>, now: UnixTime) -> bool {
        self.from.as_ref() == from && now.since(self.first) < Self::TYPING
    }

    fn describe(&self, now: UnixTime, catalogue: &Catalogue) -> String {
        let (text, origin) = match (self.count, &self.from) {
            (1, None) => (UserText::FailedCodesOne, ""),
            (1, Some(from)) => (UserText::FailedCodesOneFrom, from.as_str()),
            (_, None) => (UserText::FailedCodes, ""),
            (_, Some(from)) => (UserText::FailedCodesFrom, from.as_str()),
        };
        let (count, ago) = (self.count.to_string(), ago(now.since(self.last), catalogue));
        catalogue.fill(text, &[("count", &count), ("ago", &ago), ("origin", origin)])
    }
}

impl News {
    /// What a record has for its user, who comes from `from` and gave a correct answer. `None` if nothing is new.
    #[must_use]
    pub fn of_record(
        record: &Record,
        failed: Option<FailedAttempts>,
        from: Option<&Origin>,
        now: UnixTime,
    ) -> Option<Box<Self>> {
        let failed = failed
            .filter(|failed| now.since(failed.last) < Notice::SPAN)
            .filter(|failed| !failed.are_typing_errors(from, now));
        let notice = record.notice.filter(|notice| notice.is_new(now));
        let latest = record.changes().filter(|_| notice.is_some()).map(|changes| changes.latest).unwrap_or_default();
        (failed.is_some() || notice.is_some()).then(|| Box::new(Self { failed, notice, latest }))
    }

    /// As one message, in a language.
    #[must_use]
    #[inline(never)]
    pub fn describe(&self, now: UnixTime, catalogue: &Catalogue) -> String {
        let failed = self.failed.iter().map(|failed| failed.describe(now, catalogue));
        let gravest = self.notice.iter().filter(|_| self.latest.is_empty()).map(|notice| (notice.change, notice.at));
        let changes = self.latest.iter().copied().chain(gravest);
        let changes = changes.map(|(change, at)| {
            let when = ago(now.since(at), catalogue);
            catalogue.fill(change.text(), &[("when", &when)])
        });
        let named = u32::try_from(self.latest.len().max(1)).unwrap_or(u32::MAX);
        let others = match self.notice.map_or(0, |notice| notice.others.saturating_add(1).saturating_sub(named)) {
            0 => None,
            1 => Some(catalogue.get(UserText::OtherChangesOne).to_owned()),
            others => Some(catalogue.fill(UserText::OtherChanges, &[("count", &others.to_string())])),
        };
        let ask = catalogue.get(UserText::NotYou).to_owned();
        failed.chain(changes).chain(others).chain([ask]).collect::<Vec<_>>().join(" ")
    }
}

/// How long ago, for people: no time zone is needed for it.
fn ago(span: Duration, catalogue: &Catalogue) -> String {
    let (number, one, many) = match span.as_secs() {
        0..60 => return catalogue.get(UserText::JustNow).to_owned(),
        seconds @ 60..3_600 => (seconds.div_euclid(60), UserText::MinutesAgoOne, UserText::MinutesAgo),
        seconds @ 3_600..86_400 => (seconds.div_euclid(3_600), UserText::HoursAgoOne, UserText::HoursAgo),
        seconds => (seconds.div_euclid(86_400), UserText::DaysAgoOne, UserText::DaysAgo),
    };
    catalogue.fill(if number == 1 { one } else { many }, &[("number", &number.to_string())])
}

fn time(seconds: &str) -> Option<UnixTime> {
    seconds.parse().ok().map(UnixTime::from_seconds)
}

impl Record {
    /// The incorrect answers that were not reported yet.
    #[must_use]
    pub fn failed_attempts(&self) -> Option<FailedAttempts> {
        FailedAttempts::parse(self.extra_value(FAILED)?)
    }

    /// Notes one more incorrect answer.
    pub fn note_failed_attempt(&mut self, from: Option<&Origin>, now: UnixTime) {
        let before = self.failed_attempts();
        let count = before.as_ref().map_or(1, |failed| failed.count.saturating_add(1));
        let first = before.map_or(now, |failed| failed.first);
        let from = from.map(|from| format!(" {}", from.as_str())).unwrap_or_default();
        self.set_extra_value(FAILED, Some(format!("{count} {} {}{from}", first.seconds(), now.seconds())));
    }

    /// The incorrect answers were reported.
    pub fn forget_failed_attempts(&mut self) {
        self.set_extra_value(FAILED, None);
    }

    /// The changes that are reported, where all of them are known.
    #[must_use]
    pub fn changes(&self) -> Option<Changes> {
        let mut words = self.extra_value(CHANGES)?.split(' ');
        let first = time(words.next()?)?;
        let mut latest = Vec::new();
        while let Some(name) = words.next() {
            latest.push((Change::named(name)?, time(words.next()?)?));
        }
        Some(Changes { first, latest })
    }

    /// Notes a change that the next logins report.
    pub fn note_change(&mut self, change: Change, now: UnixTime) {
        self.note_notice(Notice::for_change(change, now));
    }

    /// Notes an enrolment inside a login, which the next logins report.
    pub fn note_enrolment_in_login(&mut self, now: UnixTime) {
        self.note_notice(Some(Notice::of_enrolment_in_login(now)));
    }

    fn note_notice(&mut self, new: Option<Notice>) {
        let Some(new) = new else { return };
        let before = self.notice.filter(|before| before.is_new(new.at));
        // Changes of which no list is known, from an older version, are not given one that looks complete.
        let known = match before {
            None => Some(Changes { first: new.at, latest: Vec::new() }),
            Some(_) => self.changes(),
        };
        self.notice = Some(Notice::joined(before, new));
        let list = known.map(|Changes { first, mut latest }| {
            latest.retain(|(change, _)| *change != new.change);
            latest.push((new.change, new.at));
            latest.sort_by_key(|(change, _)| std::cmp::Reverse(change.gravity().unwrap_or(u8::MAX)));
            let latest = latest.iter().map(|(change, at)| format!(" {} {}", change.name(), at.seconds()));
            format!("{}{}", first.seconds(), latest.collect::<String>())
        });
        self.set_extra_value(CHANGES, list);
    }

    /// The user has taken note of everything.
    pub fn acknowledge(&mut self) {
        self.notice = None;
        self.set_extra_value(CHANGES, None);
        self.forget_failed_attempts();
    }

    fn extra_value(&self, key: &str) -> Option<&str> {
        self.extra.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    fn set_extra_value(&mut self, key: &str, value: Option<String>) {
        self.extra.retain(|(known, _)| known != key);
        if let Some(value) = value {
            let at = self.extra.partition_point(|(known, _)| known.as_str() < key);
            self.extra.insert(at, (key.to_owned(), value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Subject, UserName};

    const DAY: u64 = 86_400;

    fn empty() -> Record {
        Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 })
    }

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds)
    }

    /// What a record says to a user from that address.
    fn told(record: &Record, from: &str, now: UnixTime) -> Option<String> {
        let from = Origin::from_text(from);
        let news = News::of_record(record, record.failed_attempts(), from.as_ref(), now)?;
        Some(news.describe(now, Catalogue::ENGLISH))
    }

    fn changed(changes: &[(u64, Change)]) -> Record {
        let mut record = empty();
        for (day, change) in changes {
            record.note_change(*change, at(day * DAY));
        }
        record
    }

    const END: &str = "Was that not you? Tell your administrator.";

    #[test]
    fn failed_attempts_are_counted_with_the_time_and_the_place_of_the_last() {
        let mut record = empty();
        for (seconds, from) in [(0, "192.0.2.1"), (60, "192.0.2.1"), (3_600, "203.0.113.5")] {
            record.note_failed_attempt(Origin::from_text(from).as_ref(), at(seconds));
        }
        let expected = format!(
            "3 incorrect codes were entered since your last login, the last 2 hours ago from 203.0.113.5. {END}"
        );
        assert_eq!(told(&record, "192.0.2.1", at(3 * 3_600)), Some(expected));
        record.forget_failed_attempts();
        assert_eq!(told(&record, "192.0.2.1", at(3 * 3_600)), None);
        record.note_failed_attempt(None, at(0));
        let expected = format!("1 incorrect code was entered since your last login, 3 days ago. {END}");
        assert_eq!(told(&record, "192.0.2.1", at(3 * DAY)), Some(expected));
        assert_eq!(told(&record, "192.0.2.1", at(7 * DAY)), None);
    }

    #[test]
    fn typing_errors_of_the_user_are_not_reported() {
        let mut record = empty();
        record.note_failed_attempt(Origin::from_text("192.0.2.1").as_ref(), at(0));
        assert_eq!(told(&record, "192.0.2.1", at(299)), None);
        assert!(told(&record, "192.0.2.1", at(300)).is_some(), "that was long ago");
        assert!(told(&record, "192.0.2.2", at(10)).is_some(), "that was elsewhere");
        // Somebody else's are not hidden behind one of the user.
        let mut record = empty();
        record.note_failed_attempt(Origin::from_text("203.0.113.5").as_ref(), at(0));
        record.note_failed_attempt(Origin::from_text("192.0.2.1").as_ref(), at(3_000));
        assert!(told(&record, "192.0.2.1", at(3_010)).unwrap().starts_with("2 incorrect codes"));
    }

    #[test]
    fn all_changes_of_the_week_are_named_the_gravest_first() {
        let record = changed(&[(0, Change::DeviceResumed), (1, Change::DeviceAdded), (2, Change::DeviceSuspended)]);
        let expected = format!(
            "An app or device was added 2 days ago. An app or device was suspended 1 day ago. An app or device was \
             resumed 3 days ago. {END}"
        );
        assert_eq!(told(&record, "192.0.2.1", at(3 * DAY)), Some(expected));
        let twice = changed(&[(0, Change::DeviceAdded), (1, Change::DeviceAdded)]);
        let expected = format!("An app or device was added just now. 1 other change was made. {END}");
        assert_eq!(told(&twice, "192.0.2.1", at(DAY)), Some(expected));
        assert_eq!(twice.changes().unwrap().first, at(0), "the first of all is kept");
        assert_eq!(told(&twice, "192.0.2.1", at(8 * DAY)), None);
        let later = changed(&[(0, Change::Replaced), (7, Change::DeviceAdded)]);
        assert_eq!(
            later.changes().unwrap(),
            Changes { first: at(7 * DAY), latest: vec![(Change::DeviceAdded, at(7 * DAY))] }
        );
    }

    #[test]
    fn an_enrolment_inside_a_login_is_named_before_all_other_changes() {
        let mut record = empty();
        record.note_enrolment_in_login(at(0));
        record.note_change(Change::Replaced, at(DAY));
        record.note_change(Change::DeviceRenamed, at(DAY));
        let expected = format!(
            "A second factor was set up 1 day ago. The second factor was replaced by a new one just now. {END}"
        );
        assert_eq!(told(&record, "192.0.2.1", at(DAY)), Some(expected));
    }

    #[test]
    fn changes_of_an_older_version_are_counted_and_not_guessed() {
        let mut record = empty();
        record.notice = Some(Notice { change: Change::DeviceAdded, at: at(0), others: 2, latest: at(0) });
        record.note_change(Change::DeviceResumed, at(60));
        assert_eq!(record.changes(), None);
        let expected = format!("An app or device was added 1 minute ago. 3 other changes were made. {END}");
        assert_eq!(told(&record, "192.0.2.1", at(60)), Some(expected));
    }

    #[test]
    fn what_is_acknowledged_is_not_reported_again() {
        let mut record = changed(&[(0, Change::DeviceAdded)]);
        record.note_failed_attempt(None, at(0));
        record.acknowledge();
        assert_eq!((told(&record, "192.0.2.1", at(DAY)), record), (None, empty()));
    }

    #[test]
    fn a_damaged_value_is_no_news_and_other_keys_stay() {
        for bad in ["", "x", "1", "1 2", "1 2 x", "99999999999 1 1"] {
            let mut record = empty();
            record.extra = vec![("a".into(), "1".into()), ("failed".into(), bad.into()), ("z".into(), "2".into())];
            assert_eq!(record.failed_attempts(), None, "{bad:?}");
            record.note_failed_attempt(None, at(5));
            let keys: Vec<_> = record.extra.iter().map(|(key, _)| key.as_str()).collect();
            assert_eq!((keys, record.failed_attempts().unwrap().count), (vec!["a", "failed", "z"], 1));
        }
    }
}
