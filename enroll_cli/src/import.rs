//! `twinlock import`: reads what users had with another module, and enrols each of them whole or not at all.
//!
//! Many users are worked on by all processors, since the time goes into hashing and into waiting for the disk. A user
//! who is enrolled already is passed over, so an import that was interrupted is finished by running it again. Nothing
//! that is printed or logged is a secret.

pub(crate) mod files;
mod report;

use std::{
    collections::HashMap,
    io::{self, IsTerminal, Read},
    num::NonZero,
    path::Path,
    sync::Mutex,
    thread,
};

use twinlock_core::{
    account::{Subject, UserName},
    ports::Clock,
    recovery::HashMemory,
};
use twinlock_enrol::enrolment::{EnrolError, IfEnrolled};
use twinlock_service::import::{Imported, google_authenticator, oath, uri};
use twinlock_store::{
    host::{
        self, Kernel, SystemClock,
        accounts::{self, Account},
    },
    ports::{Hashing, ReadCredentials, StateStore as _, StoreError, StoreErrorKind},
};
use zeroize::Zeroizing;

use self::report::ImportOutcome;
use crate::{
    cli::{Import, ImportHow},
    context::{self, CommandContext},
    failure::Failure,
    layout,
    messages::import as messages,
    output::print_note,
    progress::Progress,
};

/// The most users worked on at once: making a record is done by one at a time on a host, and must not wait for long.
const MOST_THREADS: usize = 8;

pub(crate) fn run(config: &Path, from: &Import) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    match from {
        Import::GoogleAuthenticator { all: true, no_scratch_codes, how, .. } => {
            let accounts = local_accounts()?;
            let home = |account: &Account, memory: &mut HashMemory| {
                let file = files::in_home(&account.home, account.subject.uid).transpose()?;
                Some(context.import(&account.subject, how, memory, || google(&file?, *no_scratch_codes)))
            };
            let outcomes = context.each(how, &accounts, home)?;
            if outcomes.is_empty() {
                print_note(messages::NO_FILES);
            }
            report::many(&outcomes, how)
        }
        Import::GoogleAuthenticator { user, file, no_scratch_codes, how, .. } => {
            let subject = context::account(user.as_deref())?;
            let bytes = match file {
                Some(file) => files::at(file, &[0, subject.uid], google_authenticator::LARGEST)?,
                None => own_file(&subject)?,
            };
            report::one(context.single(&subject, how, || google(&bytes, *no_scratch_codes))?, how)
        }
        Import::Oath { file, how } => {
            let bytes = files::at(file, &[0], oath::LARGEST)?;
            let users = oath::parse(&bytes, SystemClock.now());
            let users = users.map_err(|refusal| messages::file_refused(file, &refusal))?;
            let users: Vec<_> = users.into_iter().collect();
            let known: HashMap<_, _> =
                local_accounts()?.into_iter().map(|account| (account.subject.name.clone(), account.subject)).collect();
            let one = |(name, imported): &(UserName, Result<Imported, _>), memory: &mut HashMemory| {
                let subject =
                    match known.get(name).cloned().map_or_else(|| host::account(name), |found| Ok(Some(found))) {
                        Ok(Some(subject)) => subject,
                        Ok(None) => {
                            return Some(ImportOutcome::failed(name, how, messages::NO_ACCOUNT, None));
                        }
                        Err(error) => {
                            let reason = twinlock_hostcheck::messages::no_passwd_database(&error);
                            return Some(ImportOutcome::failed(name, how, reason, None));
                        }
                    };
                Some(context.import(&subject, how, memory, || Ok(imported.clone()?)))
            };
            report::many(&context.each(how, &users, one)?, how)
        }
        Import::Uri { user, how } => {
            let subject = context::account(user.as_deref())?;
            let bytes = address()?;
            report::one(context.single(&subject, how, || Ok(uri::parse(&bytes)?))?, how)
        }
    }
}

/// Why one user is not imported.
enum Problem {
    Refused(twinlock_service::import::ImportError),
    File(files::Unreadable),
    Enrol(EnrolError),
}

fn google(file: &[u8], no_scratch_codes: bool) -> Result<Imported, Problem> {
    let mut imported = google_authenticator::parse(file, SystemClock.now())?;
    if no_scratch_codes {
        imported.drop_scratch_codes();
    }
    Ok(imported)
}

impl CommandContext {
    /// All users, on all processors, with a bar where it takes its time. The outcomes come in the order of the users.
    fn each<T: Sync>(
        &self,
        how: &ImportHow,
        users: &[T],
        one: impl Fn(&T, &mut HashMemory) -> Option<ImportOutcome> + Sync,
    ) -> Result<Vec<ImportOutcome>, Failure> {
        if !how.dry_run {
            layout::prepare(&self.store)?;
        }
        let progress = Progress::over(users.len());
        let queue = Mutex::new(users.iter().enumerate());
        let work = || {
            let (mut done, mut memory) = (Vec::new(), HashMemory::default());
            // One user at a time is taken: those with scratch codes take a hundred times as long as those without.
            loop {
                let next = queue.lock().ok().and_then(|mut queue| queue.next());
                let Some((at, user)) = next else {
                    return done;
                };
                done.extend(one(user, &mut memory).map(|outcome| (at, outcome)));
                progress.step();
            }
        };
        // Half of the time is waiting for the disk, so twice as many as there are processors.
        let threads = thread::available_parallelism().map_or(1, NonZero::get).saturating_mul(2).min(MOST_THREADS);
        let joined: thread::Result<Vec<_>> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let mut outcomes: Vec<_> = joined.map_err(|_| messages::interrupted())?.into_iter().flatten().collect();
        outcomes.sort_by_key(|(at, _)| *at);
        Ok(outcomes.into_iter().map(|(_, outcome)| outcome).collect())
    }

