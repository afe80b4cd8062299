//! libpam from the side of an application. All unsafe code of the harness stands here; nothing is decided here.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::mem::size_of;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{ptr, slice};

use nix::libc;
use zeroize::{Zeroize as _, Zeroizing};

use crate::pam_names::{Operation, Style};
use crate::script::Message;

const PAM_SUCCESS: c_int = 0;
const PAM_CONV_ERR: c_int = 19;
const PAM_ESTABLISH_CRED: c_int = 2;
const PAM_DELETE_CRED: c_int = 4;
const PAM_FAIL_DELAY: c_int = 10;

/// The items an application sets or reads as text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item {
    User = 2,
    Tty = 3,
    RemoteHost = 4,
}

/// What the conversation returns for one message.
pub(crate) enum Reply {
    /// No text, as is proper for a message that is no prompt.
    NoText,
    Text(Vec<u8>),
    /// `PAM_SUCCESS`, but no array at all.
    NoArray,
    Fail(c_int),
}

/// Sees each message, with the transaction at hand, and says what to return.
pub(crate) type Converse<'a> = dyn FnMut(&Handle, &Message) -> Reply + 'a;

#[repr(C)]
struct PamHandle {
    _opaque: [u8; 0],
}

#[repr(C)]
struct PamMessage {
    style: c_int,
    text: *const c_char,
}

#[repr(C)]
struct PamResponse {
    text: *mut c_char,
    code: c_int,
}

#[repr(C)]
struct PamConversation {
    converse: extern "C" fn(c_int, *mut *const PamMessage, *mut *mut PamResponse, *mut c_void) -> c_int,
    context: *mut c_void,
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const PamConversation,
        configuration: *const c_char,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_end(handle: *mut PamHandle, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_open_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_close_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_chauthtok(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_item(handle: *const PamHandle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_putenv(handle: *mut PamHandle, pair: *const c_char) -> c_int;
    fn pam_getenvlist(handle: *mut PamHandle) -> *mut *mut c_char;
}

/// What the callbacks of libpam find through their `appdata_ptr`.
struct Context<'a> {
    handle: Cell<*mut PamHandle>,
    converse: RefCell<Box<Converse<'a>>>,
    delays: RefCell<Vec<u32>>,
}

/// A pointer that libpam gave us and has not taken back.
pub(crate) struct Handle(*mut PamHandle);

/// One transaction, from `pam_start_confdir` to `pam_end`.
pub(crate) struct Transaction<'a> {
    handle: Handle,
    status: c_int,
    // Behind a box, because libpam keeps its address.
    context: Box<Context<'a>>,
}

impl<'a> Transaction<'a> {
    /// Starts one, or returns libpam's error.
    pub(crate) fn start(
        service: &CStr,
        user: Option<&CStr>,
        configuration: &CStr,
        converse: Box<Converse<'a>>,
    ) -> Result<Self, c_int> {
        let context = Box::new(Context {
            handle: Cell::new(ptr::null_mut()),
            converse: RefCell::new(converse),
            delays: RefCell::default(),
        });
        let address = ptr::from_ref(&*context).cast_mut().cast();
        let conversation = PamConversation { converse: answer, context: address };
        let mut handle = ptr::null_mut();
        let user = user.map_or(ptr::null(), CStr::as_ptr);
        // SAFETY: all pointers are to live C strings and structs, or NULL where pam_start(3) allows it (the user);
        // libpam copies the strings and `conversation`, and `context` outlives the transaction, see `Drop`.
        let status = unsafe {
            pam_start_confdir(service.as_ptr(), user, &raw const conversation, configuration.as_ptr(), &raw mut handle)
        };
        if status != PAM_SUCCESS {
            return Err(status);
        }
        context.handle.set(handle);
        let transaction = Self { handle: Handle(handle), status, context };
        let recorder: extern "C" fn(c_int, c_uint, *mut c_void) = record_delay;
        // SAFETY: the handle is live; PAM_FAIL_DELAY takes a function of this type (pam_fail_delay(3)).
        let set = unsafe { pam_set_item(handle, PAM_FAIL_DELAY, recorder as *const c_void) };
        assert_eq!(set, PAM_SUCCESS, "libpam takes a PAM_FAIL_DELAY function");
        Ok(transaction)
    }

    /// Runs one operation and returns libpam's code.
    pub(crate) fn run(&mut self, operation: Operation, flags: c_int) -> c_int {
        let (function, flags): (unsafe extern "C" fn(*mut PamHandle, c_int) -> c_int, c_int) = match operation {
            Operation::Authenticate => (pam_authenticate, flags),
            Operation::SetCred => (pam_setcred, flags | PAM_ESTABLISH_CRED),
            Operation::DeleteCred => (pam_setcred, flags | PAM_DELETE_CRED),
            Operation::AcctMgmt => (pam_acct_mgmt, flags),
            Operation::OpenSession => (pam_open_session, flags),
            Operation::CloseSession => (pam_close_session, flags),
            Operation::ChAuthTok => (pam_chauthtok, flags),
        };
        // SAFETY: the handle is live; each of these functions takes a handle and flags.
        self.status = unsafe { function(self.handle.0, flags) };
        self.status
    }

    /// The delays that libpam handed over instead of sleeping them, in microseconds.
    pub(crate) fn delays(&self) -> Vec<u32> {
        self.context.delays.borrow().clone()
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is live and not used afterwards; `context` is dropped only after this call.
        unsafe { pam_end(self.handle.0, self.status) };
    }
}

impl Handle {
    pub(crate) fn set(&self, item: Item, value: &CStr) -> c_int {
        // SAFETY: the handle is live; the items of `Item` are C strings, which libpam copies.
        unsafe { pam_set_item(self.0, item as c_int, value.as_ptr().cast()) }
    }

