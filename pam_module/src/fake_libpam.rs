//! libpam as far as the boundary calls it, in Rust: Miri runs no C. What stands here is what pam(3) promises to a module;
//! `make miri` looks at every access to memory that `transaction.rs` and pam-bindings make of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::{cell::RefCell, collections::HashMap, mem::size_of_val, path::Path, ptr};

use twinlock_core::{decide::Audience, policy::SecondFactor};
use twinlock_login::{
    attempt::{Login, Outcome},
    wire::NoConversation,
};
use twinlock_store::{config::Config, config::StoreSettings, files::Store, host::SystemClock};

use super::*;

const PAM_SUCCESS: c_int = 0;
const PAM_NO_MODULE_DATA: c_int = 18;
const PAM_CONV_ERR: c_int = 19;

type Cleanup = extern "C" fn(*mut PamHandle, *mut c_void, c_int);

/// What the application and the modules before this one have said.
#[derive(Default)]
struct Host {
    items: HashMap<c_int, CString>,
    environment: HashMap<CString, CString>,
    data: HashMap<CString, (*mut c_void, Cleanup)>,
    conversation: Option<Box<Conversing>>,
    answer: Option<Answer>,
    asked: Vec<String>,
}

/// `struct pam_conv`.
#[repr(C)]
struct Conversing {
    converse: extern "C" fn(c_int, *mut *const PromptedMessage, *mut *mut Response, *mut c_void) -> c_int,
    context: *mut c_void,
}

/// `struct pam_message`.
#[repr(C)]
struct PromptedMessage {
    style: c_int,
    text: *const c_char,
}

/// `struct pam_response`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Response {
    text: *mut c_char,
    code: c_int,
}

/// How an application answers.
#[derive(Clone)]
enum Answer {
    Text(Vec<u8>),
    NoText,
    NoArray,
    Failure,
}

thread_local! {
    // A handle has no content of its own here: Rust's references to it are of no size.
    static HOST: RefCell<Host> = RefCell::default();
}

unsafe extern "C" {
    fn malloc(size_bytes: usize) -> *mut c_void;
}

/// What the caller frees.
fn handed_out<T: Copy>(content: &[T]) -> *mut T {
    // SAFETY: any size will do.
    let place = unsafe { malloc(size_of_val(content)) }.cast::<T>();
    // SAFETY: of that size, and nobody else's.
    unsafe { place.copy_from_nonoverlapping(content.as_ptr(), content.len()) };
    place
}

