//! The ports in memory: the reference that the files must not differ from.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use twinlock_core::{
    account::Subject,
    credentials::Enrolment,
    decide::{Committed, FailureOnRecord, Judged},
    record::Record,
};
use twinlock_store::ports::{
    Hashing, LockedState, PendingFailure, ReadCredentials, StateStore, StoreError, StoreErrorKind, WriteCredentials,
};

#[derive(Default)]
struct Shelves {
    credentials: BTreeMap<String, Enrolment>,
    records: BTreeMap<String, Record>,
    locked: Vec<String>,
    writes_fail: bool,
    reads_fail: bool,
    made_durable: usize,
}

/// A store in memory; clones share it.
#[derive(Default, Clone)]
pub(crate) struct Memory(Rc<RefCell<Shelves>>);

pub(crate) struct MemoryLockedState {
    memory: Memory,
    name: String,
    record: Record,
}

pub(crate) struct MemoryPendingFailure(MemoryLockedState);

fn fault(name: &str, kind: StoreErrorKind) -> StoreError {
    StoreError { path: name.into(), kind }
}

impl Memory {
    pub(crate) fn enrol(&self, subject: &Subject, enrolment: &Enrolment) {
        self.replace(subject, enrolment).unwrap();
    }

    pub(crate) fn record(&self, subject: &Subject) -> Option<Record> {
        self.0.borrow().records.get(subject.name.as_str()).cloned()
    }

    /// How often credentials were made sure of.
    pub(crate) fn made_durable(&self) -> usize {
        self.0.borrow().made_durable
    }

    pub(crate) fn let_writes_fail(&self, fail: bool) {
        self.0.borrow_mut().writes_fail = fail;
    }

    pub(crate) fn let_reads_fail(&self, fail: bool) {
        self.0.borrow_mut().reads_fail = fail;
    }

    fn write(&self, name: &str, record: &Record) -> Result<(), StoreError> {
        let mut shelves = self.0.borrow_mut();
        if shelves.writes_fail {
            return Err(fault(name, StoreErrorKind::Write(std::io::ErrorKind::StorageFull.into())));
        }
        shelves.records.insert(name.into(), record.clone());
        Ok(())
    }
}

impl ReadCredentials for Memory {
    fn read(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        let found = self.read_ignoring_state(subject)?;
        if found.is_none() && self.record(subject).is_some_and(|record| !record.provisional) {
            let (user, state) = (subject.name.clone(), subject.name.as_str().into());
            return Err(fault(subject.name.as_str(), StoreErrorKind::StateWithoutCredentials { user, state }));
        }
        Ok(found)
    }

    fn ensure_durable(&self, _: &Subject) -> Result<(), StoreError> {
        self.0.borrow_mut().made_durable += 1;
        Ok(())
    }
}

impl WriteCredentials for Memory {
    fn read_ignoring_state(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        let shelves = self.0.borrow();
        if shelves.reads_fail {
            return Err(fault(subject.name.as_str(), StoreErrorKind::Read(std::io::ErrorKind::Other.into())));
        }
        let found = shelves.credentials.get(subject.name.as_str()).cloned();
        match found.as_ref().and_then(|enrolment| enrolment.uid) {
            Some(stored) if stored != subject.uid => {
                Err(fault(subject.name.as_str(), StoreErrorKind::OtherUid { stored, account: subject.uid }))
            }
            Some(_) | None => Ok(found),
        }
    }

    fn read_any_uid(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        Ok(self.0.borrow().credentials.get(subject.name.as_str()).cloned())
    }

    fn replace(&self, subject: &Subject, enrolment: &Enrolment) -> Result<(), StoreError> {
        self.0.borrow_mut().credentials.insert(subject.name.to_string(), enrolment.clone());
        Ok(())
    }

    fn remove(&self, subject: &Subject) -> Result<bool, StoreError> {
        Ok(self.0.borrow_mut().credentials.remove(subject.name.as_str()).is_some())
    }
}

impl StateStore for Memory {
    type Locked = MemoryLockedState;
    type HashPermit = ();

    fn open(&self, subject: &Subject) -> Result<Option<MemoryLockedState>, StoreError> {
        let name = subject.name.to_string();
        let Some(record) = self.record(subject) else {
            return Ok(None);
        };
        if record.uid != subject.uid {
            return Err(fault(&name, StoreErrorKind::OtherUid { stored: record.uid, account: subject.uid }));
        }
        let mut shelves = self.0.borrow_mut();
        if shelves.locked.contains(&name) {
            return Err(fault(&name, StoreErrorKind::Busy(Duration::from_secs(3))));
        }
        shelves.locked.push(name.clone());
        Ok(Some(MemoryLockedState { memory: self.clone(), name, record }))
    }

    fn open_or_create(&self, subject: &Subject) -> Result<MemoryLockedState, StoreError> {
        if self.record(subject).is_none() {
            self.write(subject.name.as_str(), &Record::new(subject))?;
        }
        Ok(self.open(subject)?.unwrap())
    }

    fn adopt(&self, subject: &Subject) -> Result<Option<MemoryLockedState>, StoreError> {
        let Some(record) = self.record(subject) else {
            return Ok(None);
        };
        self.write(subject.name.as_str(), &Record { uid: subject.uid, ..record })?;
        self.open(subject)
    }

    fn reset(&self, subject: &Subject, record: &Record) -> Result<MemoryLockedState, StoreError> {
        self.write(subject.name.as_str(), record)?;
        Ok(self.open(subject)?.unwrap())
    }

    fn hash_permit(&self, _: Hashing) -> Result<(), StoreError> {
        Ok(())
    }
}

impl LockedState for MemoryLockedState {
    type Pending = MemoryPendingFailure;

    fn record(&self) -> &Record {
        &self.record
    }

    fn enrolment(&self, subject: &Subject) -> Result<Option<Enrolment>, StoreError> {
        self.memory.read_ignoring_state(subject)
    }

    fn record_failure(mut self, failed: Record) -> Result<MemoryPendingFailure, StoreError> {
        self.memory.write(&self.name, &failed)?;
        self.record = failed;
        Ok(MemoryPendingFailure(self))
    }

    fn change(&mut self, next: &Record) -> Result<(), StoreError> {
        self.memory.write(&self.name, next)?;
        self.record = next.clone();
        Ok(())
    }

    fn remove(self) -> Result<(), StoreError> {
        self.memory.0.borrow_mut().records.remove(&self.name);
        Ok(())
    }
}

impl FailureOnRecord for MemoryPendingFailure {
    fn record(&self) -> &Record {
        &self.0.record
    }
}

impl PendingFailure for MemoryPendingFailure {
    fn commit(self, judged: Judged) -> Result<Committed, StoreError> {
        self.0.memory.write(&self.0.name, judged.state())?;
        Ok(judged.committed())
    }
}

impl Drop for MemoryLockedState {
    fn drop(&mut self) {
        self.memory.0.borrow_mut().locked.retain(|locked| *locked != self.name);
    }
}