    pub(crate) fn text(&self, item: Item) -> Option<CString> {
        let mut value = ptr::null();
        // SAFETY: the handle is live and `value` a place for a pointer.
        let status = unsafe { pam_get_item(self.0, item as c_int, &raw mut value) };
        // SAFETY: not NULL, so a C string, which belongs to libpam and is copied at once.
        (status == PAM_SUCCESS && !value.is_null()).then(|| unsafe { CStr::from_ptr(value.cast()) }.to_owned())
    }

    pub(crate) fn put_environment(&self, pair: &CStr) -> c_int {
        // SAFETY: the handle is live; libpam copies the pair.
        unsafe { pam_putenv(self.0, pair.as_ptr()) }
    }

    /// All pairs of the PAM environment.
    pub(crate) fn environment(&self) -> Vec<CString> {
        // SAFETY: the handle is live.
        let list = unsafe { pam_getenvlist(self.0) };
        let mut pairs = Vec::new();
        for index in 0.. {
            if list.is_null() {
                break;
            }
            // SAFETY: the list goes on up to its NULL, where this loop ends.
            let place = unsafe { list.add(index) };
            // SAFETY: within the list, see above.
            let pair = unsafe { *place };
            if pair.is_null() {
                break;
            }
            // SAFETY: not NULL, so a C string.
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
pub(crate) fn open_syslog() {
    // SAFETY: the name is static, as openlog(3) demands.
    unsafe {
        libc::openlog(c"pam-driver".as_ptr(), libc::LOG_PID | libc::LOG_NDELAY, libc::LOG_AUTH);
    };
}

/// A broken pipe kills this process, as it does hosts that are written in C.
pub(crate) fn die_of_broken_pipes() {
    // SAFETY: the default action is no function of ours, and nothing else in this process sets this signal.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    };
}

/// Set while libpam is in one of the two callbacks below.
static IN_CALLBACK: AtomicBool = AtomicBool::new(false);

/// Whether libpam has called the application back: what is done meanwhile is the application's.
pub fn in_callback() -> bool {
    IN_CALLBACK.load(Ordering::Relaxed)
}

/// Sets [`IN_CALLBACK`] for as long as it lives.
struct Callback;

impl Callback {
    fn enter() -> Self {
        IN_CALLBACK.store(true, Ordering::Relaxed);
        Self
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        IN_CALLBACK.store(false, Ordering::Relaxed);
    }
}

/// libpam calls this after success too, and with 0 where no module asked; without it, it would sleep in neither case.
extern "C" fn record_delay(status: c_int, delay: c_uint, context: *mut c_void) {
    let _here = Callback::enter();
    // SAFETY: `context` is the one given to pam_start_confdir, alive until pam_end.
    let context = unsafe { &*context.cast::<Context<'_>>() };
    if status != PAM_SUCCESS && delay > 0 {
        context.delays.borrow_mut().push(delay);
    }
}

extern "C" fn answer(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    context: *mut c_void,
) -> c_int {
    let _here = Callback::enter();
    let Ok(count) = usize::try_from(count) else {
        return PAM_CONV_ERR;
    };
    if messages.is_null() || responses.is_null() || count == 0 {
        return PAM_CONV_ERR;
    }
    // SAFETY: `context` is the one given to pam_start_confdir, alive until pam_end.
    let context = unsafe { &*context.cast::<Context<'_>>() };
    let handle = Handle(context.handle.get());
    // SAFETY: pam_conv(3): an array of `count` pointers, as Linux-PAM lays it out.
    let messages = unsafe { slice::from_raw_parts(messages, count) };
    let mut texts = Vec::new();
    for pointer in messages {
        // SAFETY: each points to a message that lives as long as this call.
        let message = unsafe { &**pointer };
        let text = if message.text.is_null() {
            String::from("(NULL)")
        } else {
            // SAFETY: not NULL, so a C string.
            unsafe { CStr::from_ptr(message.text) }.to_string_lossy().into_owned()
        };
        let mut message = Message { style: Style::from(message.style), text };
        let reply = (context.converse.borrow_mut())(&handle, &message);
        message.text.zeroize();
        match reply {
            Reply::NoText => texts.push(None),
            Reply::Text(text) => texts.push(Some(Zeroizing::new(text))),
            Reply::NoArray => {
                // SAFETY: `responses` is a place for a pointer, checked above.
                unsafe { *responses = ptr::null_mut() };
                return PAM_SUCCESS;
            }
            Reply::Fail(code) => return code,
        }
    }
    let array = allocated::<PamResponse>(count);
    for (response, text) in array.iter_mut().zip(texts) {
        if let Some(text) = text {
            // One more byte than the text, and it is NUL.
            let copy = allocated::<u8>(text.len() + 1);
            copy[..text.len()].copy_from_slice(&text);
            response.text = copy.as_mut_ptr().cast();
        }
    }
    // SAFETY: `responses` is a place for a pointer, checked above; the array is calloc's, and the module frees it.
    unsafe { *responses = array.as_mut_ptr() };
    PAM_SUCCESS
}

/// Zeroed memory of the C allocator, which the receiver frees. `T` is valid as all zeros.
fn allocated<T>(count: usize) -> &'static mut [T] {
    // SAFETY: calloc(3) takes any two numbers.
    let memory = unsafe { libc::calloc(count, size_of::<T>()) };
    assert!(!memory.is_null(), "memory for an answer");
    // SAFETY: `count` zeroed elements, aligned for anything, owned by nobody else; both users are valid as zeros.
    unsafe { slice::from_raw_parts_mut(memory.cast::<T>(), count) }
}
