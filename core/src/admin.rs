//! What administrators do to a user's records, beside enrolment: unlock and remove.

use crate::{
    account::Subject,
    ports::{Lane, StateStore, StoreError, WriteCredentials},
    record::Record,
    throttle::Throttle,
};

/// Forgets a user's failures and gives the budget back; what was used stays used. False if the user has no record.
///
/// # Errors
/// [`StoreError`].
pub fn unlock<S: StateStore>(states: &S, subject: &Subject) -> Result<bool, StoreError> {
    let Some(mut lane) = states.open(subject)? else {
        return Ok(false);
    };
    let next = Record { throttle: Throttle::default(), ..lane.record().clone() };
    lane.change(&next)?;
    Ok(true)
}

/// Removes a user's second factor; false if there was none. Credentials go first: without them the state means nothing.
///
/// # Errors
/// [`StoreError`].
pub fn remove<C: WriteCredentials, S: StateStore>(
    credentials: &C,
    states: &S,
    subject: &Subject,
) -> Result<bool, StoreError> {
    // A record that cannot be read is replaced first, so that removing goes the same locked way.
    let lane = match states.open(subject) {
        Ok(lane) => lane,
        Err(error)
            if matches!(
                error.fault,
                crate::ports::Fault::Torn | crate::ports::Fault::OtherUid { .. } | crate::ports::Fault::OtherUser
            ) =>
        {
            Some(states.start_over(subject)?)
        }
        Err(error) => return Err(error),
    };
    let removed = credentials.remove(subject)?;
    if let Some(lane) = lane {
        lane.remove()?;
    }
    Ok(removed)
}
