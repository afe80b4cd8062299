//! How many may be served at once, in all and of one account. An account that takes all of
//! its own places takes no other account's. All user numbers without an account have the places of one together: an account
//! can have tens of thousands of them, by newuidmap(1).

use std::{
    collections::{HashMap, HashSet},
    os::unix::net::UnixStream,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Connections at once. Each has a thread that mostly waits.
pub(crate) const MOST: usize = 256;
/// Connections of one account at once.
pub(crate) const MOST_OF_ONE: usize = 8;
/// Connections at once whose account is being looked up for the first time, beside those that are served. A directory may
/// take its time over each.
const MOST_LOOKED_UP: usize = 256;

/// The connections that are being served.
#[derive(Default)]
pub(crate) struct ConnectionLimiter {
    connections: Mutex<Connections>,
    left: Condvar,
}

#[derive(Default)]
struct Connections {
    next: u64,
    closing: bool,
    by_number: HashMap<u64, (Holder, UnixStream)>,
    /// User numbers that are being looked up.
    looked_up: Vec<u32>,
    /// User numbers that were those of accounts, so that these need not wait for a lookup again.
    known: HashSet<u32>,
    asking_passwords: Vec<u32>,
}

/// The account, or the group of accounts, that a connection counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// Of this account.
    Account(u32),
    /// Of a user number that is no account's, or of which that cannot be told.
    NoAccount,
}

/// A connection that may be served; given back when dropped.
pub(crate) struct ConnectionPermit<'a> {
    limiter: &'a ConnectionLimiter,
    number: u64,
    pub(crate) holder: Holder,
}

/// The right to ask a user's password, given back when dropped.
pub(crate) struct PasswordPermit<'a> {
    limiter: &'a ConnectionLimiter,
    uid: u32,
}

impl ConnectionLimiter {
    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection of this user number, or `None` if there is none. `has_account` may take long: nobody else
    /// waits for it.
    pub(crate) fn acquire(
        &self,
        uid: u32,
        stream: &UnixStream,
        has_account: impl FnOnce(u32) -> bool,
    ) -> Option<ConnectionPermit<'_>> {
        let stream = stream.try_clone().ok()?;
        let holder = self.holder(uid, has_account)?;
        let mut connections = self.lock();
        if connections.closing || connections.by_number.len() >= MOST || connections.places_of(holder) >= MOST_OF_ONE {
            return None;
        }
        let number = connections.next;
        connections.next = number.wrapping_add(1);
        connections.by_number.insert(number, (holder, stream));
        Some(ConnectionPermit { limiter: self, number, holder })
    }

    /// The holder that connections of this user number count against; `None` if too many others are being looked up.
    fn holder(&self, uid: u32, has_account: impl FnOnce(u32) -> bool) -> Option<Holder> {
        let mut connections = self.lock();
        if uid == 0 || connections.known.contains(&uid) {
            return Some(Holder::Account(uid));
        }
        let own = connections.looked_up.iter().filter(|other| **other == uid).count();
        if connections.looked_up.len() >= MOST_LOOKED_UP || own >= MOST_OF_ONE {
            return None;
        }
        connections.looked_up.push(uid);
        drop(connections);
        let has_account = has_account(uid);
        let mut connections = self.lock();
        if let Some(at) = connections.looked_up.iter().position(|other| *other == uid) {
            connections.looked_up.swap_remove(at);
        }
        if !has_account {
            return Some(Holder::NoAccount);
        }
        connections.known.insert(uid);
        Some(Holder::Account(uid))
    }

    /// One password of a user is asked for at a time: guessing is no faster over many connections.
    pub(crate) fn acquire_password_permit(&self, uid: u32) -> Option<PasswordPermit<'_>> {
        let mut connections = self.lock();
        if connections.asking_passwords.contains(&uid) {
            return None;
        }
        connections.asking_passwords.push(uid);
        Some(PasswordPermit { limiter: self, uid })
    }

    /// Lets nobody in any more, hangs up on everybody, and waits until what was being written is written.
    pub(crate) fn close(&self, patience: std::time::Duration) {
        let mut connections = self.lock();
        connections.closing = true;
        for (_, stream) in connections.by_number.values() {
            // Only the reading half: a last word that is under way still goes out.
            let _ = stream.shutdown(std::net::Shutdown::Read);
        }
        let waited =
            self.left.wait_timeout_while(connections, patience, |connections| !connections.by_number.is_empty());
        drop(waited);
    }
}

impl Connections {
    fn places_of(&self, holder: Holder) -> usize {
        self.by_number.values().filter(|(other, _)| *other == holder).count()
    }
}

impl Drop for ConnectionPermit<'_> {
    fn drop(&mut self) {
        self.limiter.lock().by_number.remove(&self.number);
        self.limiter.left.notify_all();
    }
}

impl Drop for PasswordPermit<'_> {
    fn drop(&mut self) {
        self.limiter.lock().asking_passwords.retain(|uid| *uid != self.uid);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    fn stream() -> UnixStream {
        UnixStream::pair().unwrap().0
    }

    #[test]
    fn user_numbers_without_an_account_have_the_places_of_one_account() {
        let limiter = ConnectionLimiter::default();
        let strangers: Vec<_> = (1000..1100).filter_map(|uid| limiter.acquire(uid, &stream(), |_| false)).collect();
        assert_eq!(strangers.len(), MOST_OF_ONE);
        let own: Vec<_> = (0..10).filter_map(|_| limiter.acquire(1, &stream(), |_| true)).collect();
        assert_eq!(own.len(), MOST_OF_ONE);
        drop(strangers);
        assert!(limiter.acquire(1000, &stream(), |_| false).is_some());
    }

    #[test]
    fn a_lookup_that_takes_long_is_waited_for_by_nobody_else() {
        let limiter = ConnectionLimiter::default();
        assert!(limiter.acquire(1, &stream(), |_| true).is_some());
        let (end, ended) = mpsc::channel::<()>();
        let (looks_up, lookups) = mpsc::channel();
        let (limiter, ended) = (&limiter, &Mutex::new(ended));
        thread::scope(|scope| {
            for uid in 0..MOST_LOOKED_UP {
                let looks_up = looks_up.clone();
                let slow = move |_| {
                    looks_up.send(()).unwrap();
                    // Until nobody holds the other end any more.
                    drop(ended.lock().map(|ended| ended.recv()));
                    false
                };
                scope.spawn(move || limiter.acquire(u32::try_from(uid).unwrap() + 1000, &stream(), slow).is_some());
            }
            for _ in 0..MOST_LOOKED_UP {
                lookups.recv().unwrap();
            }
            assert!(limiter.acquire(2, &stream(), |_| true).is_none(), "somebody new has to come again");
            assert!(limiter.acquire(1, &stream(), |_| panic!("looked up again")).is_some());
            assert!(limiter.acquire(0, &stream(), |_| panic!("root is looked up")).is_some());
            drop(end);
        });
        assert!(limiter.acquire(2, &stream(), |_| true).is_some());
    }
}
