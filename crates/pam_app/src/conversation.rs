//! The conversation: libpam calls back with the messages of its modules, and is given the answers in memory of malloc's.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    ffi::{CStr, c_char, c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr, slice,
    sync::atomic::{AtomicBool, Ordering},
};

use nix::libc;
use zeroize::Zeroizing;

use crate::{
    code::{BUF_ERR, CONV_ERR, SUCCESS},
    handle::{Handle, PamHandle},
};

/// The most messages that libpam hands over at once (`PAM_MAX_NUM_MSG`).
const MOST_MESSAGES: usize = 32;

/// What a module says or asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'m> {
    /// What kind of message it is.
    pub style: Style,
    /// Its text, which belongs to the module; `None` for a null pointer.
    pub text: Option<&'m CStr>,
}

/// The kinds of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `PAM_PROMPT_ECHO_OFF`: the answer must not be seen.
    EchoOff,
    /// `PAM_PROMPT_ECHO_ON`: the answer may be seen.
    EchoOn,
    /// `PAM_ERROR_MSG`: no answer is wanted.
    ErrorMessage,
    /// `PAM_TEXT_INFO`: no answer is wanted.
    TextInfo,
    /// A number that Linux-PAM does not name.
    Unknown(c_int),
}

/// What an application returns for one message.
pub enum Reply {
    /// A response without a text, as is proper for a message that is no prompt.
    NoText,
    /// A response with this text.
    Text(Zeroizing<Vec<u8>>),
    /// `PAM_SUCCESS` and no responses at all, for any message: against the rules of `pam_conv(3)`.
    NoArray,
    /// This return code, for all messages.
    Fail(c_int),
}

/// Sees each message, with the transaction at hand, and says what to return.
pub type Converse<'a> = dyn FnMut(&Handle, &Message<'_>) -> Reply + 'a;

/// What the callbacks of libpam find through their `appdata_ptr`.
pub(crate) struct ConversationContext<'a> {
    pub(crate) handle: Cell<*mut PamHandle>,
    converse: RefCell<Box<Converse<'a>>>,
    /// A panic of the application, which must not unwind through libpam.
    panic: Cell<Option<Box<dyn Any + Send>>>,
    /// In microseconds; filled only if `harness` has asked for it.
    pub(crate) delays: RefCell<Vec<u32>>,
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

/// `struct pam_conv`.
#[repr(C)]
pub(crate) struct PamConversation {
    converse: extern "C" fn(c_int, *mut *const PamMessage, *mut *mut PamResponse, *mut c_void) -> c_int,
    context: *mut c_void,
}

impl<'a> ConversationContext<'a> {
    pub(crate) fn new(converse: Box<Converse<'a>>) -> Self {
        Self {
            handle: Cell::new(ptr::null_mut()),
            converse: RefCell::new(converse),
            panic: Cell::new(None),
            delays: RefCell::default(),
        }
    }

    /// What libpam is to call back.
    pub(crate) fn conversation(&self) -> PamConversation {
        PamConversation { converse, context: ptr::from_ref(self).cast_mut().cast() }
    }

    /// The panic that a callback has caught.
    pub(crate) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.panic.take()
    }
}

impl From<c_int> for Style {
    fn from(number: c_int) -> Self {
        match number {
            1 => Self::EchoOff,
            2 => Self::EchoOn,
            3 => Self::ErrorMessage,
            4 => Self::TextInfo,
            other => Self::Unknown(other),
        }
    }
}

/// Set while libpam is in a callback.
static IN_CALLBACK: AtomicBool = AtomicBool::new(false);

/// Whether libpam has called the application back: what is done meanwhile is the application's.
#[must_use]
pub fn in_callback() -> bool {
    IN_CALLBACK.load(Ordering::Relaxed)
}

/// Marks the time that libpam is in a callback, for as long as it lives.
pub(crate) struct Callback;

