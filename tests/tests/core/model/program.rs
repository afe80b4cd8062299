//! A process as the explorer has it: the real code of core, run again from its beginning with everything that it was told
//! so far, up to the point where it must be told more.
//!
//! What a process does hangs on three kinds of things it is told: an answer, a permit to hash, and a locked record with
//! the credentials and the clock as they are then. What it does in between, until it needs the next, is a list of acts.
//! So no second model of the protocol is needed, and no thread.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
};

use twinlock_core::{
    account::Subject,
    audit::Reason,
    catalogue::Catalogue,
    credentials::Enrolment,
    decide::{Audience, Committed, FailureOnRecord, Judged},
    policy::SecondFactor,
    ports::{Clock, Conversation, NoAnswer, Question},
    record::Record,
    throttle::Limits,
    time::UnixTime,
};
use twinlock_enrol::enrolment::{self, IfEnrolled};
use twinlock_login::attempt::{Attempt, Login, Outcome, Prompts};
use twinlock_store::{
    format::TomlDocument as _,
    ports::{
        Hashing, LockedState, PendingFailure, ReadCredentials, StateStore, StoreError, StoreErrorKind, WriteCredentials,
    },
};
use zeroize::Zeroizing;

use super::flaw::Flaw;
use crate::given::subject;

/// What a process is there for.
#[derive(Clone)]
pub(super) enum Script {
    /// A login with these answers.
    Login(Vec<String>),
    /// Root puts another enrolment in the place of the one there is; the step of its confirming code is used.
    Replace(Box<Enrolment>, u64),
}

/// What a process is told.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// The next answer of its script, at this time.
    Answer(u64),
    /// It has a permit to hash.
    HashPermit,
    /// It has the lock: the record, by its number, which of the enrolments there is, and the time.
    Lock { record: u32, enrolment: u8, now: u64 },
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Syncs what another process left unsynced.
    SyncCurrent,
    /// Writes the failed attempt.
    Charge(u32),
    /// Writes the end of an attempt.
    Commit(u32),
    /// Writes a record without an attempt.
    Change(u32),
    /// Syncs the record.
    Sync,
    /// Renames new credentials into place.
    Rename,
    /// Syncs the folder of credentials.
    SyncFolder,
    /// Syncs it for somebody else.
    SettleFolder,
    /// Lets the end be seen.
    Reveal(End),
}

/// What can be seen of an attempt's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Granted.
    Granted,
    /// The answer was looked at, and refused.
    Refused,
    /// The answer was looked at, and refused because it was used. Nothing is counted for it.
    Used,
    /// The answer was not looked at.
    Unseen,
}

/// What a process waits for once its acts are done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Answer,
    HashPermit,
    Lock,
    Nothing,
}

/// A point in the life of a process: what it was told last, what it does then, what it needs next.
pub(super) struct Node {
    pub(super) script: usize,
    pub(super) told: Vec<Told>,
    pub(super) acts: Vec<Act>,
    pub(super) next: Next,
    children: HashMap<Told, u32>,
}

/// All points that any process of some scripts can come to, found as they are asked for.
pub(super) struct Programs {
    scripts: Vec<Script>,
    enrolments: [Enrolment; 2],
    limits: Limits,
    flaw: Option<Flaw>,
    nodes: Vec<Node>,
    records: Vec<Record>,
    numbers: HashMap<String, u32>,
}

impl Programs {
    /// Node `n` is the beginning of script `n`. The first record, number 0, is `record`.
    pub(super) fn new(
        scripts: Vec<Script>,
        enrolments: [Enrolment; 2],
        record: &Record,
        limits: Limits,
        flaw: Option<Flaw>,
    ) -> Self {
        let mut programs = Self {
            scripts: Vec::new(),
            enrolments,
            limits,
            flaw,
            nodes: Vec::new(),
            records: Vec::new(),
            numbers: HashMap::new(),
        };
        programs.number(record);
        for script in scripts {
            programs.begin(script);
        }
        programs
    }

    /// The beginning of one more script.
    pub(super) fn begin(&mut self, script: Script) -> u32 {
        self.scripts.push(script);
        self.add(self.scripts.len() - 1, Vec::new())
    }

    pub(super) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub(super) fn record(&self, number: u32) -> &Record {
        &self.records[number as usize]
    }

    /// Where a process comes to by what it is told.
    pub(super) fn tell(&mut self, node: u32, told: Told) -> u32 {
        if let Some(child) = self.node(node).children.get(&told) {
            return *child;
        }
        let script = self.node(node).script;
        let all = self.node(node).told.iter().copied().chain([told]).collect();
        let child = self.add(script, all);
        self.nodes[node as usize].children.insert(told, child);
        child
    }

