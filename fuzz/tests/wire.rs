//! What nobody meant to be a message, and any text in one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use proptest::prelude::*;
use twinlock_core::policy::SecondFactor;
use twinlock_fuzz::frame::first;
use twinlock_login::wire::{Frame, LoginRequest};
use twinlock_service::{
    lifecycle::Request,
    wire::{Requested, decode_request, encode_request},
};

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(Frame::read(&mut bytes.as_slice()).is_ok(), first(&bytes).is_some());
        prop_assert!(decode_request(&bytes).is_err());
        if let Ok(login) = LoginRequest::parse(&bytes) {
            prop_assert!(!login.user.contains('\0'));
        }
    }

    #[test]
    fn any_field_of_a_login_is_what_it_was(user in "[^\0]{0,40}", service in "[^\0]{0,40}", rhost in "[^\0]{1,40}", prompt in "[^\0]{1,40}") {
        let bytes = ["1", &user, "required", &service, &rhost, &prompt].join("\0").into_bytes();
        let (rhost, prompt) = (Some(rhost), Some(prompt));
        let parsed = LoginRequest::parse(&bytes).ok();
        prop_assert_eq!(parsed, Some(LoginRequest { user, policy: SecondFactor::Required, service, rhost, prompt }));
    }

    #[test]
    fn any_user_name_survives_an_envelope(user in "\\PC{0,60}|[\0-\u{1f}:/\\n.]{0,20}") {
        let sent = encode_request(Some(&user), None, &Request::Status).unwrap();
        let Requested { user: named, request, .. } = decode_request(&sent).ok().unwrap();
        prop_assert_eq!(named, Some(user));
        prop_assert!(matches!(request, Request::Status));
    }
}
