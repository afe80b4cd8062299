//! What cannot be typed, said as every other failure is: what is wrong, and what to type instead.

use std::{env, error::Error as _, ffi::OsString, process::ExitCode};

use clap::{
    CommandFactory, Error,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{cli::Cli, failure::Failure, messages::usage as messages, output};

/// Prints what was asked for, help or version, or says what is wrong with what was typed.
pub(crate) fn report(error: &Error) -> ExitCode {
    let asked_for =
        [ErrorKind::DisplayHelp, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand, ErrorKind::DisplayVersion];
    if asked_for.contains(&error.kind()) {
        // Nobody is left to be told if the output is closed.
        let _ = error.print();
        return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    output::report(failure(error, &verb(env::args_os().skip(1))))
}

fn failure(error: &Error, verb: &str) -> Failure {
    let message = what(error).unwrap_or_else(|| error.kind().as_str().unwrap_or(messages::WRONG_USAGE).to_owned());
    Failure::usage(message).hint(instead(error).unwrap_or_else(|| messages::see_help(verb)))
}

/// What is wrong; nothing where clap did not say what it is about.
#[allow(clippy::wildcard_enum_match_arm, reason = "the kinds are clap's, and our arguments lead to no others")]
fn what(error: &Error) -> Option<String> {
    let argument = || words(error, ContextKind::InvalidArg);
    let value = || words(error, ContextKind::InvalidValue);
    Some(match error.kind() {
        ErrorKind::ArgumentConflict => {
            match words(error, ContextKind::PriorArg).filter(|prior| Some(prior) != argument().as_ref()) {
                Some(prior) => messages::conflict(&argument()?, &prior),
                None => messages::repeated(&argument()?),
            }
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => match value()? {
            value if value.is_empty() => messages::without_value(&argument()?),
            value => messages::invalid_value(&value, &argument()?, error.source().map(ToString::to_string).as_deref()),
        },
        ErrorKind::InvalidSubcommand => messages::no_command(&words(error, ContextKind::InvalidSubcommand)?),
        ErrorKind::UnknownArgument => messages::unexpected(&argument()?),
        ErrorKind::TooManyValues => messages::with_value(&argument()?, &value()?),
        ErrorKind::MissingRequiredArgument => messages::missing(&argument()?),
        _ => return None,
    })
}

/// What to type instead, where clap has an idea.
fn instead(error: &Error) -> Option<String> {
    let meant = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let meant = meant.into_iter().find_map(|kind| words(error, kind)).map(|meant| messages::did_you_mean(&meant));
    let valid = || words(error, ContextKind::ValidValue).map(|values| messages::one_of(&values));
    meant.or_else(valid).or_else(|| whole(error))
}

/// The whole line, of which something was left out.
fn whole(error: &Error) -> Option<String> {
    let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else { return None };
    let usage = usage.to_string();
    let whole = usage.strip_prefix("Usage: ").filter(|_| error.kind() == ErrorKind::MissingRequiredArgument)?;
    Some(messages::whole(&whole.split_whitespace().collect::<Vec<_>>().join(" ")))
}

/// A part of what clap knows, as words with commas between them.
fn words(error: &Error, kind: ContextKind) -> Option<String> {
    let known = error.get(kind)?;
    if let ContextValue::String(word) = known {
        return Some(word.clone());
    }
    if let ContextValue::Strings(words) = known {
        return Some(words.join(", ")).filter(|words| !words.is_empty());
    }
    None
}

/// The program and its verb, as far as there is one in what was typed.
fn verb(typed: impl Iterator<Item = OsString>) -> String {
    let root = Cli::command();
    let (mut at, mut verb) = (&root, root.get_name().to_owned());
    for word in typed {
        if let Some(below) = at.find_subcommand(&word) {
            verb = format!("{verb} {}", below.get_name());
            at = below;
        }
    }
    verb
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn said(typed: &str) -> String {
        let typed: Vec<_> = ["twinlock"].into_iter().chain(typed.split(' ')).map(OsString::from).collect();
        let error = Cli::try_parse_from(&typed).unwrap_err();
        format!("{:?}", failure(&error, &verb(typed.into_iter().skip(1))))
    }

    fn failed(message: &str, hint: &str) -> String {
        format!("{:?}", Failure::usage(message).hint(hint))
    }

    #[test]
    fn every_mistake_is_said_with_what_to_type_instead() {
        for (typed, message, hint) in [
            ("enrolll", "there is no command 'enrolll'", "did you mean enrol, enroll?"),
            ("device shwo x", "there is no command 'shwo'", "see `twinlock device --help`"),
            ("list --wihtout", "unexpected argument '--wihtout'", "did you mean --without?"),
            ("status alice bob", "unexpected argument 'bob'", "see `twinlock status --help`"),
            ("unlock", "<USER>... is missing", "usage: twinlock unlock <USER>..."),
            ("adopt", "<USER> is missing", "usage: twinlock adopt <USER> [NEW]"),
            ("status --json --json", "--json is given more than once", "see `twinlock status --help`"),
            ("enroll --add --replace", "--add cannot be used with --replace", "see `twinlock enroll --help`"),
            ("enroll --label", "--label <LABEL> needs a value", "see `twinlock enroll --help`"),
            ("enroll --json=yes", "--json takes no value, but 'yes' was given", "see `twinlock enroll --help`"),
            ("enroll --qr utf9", "invalid value 'utf9' for --qr <QR>", "did you mean utf8?"),
            ("enroll --qr 5", "invalid value '5' for --qr <QR>", "use one of auto, utf8, ascii, none"),
            ("recovery new --digits 5", "unexpected argument '--digits'", "see `twinlock recovery new --help`"),
            (
                "enroll --digits 5",
                "invalid value '5' for --digits <N>: codes have 6 to 8 digits",
                "see `twinlock enroll --help`",
            ),
        ] {
            assert_eq!(said(typed), failed(message, hint), "{typed}");
        }
    }
}
