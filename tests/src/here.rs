//! One PAM transaction in the calling process and at once, for benches and for thousands of them: nothing is prepared,
//! recorded or reported.

use std::ffi::CStr;

use crate::pam_app::{Handle, Item, Reply, Transaction};
use crate::pam_names::{Operation, PamCode};
use crate::script::Message;

/// From `pam_start` over `pam_authenticate` to `pam_end`, for a service of `/etc/pam.d`. The first prompt gets the
/// answer, a second one none; no delay is slept.
pub fn authenticate(service: &CStr, user: &CStr, answer: &[u8]) -> PamCode {
    run(service, user, answer, |_| ())
}

/// The same for an application that says where the login comes from, and sets a variable of the PAM environment
/// (`NAME=VALUE`).
pub fn authenticate_from(service: &CStr, user: &CStr, answer: &[u8], rhost: &CStr, variable: &CStr) -> PamCode {
    run(service, user, answer, |handle| {
        for code in [handle.set(Item::RemoteHost, rhost), handle.put_environment(variable)] {
            assert_eq!(PamCode::from(code), PamCode::Success, "libpam copies what it is given");
        }
    })
}

fn run(service: &CStr, user: &CStr, answer: &[u8], prepare: impl FnOnce(&Handle)) -> PamCode {
    let mut left = Some(answer);
    let converse = |_: &Handle, message: &Message| match message.style.is_prompt().then(|| left.take()) {
        None => Reply::NoText,
        Some(Some(answer)) => Reply::Text(answer.to_vec()),
        Some(None) => Reply::Fail(PamCode::ConvErr.into()),
    };
    let code = match Transaction::start(service, Some(user), c"/etc/pam.d", Box::new(converse)) {
        Ok(mut transaction) => {
            prepare(transaction.handle());
            transaction.run(Operation::Authenticate, 0)
        }
        Err(code) => code,
    };
    PamCode::from(code)
}
