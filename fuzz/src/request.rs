//! What a user asks the broker for.

use serde_json::Value;
use twinlock_service::{
    lifecycle::Request,
    wire::{Requested, decode_request, encode_request},
};

/// A request names a user, a language and what is wanted, nothing else, and means the same when it is said again.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let Ok(Requested { user, language, request }) = decode_request(bytes) else { return false };
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let object = value.as_object().unwrap();
    assert!(object.keys().all(|key| ["version", "user", "language", "request"].contains(&key.as_str())), "{value}");
    assert_eq!((&value["version"], value["user"].as_str()), (&Value::from(1), user.as_deref()));
    assert!(language.as_ref().is_none_or(|language| !language.is_file()), "{value}");
    let wanted = &value["request"]["enroll"];
    assert!(wanted.get("secret").is_none() && wanted.get("uid").is_none(), "{value}");
    if let Request::Enroll(wanted) = &request {
        assert!(wanted.secret.is_none());
    }
    let again =
        encode_request(user.as_deref(), language.as_ref(), &request).unwrap_or_else(|broken| panic!("{broken:?}"));
    let Ok(second) = decode_request(&again) else { panic!("{value}") };
    assert_eq!(
        encode_request(second.user.as_deref(), second.language.as_ref(), &second.request).ok(),
        Some(again.clone())
    );
    let said: Value = serde_json::from_slice(&again).unwrap();
    assert_eq!(said["user"].as_str(), user.as_deref());
    assert_eq!(without_nulls(&said["request"]), without_nulls(&value["request"]));
    true
}

/// What may be left out may be said to be nothing, too.
fn without_nulls(value: &Value) -> Value {
    let Some(members) = value.as_object() else { return value.clone() };
    let said = members.iter().filter(|(_, member)| !member.is_null());
    said.map(|(name, member)| (name.clone(), without_nulls(member))).collect()
}
