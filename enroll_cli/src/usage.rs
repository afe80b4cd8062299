//! What was typed and is none of the command's: said in the two halves of every other failure.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::Failure;

/// Says it, or prints the help or the version that was asked for.
#[allow(clippy::wildcard_enum_match_arm, reason = "the kinds are clap's, and it may add to them")]
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // Nobody is left to be told if the output is closed.
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        _ => failure(error).report(),
    }
}

/// clap says what is wrong in its first paragraph.
fn failure(error: &clap::Error) -> Failure {
    let rendered = error.render().to_string();
    let what = rendered.split("\n\n").next().unwrap_or_default();
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let failure = Failure::usage(what.strip_prefix("error: ").unwrap_or(&what));
    let tip = rendered.lines().find_map(|line| line.trim().strip_prefix("tip: "));
    match (tip, error.get(ContextKind::Usage)) {
        (Some(tip), _) => failure.hint(tip),
        (None, Some(ContextValue::StyledStr(usage))) => {
            let usage = usage.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            failure.hint(usage.strip_prefix("Usage: ").unwrap_or(&usage))
        }
        (None, _) => failure.hint("twinlock help"),
    }
}
