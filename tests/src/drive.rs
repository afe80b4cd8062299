//! The inside of `pam-driver`: plays one `Spec` against libpam and reports what came of it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::CString;
use std::io::{Write, stdin, stdout};

use nix::unistd::close;

use crate::host_state::{HostState, resident_kib};
use crate::pam_app::{self, Handle, Item, PamTransaction, Reply, die_of_broken_pipes, open_syslog};
use crate::pam_names::PamCode;
use crate::script::{Give, Message, Report, Spec, Step};

/// A point on the way of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Just before the first operation.
    Begun,
    /// Just after the last operation.
    Ended,
}

/// Runs one transaction in this process.
///
/// # Panics
/// When the spec holds a NUL byte where libpam takes a C string.
pub fn drive(spec: &Spec) -> Report {
    drive_watched(spec, &|_| ())
}

/// The same with somebody who is told how far it is.
///
/// # Panics
/// As [`drive`].
pub fn drive_watched(spec: &Spec, watch: &dyn Fn(Moment)) -> Report {
    open_syslog();
    die_of_broken_pipes();
    for number in &spec.closed {
        let _already_closed = close(*number);
    }
    let messages = RefCell::new(Vec::new());
    let mut script: VecDeque<Step> = spec.script.clone().into();
    let converse = |handle: &Handle, message: &Message| {
        messages.borrow_mut().push(message.clone());
        if message.style.is_prompt() { reply(handle, script.pop_front()) } else { Reply::NoText }
    };
    let before = HostState::read();
    let resident_before = resident_kib();
    let start = start(spec, converse);
    let mut report = Report {
        start: start.as_ref().err().map_or(PamCode::Success, |code| PamCode::from(*code)),
        codes: Vec::new(),
        messages: Vec::new(),
        fail_delays: Vec::new(),
        user: None,
        pam_environment: Vec::new(),
        after: before.clone(),
        before,
        grown_kib: 0,
    };
    if let Ok(mut transaction) = start {
        play(spec, watch, &mut transaction, &mut report);
        drop(transaction);
    }
    report.messages = messages.take();
    report.grown_kib = i64::try_from(resident_kib()).unwrap_or(0) - i64::try_from(resident_before).unwrap_or(0);
    report.after = HostState::read();
    report
}

/// Starts the transaction that a spec describes.
pub(crate) fn start<'a>(
    spec: &Spec,
    converse: impl FnMut(&Handle, &Message) -> Reply + 'a,
) -> Result<PamTransaction<'a>, i32> {
    let service = c_string(spec.service.as_bytes());
    let user = spec.user.as_deref().map(c_string);
    let configuration = c_string(spec.configuration.as_os_str().as_encoded_bytes());
    let transaction = pam_app::start(&service, user.as_deref(), &configuration, converse)?;
    for (item, value) in [(Item::RemoteHost, &spec.rhost), (Item::Tty, &spec.tty)] {
        if let Some(value) = value {
            let _what_libpam_says = transaction.handle().set(item, &c_string(value));
        }
    }
    for pair in &spec.pam_environment {
        let _what_libpam_says = transaction.handle().put_environment(&c_string(pair.as_bytes()));
    }
    Ok(transaction)
}

fn play(spec: &Spec, watch: &dyn Fn(Moment), transaction: &mut PamTransaction<'_>, report: &mut Report) {
    report.codes.reserve(spec.operations.len());
    watch(Moment::Begun);
    for operation in &spec.operations {
        let code = pam_app::run(transaction, *operation, spec.flags);
        report.codes.push((*operation, PamCode::from(code)));
    }
    watch(Moment::Ended);
    report.fail_delays = transaction.delays();
    report.user = transaction.handle().get(Item::User).map(|user| user.to_string_lossy().into_owned());
    report.pam_environment =
        transaction.handle().environment().iter().map(|pair| pair.to_string_lossy().into_owned()).collect();
}

fn reply(handle: &Handle, step: Option<Step>) -> Reply {
    let step = step.unwrap_or_default();
    if step.held {
        let mut line = String::new();
        let told = stdout().write_all(b"held\n").and_then(|()| stdout().flush());
        told.and_then(|()| stdin().read_line(&mut line)).expect("the harness is at the other end");
    }
    if let Some(user) = step.change_user {
        let _what_libpam_says = handle.set(Item::User, &c_string(&user));
    }
    match step.give {
        Give::Bytes(bytes) => Reply::Text(bytes.into()),
        Give::Huge { length, byte } => Reply::Text(vec![byte; length].into()),
        Give::NullText => Reply::NoText,
        Give::NullArray => Reply::NoArray,
        Give::ConvErr => Reply::Fail(PamCode::ConvErr.into()),
        Give::Code(code) => Reply::Fail(code),
    }
}

fn c_string(bytes: impl AsRef<[u8]>) -> CString {
    CString::new(bytes.as_ref()).expect("no NUL byte in a C string")
}
