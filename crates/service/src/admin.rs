//! What administrators do to a user's records, beside enrolment: unlock and remove.

use twinlock_core::{
    account::{Subject, UserName},
    credentials::Enrolment,
    notice::Change,
    record::Record,
    time::UnixTime,
};
use twinlock_enrol::enrolment::{self, EnrolError};
use twinlock_store::{
    format::TomlDocument as _,
    ports::{LockedState, StateStore, StoreError, StoreErrorKind, WriteCredentials},
};

/// Forgets a user's failures and gives the budget back; what was used stays used. False if the user has no record. The next
/// logins say so, because it allows more guesses.
///
/// # Errors
/// [`StoreError`].
pub fn unlock<S: StateStore>(states: &S, subject: &Subject, now: UnixTime) -> Result<bool, StoreError> {
    let Some(mut state) = states.open(subject)? else {
        return Ok(false);
    };
    let mut next = Record { throttle: state.record().throttle.unlocked(), ..state.record().clone() };
    next.note_change(Change::Unlocked, now);
    state.change(&next)?;
    Ok(true)
}

/// Forgets a user's remembered logins: the next one is asked for a code. How many there were.
///
/// # Errors
/// [`StoreError`].
pub fn forget<S: StateStore>(states: &S, subject: &Subject, now: UnixTime) -> Result<usize, StoreError> {
    let Some(mut state) = states.open(subject)? else {
        return Ok(0);
    };
    let Some(remembered) = &state.record().remembered else {
        return Ok(0);
    };
    let forgotten = remembered.current(now).count();
    let next = Record { remembered: None, ..state.record().clone() };
    state.change(&next)?;
    Ok(forgotten)
}

/// Removes a user's second factor, if `check` has nothing against what is there; false if there was none. Credentials go
/// first: without them the state means nothing.
///
/// # Errors
/// [`EnrolError::Store`], and what `check` says; nothing is changed then.
pub fn remove<C: WriteCredentials, S: StateStore>(
    (credentials, states): (&C, &S),
    subject: &Subject,
    now: UnixTime,
    check: impl FnOnce(Result<Option<&Enrolment>, &StoreError>) -> Result<(), EnrolError>,
) -> Result<bool, EnrolError> {
    // A record that cannot be read is replaced first, so that removing goes the same locked way.
    let state = match states.open(subject) {
        Ok(state) => state,
        Err(error)
            if matches!(
                error.kind,
                StoreErrorKind::Torn
                    | StoreErrorKind::NewerVersion
                    | StoreErrorKind::OtherUid { .. }
                    | StoreErrorKind::OtherUser
            ) =>
        {
            Some(enrolment::reset_state((credentials, states), subject, now)?)
        }
        Err(error) => return Err(error.into()),
    };
    check(credentials.read_any_uid(subject).as_ref().map(Option::as_ref))?;
    let removed = credentials.remove(subject)?;
    if let Some(state) = state {
        state.remove()?;
    }
    Ok(removed)
}

/// Gives both files of a user the uid that the account has now; false if there is no enrolment.
///
/// # Errors
/// [`StoreError`].
///
/// # Security
/// For an account that is the same person's under another uid. One made anew for somebody else must be enrolled anew.
pub fn adopt<C: WriteCredentials, S: StateStore>(
    credentials: &C,
    states: &S,
    subject: &Subject,
) -> Result<bool, StoreError> {
    let _lane = states.adopt(subject)?;
    let Some(enrolment) = credentials.read_any_uid(subject)? else {
        return Ok(false);
    };
    if enrolment.uid.is_some_and(|uid| uid != subject.uid) {
        credentials.replace(subject, &Enrolment { uid: Some(subject.uid), ..enrolment })?;
    }
    Ok(true)
}

/// What became of the second factor of an account that was renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    /// It belongs to the new name.
    Moved,
    /// There is none under the old name.
    NotEnrolled,
    /// There is another one under the new name; nothing was done.
    AlreadyEnrolled,
}

/// Moves the second factor of an account to the name that the account has now. What was used stays used.
///
/// First the record under the new name, then the credentials, then the old files go. Killed in between, the user is refused or
/// logs in with a code, and is at no time taken for one who is not enrolled; a second run does the rest.
///
/// # Errors
/// [`StoreError`].
///
/// # Security
/// `old` must be no account any more: it would be left without a second factor.
pub fn adopt_renamed<C: WriteCredentials, S: StateStore>(
    (credentials, states): (&C, &S),
    old: &UserName,
    new: &Subject,
) -> Result<Renamed, StoreError> {
    // Under the uid that the account has now: from here on the index leads to the old files also if the uid has changed.
    let old = Subject { name: old.clone(), uid: new.uid };
    let state = states.adopt(&old)?;
    let held = match credentials.read(new) {
        Err(error)
            if matches!(
                error.kind,
                StoreErrorKind::OtherName { .. } | StoreErrorKind::StateWithoutCredentials { .. }
            ) =>
        {
            None
        }
        held => held?,
    };
    let user = new.name.clone();
    let moved = credentials.read_any_uid(&old)?;
    let moved = moved.map(|moved| Enrolment { user: user.clone(), uid: Some(new.uid), ..moved });
    match (moved, held) {
        (None, None) => return Ok(Renamed::NotEnrolled),
        (None, Some(_)) if state.is_none() => return Ok(Renamed::NotEnrolled),
        (Some(moved), Some(held)) if moved.to_toml() != held.to_toml() => return Ok(Renamed::AlreadyEnrolled),
        // A run before this one was killed.
        (Some(_) | None, Some(_)) => {}
        (Some(moved), None) => {
            let record = state.as_ref().map_or_else(
                || Record::new(new),
                // Logins are remembered of a name.
                |state| Record { user, uid: new.uid, remembered: None, ..state.record().clone() },
            );
            let _new = states.reset(new, &record)?;
            credentials.replace(new, &moved)?;
        }
    }
    credentials.remove(&old)?;
    if let Some(state) = state {
        state.remove()?;
    }
    Ok(Renamed::Moved)
}

/// What a repair did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// There is no enrolment.
    NotEnrolled,
    /// The record can be read, or there is none yet; nothing was done.
    Sound,
    /// There is a new record: codes up to now, tokens and recovery codes are used up by it.
    Made,
}

/// Puts a new record in the place of one of which neither half can be read: see [`Record::assume_everything_used`].
///
/// # Errors
/// [`StoreError`].
pub fn repair<C: WriteCredentials, S: StateStore>(
    credentials: &C,
    states: &S,
    subject: &Subject,
    now: UnixTime,
) -> Result<Repair, StoreError> {
    let Some(enrolment) = credentials.read(subject)? else {
        return Ok(Repair::NotEnrolled);
    };
    match states.open(subject) {
        Ok(_) => return Ok(Repair::Sound),
        Err(error) if matches!(error.kind, StoreErrorKind::Torn | StoreErrorKind::TooLarge(_)) => {}
        Err(error) => return Err(error),
    }
    states.reset(subject, &Record::assume_everything_used(subject, &enrolment, now))?;
    Ok(Repair::Made)
}
