//! libpam from the side of an application: one transaction, for the password of an account. Runs only in the helper
//! process.

use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr, slice,
};

use nix::libc;
use zeroize::Zeroizing;

// pam_modules.h and _pam_types.h of Linux-PAM.
const PAM_SUCCESS: c_int = 0;
const PAM_BUF_ERR: c_int = 5;
const PAM_CONV_ERR: c_int = 19;
const PAM_DISALLOW_NULL_AUTHTOK: c_int = 1;
const PAM_USER: c_int = 2;
const PAM_PROMPT_ECHO_OFF: c_int = 1;
const PAM_PROMPT_ECHO_ON: c_int = 2;
const PAM_ERROR_MSG: c_int = 3;
const PAM_TEXT_INFO: c_int = 4;
/// The most messages that libpam hands over at once.
const PAM_MAX_NUM_MSG: c_int = 32;

/// What a module asks or says, as bytes.
pub(crate) enum Question<'a> {
    /// The answer may be seen.
    Shown(&'a [u8]),
    /// The answer must not be seen.
    Hidden(&'a [u8]),
    /// No answer is wanted.
    None(&'a [u8]),
}

/// Gives the answer to a question; `None` if there is none.
pub(crate) type Answering<'a> = dyn FnMut(Question<'_>) -> Option<Zeroizing<Vec<u8>>> + 'a;

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

/// What libpam refused, and with which code.
pub(crate) struct Refused {
    pub(crate) phase: &'static str,
    pub(crate) code: c_int,
}

/// Whether `user` gave what the service asks for, such as the password, and the account is in order. Anything else, also
/// an empty password, is no. A variable, `NAME=VALUE`, is put into PAM's environment before.
pub(crate) fn authenticate(
    service: &str,
    user: &str,
    variable: Option<&str>,
    answering: &mut Answering<'_>,
) -> Result<(), Refused> {
    let (Ok(service), Ok(name), Ok(variable)) =
        (CString::new(service), CString::new(user), variable.map(CString::new).transpose())
    else {
        return Err(Refused { phase: "start", code: PAM_BUF_ERR });
    };
    let mut answering: &mut Answering<'_> = answering;
    let conversation = PamConversation { converse, context: ptr::from_mut(&mut answering).cast() };
    let mut handle = ptr::null_mut();
    // SAFETY: both strings are live and end with a zero byte, and libpam copies them and `conversation`; what `context`
    // points to lives until after `pam_end` below.
    let started = unsafe { pam_start(service.as_ptr(), name.as_ptr(), &raw const conversation, &raw mut handle) };
    if started != PAM_SUCCESS || handle.is_null() {
        return Err(Refused { phase: "start", code: started });
    }
    // SAFETY: the handle is live, the variable ends with a zero byte, and libpam copies it.
    let mut status = variable.map_or(PAM_SUCCESS, |variable| unsafe { pam_putenv(handle, variable.as_ptr()) });
    let mut phase = "start";
    if status == PAM_SUCCESS {
        phase = "auth";
        // SAFETY: the handle is live.
        status = unsafe { pam_authenticate(handle, PAM_DISALLOW_NULL_AUTHTOK) };
    }
    if status == PAM_SUCCESS {
        phase = "account";
        // SAFETY: the handle is live.
        status = unsafe { pam_acct_mgmt(handle, PAM_DISALLOW_NULL_AUTHTOK) };
    }
    // A module may have made somebody else of the user.
    let same = status == PAM_SUCCESS && user_of(handle).as_deref() == Some(name.as_c_str());
    // SAFETY: the handle is live, and used no more after this.
    unsafe { pam_end(handle, status) };
    match (status, same) {
        (PAM_SUCCESS, true) => Ok(()),
        (PAM_SUCCESS, false) => Err(Refused { phase: "user", code: PAM_SUCCESS }),
        (code, _) => Err(Refused { phase, code }),
    }
}

fn user_of(handle: *const PamHandle) -> Option<CString> {
    let mut item = ptr::null();
    // SAFETY: the handle is live; `item` takes a pointer.
    let status = unsafe { pam_get_item(handle, PAM_USER, &raw mut item) };
    if status != PAM_SUCCESS || item.is_null() {
        return None;
    }
    // SAFETY: libpam's PAM_USER is a string that ends with a zero byte, and lives while nothing else is done with the handle.
    let name = unsafe { CStr::from_ptr(item.cast()) };
    Some(name.to_owned())
}

/// What libpam calls with the questions of its modules.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    context: *mut c_void,
) -> c_int {
    // A panic must not unwind into C.
    catch_unwind(AssertUnwindSafe(|| answer_all(count, messages, responses, context))).unwrap_or(PAM_CONV_ERR)
}

