//! `twinlock status`.

use std::fmt::Write as _;

use twinlock_service::status::Status;

use super::{device, recovery};

/// The status of a user.
pub(crate) fn described(status: &Status) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = describe(status, &mut text);
    text
}

fn describe(status: &Status, out: &mut String) -> std::fmt::Result {
    let user = &status.user;
    if !status.enrolled {
        return writeln!(out, "{user}: not enrolled");
    }
    writeln!(out, "{user}: enrolled")?;
    for authenticator in &status.authenticators {
        out.push_str(&device::line(authenticator));
    }
    writeln!(out, "  recovery codes left: {}", status.recovery_codes_left)?;
    for issued in &status.issued_codes {
        writeln!(out, "  {}", recovery::issued_code(issued))?;
    }
    let throttle = &status.throttle;
    let means = match throttle.mode.as_ref() {
        "normal" => "one code is enough".to_owned(),
        "step-up" => "two consecutive codes are required".to_owned(),
        _ => format!("codes are refused until `twinlock unlock {user}`; recovery codes are accepted"),
    };
    writeln!(
        out,
        "  throttle: {} ({means}); consecutive failures: {}, failure budget left: {}",
        throttle.mode, throttle.failures, throttle.budget_left
    )?;
    if let Some(time) = &throttle.next_attempt {
        writeln!(out, "  next attempt possible at: {time}")?;
    }
    for login in &status.remembered {
        writeln!(
            out,
            "  remembered login: from {} until {}; `twinlock forget {user}` ends it",
            login.since, login.until
        )?;
    }
    Ok(())
}