    fn add(&mut self, script: usize, told: Vec<Told>) -> u32 {
        let (acts, next) = self.run(script, &told);
        self.nodes.push(Node { script, told, acts, next, children: HashMap::new() });
        u32::try_from(self.nodes.len() - 1).unwrap()
    }

    fn number(&mut self, record: &Record) -> u32 {
        let next = u32::try_from(self.records.len()).unwrap();
        let number = *self.numbers.entry(record.to_toml()).or_insert(next);
        if number == next {
            self.records.push(record.clone());
        }
        number
    }

    /// Runs the real code from its beginning; what it did before it was told the last thing is done already.
    fn run(&mut self, script: usize, told: &[Told]) -> (Vec<Act>, Next) {
        let run = RefCell::new(Run::default());
        let ports = Ports { programs: self, told, run: &run };
        let end = match &self.scripts[script] {
            Script::Login(answers) => {
                let login = Login {
                    credentials: &ports,
                    states: &ports,
                    clock: &ports,
                    limits: self.limits,
                    prompts: &Prompts::beginning_with(String::new(), Catalogue::ENGLISH),
                    from: None,
                    network: None,
                    client: None,
                    audience: Audience::User,
                    forecast: None,
                };
                let mut answers = Answers { ports: &ports, left: answers.iter().collect() };
                let attempt = login.attempt(Some(&subject("alice")), SecondFactor::Required, &mut answers);
                Some(End::of(&attempt))
            }
            Script::Replace(enrolment, confirmed) => {
                let note = |record: &mut Record| {
                    record.use_step(&enrolment.authenticators[0].id, *confirmed, ports.now());
                };
                // Whether it could be stored is seen by what it did.
                let stores = (&ports, &ports);
                let _ = enrolment::store_enrolment_with(
                    stores,
                    &subject("alice"),
                    enrolment,
                    (IfEnrolled::Replace, UnixTime::default()),
                    note,
                );
                None
            }
        };
        let Run { writes, next, at, .. } = run.into_inner();
        assert_eq!(at, told.len(), "it asks for what it was told");
        let mut acts: Vec<_> = writes.into_iter().flat_map(|write| self.acts(write)).collect();
        // It ended because it was told no more: then it has not ended.
        let next = next.unwrap_or_else(|| {
            acts.extend(end.map(Act::Reveal));
            Next::Nothing
        });
        if self.flaw == Some(Flaw::RevealsEarly) {
            acts.sort_by_key(|act| !matches!(act, Act::Reveal(_)));
        }
        (acts, next)
    }

    /// What the files do for each port (`crates/store/src/files/state.rs`).
    fn acts(&mut self, write: Write) -> Vec<Act> {
        match write {
            Write::Charge(record) => vec![Act::SyncCurrent, Act::Charge(self.number(&record))],
            Write::Commit(record) => vec![Act::Commit(self.number(&record)), Act::Sync],
            Write::Change(record) => vec![Act::SyncCurrent, Act::Change(self.number(&record)), Act::Sync],
            Write::OldCredentials => vec![Act::SettleFolder],
            Write::Credentials => vec![Act::Rename, Act::SyncFolder],
        }
    }
}

impl End {
    fn of(attempt: &Attempt) -> Self {
        match &attempt.outcome {
            Outcome::Granted(_) | Outcome::NotAsked(_) => Self::Granted,
            Outcome::Refused(Reason::WrongCode | Reason::StepUp) => Self::Refused,
            Outcome::Refused(Reason::Replayed) if attempt.audit.method == Some("recovery") => Self::Refused,
            Outcome::Refused(Reason::Replayed) => Self::Used,
            Outcome::Refused(_) | Outcome::TooSoon(_) | Outcome::NoAnswer(_) => Self::Unseen,
        }
    }
}

/// What was done since the last thing told.
#[derive(Default)]
struct Run {
    at: usize,
    writes: Vec<Write>,
    next: Option<Next>,
    now: u64,
    enrolment: u8,
    held: u8,
}

enum Write {
    Charge(Record),
    Commit(Record),
    Change(Record),
    OldCredentials,
    Credentials,
}

/// The ports of one run.
#[derive(Clone, Copy)]
struct Ports<'a> {
    programs: &'a Programs,
    told: &'a [Told],
    run: &'a RefCell<Run>,
}

