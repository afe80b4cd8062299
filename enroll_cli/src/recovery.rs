//! `twinlock recovery`: a new set of codes, shown once, and how many are left.

use std::path::Path;

use serde::Serialize;
use twinlock_core::{
    enrol,
    host::{Kernel, SystemClock},
    ports::{Clock, ReadCredentials},
    record::Record,
    recovery::RecoveryCode,
};
use zeroize::Zeroizing;

use crate::{
    ceremony::hand_over,
    cli::{self, RecoveryNew},
    failure::Failure,
    journal,
    output::{note, print, print_json},
    scene::{self, Scene},
    terminal::Terminal,
};

/// What `--json` prints. The names are stable.
#[derive(Serialize)]
struct Renewed<'a> {
    user: &'a str,
    recovery_codes: Vec<&'a str>,
}

pub(crate) fn renew(config: &Path, arguments: &RecoveryNew) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    if scene.store.credentials.read(&subject)?.is_none() {
        return Err(Failure::not_enrolled(user));
    }
    let (codes, set) = enrol::new_recovery_codes(SystemClock.now(), &mut Kernel)?;
    if !arguments.no_confirm {
        let mut terminal =
            Terminal::open("making recovery codes", "use `ssh -t`, or provision with --no-confirm --json")?;
        hand_over(&mut terminal, &codes)?;
    }
    enrol::renew_recovery((&scene.store.credentials, &scene.store.states), &subject, set)?;
    journal::change("recovery-codes-renewed", user);

    let shown: Vec<_> = codes.iter().map(RecoveryCode::shown).collect();
    let codes = shown.iter().map(|code| code.as_str()).collect::<Vec<_>>();
    if arguments.json {
        print_json(&Renewed { user, recovery_codes: codes })
    } else if arguments.no_confirm {
        print(&Zeroizing::new(codes.join("\n") + "\n"))
    } else {
        note(&format!("Done: the old recovery codes of {user} no longer work, the new ones do."));
        Ok(())
    }
}

/// What `recovery count --json` prints. The names are stable.
#[derive(Serialize)]
struct Count<'a> {
    user: &'a str,
    recovery_codes_left: usize,
}

pub(crate) fn count(config: &Path, arguments: &cli::Status) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    let enrolment = scene.store.credentials.read(&subject)?.ok_or_else(|| Failure::not_enrolled(user))?;
    let record = scene.store.states.look(&subject)?.unwrap_or_else(|| Record::new(&subject));
    let recovery_codes_left = record.recovery_codes_left(&enrolment);
    if arguments.json {
        print_json(&Count { user, recovery_codes_left })
    } else {
        print(&format!("{recovery_codes_left}\n"))
    }
}
