//! What the hosts of the tests need besides: service files of their own, all operations and items, and delays that are
//! recorded in place of slept.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_uint, c_void},
    ptr,
};

use nix::libc;

use crate::{
    Converse, Handle, PamTransaction,
    code::SUCCESS,
    conversation::{Callback, ConversationContext, PamConversation},
    handle::PamHandle,
};

const PAM_ESTABLISH_CRED: c_int = 2;
const PAM_DELETE_CRED: c_int = 4;
const PAM_FAIL_DELAY: c_int = 10;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const PamConversation,
        configuration: *const c_char,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_setcred(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_open_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_close_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_chauthtok(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, item: c_int, value: *const c_void) -> c_int;
    fn pam_getenvlist(handle: *mut PamHandle) -> *mut *mut c_char;
}

/// The items that an application sets or reads as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// `PAM_USER`.
    User = 2,
    /// `PAM_TTY`.
    Tty = 3,
    /// `PAM_RHOST`.
    RemoteHost = 4,
}

impl<'a> PamTransaction<'a> {
    /// Starts one for a service of another folder than `/etc/pam.d`. Its delays are recorded and not slept.
    ///
    /// # Errors
    /// libpam's code.
    pub fn start_in(
        configuration: &CStr,
        service: &CStr,
        user: Option<&CStr>,
        converse: Box<Converse<'a>>,
    ) -> Result<Self, c_int> {
        let user = user.map_or(ptr::null(), CStr::as_ptr);
        let transaction = Self::begin(converse, |conversation, handle| {
            // SAFETY: the strings are live and end with a zero byte, or the user is null, as pam_start(3) allows; libpam copies
            // them and `conversation`, whose context outlives the transaction, see `begin`.
            unsafe { pam_start_confdir(service.as_ptr(), user, conversation, configuration.as_ptr(), handle) }
        })?;
        let recorder: extern "C" fn(c_int, c_uint, *mut c_void) = record_delay;
        // SAFETY: the handle is live; PAM_FAIL_DELAY takes a function of this type (pam_fail_delay(3)).
        let status = unsafe { pam_set_item(transaction.handle().0, PAM_FAIL_DELAY, recorder as *const c_void) };
        if status == SUCCESS { Ok(transaction) } else { Err(status) }
    }

    /// `pam_setcred` with `PAM_ESTABLISH_CRED`.
    pub fn establish_credentials(&mut self, flags: c_int) -> c_int {
        self.call(pam_setcred, flags | PAM_ESTABLISH_CRED)
    }

    /// `pam_setcred` with `PAM_DELETE_CRED`.
    pub fn delete_credentials(&mut self, flags: c_int) -> c_int {
        self.call(pam_setcred, flags | PAM_DELETE_CRED)
    }

    /// `pam_open_session`.
    pub fn open_session(&mut self, flags: c_int) -> c_int {
        self.call(pam_open_session, flags)
    }

    /// `pam_close_session`.
    pub fn close_session(&mut self, flags: c_int) -> c_int {
        self.call(pam_close_session, flags)
    }

    /// `pam_chauthtok`.
    pub fn chauthtok(&mut self, flags: c_int) -> c_int {
        self.call(pam_chauthtok, flags)
    }

    /// The delays that libpam handed over instead of sleeping them, in microseconds.
    #[must_use]
    pub fn delays(&self) -> Vec<u32> {
        self.context.delays.borrow().clone()
    }
}

impl Handle {
    /// Sets an item; what libpam returned.
    #[must_use]
    pub fn set(&self, item: Item, value: &CStr) -> c_int {
        // SAFETY: the handle is live; the items of `Item` are C strings, which libpam copies.
        unsafe { pam_set_item(self.0, item as c_int, value.as_ptr().cast()) }
    }

    /// Reads an item; `None` if it is not set.
    #[must_use]
    pub fn get(&self, item: Item) -> Option<CString> {
        self.text(item as c_int)
    }

    /// All pairs of the PAM environment.
    #[must_use]
    pub fn environment(&self) -> Vec<CString> {
        // SAFETY: the handle is live.
        let list = unsafe { pam_getenvlist(self.0) };
        let mut pairs = Vec::new();
        for index in 0.. {
            if list.is_null() {
                break;
            }
            // SAFETY: the list goes on up to its null pointer, where this loop ends.
            let place = unsafe { list.add(index) };
            // SAFETY: within the list, see above.
            let pair = unsafe { *place };
            if pair.is_null() {
                break;
            }
            // SAFETY: not null, so a C string.
            pairs.push(unsafe { CStr::from_ptr(pair) }.to_owned());
            // SAFETY: pam_getenvlist(3): the strings are ours to free, and this one is not used again.
            unsafe { libc::free(pair.cast()) };
        }
        // SAFETY: pam_getenvlist(3): the list is ours to free; free(NULL) does nothing.
        unsafe { libc::free(list.cast()) };
        pairs
    }
}

/// Opens the connection to syslog early, as real hosts do, so that a module's first line opens nothing that would look
/// like a leak.
pub fn open_syslog() {
    // SAFETY: the name is static, as openlog(3) demands.
    unsafe {
        libc::openlog(c"pam-driver".as_ptr(), libc::LOG_PID | libc::LOG_NDELAY, libc::LOG_AUTH);
    };
}

/// A broken pipe kills this process, as it does hosts that are written in C.
pub fn die_of_broken_pipes() {
    // SAFETY: the default action is no function of ours, and nothing else in this process sets this signal.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    };
}

/// libpam calls this after success too, and with 0 where no module asked; without it, it would sleep in neither case.
extern "C" fn record_delay(status: c_int, delay: c_uint, context: *mut c_void) {
    let _here = Callback::enter();
    if context.is_null() {
        return;
    }
    // SAFETY: it is the context that was given to `pam_start_confdir`, alive until after `pam_end`; it is only shared.
    let context = unsafe { &*context.cast::<ConversationContext<'_>>() };
    if status != SUCCESS && delay > 0 {
        context.delays.borrow_mut().push(delay);
    }
}
