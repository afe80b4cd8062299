//! The handle of a PAM transaction: items, conversation, log, environment, and the result of the auth phase. But for the
//! allocator in `memory`, the only unsafe code of the module. It knows no other file of the module.
//!
//! Rules of this file: what libpam hands out is copied before anything else happens; nothing of the host is changed for good.

#![allow(unsafe_code, reason = "this is the FFI layer")]

use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint, c_void},
    time::Duration,
};

use pam::{
    constants::{
        PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_SILENT, PAM_TEXT_INFO, PamFlag, PamResultCode,
    },
    conv::Conv,
    items::{AuthTok, Item, ItemType, RHost, Service, User},
    module::PamHandle,
};
use twinlock_core::{
    account::Subject,
    layout::wrapped,
    pending::PendingId,
    policy::FirstFactors,
    ports::{Conversation, NoAnswer, Question},
};
#[cfg(feature = "enrol-in-login")]
use twinlock_enrol::onboarding::{Staged, Stored};
use twinlock_login::attempt::{Exempt, Granted};
use zeroize::Zeroizing;

// libpam itself is linked by pam-bindings, which has no words for these.
unsafe extern "C" {
    fn pam_fail_delay(handle: *mut PamHandle, microseconds: c_uint) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, kind: c_int, item: *const c_void) -> c_int;
    fn pam_getenv(handle: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_putenv(handle: *mut PamHandle, pair: *const c_char) -> c_int;
    fn pam_syslog(handle: *const PamHandle, priority: c_int, format: *const c_char, ...);
}

#[cfg(all(test, miri))]
#[path = "fake_libpam.rs"]
mod fake_libpam;

/// Where the auth phase leaves its result for the account phase. Another build of the module that a stack names beside this
/// one may lay the result out differently, so the name has this build's version and a hash of its sources (`build.rs`).
const AUTH_RESULT: &str = concat!("twinlock-", env!("CARGO_PKG_VERSION"), "-", env!("TWINLOCK_BUILD_ID"));

/// The variable of the PAM environment by which the account phase hands an enrolment over to the end of the login, which
/// in sshd is another process. It is an id, and no secret; it is gone before the session gets its environment.
const PENDING: &CStr = c"pam_twinlock_pending";

/// There is no enrolment inside a login without the feature.
#[cfg(not(feature = "enrol-in-login"))]
pub(crate) enum Staged {}

/// The same.
#[cfg(not(feature = "enrol-in-login"))]
pub(crate) enum Stored {}

/// What the auth phase leaves for the account phase of the same transaction.
pub(crate) struct AuthResult {
    /// The account that passed.
    pub(crate) subject: Subject,
    pub(crate) evidence: Evidence,
}

/// By what the auth phase was passed. Each is evidence that this module cannot make up.
pub(crate) enum Evidence {
    /// A second factor.
    Granted(#[expect(dead_code, reason = "it is there to be had")] Granted),
    /// Policy asks nobody, or not this user.
    Exempt(Exempt),
    /// An enrolment inside this login, to be stored when the login is complete.
    Staged(Box<Staged>),
    /// An enrolment inside this login, which was stored.
    Stored(Stored),
}

/// The priority of a line of the log, see syslog(3).
#[derive(Debug, Clone, Copy)]
pub(crate) enum Priority {
    /// Something is broken.
    Error = 3,
    /// A second factor was changed, or an emergency let somebody pass. journald counts such lines apart from attempts.
    Warning = 4,
    /// An attempt was refused.
    Notice = 5,
    /// An attempt was granted.
    Info = 6,
    /// Asked for by `debug`.
    Debug = 7,
}

/// One PAM transaction, with everything of it that matters copied at the start.
pub(crate) struct Transaction<'a> {
    handle: &'a mut PamHandle,
    silent: bool,
    /// Whether an answer is shown while it is typed.
    pub(crate) echo: bool,
    /// `PAM_USER` as bytes, or why it could not be had.
    pub(crate) user: Result<Vec<u8>, NoAnswer>,
    /// `PAM_SERVICE`.
    pub(crate) service: String,
    /// `PAM_RHOST`.
    pub(crate) rhost: Option<String>,
    /// `SSH_AUTH_INFO_0`.
    pub(crate) first_factors: FirstFactors,
}

