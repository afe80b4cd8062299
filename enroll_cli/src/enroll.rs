//! `twinlock enroll`: secret, picture, confirming code, recovery codes; nothing is stored before the end.

use std::{env, path::Path};

use serde::Serialize;
use twinlock_core::{
    account::Subject,
    answer::Answer,
    credentials::{Authenticator, Enrolment},
    enrol::{self, EnrolError, Existing},
    host::{Kernel, SystemClock},
    ports::{Clock, ReadCredentials},
    recovery::{RecoveryCode, RecoverySet},
};
use zeroize::Zeroizing;

use crate::{
    cli::Enroll,
    failure::Failure,
    journal,
    output::{note, print, print_json},
    qr::{self, Palette},
    scene::{self, Scene},
    terminal::Terminal,
};

/// What `--json` prints. The names are stable.
#[derive(Serialize)]
struct Enrolled<'a> {
    user: &'a str,
    authenticator: &'a str,
    label: &'a str,
    r#type: &'static str,
    uri: &'a str,
    recovery_codes: Vec<&'a str>,
}

/// How often a wrong answer is asked again before the enrolment is given up.
const TRIES: usize = 5;
const WITHOUT_TERMINAL: &str = "use `ssh -t`, or provision with --no-confirm --json";

pub(crate) fn run(config: &Path, arguments: &Enroll) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let existing = if arguments.replace { Existing::Replace } else { Existing::Keep };
    scene.store.prepare()?;
    // Told at once, not after the phone was set up; looked at again when it is stored.
    if existing == Existing::Keep && scene.store.credentials.read(&subject)?.is_some() {
        return Err(EnrolError::AlreadyEnrolled.into());
    }

    let issuer = arguments.issuer.clone().unwrap_or_else(|| issuer(&scene.config.issuer));
    let authenticator = enrol::new_authenticator(arguments.label.clone(), SystemClock.now(), &mut Kernel)?;
    let uri = enrol::uri(&authenticator, &issuer, subject.name.as_str());
    let (codes, set) = enrol::new_recovery_codes(SystemClock.now(), &mut Kernel)?;

    let confirmed = if arguments.no_confirm {
        None
    } else {
        let mut terminal = Terminal::open("enrolment", WITHOUT_TERMINAL)?;
        introduce(&mut terminal, &subject, &authenticator, (&issuer, &uri))?;
        let step = confirm(&mut terminal, &authenticator)?;
        hand_over(&mut terminal, &codes)?;
        Some(step)
    };
    store(&scene, &subject, (&authenticator, set), confirmed, existing)?;
    journal::change(if arguments.replace { "replaced" } else { "enrolled" }, subject.name.as_str());

    let shown: Vec<_> = codes.iter().map(RecoveryCode::shown).collect();
    if arguments.json {
        print_json(&Enrolled {
            user: subject.name.as_str(),
            authenticator: authenticator.id.as_str(),
            label: authenticator.label.as_str(),
            r#type: "totp",
            uri: &uri,
            recovery_codes: shown.iter().map(|code| code.as_str()).collect(),
        })
    } else if arguments.no_confirm {
        let mut text = Zeroizing::new(format!("{}\n", uri.as_str()));
        for code in &shown {
            text.push_str(code);
            text.push('\n');
        }
        print(&text)
    } else {
        note(&format!("Done: {} now has a second factor. `twinlock verify {0}` tries it.", subject.name));
        Ok(())
    }
}

fn store(
    scene: &Scene,
    subject: &Subject,
    (authenticator, set): (&Authenticator, RecoverySet),
    confirmed: Option<u64>,
    existing: Existing,
) -> Result<(), Failure> {
    let enrolment = Enrolment {
        user: subject.name.clone(),
        uid: Some(subject.uid),
        authenticators: vec![authenticator.clone()],
        recovery: Some(set),
    };
    let store = (&scene.store.credentials, &scene.store.states);
    Ok(enrol::store(store, subject, (&enrolment, confirmed), existing, SystemClock.now())?)
}

/// The host's name, as far as the picture has room for it: a long one loses its domain.
fn issuer(configured: &str) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let short = if host.len() > 20 { host.split('.').next().unwrap_or_default() } else { &host };
    if short.is_empty() { "host".into() } else { short.into() }
}

fn introduce(
    terminal: &mut Terminal,
    subject: &Subject,
    authenticator: &Authenticator,
    (issuer, uri): (&str, &str),
) -> Result<(), Failure> {
    terminal.show(&format!(
        "\nA second factor for {}.\n\n\
         From now on a login asks for a code that changes every {} seconds. An app on your phone\n\
         shows it: any app for \"TOTP\" or \"authenticator\" codes will do. Open it and scan this:\n\n",
        subject.name,
        authenticator.totp.period()
    ))?;
    match qr::draw(uri, palette()) {
        Some(picture) => terminal.show(&picture)?,
        None => terminal.show("(The address is too long for a picture; enter the key by hand.)\n")?,
    }
    let key = Zeroizing::new(groups_of_four(&authenticator.totp.secret().to_base32()));
    terminal.show(&format!(
        "\nOr enter it by hand (time-based, {} digits):\n  Account  {issuer}: {}\n  Key      {}\n  Address  {uri}\n\n",
        authenticator.totp.digits(),
        subject.name,
        key.as_str()
    ))
}

/// `NO_COLOR` (no-color.org) asks for no colours at all; the picture is then right on dark terminals only, as it says.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn palette() -> Palette {
    let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || env::var_os("TERM").is_some_and(|term| term == "dumb");
    if plain { Palette::Plain } else { Palette::BlackAndWhite }
}

fn groups_of_four(secret: &str) -> String {
    secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(" ")
}

fn confirm(terminal: &mut Terminal, authenticator: &Authenticator) -> Result<u64, Failure> {
    for _ in 0..TRIES {
        let typed = terminal.ask("The code that the app shows now: ")?.ok_or_else(given_up)?;
        if let Some(step) = enrol::confirm(authenticator, &typed, SystemClock.now()) {
            return Ok(step);
        }
        terminal.show(&format!(
            "That is not the code of now. Is the phone's clock right, and this host's ({})? Is it the entry\n\
             just scanned, and not an older one of the same name? Try the next code.\n",
            SystemClock.now()
        ))?;
    }
    Err(given_up())
}

/// Shows the recovery codes and asks one of them back, as proof that they were kept.
pub(crate) fn hand_over(terminal: &mut Terminal, codes: &[RecoveryCode]) -> Result<(), Failure> {
    terminal.show(
        "\nRecovery codes. Each opens one login when the phone is not at hand. Write them down or print\n\
         them, and keep them apart from the phone: they are not shown again.\n\n",
    )?;
    for pair in codes.chunks(2) {
        let mut line = Zeroizing::new(String::with_capacity(64));
        for code in pair {
            line.push_str("    ");
            line.push_str(&code.shown());
        }
        line.push('\n');
        terminal.show(&line)?;
    }
    for _ in 0..TRIES {
        let typed = terminal.ask("\nType one of them, to show that you have them: ")?.ok_or_else(given_up)?;
        if let Answer::Recovery(typed) = Answer::read(&typed)
            && codes.iter().any(|code| code.same_as(&typed))
        {
            return Ok(());
        }
        terminal.show("That is none of them.")?;
    }
    Err(given_up())
}

fn given_up() -> Failure {
    Failure::refused("not confirmed, so nothing was changed")
        .hint("run the command again when the phone and the codes are at hand")
}
