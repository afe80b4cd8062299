//! The name that somebody gave.

use twinlock_core::account::UserName;

/// A name has one file name, which leaves its folder for nowhere, and of which it is the only name.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    if let Some(name) = std::str::from_utf8(bytes).ok().and_then(|file| UserName::from_file_name(file).ok()) {
        assert_eq!(name.file_name().as_bytes(), bytes);
    }
    let Ok(name) = UserName::parse(bytes) else { return false };
    assert_eq!(name.as_str().as_bytes(), bytes);
    let file = name.file_name();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-%".contains(&byte);
    assert!(file.bytes().all(plain) && !file.is_empty() && !file.starts_with('.'), "{file}");
    assert_eq!(UserName::from_file_name(&file), Ok(name));
    true
}