impl<'a> Transaction<'a> {
    pub(crate) fn new(handle: &'a mut PamHandle, flags: PamFlag) -> Self {
        let user = copied_user(handle);
        let service = copied(handle, |Service(text)| text).unwrap_or_default();
        let rhost = copied(handle, |RHost(text)| text);
        let first_factors = FirstFactors::parse(copied_variable(handle, c"SSH_AUTH_INFO_0").as_deref());
        Self { handle, silent: flags & PAM_SILENT != 0, echo: true, user, service, rhost, first_factors }
    }

    /// `PAM_USER` as it stands now; a conversation may have changed it.
    pub(crate) fn user_now(&mut self) -> Result<Vec<u8>, NoAnswer> {
        copied_user(self.handle)
    }

    /// Sends one line to syslog, AUTHPRIV, under the name of the service.
    pub(crate) fn log(&mut self, priority: Priority, line: &str) {
        let text: Vec<u8> = line.bytes().filter(|byte| *byte != 0).collect();
        if let Ok(text) = CString::new(text) {
            let handle: *const PamHandle = self.handle;
            // SAFETY: the handle is libpam's own and live; the format takes one C string, and gets one.
            unsafe { pam_syslog(handle, priority as c_int, c"%s".as_ptr(), text.as_ptr()) };
        }
    }

    /// Asks libpam to hold a failure back. It takes the longest delay that any module asked for, and varies it.
    pub(crate) fn ask_for_fail_delay(&mut self, delay: Duration) {
        let microseconds = c_uint::try_from(delay.as_micros()).unwrap_or(c_uint::MAX);
        let handle: *mut PamHandle = self.handle;
        // SAFETY: the handle is libpam's own and live. A failure leaves another delay, which denies nothing and grants nothing.
        unsafe { pam_fail_delay(handle, microseconds) };
    }

    /// Shows a line, unless the application wants none. Whether it is seen is of no consequence.
    pub(crate) fn tell(&mut self, text: &str) {
        self.show(PAM_TEXT_INFO, text);
    }

    /// The same for bad news.
    pub(crate) fn warn(&mut self, text: &str) {
        self.show(PAM_ERROR_MSG, text);
    }

    fn show(&mut self, style: c_int, text: &str) {
        if !self.silent
            && let Ok(Some(conversation)) = self.handle.get_item::<Conv<'_>>()
        {
            let _ = conversation.send(style, &wrapped(text));
        }
    }

    /// The password that a module before this one in the stack was given. Whether a right one, libpam alone knows.
    pub(crate) fn password(&self) -> Option<Zeroizing<Vec<u8>>> {
        let password = self.handle.get_item::<AuthTok<'_>>().ok()??;
        Some(Zeroizing::new(password.as_bytes().to_vec())).filter(|password| !password.is_empty())
    }

    /// Gives a password to the modules behind this one. If libpam keeps none, they ask for it or refuse.
    pub(crate) fn set_password(&mut self, password: &[u8]) {
        let Ok(password) = CString::new(password) else { return };
        let bytes = Zeroizing::new(password.into_bytes_with_nul());
        let handle: *mut PamHandle = self.handle;
        // SAFETY: the handle is libpam's own and live; the item is a string that ends with a zero byte, and libpam copies it.
        unsafe { pam_set_item(handle, ItemType::AuthTok as c_int, bytes.as_ptr().cast()) };
    }

    /// Keeps the result of the auth phase of this transaction: who passed, or that nobody has yet.
    pub(crate) fn set_auth_result(&mut self, result: Option<AuthResult>) -> Result<(), i32> {
        self.handle.set_data(AUTH_RESULT, Box::new(result)).map_err(|code| code as i32)
    }

    /// Hands an enrolment over to the end of this login.
    pub(crate) fn set_pending(&mut self, id: &PendingId) -> Result<(), i32> {
        let pair = CString::new([PENDING.to_bytes(), b"=", id.as_str().as_bytes()].concat());
        let pair = pair.map_err(|_| PamResultCode::PAM_BUF_ERR as i32)?;
        match put_variable(self.handle, &pair) {
            0 => Ok(()),
            code => Err(code),
        }
    }

