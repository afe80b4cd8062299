//! `twinlock enroll`: secret, picture, confirming code, recovery codes; nothing is stored before the end.

use std::{env, path::Path};

use serde::Serialize;
use twinlock_core::{
    account::Subject,
    answer::Answer,
    credentials::{Authenticator, Enrolment},
    enrol::{self, EnrolError, Existing, Parameters},
    host::{Kernel, SystemClock},
    otp::{Algorithm, MovingFactor, Otp},
    ports::{Clock, ReadCredentials},
    recovery::{RecoveryCode, RecoverySet},
    secret::Secret,
};
use zeroize::Zeroizing;

use crate::{
    cli::{Enroll, Hash, Qr, Type},
    failure::Failure,
    journal,
    output::{note, print, print_json},
    picture::Picture,
    qr::{self, Palette},
    scene::{self, Scene},
    secret,
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
    let issuer = arguments.issuer.clone().unwrap_or_else(|| issuer(&scene.config.issuer));
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

/// What was chosen, each departure from what every app handles with a warning.
fn parameters(arguments: &Enroll) -> Result<Parameters, Failure> {
    let algorithm = match arguments.algorithm {
        Hash::Sha1 => Algorithm::Sha1,
        Hash::Sha256 => Algorithm::Sha256,
        Hash::Sha512 => Algorithm::Sha512,
    };
    let factor = match arguments.r#type {
        Type::Totp if arguments.counter != 0 => {
            return Err(Failure::usage("--counter is for --type hotp: an app counts by the time"));
        }
        Type::Totp => MovingFactor::Time { period: arguments.period },
        Type::Hotp if arguments.period != Otp::PERIOD => {
            return Err(Failure::usage("--period is for --type totp: a token counts its presses"));
        }
        Type::Hotp => MovingFactor::Counter { first: arguments.counter },
    };
    let parameters = Parameters { algorithm, digits: arguments.digits, factor };
    for warning in doubts(parameters) {
        note(&format!("warning: {warning}"));
    }
    Ok(parameters)
}

/// Which apps get a choice wrong. All of them accept the QR code, and then show codes that are refused.
fn doubts(parameters: Parameters) -> Vec<&'static str> {
    let mut doubts = Vec::new();
    match parameters.algorithm {
        Algorithm::Sha1 => {}
        Algorithm::Sha256 => {
            doubts.push("with SHA256, Microsoft Authenticator, Authy and Duo compute SHA1 and show wrong codes")
        }
        Algorithm::Sha512 => doubts.push("SHA512 is known to few apps: not to Authy and 1Password, among others"),
    }
    if parameters.digits != Otp::DIGITS {
        doubts.push("Google and Microsoft Authenticator show 6 digits whatever is asked for");
    }
    if matches!(parameters.factor, MovingFactor::Time { period } if period != Otp::PERIOD) {
        doubts.push("Google and Microsoft Authenticator change codes every 30 seconds whatever is asked for");
    }
    doubts
}

fn given_secret(arguments: &Enroll) -> Result<Option<Secret>, Failure> {
    match (&arguments.secret_file, arguments.secret_stdin) {
        (Some(path), _) => secret::from_file(path).map(Some),
        (None, true) => secret::from_stdin().map(Some),
        (None, false) => Ok(None),
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

/// The host's name, as far as the picture has room for it: a long one loses its domain.
pub(crate) fn issuer(configured: &str) -> String {
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
    qr: Qr,
) -> Result<(), Failure> {
    let otp = &authenticator.otp;
    let changes = otp.period().map_or_else(|| "with each use".into(), |period| format!("every {period} seconds"));
    terminal.show(&format!(
        "\nA second factor for {}.\n\n\
         From now on a login asks for a code that changes {changes}. An app on your phone\n\
         shows it: any app for \"TOTP\" or \"authenticator\" codes will do. Open it and scan this:\n\n",
        subject.name,
    ))?;
    match palette(qr).map(|palette| qr::draw(uri, palette)) {
        Some(Some(picture)) => terminal.show(&picture)?,
        Some(None) => terminal.show("(The address is too long for a picture; enter the key by hand.)\n")?,
        None => terminal.show("(No picture was asked for.)\n")?,
    }
    let key = Zeroizing::new(groups_of_four(&otp.secret().to_base32()));
    let kind = otp.period().map_or("counter-based", |_| "time-based");
    terminal.show(&format!(
        "\nOr enter it by hand ({kind}, {} digits):\n  Account  {issuer}: {}\n  Key      {}\n  Address  {uri}\n\n",
        otp.digits(),
        subject.name,
        key.as_str()
    ))
}

/// `NO_COLOR` (no-color.org) asks for no colours at all; the picture is then right on dark terminals, as it says.
#[allow(clippy::disallowed_methods, reason = "the command's own terminal: not the module, not set-user-ID")]
fn palette(qr: Qr) -> Option<Palette> {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    let plain = set("NO_COLOR") || env::var_os("TERM").is_some_and(|term| term == "dumb");
    match qr {
        Qr::Auto | Qr::Utf8 => Some(if plain { Palette::Plain } else { Palette::BlackAndWhite }),
        Qr::Ascii => Some(Palette::Ascii),
        Qr::None => None,
    }
}

fn groups_of_four(secret: &str) -> String {
    secret.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join(" ")
}

fn confirm(terminal: &mut Terminal, authenticator: &Authenticator) -> Result<u64, Failure> {
    let otp = &authenticator.otp;
    let (prompt, doubt) = match otp.factor() {
        MovingFactor::Time { .. } => (
            "The code that the app shows now: ",
            format!(
                "That is not the code of now. Is the phone's clock right, and this host's ({})? Is it the entry\n\
                 just scanned, and not an older one of the same name? Try the next code.\n",
                SystemClock.now()
            ),
        ),
        MovingFactor::Counter { .. } => (
            "The code that the token shows when its button is pressed: ",
            "That is none of its next hundred codes. Is it this token, and is --counter right?\n".to_owned(),
        ),
    };
    let parameters = Parameters { algorithm: otp.algorithm(), digits: otp.digits(), factor: otp.factor() };
    let doubts: String = doubts(parameters).iter().map(|doubt| format!("Is it that {doubt}?\n")).collect();
    for _ in 0..TRIES {
        let typed = terminal.ask(prompt)?.ok_or_else(given_up)?;
        if let Some(step) = enrol::confirm(authenticator, &typed, SystemClock.now()) {
            return Ok(step);
        }
        terminal.show(&doubt)?;
        terminal.show(&doubts)?;
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
