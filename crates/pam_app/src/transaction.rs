//! One transaction, from `pam_start` to `pam_end`.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    panic::resume_unwind,
    ptr,
};

use crate::{
    code::SUCCESS,
    conversation::{ConversationContext, Converse, PamConversation},
    handle::{Handle, PamHandle},
};

const PAM_USER: c_int = 2;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const PamConversation,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_end(handle: *mut PamHandle, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_putenv(handle: *mut PamHandle, variable: *const c_char) -> c_int;
    fn pam_get_item(handle: *const PamHandle, kind: c_int, item: *mut *const c_void) -> c_int;
}

/// A transaction. Dropped, it ends.
pub struct PamTransaction<'a> {
    handle: Handle,
    status: c_int,
    // Behind a box, because libpam keeps its address.
    pub(crate) context: Box<ConversationContext<'a>>,
}

/// An operation of libpam.
pub(crate) type Function = unsafe extern "C" fn(*mut PamHandle, c_int) -> c_int;

impl<'a> PamTransaction<'a> {
    /// Starts one for a service of the host.
    ///
    /// # Errors
    /// libpam's code.
    pub fn start(service: &CStr, user: Option<&CStr>, converse: Box<Converse<'a>>) -> Result<Self, c_int> {
        let user = user.map_or(ptr::null(), CStr::as_ptr);
        Self::begin(converse, |conversation, handle| {
            // SAFETY: the strings are live and end with a zero byte, or the user is null, as pam_start(3) allows; libpam copies
            // them and `conversation`, whose context outlives the transaction, see `begin`.
            unsafe { pam_start(service.as_ptr(), user, conversation, handle) }
        })
    }

    /// Starts one by a function of the family of `pam_start`.
    pub(crate) fn begin(
        converse: Box<Converse<'a>>,
        start: impl FnOnce(*const PamConversation, *mut *mut PamHandle) -> c_int,
    ) -> Result<Self, c_int> {
        // It lives until after `pam_end`: see `Drop`.
        let context = Box::new(ConversationContext::new(converse));
        let mut handle = ptr::null_mut();
        let conversation = context.conversation();
        let status = start(&raw const conversation, &raw mut handle);
        if status != SUCCESS || handle.is_null() {
            return Err(status);
        }
        context.handle.set(handle);
        Ok(Self { handle: Handle(handle), status, context })
    }

    /// `pam_authenticate`; what libpam returned.
    pub fn authenticate(&mut self, flags: c_int) -> c_int {
        self.call(pam_authenticate, flags)
    }

    /// `pam_acct_mgmt`; what libpam returned.
    pub fn acct_mgmt(&mut self, flags: c_int) -> c_int {
        self.call(pam_acct_mgmt, flags)
    }

    /// The handle, for items and variables.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs an operation. A panic of the conversation goes on here.
    pub(crate) fn call(&mut self, function: Function, flags: c_int) -> c_int {
        // SAFETY: the handle is live; each of these functions takes a handle and flags.
        self.status = unsafe { function(self.handle.0, flags) };
        if let Some(panic) = self.context.take_panic() {
            resume_unwind(panic);
        }
        self.status
    }
}

impl Drop for PamTransaction<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used afterwards; `context` is dropped only after this call.
        unsafe { pam_end(self.handle.0, self.status) };
    }
}

impl Handle {
    /// `PAM_USER` as it is now: a module may have changed it.
    #[must_use]
    pub fn user(&self) -> Option<CString> {
        self.text(PAM_USER)
    }

    /// Sets a variable of the PAM environment, `NAME=VALUE`; what libpam returned.
    #[must_use]
    pub fn put_environment(&self, pair: &CStr) -> c_int {
        // SAFETY: the handle is live, the pair ends with a zero byte, and libpam copies it.
        unsafe { pam_putenv(self.0, pair.as_ptr()) }
    }

    /// An item that is a C string.
    pub(crate) fn text(&self, item: c_int) -> Option<CString> {
        let mut value = ptr::null();
        // SAFETY: the handle is live and `value` a place for a pointer.
        let status = unsafe { pam_get_item(self.0, item, &raw mut value) };
        if status != SUCCESS || value.is_null() {
            return None;
        }
        // SAFETY: not null, so a C string of libpam's, which lives while nothing else is done with the handle.
        let value = unsafe { CStr::from_ptr(value.cast()) };
        Some(value.to_owned())
    }
}