impl Callback {
    pub(crate) fn enter() -> Self {
        IN_CALLBACK.store(true, Ordering::Relaxed);
        Self
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        IN_CALLBACK.store(false, Ordering::Relaxed);
    }
}

/// What libpam calls with the messages of its modules.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    context: *mut c_void,
) -> c_int {
    let _here = Callback::enter();
    if messages.is_null() || responses.is_null() || context.is_null() {
        return CONV_ERR;
    }
    let Some(count) = usize::try_from(count).ok().filter(|count| (1..=MOST_MESSAGES).contains(count)) else {
        return CONV_ERR;
    };
    // SAFETY: it is the context that was given to `pam_start`, whose target outlives the transaction; it is only shared.
    let context = unsafe { &*context.cast::<ConversationContext<'_>>() };
    // SAFETY: pam_conv(3): `messages` has `count` pointers to messages, and nobody writes them during the call.
    let messages = unsafe { slice::from_raw_parts(messages, count) };
    let answered = catch_unwind(AssertUnwindSafe(|| answer_all(context, messages)));
    let answers = match answered {
        Ok(Ok(answers)) => answers,
        Ok(Err(code)) => return code,
        Err(panic) => {
            context.panic.set(Some(panic));
            return CONV_ERR;
        }
    };
    let array = match answers.map_or(Ok(ptr::null_mut()), |answers| responses_of(&answers)) {
        Ok(array) => array,
        Err(code) => return code,
    };
    // SAFETY: not null, as was checked; libpam owns the array from here on.
    unsafe { *responses = array };
    SUCCESS
}

/// The texts of the responses, in the order of the messages.
type Answers = Vec<Option<Zeroizing<Vec<u8>>>>;

/// Asks the application for all answers; `None` for no responses at all.
fn answer_all(context: &ConversationContext<'_>, messages: &[*const PamMessage]) -> Result<Option<Answers>, c_int> {
    // A conversation within a conversation would need the application twice.
    let mut converse = context.converse.try_borrow_mut().map_err(|_| CONV_ERR)?;
    let handle = Handle(context.handle.get());
    let mut answers = Vec::with_capacity(messages.len());
    for &message in messages {
        if message.is_null() {
            return Err(CONV_ERR);
        }
        // SAFETY: not null, and a live message of libpam's.
        let PamMessage { style, text } = unsafe { &*message };
        // SAFETY: the text of a message, if not null, ends with a zero byte and lives during the call.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(*text) });
        match converse(&handle, &Message { style: Style::from(*style), text }) {
            Reply::NoText => answers.push(None),
            Reply::Text(text) => answers.push(Some(text)),
            Reply::NoArray => return Ok(None),
            Reply::Fail(code) => return Err(code),
        }
    }
    Ok(Some(answers))
}

/// Puts the answers into memory of malloc's, which libpam frees.
fn responses_of(answers: &[Option<Zeroizing<Vec<u8>>>]) -> Result<*mut PamResponse, c_int> {
    // SAFETY: calloc has no preconditions; its memory is zeroed, which for a response means: no text, code 0.
    let array = unsafe { libc::calloc(answers.len(), size_of::<PamResponse>()) }.cast::<PamResponse>();
    if array.is_null() {
        return Err(BUF_ERR);
    }
    // SAFETY: calloc gave room for so many, aligned for anything; all zeroes is a response; nobody else knows of it yet.
    let filled = unsafe { slice::from_raw_parts_mut(array, answers.len()) };
    for (answer, response) in answers.iter().zip(filled) {
        let Some(answer) = answer else { continue };
        // SAFETY: calloc has no preconditions; the last byte stays zero.
        let text = unsafe { libc::calloc(answer.len().saturating_add(1), 1) }.cast::<u8>();
        if text.is_null() {
            // The transaction fails. What was copied so far is left to the end of the process.
            return Err(BUF_ERR);
        }
        // SAFETY: both are valid for that many bytes and do not overlap: one was just allocated.
        unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), text, answer.len()) };
        response.text = text.cast();
    }
    Ok(array)
}
