//! `twinlock test-login`: the real PAM stack of a service, run outside of it, with what each line does. A code that is typed
//! counts as in a login. The command does not speak to libpam: a helper of the broker does.

use std::{
    fmt::Write as _,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use twinlock_core::{account::Subject, policy::KeyType, ports::Dialogue};
use twinlock_hostcheck::{
    messages::{self, Recorded},
    pam_files::requires_key,
    pam_stack::{Phase, ReturnCode, Service},
    programs,
};
use twinlock_login::wire::Connection;
use twinlock_service::{process::ChildGuard, status::Status, wire::relay};

use crate::{
    cli::TestLogin,
    context::{self, CommandContext},
    dialogue::TerminalDialogue,
    failure::Failure,
    output::print,
    terminal::Terminal,
};

pub(crate) fn run(config: &Path, arguments: &TestLogin) -> Result<(), Failure> {
    let context = CommandContext::load(config)?;
    let subject = context::account(Some(&arguments.user))?;
    let service = arguments.service.to_ascii_lowercase();
    let file = Service::of_host(&service).map_err(|error| Failure::refused(error.to_string()))?;
    let Some(file) = file else {
        return Err(Failure::refused(messages::service_without_file(&service)).hint(messages::SERVICES_HINT));
    };
    let helper = helper()?;
    print(&explained(&file, arguments.key_type))?;
    let before = standing(&context, &subject)?;
    let dialogue = TerminalDialogue::at(Terminal::or_stdin);
    let ended = dialogue.talk(|dialogue| log_in(&helper, &subject, &service, arguments.key_type, dialogue))?;
    let after = standing(&context, &subject)?;
    let verdict = messages::recorded(&recorded(&before, &after));
    print(&messages::login_result(&subject.name, ended.as_deref(), &verdict))?;
    if ended.is_none() { Ok(()) } else { Err(Failure::as_shown()) }
}

/// The broker, which has the helper: beside the command, or where such programs are.
fn helper() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("twinlockd")));
    let found = own.filter(|path| path.is_file()).or_else(|| programs::find("twinlockd"));
    let (problem, hint) = messages::NO_HELPER;
    found.ok_or_else(|| Failure::refused(problem).hint(hint))
}

fn standing(context: &CommandContext, subject: &Subject) -> Result<Status, Failure> {
    Ok(context.read_status(&context.store.reading()?, subject)?)
}

/// What Twinlock has recorded meanwhile.
fn recorded<'s>(before: &Status, after: &'s Status) -> Recorded<'s> {
    let used =
        after.authenticators.iter().zip(&before.authenticators).find(|(now, then)| now.last_used != then.last_used);
    match used {
        Some((authenticator, _)) => Recorded::Code(&authenticator.label),
        None if after.recovery_codes_left < before.recovery_codes_left => {
            Recorded::RecoveryCode(after.recovery_codes_left)
        }
        None if after.issued_codes.len() < before.issued_codes.len() && after.throttle.failures == 0 => {
            Recorded::IssuedCode
        }
        None if after.throttle.failures > before.throttle.failures => Recorded::Failure(after.throttle.failures),
        None if !after.enrolled => Recorded::NotEnrolled,
        None => Recorded::Nothing,
    }
}

/// Runs the transaction; how PAM refused it, if it did.
fn log_in(
    helper: &Path,
    subject: &Subject,
    service: &str,
    key_type: Option<KeyType>,
    dialogue: &mut dyn Dialogue,
) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| Failure::refused(messages::helper_not_started(helper, &error));
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    let mut command = Command::new(helper);
    command.args(["--prove", subject.name.as_str(), "--service", service]).env_clear().current_dir("/");
    if let Some(key_type) = key_type {
        command.args(["--key-type", key_type.name()]);
    }
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
    // Once it has had its last word, it ends by itself; waiting for a crashed module would take for ever.
    let _helper = ChildGuard::new(command.spawn().map_err(failed)?);
    let last_word = relay(&Connection::accepted(ours), dialogue).ok();
    let last_word = last_word
        .as_ref()
        .and_then(|word| std::str::from_utf8(word).ok())
        .ok_or_else(|| Failure::refused(messages::BROKEN_OFF))?;
    Ok(refusal(last_word))
}

/// `right`, or `wrong PHASE CODE` in words.
fn refusal(last_word: &str) -> Option<String> {
    let mut words = last_word.split(' ');
    if words.next() == Some("right") {
        return None;
    }
    let (phase, code) = (words.next().unwrap_or("auth"), words.next().unwrap_or_default());
    let name =
        code.parse::<usize>().ok().and_then(|number| ReturnCode::NAMES.get(number)).copied().unwrap_or("unknown");
    Some(match phase {
        "user" => messages::ANOTHER_USER.to_owned(),
        phase => messages::denied_in(phase, code, name),
    })
}

fn explained(service: &Service, key_type: Option<KeyType>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for phase in [Phase::Auth, Phase::Account] {
        let _ = writeln!(text, "{}", messages::phase_heading(phase.name(), phase == Phase::Auth));
        for line in service.phase(phase) {
            let _ = writeln!(text, "{}", messages::stack_line(line));
        }
    }
    for line in service.lines.iter().filter(|line| key_type.is_none() && requires_key(line)) {
        let _ = writeln!(text, "{}", messages::denies_without_key(&line.place));
    }
    let _ = writeln!(text, "{}", messages::unlike_sshd(key_type.is_some()));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_the_helper_is_put_into_words() {
        assert_eq!(refusal("right"), None);
        assert_eq!(refusal("wrong auth 7").unwrap(), "auth_err (7) in the auth phase");
        assert_eq!(refusal("wrong account 6").unwrap(), "perm_denied (6) in the account phase");
        assert_eq!(refusal("wrong user 0").unwrap(), "a module changed the user name");
        assert_eq!(refusal("").unwrap(), "unknown () in the auth phase");
    }
}
