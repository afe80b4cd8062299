//! The entry points that libpam calls. A panic is caught, denies and says nothing; nothing secret is left on the stack of
//! the host. This file knows all others, and none knows it.

use std::{
    ffi::CStr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use pam::{
    constants::{PamFlag, PamResultCode},
    module::{PamHandle, PamHooks},
    pam_hooks,
};
use zeroize::zeroize_stack;

use crate::{
    account,
    arguments::Arguments,
    auth, enrolment, result,
    transaction::{self, Transaction},
};

/// `PAM_DELETE_CRED`, the one call of `pam_setcred` that begins nothing.
const DELETE_CRED: PamFlag = 4;

struct Twinlock;

pam_hooks!(Twinlock);

impl PamHooks for Twinlock {
    fn sm_authenticate(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        behind_the_boundary(handle, &arguments, flags, auth::run)
    }

    fn acct_mgmt(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        behind_the_boundary(handle, &arguments, flags, account::run)
    }

    // PAM_IGNORE would make a stack of this module alone fail after the login was granted. Only a login in which somebody
    // enrolled has anything to do here.
    fn sm_setcred(handle: &mut PamHandle, arguments: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        if flags & DELETE_CRED != 0 || !transaction::has_pending(handle) {
            return PamResultCode::PAM_SUCCESS;
        }
        behind_the_boundary(handle, &arguments, flags, enrolment::run)
    }

    fn sm_open_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }

    fn sm_close_session(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }

    fn sm_chauthtok(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        PamResultCode::PAM_IGNORE
    }
}

/// Runs a phase so that a panic denies, and says nothing on the host's stderr.
fn behind_the_boundary(
    handle: &mut PamHandle,
    arguments: &[&CStr],
    flags: PamFlag,
    phase: fn(&mut Transaction<'_>, &Arguments) -> PamResultCode,
) -> PamResultCode {
    let code = caught(handle, arguments, flags, phase);
    zeroize_stack::<DEEPEST>();
    code
}

/// What a phase may have left on the stack below its caller: values that are wiped where they end leave copies where they
/// were moved from, and an HMAC leaves the padded key.
const DEEPEST: usize = 32 * 1024;

/// In a frame of its own, below which the stack is wiped.
#[inline(never)]
fn caught(
    handle: &mut PamHandle,
    arguments: &[&CStr],
    flags: PamFlag,
    phase: fn(&mut Transaction<'_>, &Arguments) -> PamResultCode,
) -> PamResultCode {
    static QUIET: Once = Once::new();
    // The hook is that of our own copy of the standard library; a host in Rust keeps its own.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = Transaction::new(handle, flags);
        match Arguments::parse(arguments) {
            Ok(arguments) => phase(&mut transaction, &arguments),
            Err(bad) => result::bad_arguments(&mut transaction, bad.to_string()),
        }
    }));
    match ended {
        Ok(code) => code,
        Err(_) => result::panicked(&mut Transaction::new(handle, flags)),
    }
}
