//! One PAM transaction in the calling process and at once, for benches and for thousands of them: nothing is prepared,
//! recorded or reported.

use std::cell::Cell;
use std::ffi::CStr;
use std::time::{Duration, Instant};

use crate::pam_app::{self, Handle, Item, PamTransaction, Reply};
use crate::pam_names::{Operation, PamCode};
use crate::script::Message;

/// From `pam_start` over `pam_authenticate` to `pam_end`, for a service of `/etc/pam.d`. The first prompt gets the
/// answer, a second one none; no delay is slept.
pub fn authenticate(service: &CStr, user: &CStr, answer: &[u8]) -> PamCode {
    run(service, user, |_| (), &[Operation::Authenticate], once(answer))[0]
}

/// The same for an application that says where the login comes from, and sets a variable of the PAM environment
/// (`NAME=VALUE`).
pub fn authenticate_from(service: &CStr, user: &CStr, answer: &[u8], rhost: &CStr, variable: &CStr) -> PamCode {
    let prepare = |handle: &Handle| {
        for code in [handle.set(Item::RemoteHost, rhost), handle.put_environment(variable)] {
            assert_eq!(PamCode::from(code), PamCode::Success, "libpam copies what it is given");
        }
    };
    run(service, user, prepare, &[Operation::Authenticate], once(answer))[0]
}

/// Several operations of one transaction, with a variable of the PAM environment, in which each prompt is answered by
/// what it says; what each operation returned.
pub fn converse(
    service: &CStr,
    user: &CStr,
    variable: &CStr,
    operations: &[Operation],
    mut answer: impl FnMut(&str) -> Vec<u8>,
) -> Vec<PamCode> {
    let prepare = |handle: &Handle| assert_eq!(PamCode::from(handle.put_environment(variable)), PamCode::Success);
    run(service, user, prepare, operations, |prompt| Some(answer(prompt)))
}

/// How `pam_authenticate` ended, and how long it took from the answer on. No delay is slept, so it is the work alone.
pub fn time_of_an_answer(service: &CStr, user: &CStr, answer: &[u8]) -> (PamCode, Duration) {
    let (mut left, given) = (Some(answer.to_vec()), Cell::new(None));
    let converse = |_: &Handle, message: &Message| {
        let answer = message.style.is_prompt().then(|| left.take()).flatten();
        given.set(Some(Instant::now()));
        answer.map_or(Reply::NoText, |answer| Reply::Text(answer.into()))
    };
    let mut transaction = pam_app::start(service, Some(user), c"/etc/pam.d", converse).expect("libpam");
    let code = PamCode::from(pam_app::run(&mut transaction, Operation::Authenticate, 0));
    (code, given.get().expect("everybody is asked").elapsed())
}

/// A transaction that was started and is left at that: as long as it lives, libpam keeps the modules of its service loaded.
pub struct Loaded(#[allow(dead_code, reason = "it is kept for its end")] PamTransaction<'static>);

impl Loaded {
    /// Loads the modules of a service of `/etc/pam.d`.
    ///
    /// # Panics
    /// When libpam does not start.
    pub fn keep(service: &CStr) -> Self {
        let converse = |_: &Handle, _: &Message| Reply::NoText;
        Self(pam_app::start(service, None, c"/etc/pam.d", converse).expect("libpam starts"))
    }
}

fn once(answer: &[u8]) -> impl FnMut(&str) -> Option<Vec<u8>> {
    let mut left = Some(answer);
    move |_| left.take().map(<[u8]>::to_vec)
}

/// What each operation returned; a prompt without an answer gets `PAM_CONV_ERR`.
fn run(
    service: &CStr,
    user: &CStr,
    prepare: impl FnOnce(&Handle),
    operations: &[Operation],
    mut answer: impl FnMut(&str) -> Option<Vec<u8>>,
) -> Vec<PamCode> {
    let converse = |_: &Handle, message: &Message| match message.style.is_prompt().then(|| answer(&message.text)) {
        None => Reply::NoText,
        Some(Some(answer)) => Reply::Text(answer.into()),
        Some(None) => Reply::Fail(PamCode::ConvErr.into()),
    };
    match pam_app::start(service, Some(user), c"/etc/pam.d", converse) {
        Ok(mut transaction) => {
            prepare(transaction.handle());
            operations.iter().map(|operation| PamCode::from(pam_app::run(&mut transaction, *operation, 0))).collect()
        }
        Err(code) => vec![PamCode::from(code)],
    }
}
