//! What the module of a host that is not root's says to the broker.

use twinlock_login::wire::LoginRequest;

/// Six fields, and each as it came.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let Ok(request) = LoginRequest::parse(bytes) else { return false };
    let [rhost, prompt] = [&request.rhost, &request.prompt].map(|field| field.clone().unwrap_or_default());
    let fields = ["1", &request.user, request.policy.name(), &request.service, &rhost, &prompt];
    assert_eq!(fields.join("\0").as_bytes(), bytes);
    assert!(fields.iter().all(|field| !field.contains('\0')));
    true
}
