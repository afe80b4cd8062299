//! What may be chosen at an enrolment, and which apps get a choice wrong.

use twinlock_core::{
    otp::{Algorithm, MovingFactor, Otp},
    secret::Secret,
};
use twinlock_enrol::enrolment::Parameters;

use crate::{
    cli::{Enroll, Hash, Type},
    failure::Failure,
    messages::enroll as messages,
    output::print_note,
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
            return Err(messages::counter_of_an_app());
        }
        Type::Totp => MovingFactor::Time { period: arguments.period },
        Type::Hotp if arguments.period != Otp::PERIOD => {
            return Err(messages::period_of_a_token());
        }
        Type::Hotp => MovingFactor::Counter { first: arguments.counter },
    };
    let parameters = Parameters { algorithm, digits: arguments.digits, factor };
    for warning in parameters.doubts() {
        print_note(&messages::doubt(warning));
    }
    Ok(parameters)
}

pub(crate) fn given_secret(arguments: &Enroll) -> Result<Option<Secret>, Failure> {
    match (&arguments.secret_file, arguments.secret_stdin) {
        (Some(path), _) => secret::from_file(path).map(Some),
        (None, true) => secret::from_stdin().map(Some),
        (None, false) => Ok(None),
    }
}
