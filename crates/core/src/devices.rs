//! Several authenticators of one user: found by id or label, renamed, suspended, removed. Values in, values out; who
//! stores them holds the user's lock.

use crate::{
    credentials::{AuthenticatorId, Enrolment, Label},
    text::look_alike,
};

/// Why a device is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceError {
    /// None has this id or label.
    NoSuch,
    /// Several have this label.
    SeveralSuch,
    /// It is the only one: removing it would leave a user without a second factor, by a verb that does not say so.
    Last,
    /// There is no room for one more.
    TooMany,
    /// People could take the label for that of another.
    LooksAlike,
}

/// What can be done to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceChange {
    /// Another label.
    Rename(Label),
    /// Its codes open nothing until it is resumed.
    Suspend,
    /// Its codes count again.
    Resume,
    /// It is forgotten.
    Remove,
}

impl Enrolment {
    /// Finds a device by its id, or by its label if no other has the same.
    ///
    /// # Errors
    /// [`DeviceError::NoSuch`], [`DeviceError::SeveralSuch`].
    pub fn device(&self, id_or_label: &str) -> Result<AuthenticatorId, DeviceError> {
        if let Some(exact) = self.authenticators.iter().find(|device| device.id.as_str() == id_or_label) {
            return Ok(exact.id.clone());
        }
        let mut labelled = self.authenticators.iter().filter(|device| device.label.as_str() == id_or_label);
        match (labelled.next(), labelled.next()) {
            (Some(only), None) => Ok(only.id.clone()),
            (None, _) => Err(DeviceError::NoSuch),
            (Some(_), Some(_)) => Err(DeviceError::SeveralSuch),
        }
    }

    /// Refuses a label that looks like that of another device than this one.
    ///
    /// # Errors
    /// [`DeviceError::LooksAlike`].
    pub fn check_label(&self, label: &Label, own: Option<&AuthenticatorId>) -> Result<(), DeviceError> {
        let mut others = self.authenticators.iter().filter(|device| Some(&device.id) != own);
        if others.any(|other| look_alike(other.label.as_str(), label.as_str())) {
            return Err(DeviceError::LooksAlike);
        }
        Ok(())
    }

    /// Changes a device.
    ///
    /// # Errors
    /// [`DeviceError`]; nothing is changed then.
    pub fn change_device(&mut self, id_or_label: &str, change: &DeviceChange) -> Result<AuthenticatorId, DeviceError> {
        let id = self.device(id_or_label)?;
        if let DeviceChange::Rename(label) = change {
            self.check_label(label, Some(&id))?;
        }
        if *change == DeviceChange::Remove {
            if self.authenticators.len() <= 1 {
                return Err(DeviceError::Last);
            }
            self.authenticators.retain(|device| device.id != id);
            return Ok(id);
        }
        for device in self.authenticators.iter_mut().filter(|device| device.id == id) {
            match change {
                DeviceChange::Rename(label) => device.label = label.clone(),
                DeviceChange::Suspend => device.suspended = true,
                DeviceChange::Resume => device.suspended = false,
                DeviceChange::Remove => {}
            }
        }
        Ok(id)
    }
}

/// The label of a new device for which nobody chose one: `phone`, `phone-2` and so on, the first that is not taken.
#[must_use]
pub fn free_label(taken: &[&str]) -> Label {
    let is_taken = |label: &Label| taken.iter().any(|taken| look_alike(taken, label.as_str()));
    let mut number = 1usize;
    loop {
        let label = Label::numbered("phone", number);
        if !is_taken(&label) || number > taken.len() {
            return label;
        }
        number = number.saturating_add(1);
    }
}

impl std::error::Error for DeviceError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        account::UserName,
        credentials::Authenticator,
        otp::{Algorithm, MovingFactor, Otp},
        secret::Secret,
    };

    fn device(id: &str, label: &str) -> Authenticator {
        let secret = Secret::from_bytes(&[1; 20]).unwrap();
        let otp = Otp::new(secret, Algorithm::Sha1, 6, MovingFactor::Time { period: 30 }).unwrap();
        let (id, label) = (AuthenticatorId::parse(id).unwrap(), Label::parse(label).unwrap());
        Authenticator { id, label, otp, created: None, suspended: false }
    }

    fn alice() -> Enrolment {
        let authenticators =
            vec![device("aaa", "phone"), device("bbb", "tablet"), device("ccc", "tablet"), device("ddd", "aaa")];
        enrolment_with(authenticators)
    }

    fn enrolment_with(authenticators: Vec<Authenticator>) -> Enrolment {
        Enrolment { user: UserName::parse(b"alice").unwrap(), uid: None, authenticators, recovery: None }
    }

    fn found(text: &str) -> Result<String, DeviceError> {
        alice().device(text).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn a_label_that_looks_like_that_of_another_device_is_refused() {
        let mut held = enrolment_with(vec![device("a1", "phone"), device("b2", "tablet")]);
        for alike in ["Tablet", "tablet", "t a b l e t", " TABLET"] {
            let rename = DeviceChange::Rename(Label::parse(alike).unwrap());
            assert_eq!(held.change_device("a1", &rename), Err(DeviceError::LooksAlike), "{alike}");
            assert!(held.change_device("b2", &rename).is_ok(), "its own label, seen again: {alike}");
        }
    }

    #[test]
    fn a_label_that_nobody_chose_is_one_that_no_device_has() {
        for (taken, free) in [
            (&[][..], "phone"),
            (&["tablet"], "phone"),
            (&["Phone"], "phone-2"),
            (&["phone-2", "PHONE"], "phone-3"),
            (&["phone-2"], "phone"),
        ] {
            assert_eq!(free_label(taken).as_str(), free, "{taken:?}");
        }
    }

    #[test]
    fn an_id_wins_over_a_label_and_a_label_must_be_unique() {
        assert_eq!(found("bbb"), Ok("bbb".into()));
        assert_eq!(found("phone"), Ok("aaa".into()));
        assert_eq!(found("aaa"), Ok("aaa".into()));
        assert_eq!(found("tablet"), Err(DeviceError::SeveralSuch));
        assert_eq!(found("Phone"), Err(DeviceError::NoSuch));
        assert_eq!(found(""), Err(DeviceError::NoSuch));
    }

    #[test]
    fn each_change_touches_its_device_alone() {
        let seen = |change| {
            let mut changed = alice();
            changed.change_device("bbb", &change).unwrap();
            let shown = |device: &Authenticator| {
                format!("{}:{}:{}", device.id.as_str(), device.label.as_str(), device.suspended)
            };
            changed.authenticators.iter().map(shown).collect::<Vec<_>>().join(" ")
        };
        let work = Label::parse("work").unwrap();
        assert_eq!(seen(DeviceChange::Rename(work)), "aaa:phone:false bbb:work:false ccc:tablet:false ddd:aaa:false");
        assert_eq!(seen(DeviceChange::Suspend), "aaa:phone:false bbb:tablet:true ccc:tablet:false ddd:aaa:false");
        assert_eq!(seen(DeviceChange::Resume), "aaa:phone:false bbb:tablet:false ccc:tablet:false ddd:aaa:false");
        assert_eq!(seen(DeviceChange::Remove), "aaa:phone:false ccc:tablet:false ddd:aaa:false");
    }

    #[test]
    fn the_last_device_is_not_removed() {
        let mut only = Enrolment { authenticators: vec![device("aaa", "phone")], ..alice() };
        assert_eq!(only.change_device("aaa", &DeviceChange::Remove), Err(DeviceError::Last));
        assert_eq!(only.authenticators.len(), 1);
    }
}
