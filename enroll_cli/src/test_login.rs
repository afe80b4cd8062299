//! `twinlock test-login`: the real PAM stack of a service, run outside of it, with what each line does. A code that is typed is
//! charged and spent as in a login. The command does not speak to libpam: a helper of the broker does.

use std::{
    fmt::Write as _,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use twinlock_core::{account::Subject, policy::KeyType, ports::Dialogue};
use twinlock_hostcheck::{
    pam_files::{refuses_without_key, requires_key},
    pam_stack::{Action, Line, LineKind, Phase, ReturnCode, Service},
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
        return Err(Failure::refused(format!("{service} has no PAM file here"))
            .hint("/etc/pam.d and /usr/lib/pam.d have the services that there are"));
    };
    let helper = helper()?;
    print(&explained(&file, arguments.key_type))?;
    let before = standing(&context, &subject)?;
    let dialogue =
        TerminalDialogue::at(|| Terminal::or_stdin("what is asked for", "pipe the answers into stdin, a line each"));
    let ended = dialogue.talk(|dialogue| log_in(&helper, &subject, &service, arguments.key_type, dialogue))?;
    let after = standing(&context, &subject)?;
    let verdict = verdict(&before, &after);
    match ended {
        None => print(&format!("result:   PAM lets {} in\ntwinlock: {verdict}\n", subject.name)),
        Some(refused) => {
            print(&format!("result:   PAM refuses {}: {refused}\ntwinlock: {verdict}\n", subject.name))?;
            Err(Failure::as_shown())
        }
    }
}

/// The broker, which has the helper: beside the command, or where such programs are.
fn helper() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("twinlockd")));
    let found = own.filter(|path| path.is_file()).or_else(|| programs::find("twinlockd"));
    found.ok_or_else(|| {
        Failure::refused("twinlockd is not installed, and it is the one that speaks to PAM")
            .hint("`make install` puts it beside the command; it need not run for this")
    })
}

fn standing(context: &CommandContext, subject: &Subject) -> Result<Status, Failure> {
    Ok(context.read_status(&context.store.reading()?, subject)?)
}

/// What Twinlock has written down meanwhile.
fn verdict(before: &Status, after: &Status) -> String {
    let used =
        after.authenticators.iter().zip(&before.authenticators).find(|(now, then)| now.last_used != then.last_used);
    if let Some((authenticator, _)) = used {
        return format!("a code of \"{}\" was right and is used now", authenticator.label);
    }
    if after.recovery_codes_left < before.recovery_codes_left {
        return format!("a recovery code was right and is used now; {} are left", after.recovery_codes_left);
    }
    if after.throttle.failures > before.throttle.failures {
        return format!("the answer was wrong and is charged; {} in a row", after.throttle.failures);
    }
    if !after.enrolled {
        return "not enrolled; nothing was written down".to_owned();
    }
    "nothing was written down: nobody was asked, or nothing that looks like a code was answered".to_owned()
}

/// Runs the transaction; how PAM refused it, if it did.
fn log_in(
    helper: &Path,
    subject: &Subject,
    service: &str,
    key_type: Option<KeyType>,
    dialogue: &mut dyn Dialogue,
) -> Result<Option<String>, Failure> {
    let failed = |error: std::io::Error| Failure::refused(format!("cannot start {}: {error}", helper.display()));
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
    let last_word = last_word.as_ref().and_then(|word| std::str::from_utf8(word).ok()).ok_or_else(|| {
        Failure::refused("the login was broken off: an answer is missing, or a module of the stack crashed")
    })?;
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
        "user" => "a module made another user of it".to_owned(),
        phase => format!("{name} ({code}) in the {phase} phase"),
    })
}

fn explained(service: &Service, key_type: Option<KeyType>) -> String {
    let mut text = String::new();
    for (phase, about) in [(Phase::Auth, "who it is"), (Phase::Account, "whether that one may log in now")] {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} phase, {about}:", phase.name());
        for line in service.phase(phase) {
            let _ = writeln!(text, "{}", describe_line(line));
        }
    }
    for line in service.lines.iter().filter(|line| key_type.is_none() && requires_key(line)) {
        let _ = writeln!(text, "{}", refuses_without_key(line));
    }
    let key = if key_type.is_some() { "the key is nobody's" } else { "no key is told to PAM" };
    let _ = writeln!(
        text,
        "Not as in sshd: {key}, no address is told, and no session begins. What is typed counts as in a login."
    );
    text
}

/// A line and what comes of it.
fn describe_line(line: &Line) -> String {
    let indent = "  ".repeat(line.level.saturating_add(1));
    let place = &line.place;
    match &line.kind {
        LineKind::Substack(name) => format!("{indent}the lines of {name}, as a stack of their own ({place})"),
        LineKind::Broken => format!("{indent}a line that libpam does not understand, and that refuses ({place})"),
        LineKind::Module { .. } => {
            let does = |code| does(line.action(code));
            format!(
                "{indent}{} {} ({place})\n{indent}  success {}; failure {}; not meant {}",
                line.control,
                line.module(),
                does(ReturnCode::SUCCESS),
                does(ReturnCode::AUTH_ERR),
                does(ReturnCode::IGNORE)
            )
        }
    }
}

fn does(action: Action) -> String {
    match action {
        Action::Ignore => "counts for nothing".to_owned(),
        Action::Ok => "counts".to_owned(),
        Action::Done => "is enough, and ends it".to_owned(),
        Action::Bad => "refuses in the end".to_owned(),
        Action::Die => "refuses, and ends it".to_owned(),
        Action::Reset => "makes all before it count for nothing".to_owned(),
        Action::Jump(1) => "passes over the next line".to_owned(),
        Action::Jump(lines) => format!("passes over the next {lines} lines"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_the_helper_is_put_into_words() {
        assert_eq!(refusal("right"), None);
        assert_eq!(refusal("wrong auth 7").unwrap(), "auth_err (7) in the auth phase");
        assert_eq!(refusal("wrong account 6").unwrap(), "perm_denied (6) in the account phase");
        assert_eq!(refusal("wrong user 0").unwrap(), "a module made another user of it");
        assert_eq!(refusal("").unwrap(), "unknown () in the auth phase");
    }
}
