//! How many may be served at once, in all and of one user, and who hashes recovery codes. A user who takes all of their own
//! places takes nobody else's.

use std::{
    collections::HashMap,
    os::unix::net::UnixStream,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use twinlock_core::lifecycle::{self, Queue};

/// Connections at once. Each has a thread that mostly waits.
pub(crate) const MOST: usize = 256;
/// Connections of one user at once.
pub(crate) const MOST_OF_ONE: usize = 8;
/// Who hash recovery codes at once: each takes 19 MiB and a processor.
const HASHING: usize = 2;

/// Those who are being served.
#[derive(Default)]
pub(crate) struct Guests {
    seated: Mutex<Seated>,
    left: Condvar,
}

#[derive(Default)]
struct Seated {
    next: u64,
    closing: bool,
    by_number: HashMap<u64, (u32, UnixStream)>,
    asking_passwords: Vec<u32>,
}

/// A place, given back when dropped.
pub(crate) struct Place<'a> {
    guests: &'a Guests,
    number: u64,
}

/// The right to ask a user's password, given back when dropped.
pub(crate) struct PasswordTurn<'a> {
    guests: &'a Guests,
    uid: u32,
}

impl Guests {
    fn seated(&self) -> MutexGuard<'_, Seated> {
        self.seated.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a user's connection, or `None` if there is none.
    pub(crate) fn seat(&self, uid: u32, stream: &UnixStream) -> Option<Place<'_>> {
        let stream = stream.try_clone().ok()?;
        let mut seated = self.seated();
        let own = seated.by_number.values().filter(|(seated, _)| *seated == uid).count();
        if seated.closing || seated.by_number.len() >= MOST || own >= MOST_OF_ONE {
            return None;
        }
        let number = seated.next;
        seated.next = number.wrapping_add(1);
        seated.by_number.insert(number, (uid, stream));
        Some(Place { guests: self, number })
    }

    /// One password of a user is asked for at a time: guessing is no faster over many connections.
    pub(crate) fn password_turn(&self, uid: u32) -> Option<PasswordTurn<'_>> {
        let mut seated = self.seated();
        if seated.asking_passwords.contains(&uid) {
            return None;
        }
        seated.asking_passwords.push(uid);
        Some(PasswordTurn { guests: self, uid })
    }

    /// Lets nobody in any more, hangs up on everybody, and waits until what was being written is written.
    pub(crate) fn close(&self, patience: std::time::Duration) {
        let mut seated = self.seated();
        seated.closing = true;
        for (_, stream) in seated.by_number.values() {
            // Only the reading half: a last word that is under way still goes out.
            let _ = stream.shutdown(std::net::Shutdown::Read);
        }
        let waited = self.left.wait_timeout_while(seated, patience, |seated| !seated.by_number.is_empty());
        drop(waited);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.guests.seated().by_number.remove(&self.number);
        self.guests.left.notify_all();
    }
}

impl Drop for PasswordTurn<'_> {
    fn drop(&mut self) {
        self.guests.seated().asking_passwords.retain(|uid| *uid != self.uid);
    }
}

/// Turns at hashing. Unlike those of a login, they are waited for as long as it takes.
#[derive(Default)]
pub(crate) struct Turns {
    taken: Mutex<usize>,
    free: Condvar,
}

impl Queue for Turns {
    fn turn(&self) -> Box<dyn lifecycle::Turn + '_> {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self.free.wait_while(taken, |taken| *taken >= HASHING).unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_add(1);
        Box::new(Turn(self))
    }
}

struct Turn<'a>(&'a Turns);

impl lifecycle::Turn for Turn<'_> {}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        self.0.free.notify_one();
    }
}
