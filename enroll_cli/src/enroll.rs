//! `twinlock enroll`: secret, picture, confirming code, recovery codes; nothing is stored before the end.

use std::path::Path;

use serde::Serialize;
use twinlock_core::{
    account::Subject,
    credentials::{Authenticator, Enrolment},
    enrol::{self, EnrolError, Existing},
    host::{self, Kernel, SystemClock},
    ports::{Clock, ReadCredentials},
    recovery::{RecoveryCode, RecoverySet},
};
use zeroize::Zeroizing;

use crate::{
    ceremony::{confirm, hand_over, introduce},
    choices::{given_secret, parameters},
    cli::Enroll,
    failure::Failure,
    journal,
    output::{note, print, print_json},
    picture::Picture,
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

const WITHOUT_TERMINAL: &str = "use `ssh -t`, or provision with --no-confirm --json";

/// Where a new authenticator goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Beside,
    Instead,
}

pub(crate) fn run(config: &Path, arguments: &Enroll) -> Result<(), Failure> {
    let scene = Scene::set(config)?;
    let subject = scene::account(arguments.user.as_deref())?;
    let user = subject.name.as_str();
    let place = place(arguments);
    scene.store.prepare()?;
    check_place(&scene, &subject, place)?;
    let parameters = parameters(arguments)?;
    let given = given_secret(arguments)?;
    let shown_secret = given.is_none();
    let secret = given.map_or_else(|| enrol::new_secret(&mut Kernel), Ok)?;
    let label_and_secret = (arguments.label.clone(), secret);
    let authenticator = enrol::new_authenticator(label_and_secret, parameters, SystemClock.now(), &mut Kernel)?;
    let issuer = arguments.issuer.clone().unwrap_or_else(|| host::issuer(&scene.config.issuer));
    let uri = enrol::uri(&authenticator, &issuer, user);
    let (codes, set) = match place {
        Place::Beside => (Vec::new(), None),
        Place::First | Place::Instead => {
            let (codes, set) = enrol::new_recovery_codes(SystemClock.now(), &mut Kernel)?;
            (codes, Some(set))
        }
    };
    let pictures = pictures(arguments, &uri)?;

    let confirmed = if arguments.no_confirm {
        None
    } else {
        let mut terminal = Terminal::open("enrolment", WITHOUT_TERMINAL)?;
        if shown_secret {
            introduce(&mut terminal, &subject, &authenticator, (&issuer, &uri), arguments.qr)?;
        }
        let step = confirm(&mut terminal, &authenticator)?;
        if !codes.is_empty() {
            hand_over(&mut terminal, &codes)?;
        }
        Some(step)
    };
    store(&scene, &subject, (&authenticator, set), confirmed, place)?;
    pictures.into_iter().for_each(Picture::keep);
    journal::change(
        match place {
            Place::First => "enrolled",
            Place::Beside => "device-added",
            Place::Instead => "replaced",
        },
        user,
    );
    report(arguments, &subject, &authenticator, &uri, &codes)
}

const fn place(arguments: &Enroll) -> Place {
    match (arguments.add, arguments.replace) {
        (true, _) => Place::Beside,
        (false, true) => Place::Instead,
        (false, false) => Place::First,
    }
}

/// Told at once, not after the phone was set up; looked at again when it is stored.
fn check_place(scene: &Scene, subject: &Subject, place: Place) -> Result<(), Failure> {
    let enrolled = || Ok::<_, Failure>(scene.store.credentials.read(subject)?.is_some());
    match place {
        Place::First if enrolled()? => Err(EnrolError::AlreadyEnrolled.into()),
        Place::Beside if !enrolled()? => Err(Failure::not_enrolled(subject.name.as_str())),
        Place::First | Place::Beside | Place::Instead => Ok(()),
    }
}

fn pictures(arguments: &Enroll, uri: &str) -> Result<Vec<Picture>, Failure> {
    let png = arguments.png.as_deref().map(|path| Picture::png(path, uri));
    let svg = arguments.svg.as_deref().map(|path| Picture::svg(path, uri));
    png.into_iter().chain(svg).collect()
}

fn store(
    scene: &Scene,
    subject: &Subject,
    (authenticator, set): (&Authenticator, Option<RecoverySet>),
    confirmed: Option<u64>,
    place: Place,
) -> Result<(), Failure> {
    let stores = (&scene.store.credentials, &scene.store.states);
    let existing = match place {
        Place::Beside => {
            return Ok(enrol::add(stores, subject, (authenticator.clone(), confirmed), SystemClock.now())?);
        }
        Place::First => Existing::Keep,
        Place::Instead => Existing::Replace,
    };
    let enrolment = Enrolment {
        user: subject.name.clone(),
        uid: Some(subject.uid),
        authenticators: vec![authenticator.clone()],
        recovery: set,
    };
    Ok(enrol::store(stores, subject, (&enrolment, confirmed), existing, SystemClock.now())?)
}

fn report(
    arguments: &Enroll,
    subject: &Subject,
    authenticator: &Authenticator,
    uri: &str,
    codes: &[RecoveryCode],
) -> Result<(), Failure> {
    let shown: Vec<_> = codes.iter().map(RecoveryCode::shown).collect();
    if arguments.json {
        print_json(&Enrolled {
            user: subject.name.as_str(),
            authenticator: authenticator.id.as_str(),
            label: authenticator.label.as_str(),
            r#type: authenticator.otp.kind(),
            uri,
            recovery_codes: shown.iter().map(|code| code.as_str()).collect(),
        })
    } else if arguments.no_confirm {
        let mut text = Zeroizing::new(format!("{uri}\n"));
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