extern "C" fn converse(
    _: c_int,
    messages: *mut *const PromptedMessage,
    responses: *mut *mut Response,
    _: *mut c_void,
) -> c_int {
    // SAFETY: as pam_conv(3) says, an array of one message.
    let message = unsafe { messages.read() };
    // SAFETY: the same.
    let message = unsafe { &*message };
    // SAFETY: a string that ends with a zero byte.
    let prompt = unsafe { CStr::from_ptr(message.text) };
    let answer = HOST.with_borrow_mut(|host| {
        host.asked.push(prompt.to_str().unwrap().to_owned());
        host.answer.clone().unwrap()
    });
    let text = match answer {
        Answer::Failure => return PAM_CONV_ERR,
        Answer::NoArray => return PAM_SUCCESS,
        Answer::NoText => ptr::null_mut(),
        Answer::Text(bytes) => handed_out(text(&bytes).as_bytes_with_nul()).cast(),
    };
    // SAFETY: a place for a pointer.
    unsafe { responses.write(handed_out(&[Response { text, code: 0 }])) };
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_get_item(_: *const PamHandle, kind: c_int, item: *mut *const c_void) -> c_int {
    let found = HOST.with_borrow(|host| match (kind, &host.conversation) {
        (5, Some(conversation)) => ptr::from_ref(&**conversation).cast(),
        _ => host.items.get(&kind).map_or(ptr::null(), |text| text.as_ptr().cast()),
    });
    // SAFETY: a place for a pointer.
    unsafe { *item = found };
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_set_item(_: *mut PamHandle, kind: c_int, item: *const c_void) -> c_int {
    // SAFETY: a string that ends with a zero byte, and is copied.
    let text = unsafe { CStr::from_ptr(item.cast()) }.to_owned();
    HOST.with_borrow_mut(|host| host.items.insert(kind, text));
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_getenv(_: *mut PamHandle, name: *const c_char) -> *const c_char {
    // SAFETY: a string that ends with a zero byte.
    let name = unsafe { CStr::from_ptr(name) };
    HOST.with_borrow(|host| host.environment.get(name).map_or(ptr::null(), |value| value.as_ptr()))
}

#[unsafe(no_mangle)]
extern "C" fn pam_putenv(_: *mut PamHandle, pair: *const c_char) -> c_int {
    // SAFETY: a string that ends with a zero byte, and is copied.
    let pair = unsafe { CStr::from_ptr(pair) }.to_str().unwrap();
    HOST.with_borrow_mut(|host| match pair.split_once('=') {
        Some((name, value)) => host.environment.insert(text(name.as_bytes()), text(value.as_bytes())),
        None => host.environment.remove(&text(pair.as_bytes())),
    });
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_get_user(_: *mut PamHandle, user: *mut *const c_char, _: *const c_char) -> c_int {
    let name = HOST.with_borrow(|host| host.items.get(&2).map_or(ptr::null(), |name| name.as_ptr()));
    // SAFETY: a place for a pointer.
    unsafe { *user = name };
    if name.is_null() { PAM_CONV_ERR } else { PAM_SUCCESS }
}

#[unsafe(no_mangle)]
extern "C" fn pam_get_data(_: *const PamHandle, name: *const c_char, data: *mut *const c_void) -> c_int {
    // SAFETY: a string that ends with a zero byte.
    let name = unsafe { CStr::from_ptr(name) };
    let Some(found) = HOST.with_borrow(|host| host.data.get(name).map(|(data, _)| *data)) else {
        return PAM_NO_MODULE_DATA;
    };
    // SAFETY: a place for a pointer.
    unsafe { *data = found };
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_set_data(handle: *mut PamHandle, name: *const c_char, data: *mut c_void, cleanup: Cleanup) -> c_int {
    // SAFETY: a string that ends with a zero byte.
    let name = unsafe { CStr::from_ptr(name) }.to_owned();
    let before = HOST.with_borrow_mut(|host| host.data.insert(name, (data, cleanup)));
    if let Some((data, cleanup)) = before {
        cleanup(handle, data, 0);
    }
    PAM_SUCCESS
}

#[unsafe(no_mangle)]
extern "C" fn pam_fail_delay(_: *mut PamHandle, _: c_uint) -> c_int {
    PAM_SUCCESS
}

/// One transaction on a fresh host, ended as `pam_end` ends it.
fn transact(prepare: impl FnOnce(&mut Host), test: impl FnOnce(&mut Transaction<'_>)) {
    HOST.with_borrow_mut(|host| {
        *host = Host::default();
        host.conversation = Some(Box::new(Conversing { converse, context: ptr::null_mut() }));
        prepare(host);
    });
    let handle: *mut PamHandle = ptr::dangling_mut();
    // SAFETY: a handle has no content, so any place that is not null will do.
    let mut transaction = Transaction::new(unsafe { &mut *handle }, 0);
    test(&mut transaction);
    let data = HOST.with_borrow_mut(|host| std::mem::take(&mut host.data));
    for (data, cleanup) in data.into_values() {
        cleanup(handle, data, 0);
    }
    HOST.take();
}

fn text(bytes: &[u8]) -> CString {
    CString::new(bytes).unwrap()
}

/// As policy makes it where it asks nobody; no file is opened.
fn exempt() -> Exempt {
    let store = Store::at(&StoreSettings { directory: "/nowhere".into(), key_file: None }, Path::new("/nowhere"));
    let login = Login {
        credentials: &store.credentials,
        states: &store.states,
        clock: &SystemClock,
        limits: Config::default().limits(),
        prompt: "",
        from: None,
        network: None,
        client: None,
        audience: Audience::User,
        forecast: None,
    };
    match login.attempt(None, SecondFactor::Skip, &mut NoConversation).outcome {
        Outcome::NotAsked(exempt) => exempt,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_host_says_is_copied() {
    let prepare = |host: &mut Host| {
        host.items =
            [(1, &b"sshd"[..]), (2, b"al\xffice"), (4, &[b'x'; 300])].map(|(kind, item)| (kind, text(item))).into();
        host.environment.insert(text(b"SSH_AUTH_INFO_0"), text(b"password\n"));
    };
    transact(prepare, |transaction| {
        assert_eq!((transaction.user.clone(), transaction.service.as_str()), (Ok(b"al\xffice".to_vec()), "sshd"));
        assert_eq!(transaction.rhost.as_ref().map(String::len), Some(256));
        assert!(transaction.first_factors.any());
        HOST.with_borrow_mut(|host| host.items.clear());
        assert_eq!((transaction.service.as_str(), transaction.password()), ("sshd", None));
        assert!(transaction.user_now().is_err());
        transaction.set_password(b"secret");
        assert_eq!(transaction.password().as_deref().map(Vec::as_slice), Some(&b"secret"[..]));
        transaction.ask_for_fail_delay(Duration::from_secs(1));
    });
}

#[test]
fn every_answer_is_copied_and_given_back() {
    let conversation_failed = Err(NoAnswer { code: PAM_CONV_ERR });
    for (answer, expected) in [
        (Answer::Text(b"123456".to_vec()), Ok(b"123456".to_vec())),
        (Answer::Text(Vec::new()), Ok(Vec::new())),
        (Answer::Text(vec![0xff; 3000]), Ok(vec![0xff; 3000])),
        (Answer::NoText, conversation_failed.clone()),
        (Answer::NoArray, conversation_failed.clone()),
        (Answer::Failure, conversation_failed),
    ] {
        transact(
            |host| host.answer = Some(answer),
            |transaction| {
                assert_eq!(transaction.ask(Question::Code("Code: ")).map(|answer| answer.to_vec()), expected);
                assert_eq!(HOST.with_borrow(|host| host.asked.clone()), ["Code: "]);
            },
        );
    }
}

#[test]
fn without_a_conversation_there_is_no_answer() {
    let unset = |host: &mut Host| host.conversation = None;
    transact(unset, |transaction| {
        assert_eq!(
            transaction.ask(Question::Code("Code: ")).map(|answer| answer.to_vec()),
            Err(NoAnswer { code: PAM_CONV_ERR })
        );
        transaction.tell("nobody hears it");
    });
}

#[test]
fn the_result_of_the_auth_phase_is_read_as_it_was_set_and_goes_with_the_transaction() {
    let alone = |host: &mut Host| host.answer = Some(Answer::NoText);
    transact(alone, |transaction| {
        assert!(transaction.auth_result().is_none());
        let name = twinlock_core::account::UserName::parse(b"alice").unwrap();
        for uid in [1001, 1002] {
            let subject = Subject { name: name.clone(), uid };
            transaction.set_auth_result(Some(AuthResult { subject, evidence: Evidence::Exempt(exempt()) })).unwrap();
            assert_eq!(transaction.auth_result().map(|passed| passed.subject.uid), Some(uid));
        }
        transaction.set_auth_result(None).unwrap();
        assert!(transaction.auth_result().is_none());
        transaction.warn("told");
    });
}

#[test]
fn what_is_handed_over_is_taken_once() {
    let id = PendingId::parse("0123456789abcdef0123456789abcdef").unwrap();
    transact(
        |_| (),
        |transaction| {
            assert_eq!(transaction.take_pending(), None);
            transaction.set_pending(&id).unwrap();
            assert_eq!(transaction.take_pending(), Some(id.clone()));
            assert!(!has_pending(transaction.handle));
            HOST.with_borrow_mut(|host| host.environment.insert(PENDING.to_owned(), text(b"x\xff")));
            assert_eq!(transaction.take_pending(), None, "something else is taken out too");
            assert!(!has_pending(transaction.handle));
        },
    );
}
