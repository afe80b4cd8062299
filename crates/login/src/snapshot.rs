//! What a login reads of the user's files before anything is asked, once and without the lock. It decides what is asked and
//! never what is granted; the exception is a user who is not enrolled, where policy asks only those who are.

use std::cell::OnceCell;

use twinlock_store::ports::Snapshot;

/// A snapshot of the user's files that is read when it is first needed.
pub struct LazySnapshot<'a> {
    read: &'a dyn Fn() -> Option<Snapshot>,
    snapshot: OnceCell<Option<Snapshot>>,
}

impl<'a> LazySnapshot<'a> {
    /// A forecast from what `read` finds; nothing is read yet. `None` if there is no such account or the files cannot be read:
    /// that is not an answer of "not enrolled", and the attempt under the lock then says what is broken.
    #[must_use]
    pub const fn new(read: &'a dyn Fn() -> Option<Snapshot>) -> Self {
        Self { read, snapshot: OnceCell::new() }
    }

    /// The snapshot, read now if it was not read before.
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.get_or_init(self.read).as_ref()
    }

    /// The snapshot, if it was needed already.
    #[must_use]
    pub fn read_already(&self) -> Option<&Snapshot> {
        self.snapshot.get()?.as_ref()
    }

    /// Whether the user is surely not enrolled.
    pub fn is_not_enrolled(&self) -> bool {
        self.snapshot().is_some_and(|snapshot| snapshot.enrolment.is_none())
    }
}