fn answer_all(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    context: *mut c_void,
) -> c_int {
    let Some(number) = usize::try_from(count).ok().filter(|_| (1..=PAM_MAX_NUM_MSG).contains(&count)) else {
        return PAM_CONV_ERR;
    };
    if messages.is_null() || responses.is_null() || context.is_null() {
        return PAM_CONV_ERR;
    }
    // SAFETY: it is the context that was given to `pam_start`, whose target outlives the transaction, and libpam calls
    // one conversation at a time.
    let answering = unsafe { &mut *context.cast::<&mut Answering<'_>>() };
    // SAFETY: pam_conv(3): `messages` has `number` pointers to messages, and nobody writes them during the call.
    let messages = unsafe { slice::from_raw_parts(messages, number) };
    let mut answers = Vec::with_capacity(number);
    for &message in messages {
        if message.is_null() {
            return PAM_CONV_ERR;
        }
        // SAFETY: not null, and a live message of libpam's.
        let PamMessage { style, text } = unsafe { &*message };
        // SAFETY: the text of a message, if not null, ends with a zero byte and lives during the call.
        let text = if text.is_null() { c"" } else { unsafe { CStr::from_ptr(*text) } };
        let question = match *style {
            PAM_PROMPT_ECHO_OFF => Question::Hidden(text.to_bytes()),
            PAM_PROMPT_ECHO_ON => Question::Shown(text.to_bytes()),
            PAM_ERROR_MSG | PAM_TEXT_INFO => Question::None(text.to_bytes()),
            _ => return PAM_CONV_ERR,
        };
        let wants_answer = !matches!(question, Question::None(_));
        match answering(question) {
            Some(answer) if !answer.contains(&0) => answers.push(wants_answer.then_some(answer)),
            Some(_) | None => return PAM_CONV_ERR,
        }
    }
    hand_over(&answers, responses)
}

/// Gives libpam the answers in memory of malloc's, which it frees.
fn hand_over(answers: &[Option<Zeroizing<Vec<u8>>>], responses: *mut *mut PamResponse) -> c_int {
    // SAFETY: calloc has no preconditions; its memory is zeroed, which for a response means: no text, code 0.
    let array = unsafe { libc::calloc(answers.len(), size_of::<PamResponse>()) }.cast::<PamResponse>();
    if array.is_null() {
        return PAM_BUF_ERR;
    }
    // SAFETY: calloc gave room for so many, aligned for anything; all zeroes is a response; nobody else knows of it yet.
    let filled = unsafe { slice::from_raw_parts_mut(array, answers.len()) };
    let mut failed = false;
    for (answer, response) in answers.iter().zip(filled) {
        let Some(answer) = answer else { continue };
        // SAFETY: calloc has no preconditions; the last byte stays zero.
        let text = unsafe { libc::calloc(answer.len().saturating_add(1), 1) }.cast::<u8>();
        if text.is_null() {
            failed = true;
            break;
        }
        // SAFETY: both are valid for that many bytes and do not overlap: one was just allocated.
        unsafe { ptr::copy_nonoverlapping(answer.as_ptr(), text, answer.len()) };
        response.text = text.cast();
    }
    if failed {
        // The process ends soon after; what was copied so far is wiped with it, not before.
        return PAM_BUF_ERR;
    }
    // SAFETY: not null, as was checked; libpam owns the array from here on.
    unsafe { *responses = array };
    PAM_SUCCESS
}
