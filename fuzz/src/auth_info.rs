//! `SSH_AUTH_INFO_0`: what sshd says of the methods that were completed.

use twinlock_core::policy::FirstFactors;

/// The kinds of keys, each with the name of its certificates.
const KINDS: [(&str, &str); 7] = [
    ("ssh-ed25519", "ssh-ed25519-cert-v01@openssh.com"),
    ("ssh-rsa", "ssh-rsa-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384-cert-v01@openssh.com"),
    ("ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521-cert-v01@openssh.com"),
    ("sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"),
    ("sk-ecdsa-sha2-nistp256@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com"),
];
const LONGEST: usize = 64 * 1024;

/// What was proven is what a second reading finds proven.
#[must_use]
pub fn check(info: &[u8]) -> bool {
    let factors = FirstFactors::parse(Some(info));
    let ours: Vec<_> = factors.keys().iter().map(|key| key.key_type.name()).collect();
    assert_eq!(ours, proven(info));
    assert!(factors.any() || ours.is_empty());
    factors.any()
}

/// The kinds of the keys that were proven, by the second reading.
#[must_use]
pub fn proven(info: &[u8]) -> Vec<&'static str> {
    let Some(text) = std::str::from_utf8(info).ok().filter(|text| text.len() <= LONGEST) else { return Vec::new() };
    text.split('\n').filter_map(key).collect()
}

/// Whether a key may have been proven that [`proven`] does not name.
#[must_use]
pub fn hides_a_key(info: &[u8]) -> bool {
    let is_of_a_key = |line: &&str| {
        let method = line.split(' ').next().unwrap_or_default();
        method == "publickey" || method.starts_with("publickey/")
    };
    match std::str::from_utf8(info) {
        Ok(text) if text.len() <= LONGEST => {
            text.split('\n').filter(is_of_a_key).count() != text.split('\n').filter_map(key).count()
        }
        Ok(_) | Err(_) => true,
    }
}

fn key(line: &str) -> Option<&'static str> {
    let words: Vec<&str> = line.split(' ').collect();
    let (method, name, encoded) = (words.first()?, *words.get(1)?, words.get(2)?);
    let kind = KINDS.iter().find(|(key, certificate)| name == *key || name == *certificate)?.0;
    let blob = base64(encoded)?;
    let mut begin = vec![0, 0, 0, u8::try_from(name.len()).ok()?];
    begin.extend(name.bytes());
    let sound = blob.starts_with(&begin) && blob.len() > begin.len();
    (sound && (*method == "publickey" || method.starts_with("publickey/"))).then_some(kind)
}

/// Base64 with its padding and without bits to spare (RFC 4648 section 3.5), read in the slowest way.
fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let plain = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - plain.len() > 2 {
        return None;
    }
    let bits: Option<String> = plain.chars().map(|c| DIGITS.find(c).map(|value| format!("{value:06b}"))).collect();
    let bits = bits?;
    let whole = bits.len() / 8 * 8;
    if bits.as_bytes()[whole..].contains(&b'1') || (text.len() - plain.len()) * 2 != bits.len() - whole {
        return None;
    }
    (0..whole).step_by(8).map(|at| u8::from_str_radix(bits.get(at..at + 8)?, 2).ok()).collect()
}
