//! What administrators do to a user's records, beside enrolment: unlock and remove.

use crate::{
    account::Subject,
    credentials::Enrolment,
    enrol::{self, EnrolError},
    ports::{Fault, Lane, StateStore, StoreError, WriteCredentials},
    record::Record,
    time::UnixTime,
};

/// Forgets a user's failures and gives the budget back; what was used stays used. False if the user has no record.
///
/// # Errors
/// [`StoreError`].
pub fn unlock<S: StateStore>(states: &S, subject: &Subject) -> Result<bool, StoreError> {
    let Some(mut lane) = states.open(subject)? else {
        return Ok(false);
    };
    let next = Record { throttle: lane.record().throttle.unlocked(), ..lane.record().clone() };
    lane.change(&next)?;
    Ok(true)
}

/// Forgets a user's remembered logins: the next one is asked for a code. How many there were.
///
/// # Errors
/// [`StoreError`].
pub fn forget<S: StateStore>(states: &S, subject: &Subject, now: UnixTime) -> Result<usize, StoreError> {
    let Some(mut lane) = states.open(subject)? else {
        return Ok(0);
    };
    let Some(remembered) = &lane.record().remembered else {
        return Ok(0);
    };
    let forgotten = remembered.current(now).count();
    let next = Record { remembered: None, ..lane.record().clone() };
    lane.change(&next)?;
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
    let lane = match states.open(subject) {
        Ok(lane) => lane,
        Err(error)
            if matches!(error.fault, Fault::Torn | Fault::NewerVersion | Fault::OtherUid { .. } | Fault::OtherUser) =>
        {
            Some(enrol::start_over((credentials, states), subject, now)?)
        }
        Err(error) => return Err(error.into()),
    };
    check(credentials.read_any_uid(subject).as_ref().map(Option::as_ref))?;
    let removed = credentials.remove(subject)?;
    if let Some(lane) = lane {
        lane.remove()?;
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

/// Puts a new record in the place of one of which neither half can be read: see [`Record::used_up`].
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
        Err(error) if matches!(error.fault, Fault::Torn | Fault::TooLarge(_)) => {}
        Err(error) => return Err(error),
    }
    states.start_over(subject, &Record::used_up(subject, &enrolment, now))?;
    Ok(Repair::Made)
}
