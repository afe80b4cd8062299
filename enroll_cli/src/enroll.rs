//! `twinlock enroll`: a new authenticator, asked for and reported.

use std::path::Path;

use serde::Serialize;
use twinlock_core::{credentials::Label, devices::free_label};
use twinlock_service::lifecycle::{Confirm, Done, EnrolMode, Enrolled, NewAuthenticator, Request};
use zeroize::Zeroizing;

use crate::{
    backend::CommandBackend,
    cli::Enroll,
    dialogue::{Shown, TerminalDialogue},
    failure::Failure,
    messages,
    options::{given_secret, parameters},
    output::{print, print_json, print_note},
    terminal::Terminal,
};

/// What `--json` prints. The names are stable.
#[derive(Serialize)]
struct Printed<'a> {
    user: &'a str,
    authenticator: &'a str,
    label: &'a str,
    r#type: &'a str,
    uri: &'a str,
    recovery_codes: &'a [String],
}

pub(crate) fn run(config: &Path, arguments: &Enroll) -> Result<(), Failure> {
    let backend = CommandBackend::choose(config, arguments.user.as_deref())?;
    let parameters = parameters(arguments)?;
    let secret = given_secret(arguments)?;
    if secret.is_some() && matches!(backend, CommandBackend::Broker { .. }) {
        return Err(twinlock_service::messages::given_secret_needs_root().into());
    }
    let confirm = if arguments.no_confirm { Confirm::Skip } else { Confirm::Ask };
    let open = || Terminal::open().ok_or_else(|| messages::enroll::without_terminal(backend.user()));
    let dialogue = TerminalDialogue::at(open).with_display(Shown {
        on_terminal: (confirm == Confirm::Ask && secret.is_none()).then_some(arguments.qr),
        png: arguments.png.as_deref(),
        svg: arguments.svg.as_deref(),
    });
    let (label, issuer) = (label(&backend, arguments)?, arguments.issuer.clone());
    let wanted = NewAuthenticator { mode: enrol_mode(arguments), label, issuer, parameters, secret, confirm };
    let Done::Enrolled(enrolled) = dialogue.have_done(&backend, &Request::Enroll(Box::new(wanted)))? else {
        return Err(messages::unexpected_answer());
    };
    report(arguments, backend.user(), &enrolled)
}

/// The label that was chosen, or one that no device of the user has.
fn label(backend: &CommandBackend, arguments: &Enroll) -> Result<Label, Failure> {
    match (&arguments.label, enrol_mode(arguments)) {
        (Some(label), _) => Ok(label.clone()),
        (None, EnrolMode::First | EnrolMode::Replace) => Ok(free_label(&[])),
        (None, EnrolMode::Add) => {
            let devices = backend.status()?.authenticators;
            Ok(free_label(&devices.iter().map(|device| device.label.as_str()).collect::<Vec<_>>()))
        }
    }
}

const fn enrol_mode(arguments: &Enroll) -> EnrolMode {
    match (arguments.add, arguments.replace) {
        (true, _) => EnrolMode::Add,
        (false, true) => EnrolMode::Replace,
        (false, false) => EnrolMode::First,
    }
}

fn report(arguments: &Enroll, user: &str, enrolled: &Enrolled) -> Result<(), Failure> {
    let Enrolled { authenticator, label, r#type, uri, recovery_codes } = enrolled;
    if arguments.json {
        print_json(&Printed { user, authenticator, label, r#type, uri, recovery_codes })
    } else if arguments.no_confirm {
        let mut text = Zeroizing::new(format!("{}\n", uri.as_str()));
        for code in recovery_codes.iter() {
            text.push_str(code);
            text.push('\n');
        }
        print(&text)
    } else {
        print_note(&messages::enroll::enrolled(user));
        Ok(())
    }
}