    /// One user, where it is known beforehand that there is one.
    fn single(
        &self,
        subject: &Subject,
        how: &ImportHow,
        read: impl FnOnce() -> Result<Imported, Problem>,
    ) -> Result<ImportOutcome, Failure> {
        if !how.dry_run {
            layout::prepare(&self.store)?;
        }
        Ok(self.import(subject, how, &mut HashMemory::default(), read))
    }

    fn import(
        &self,
        subject: &Subject,
        how: &ImportHow,
        memory: &mut HashMemory,
        read: impl FnOnce() -> Result<Imported, Problem>,
    ) -> ImportOutcome {
        match self.try_import(subject, how, memory, read) {
            Ok(outcome) => outcome,
            Err(Problem::Enrol(EnrolError::AlreadyEnrolled)) => ImportOutcome::skipped(&subject.name, how),
            Err(problem) => {
                let (reason, hint) = problem.halves(subject.name.as_str());
                ImportOutcome::failed(&subject.name, how, reason, Some(hint))
            }
        }
    }

    fn try_import(
        &self,
        subject: &Subject,
        how: &ImportHow,
        memory: &mut HashMemory,
        read: impl FnOnce() -> Result<Imported, Problem>,
    ) -> Result<ImportOutcome, Problem> {
        let if_enrolled = if how.replace { IfEnrolled::Replace } else { IfEnrolled::Fail };
        // Asked before anything is hashed, and again under the lock when it is stored.
        let held = match self.store.credentials.read(subject) {
            Ok(Some(_)) if if_enrolled == IfEnrolled::Fail => return Err(EnrolError::AlreadyEnrolled.into()),
            Ok(held) => held,
            // Before the first import there is no store yet.
            Err(StoreError { kind: StoreErrorKind::Missing, .. }) if how.dry_run => None,
            // What cannot be used is told by the store itself, which also knows what may be replaced.
            Err(_) if if_enrolled == IfEnrolled::Replace => None,
            Err(error) => return Err(EnrolError::from(error).into()),
        };
        let mut imported = read()?;
        if let Some(held) = &held
            && let Ok(Some(record)) = self.store.states.look(subject)
        {
            imported.remember(held, &record);
        }
        if how.dry_run {
            return Ok(ImportOutcome::dry(subject, how, &imported));
        }
        let hashes = !imported.scratch_codes.is_empty();
        let permit = hashes.then(|| self.store.states.hash_permit(Hashing::NewCodes)).transpose();
        let permit = permit.map_err(EnrolError::from)?;
        let prepared = imported.prepare(subject, SystemClock.now(), &mut Kernel, memory)?;
        drop(permit);
        prepared.store((&self.store.credentials, &self.store.states), subject, (if_enrolled, SystemClock.now()))?;
        self.audit_log().changed(if held.is_some() { "import-replaced" } else { "imported" }, subject.name.as_str());
        Ok(ImportOutcome::imported(subject, how, &imported, &prepared))
    }
}

fn local_accounts() -> Result<Vec<Account>, Failure> {
    accounts::of_passwd_file().map_err(|error| messages::no_passwd_file(&error))
}

fn own_file(subject: &Subject) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let account = accounts::find(&subject.name);
    let account = account.map_err(|error| crate::messages::no_passwd_database(&error))?;
    let home = account.map(|account| account.home).unwrap_or_default();
    files::in_home(&home, subject.uid)?.ok_or_else(|| messages::no_file(&subject.name, &home.join(files::NAME)))
}

/// The address on stdin; it is a secret, so it is no argument.
fn address() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let room = uri::LARGEST.saturating_add(1);
    if io::stdin().is_terminal() {
        print_note(messages::PASTE_ADDRESS);
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    let read = io::stdin().take(u64::try_from(room).unwrap_or(0)).read_to_end(&mut bytes);
    read.map_err(|error| messages::address_not_read(&error))?;
    Ok(bytes)
}

impl Problem {
    /// What happened, and what to do.
    fn halves(self, user: &str) -> (String, String) {
        match self {
            Self::Refused(refusal) => (refusal.to_string(), refusal.hint(Some(user))),
            Self::File(unreadable) => (unreadable.to_string(), unreadable.hint(Some(user))),
            Self::Enrol(EnrolError::Store(error)) => (error.to_string(), error.hint()),
            Self::Enrol(error) => (error.to_string(), messages::enroll_instead(Some(user))),
        }
    }
}

impl From<twinlock_service::import::ImportError> for Problem {
    fn from(refusal: twinlock_service::import::ImportError) -> Self {
        Self::Refused(refusal)
    }
}

impl From<files::Unreadable> for Problem {
    fn from(unreadable: files::Unreadable) -> Self {
        Self::File(unreadable)
    }
}

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        Self::Enrol(error)
    }
}
