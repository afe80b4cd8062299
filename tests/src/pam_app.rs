//! Transactions in the words of the harness: messages of scripts, operations of specs. The calls into libpam are those of
//! `twinlock-pam-app`.

use std::ffi::CStr;

use zeroize::Zeroize as _;

pub(crate) use twinlock_pam_app::harness::{Item, die_of_broken_pipes, open_syslog};
pub use twinlock_pam_app::in_callback;
pub(crate) use twinlock_pam_app::{Handle, PamTransaction, Reply};

use crate::pam_names::{Operation, Style};
use crate::script::Message;

/// Starts a transaction for a service of a folder, or returns libpam's error.
pub(crate) fn start<'a>(
    service: &CStr,
    user: Option<&CStr>,
    configuration: &CStr,
    mut converse: impl FnMut(&Handle, &Message) -> Reply + 'a,
) -> Result<PamTransaction<'a>, i32> {
    let converse = move |handle: &Handle, message: &twinlock_pam_app::Message<'_>| {
        let text = message.text.map_or_else(|| "(NULL)".into(), CStr::to_string_lossy).into_owned();
        let mut message = Message { style: Style::from(message.style), text };
        let reply = converse(handle, &message);
        message.text.zeroize();
        reply
    };
    PamTransaction::start_in(configuration, service, user, Box::new(converse))
}

/// Runs one operation and returns libpam's code.
pub(crate) fn run(transaction: &mut PamTransaction<'_>, operation: Operation, flags: i32) -> i32 {
    match operation {
        Operation::Authenticate => transaction.authenticate(flags),
        Operation::SetCred => transaction.establish_credentials(flags),
        Operation::DeleteCred => transaction.delete_credentials(flags),
        Operation::AcctMgmt => transaction.acct_mgmt(flags),
        Operation::OpenSession => transaction.open_session(flags),
        Operation::CloseSession => transaction.close_session(flags),
        Operation::ChAuthTok => transaction.chauthtok(flags),
    }
}
