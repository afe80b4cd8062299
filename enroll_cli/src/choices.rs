//! What may be chosen at an enrolment, and which apps get a choice wrong.

use twinlock_core::{
    enrol::Parameters,
    otp::{Algorithm, MovingFactor, Otp},
    secret::Secret,
};

use crate::{
    cli::{Enroll, Hash, Type},
    failure::Failure,
    output::note,
    secret,
};

/// What was chosen, each departure from what every app handles with a warning.
pub(crate) fn parameters(arguments: &Enroll) -> Result<Parameters, Failure> {
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
pub(crate) fn doubts(parameters: Parameters) -> Vec<&'static str> {
    let mut doubts = Vec::new();
    match parameters.algorithm {
        Algorithm::Sha1 => {}
        Algorithm::Sha256 => {
            doubts.push("with SHA256, Microsoft Authenticator, Authy and Duo compute SHA1 and show wrong codes");
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

pub(crate) fn given_secret(arguments: &Enroll) -> Result<Option<Secret>, Failure> {
    match (&arguments.secret_file, arguments.secret_stdin) {
        (Some(path), _) => secret::from_file(path).map(Some),
        (None, true) => secret::from_stdin().map(Some),
        (None, false) => Ok(None),
    }
}
