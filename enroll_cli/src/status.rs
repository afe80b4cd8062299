//! `twinlock status`: the status of a user.

use std::{fmt::Write as _, path::Path};

use twinlock_service::status::Status;

use crate::{
    backend::CommandBackend,
    cli, device,
    failure::Failure,
    output::{print, print_json},
};

pub(crate) fn run(config: &Path, arguments: &cli::StatusArguments) -> Result<(), Failure> {
    let status = CommandBackend::choose(config, arguments.user.as_deref())?.status()?;
    if arguments.json {
        print_json(&status)?;
    } else {
        print(&described(&status))?;
    }
    if status.enrolled { Ok(()) } else { Err(Failure::not_enrolled_as_shown()) }
}

fn described(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = describe(status, &mut text);
    text
}

fn describe(status: &Status, out: &mut String) -> std::fmt::Result {
    if !status.enrolled {
        return writeln!(out, "{}: not enrolled", status.user);
    }
    writeln!(out, "{}: enrolled", status.user)?;
    for authenticator in &status.authenticators {
        out.push_str(&device::described(authenticator));
    }
    writeln!(out, "  recovery codes left: {}", status.recovery_codes_left)?;
    let throttle = &status.throttle;
    let means = match throttle.mode.as_ref() {
        "normal" => "one code is enough",
        "step-up" => "two consecutive codes are asked for",
        _ => "codes are refused until `twinlock unlock`; recovery codes are not",
    };
    writeln!(
        out,
        "  throttle: {} ({means}); consecutive failures: {}, failure budget left: {}",
        throttle.mode, throttle.failures, throttle.budget_left
    )?;
    if let Some(time) = &throttle.next_attempt {
        writeln!(out, "  next attempt not before {time}")?;
    }
    for login in &status.remembered {
        writeln!(out, "  remembered: a login of {}, until {}; `twinlock forget` ends it", login.since, login.until)?;
    }
    Ok(())
}