    /// What was handed over; it is there no more then. `None` if there was nothing, or something else.
    pub(crate) fn take_pending(&mut self) -> Option<PendingId> {
        let value = copied_variable(self.handle, PENDING)?;
        put_variable(self.handle, PENDING);
        PendingId::parse(std::str::from_utf8(&value).ok()?)
    }

    /// The result of the auth phase of this transaction; `None` if nobody passed it.
    pub(crate) fn auth_result(&self) -> Option<&AuthResult> {
        // SAFETY: only `set_auth_result` of this build stores under this name, and it stores an `Option<AuthResult>`.
        let result = unsafe { self.handle.get_data::<Option<AuthResult>>(AUTH_RESULT) };
        result.ok()?.as_ref()
    }
}

impl Conversation for Transaction<'_> {
    fn ask(&mut self, question: Question<'_>) -> Result<Zeroizing<Vec<u8>>, NoAnswer> {
        let style = if self.echo { PAM_PROMPT_ECHO_ON } else { PAM_PROMPT_ECHO_OFF };
        let failed = |code| NoAnswer { code: code as i32 };
        let conversation =
            self.handle.get_item::<Conv<'_>>().map_err(failed)?.ok_or(failed(PamResultCode::PAM_CONV_ERR))?;
        // pam-bindings wipes libpam's copy before it frees it, and its own when it is dropped.
        let answer =
            conversation.send(style, question.prompt()).map_err(failed)?.ok_or(failed(PamResultCode::PAM_CONV_ERR))?;
        Ok(Zeroizing::new(answer.as_bytes().to_vec()))
    }
}

/// `PAM_USER`, asking for it where the application left that to the modules.
fn copied_user(handle: &mut PamHandle) -> Result<Vec<u8>, NoAnswer> {
    let item =
        |handle: &PamHandle| handle.get_item::<User<'_>>().ok().flatten().map(|User(name)| name.to_bytes().to_vec());
    if let Some(name) = item(handle) {
        return Ok(name);
    }
    let asked = handle.get_user(None);
    // The item is set also where the name is not UTF-8 and pam-bindings has no value for it.
    let code = asked.err().unwrap_or(PamResultCode::PAM_CONV_ERR);
    item(handle).ok_or(NoAnswer { code: code as i32 })
}

/// Whether an enrolment was handed over to the end of this login.
pub(crate) fn has_pending(handle: &mut PamHandle) -> bool {
    copied_variable(handle, PENDING).is_some()
}

/// A variable of the transaction's environment, which is not the process's.
fn copied_variable(handle: &mut PamHandle, name: &CStr) -> Option<Vec<u8>> {
    let handle: *mut PamHandle = handle;
    // SAFETY: the handle is libpam's own and live, the name ends with a zero byte.
    let value = unsafe { pam_getenv(handle, name.as_ptr()) };
    // SAFETY: what libpam returns, if not null, is a string of its own that ends with a zero byte and lives until the
    // variable is changed; it is copied before anything else happens.
    let value = (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) });
    value.map(|value| value.to_bytes().to_vec())
}

/// Sets a variable of the transaction's environment by `NAME=VALUE`, or takes it out by `NAME`; libpam's code.
fn put_variable(handle: &mut PamHandle, pair: &CStr) -> c_int {
    let handle: *mut PamHandle = handle;
    // SAFETY: the handle is libpam's own and live, the pair ends with a zero byte, and libpam copies it.
    unsafe { pam_putenv(handle, pair.as_ptr()) }
}

/// A text item, at most 256 bytes of it: longer ones are no service of a rule and no address, and the log cuts them too.
fn copied<'h, T: Item<'h>>(handle: &'h PamHandle, text: impl FnOnce(T) -> &'h CStr) -> Option<String> {
    let bytes = text(handle.get_item::<T>().ok()??).to_bytes();
    Some(String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)).into_owned())
}
