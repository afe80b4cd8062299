//! How values of other crates are spelt in the messages on the socket. Each form has the fields of its value, which the
//! compiler checks, so none can be forgotten.

use serde::{Deserialize, Serialize};
use twinlock_core::{
    credentials::Label,
    devices::DeviceChange,
    otp::{Algorithm, MovingFactor},
    ports::Offer,
};
use twinlock_enrol::enrolment::Parameters;
use zeroize::Zeroizing;

/// [`Algorithm`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Algorithm", rename_all = "kebab-case")]
pub(crate) enum AlgorithmForm {
    Sha1,
    Sha256,
    Sha512,
}

/// [`MovingFactor`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "MovingFactor", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum MovingFactorForm {
    Time { period: u32 },
    Counter { first: u64 },
}

/// [`Parameters`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Parameters", deny_unknown_fields)]
pub(crate) struct ParametersForm {
    #[serde(with = "AlgorithmForm")]
    algorithm: Algorithm,
    digits: u8,
    #[serde(with = "MovingFactorForm")]
    factor: MovingFactor,
}

/// [`DeviceChange`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "DeviceChange", rename_all = "kebab-case")]
pub(crate) enum DeviceChangeForm {
    Rename(#[serde(with = "label")] Label),
    Suspend,
    Resume,
    Remove,
}

/// [`Offer`].
#[derive(Serialize, Deserialize)]
#[serde(remote = "Offer", deny_unknown_fields)]
pub(crate) struct OfferForm {
    user: String,
    issuer: String,
    uri: Zeroizing<String>,
    key: Zeroizing<String>,
    digits: u8,
    period: Option<u32>,
}

/// A new authenticator as the content of a message.
#[derive(Deserialize)]
pub(crate) struct OfferMessage(#[serde(with = "OfferForm")] pub(crate) Offer);

/// The same, to be written.
pub(crate) struct OfferContent<'a>(pub(crate) &'a Offer);

impl Serialize for OfferContent<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        OfferForm::serialize(self.0, to)
    }
}

/// [`Label`], a string that is one.
pub(crate) mod label {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use twinlock_core::credentials::Label;

    pub(crate) fn serialize<S: Serializer>(label: &Label, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(label.as_str())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Label, D::Error> {
        Label::parse(&String::deserialize(from)?).ok_or_else(|| D::Error::custom(Label::RULE))
    }
}
