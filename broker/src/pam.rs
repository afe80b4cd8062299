//! One PAM transaction, for the password of an account. Runs only in the helper process.

use std::ffi::{CString, c_int};

use twinlock_pam_app::{
    Handle, Message, PamTransaction, Reply, Style,
    code::{BUF_ERR, CONV_ERR, SUCCESS},
};
use zeroize::Zeroizing;

const PAM_DISALLOW_NULL_AUTHTOK: c_int = 1;

/// What a module asks or says, as bytes.
pub(crate) enum PamQuestion<'a> {
    /// The answer may be seen.
    Shown(&'a [u8]),
    /// The answer must not be seen.
    Hidden(&'a [u8]),
    /// No answer is wanted.
    None(&'a [u8]),
}

/// Gives the answer to a question; `None` if there is none.
pub(crate) type Answering<'a> = dyn FnMut(PamQuestion<'_>) -> Option<Zeroizing<Vec<u8>>> + 'a;

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
        return Err(Refused { phase: "start", code: BUF_ERR });
    };
    let converse = |_: &Handle, message: &Message<'_>| reply(message, answering);
    let refused = |phase| move |code| Refused { phase, code };
    let mut transaction = PamTransaction::start(&service, Some(&name), Box::new(converse)).map_err(refused("start"))?;
    let variable = variable.map_or(SUCCESS, |variable| transaction.handle().put_environment(&variable));
    succeeded(variable).map_err(refused("start"))?;
    succeeded(transaction.authenticate(PAM_DISALLOW_NULL_AUTHTOK)).map_err(refused("auth"))?;
    succeeded(transaction.acct_mgmt(PAM_DISALLOW_NULL_AUTHTOK)).map_err(refused("account"))?;
    // A module may have made somebody else of the user.
    if transaction.handle().user().as_ref() == Some(&name) {
        Ok(())
    } else {
        Err(Refused { phase: "user", code: SUCCESS })
    }
}

const fn succeeded(code: c_int) -> Result<(), c_int> {
    if code == SUCCESS { Ok(()) } else { Err(code) }
}

/// What libpam is given for a message.
fn reply(message: &Message<'_>, answering: &mut Answering<'_>) -> Reply {
    let text = message.text.unwrap_or_default().to_bytes();
    let question = match message.style {
        Style::EchoOff => PamQuestion::Hidden(text),
        Style::EchoOn => PamQuestion::Shown(text),
        Style::ErrorMessage | Style::TextInfo => PamQuestion::None(text),
        Style::Unknown(_) => return Reply::Fail(CONV_ERR),
    };
    let is_prompt = !matches!(question, PamQuestion::None(_));
    match answering(question) {
        // libpam would take what is before a zero byte for the answer.
        Some(answer) if answer.contains(&0) => Reply::Fail(CONV_ERR),
        Some(answer) if is_prompt => Reply::Text(answer),
        Some(_) => Reply::NoText,
        None => Reply::Fail(CONV_ERR),
    }
}