impl Ports<'_> {
    /// The next thing told; nothing ends the run.
    fn told(&self, wanted: Next) -> Option<Told> {
        let mut run = self.run.borrow_mut();
        let told = self.told.get(run.at).copied();
        match told {
            Some(Told::Answer(at)) => run.now = at,
            Some(Told::Lock { now, enrolment, .. }) => (run.now, run.enrolment) = (now, enrolment),
            Some(Told::HashPermit) => {}
            // What it asks for when it was told no more, it asks once.
            None => run.next = run.next.or(Some(wanted)),
        }
        if told.is_some() {
            run.at += 1;
            run.writes.clear();
        }
        told
    }

    fn write(&self, write: Write) {
        self.run.borrow_mut().writes.push(write);
    }

    fn hold(&self) {
        self.run.borrow_mut().held += 1;
    }
}

fn no_more() -> StoreError {
    StoreError { path: "alice".into(), kind: StoreErrorKind::Missing }
}

struct Answers<'a> {
    ports: &'a Ports<'a>,
    left: VecDeque<&'a String>,
}

impl Conversation for Answers<'_> {
    fn ask(&mut self, _: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        assert_eq!(self.ports.run.borrow().held, 0, "nothing is locked while somebody types");
        let gone = NoAnswer { code: 19 };
        let answer = self.left.pop_front().ok_or(gone)?;
        self.ports.told(Next::Answer).map(|_| Zeroizing::new(answer.clone().into_bytes())).ok_or(gone)
    }
}

impl Clock for Ports<'_> {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.run.borrow().now)
    }
}

impl ReadCredentials for Ports<'_> {
    fn read(&self, _: &Subject) -> Result<Option<Enrolment>, StoreError> {
        Ok(Some(self.programs.enrolments[usize::from(self.run.borrow().enrolment)].clone()))
    }

    fn ensure_durable(&self, _: &Subject) -> Result<(), StoreError> {
        self.write(Write::OldCredentials);
        Ok(())
    }
}

impl WriteCredentials for Ports<'_> {
    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.read(subject)
    }

    fn replace(&self, _: &Subject, _: &Enrolment) -> Result<(), StoreError> {
        self.write(Write::Credentials);
        Ok(())
    }

    fn remove(&self, _: &Subject) -> Result<bool, StoreError> {
        unreachable!("nobody is removed")
    }
}

impl<'a> StateStore for Ports<'a> {
    type Locked = Locked<'a>;
    type HashPermit = Held<'a>;

    fn open(&self, _: &Subject) -> Result<Option<Locked<'a>>, StoreError> {
        let Some(Told::Lock { record, .. }) = self.told(Next::Lock) else {
            return Err(no_more());
        };
        let record = self.programs.record(record).clone();
        let record = self.programs.flaw.map_or(record.clone(), |flaw| flaw.read(record, self.now()));
        self.hold();
        Ok(Some(Locked { record, held: Held(*self) }))
    }

    fn open_or_create(&self, subject: &Subject) -> Result<Locked<'a>, StoreError> {
        self.open(subject)?.ok_or_else(no_more)
    }

    fn adopt(&self, subject: &Subject) -> Result<Option<Locked<'a>>, StoreError> {
        self.open(subject)
    }

    fn reset(&self, _: &Subject, _: &Record) -> Result<Locked<'a>, StoreError> {
        unreachable!("every record can be read")
    }

    fn hash_permit(&self, _: Hashing) -> Result<Held<'a>, StoreError> {
        self.told(Next::HashPermit).ok_or_else(no_more)?;
        self.hold();
        Ok(Held(*self))
    }
}

/// a lock or a permit, until it is dropped.
struct Held<'a>(Ports<'a>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.run.borrow_mut().held -= 1;
    }
}

struct Locked<'a> {
    record: Record,
    held: Held<'a>,
}

impl<'a> LockedState for Locked<'a> {
    type Pending = Charged<'a>;

    fn record(&self) -> &Record {
        &self.record
    }

    fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.held.0.read(subject)
    }

    fn record_failure(self, failed: Record) -> Result<Charged<'a>, StoreError> {
        self.held.0.write(Write::Charge(failed.clone()));
        Ok(Charged { held: self.held, record: failed })
    }

    fn change(&mut self, next: &Record) -> Result<(), StoreError> {
        self.held.0.write(Write::Change(next.clone()));
        self.record = next.clone();
        Ok(())
    }

    fn remove(self) -> Result<(), StoreError> {
        unreachable!("nobody is removed")
    }
}

struct Charged<'a> {
    held: Held<'a>,
    record: Record,
}

impl FailureOnRecord for Charged<'_> {
    fn record(&self) -> &Record {
        &self.record
    }
}

impl PendingFailure for Charged<'_> {
    fn commit(self, judged: Judged) -> Result<Committed, StoreError> {
        let (ports, next) = (self.held.0, judged.state().clone());
        let next = ports.programs.flaw.map_or(next.clone(), |flaw| flaw.committed(next, ports.now()));
        ports.write(Write::Commit(next));
        Ok(judged.committed())
    }
}
