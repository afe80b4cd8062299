//! Refusals that cost their cause nothing, in the log: each account has room for some, and the rest are counted. All user
//! numbers without an account have the room of one together.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use twinlock_service::syslog::{self, SyslogPriority};

use crate::{PROGRAM, limits::Holder};

/// Lines of one account that are logged without a pause.
const ROOM: u32 = 10;
/// How long it takes until there is room for one more.
const REFILL: Duration = Duration::from_secs(1);
/// Stack of the thread, in bytes.
const STACK: usize = 128 * 1024;

/// What was logged and not logged lately, by account.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<Counted>>);

#[derive(Default)]
struct Counted {
    buckets: HashMap<Holder, Bucket>,
    /// Whether a thread waits for the end of what is not logged.
    waited_for: bool,
}

/// One account's.
struct Bucket {
    room: u32,
    refilled: Instant,
    not_logged: u64,
}

impl Refusals {
    /// Logs a refusal of this account by `log`, or counts it.
    pub(crate) fn log(&self, holder: Holder, log: impl FnOnce()) {
        let mut counted = self.lock();
        let taken = counted.buckets.entry(holder).or_insert_with(|| Bucket::full(now())).take_token(now());
        let begins = taken.is_none() && !mem::replace(&mut counted.waited_for, true);
        if taken.is_some() && !counted.waited_for {
            counted.buckets.retain(|_, bucket| !bucket.is_full(now()));
        }
        drop(counted);
        if let Some(before) = taken {
            tell(holder, before);
            log();
        }
        if begins {
            let refusals = self.clone();
            // Without a thread, the count is told before the next refusal that is logged, or at the end.
            if thread::Builder::new().stack_size(STACK).spawn(move || refusals.tell_at_the_end()).is_err() {
                self.lock().waited_for = false;
            }
        }
    }

    /// Logs the count of each who has stopped, until all have.
    fn tell_at_the_end(&self) {
        let mut is_all = false;
        while !is_all {
            thread::sleep(REFILL);
            let mut counted = self.lock();
            let ended: Vec<_> = counted.buckets.extract_if(|_, bucket| bucket.is_full(now())).collect();
            is_all = counted.buckets.values().all(|bucket| bucket.not_logged == 0);
            counted.waited_for = !is_all;
            drop(counted);
            for (holder, bucket) in ended {
                tell(holder, bucket.not_logged);
            }
        }
    }

    /// Logs all counts, at the end.
    pub(crate) fn close(&self) {
        let buckets = mem::take(&mut self.lock().buckets);
        for (holder, bucket) in buckets {
            tell(holder, bucket.not_logged);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    const fn full(now: Instant) -> Self {
        Self { room: ROOM, refilled: now, not_logged: 0 }
    }

    /// Takes room for one line, and gives how many were not logged before it; `None` if there is no room.
    fn take_token(&mut self, now: Instant) -> Option<u64> {
        self.refill(now);
        let Some(room) = self.room.checked_sub(1) else {
            self.not_logged = self.not_logged.saturating_add(1);
            return None;
        };
        self.room = room;
        Some(mem::take(&mut self.not_logged))
    }

    /// Whether as much may be logged again as ever.
    fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.room == ROOM
    }

    fn refill(&mut self, now: Instant) {
        while self.room < ROOM
            && let Some(next) = self.refilled.checked_add(REFILL).filter(|next| *next <= now)
        {
            self.room = self.room.saturating_add(1);
            self.refilled = next;
        }
        if self.room == ROOM {
            self.refilled = now;
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the pace of the log, by the monotonic clock")]
fn now() -> Instant {
    Instant::now()
}

fn tell(holder: Holder, count: u64) {
    let by = match holder {
        Holder::Account(uid) => uid.to_string(),
        Holder::NoAccount => "-".into(),
    };
    if count > 0 {
        syslog::log(PROGRAM, SyslogPriority::Notice, &format!("not-logged={count} by-uid={by}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_ten_lines_and_for_one_more_a_second() {
        let begin = now();
        let at = |milliseconds| begin + Duration::from_millis(milliseconds);
        let mut bucket = Bucket::full(begin);
        let mut taken = |milliseconds, times: usize| -> Vec<_> {
            (0..times).map(|_| bucket.take_token(at(milliseconds))).collect()
        };
        assert_eq!(taken(0, 11), [vec![Some(0); 10], vec![None]].concat());
        assert_eq!(taken(999, 2), [None, None]);
        assert_eq!(taken(1000, 2), [Some(3), None]);
        assert_eq!(taken(4500, 4), [Some(1), Some(0), Some(0), None]);
        assert_eq!(taken(5000, 1), [Some(1)], "half a second was left over");
        assert_eq!(taken(100_000, 11), [vec![Some(0); 10], vec![None]].concat());
    }
}
