//! What is wrong with a command line, and what to type instead.

/// No part of clap's error says more.
pub(crate) const WRONG_USAGE: &str = "wrong usage";

pub(crate) fn conflict(argument: &str, with: &str) -> String {
    format!("{argument} cannot be used with {with}")
}

pub(crate) fn repeated(argument: &str) -> String {
    format!("{argument} is given more than once")
}

pub(crate) fn without_value(argument: &str) -> String {
    format!("{argument} needs a value")
}

/// A value that is not one of `argument`; `cause` says why.
pub(crate) fn invalid_value(value: &str, argument: &str, cause: Option<&str>) -> String {
    let cause = cause.map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("invalid value '{value}' for {argument}{cause}")
}

pub(crate) fn no_command(word: &str) -> String {
    format!("there is no command '{word}'")
}

pub(crate) fn unexpected(word: &str) -> String {
    format!("unexpected argument '{word}'")
}

/// A value of a flag that has none.
pub(crate) fn with_value(argument: &str, value: &str) -> String {
    format!("{argument} takes no value, but '{value}' was given")
}

pub(crate) fn missing(argument: &str) -> String {
    format!("{argument} is missing")
}

pub(crate) fn did_you_mean(word: &str) -> String {
    format!("did you mean {word}?")
}

pub(crate) fn one_of(values: &str) -> String {
    format!("use one of {values}")
}

/// The whole command line, of which something is missing.
pub(crate) fn whole(usage: &str) -> String {
    format!("usage: {usage}")
}

/// Where the help of the verb is.
pub(crate) fn see_help(verb: &str) -> String {
    format!("see `{verb} --help`")
}
