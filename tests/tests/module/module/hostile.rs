//! Thousands of hostile logins through libpam in one process: what a client or an application says never crashes the
//! module, and never passes by a rule that was not meant for it.

use std::ffi::CString;
use std::net::IpAddr;

use twinlock_tests::{IGNORED, PamCode, Random, Setup, authenticate_from};

/// Users who prove a key on a token are not asked, nor is a group without members. From two networks, users who are not
/// enrolled pass.
const RULES: &str = r#"
[[rule]]
key_types = ["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"]
second_factor = "skip"
[[rule]]
groups = ["empty"]
second_factor = "skip"
[[rule]]
services = ["svc"]
from = ["203.0.113.0/24", "2001:db8:aa::/48"]
second_factor = "optional"
"#;

/// A key on a token, which only the last login proves: nothing below comes near it.
const TOKEN: &str = "publickey sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo=";

const INFOS: [&str; 6] = [
    "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    "publickey sk-ssh-ed25519@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    "publickey sk-ssh-ed25519@openssh.com\npublickey sk-ecdsa-sha2-nistp256@openssh.com AAAA\n",
    "keyboard-interactive/pam sk-ssh-ed25519@openssh.com\npassword\n",
    "publickey/sk-ssh-ed25519@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIAAA sk-ssh-ed25519@openssh.com\n",
    "",
];
const SOURCES: [&str; 11] = [
    "203.0.113.7",
    "::ffff:203.0.113.7",
    "2001:db8:aa::7",
    "2001:db8:aa::7%eth0",
    "203.0.113.7.example.com",
    "0203.0.113.7",
    "203.0.113",
    "3405803783",
    "203.0.113.7 ",
    "192.0.2.1",
    "",
];
const USERS: [&str; 8] = ["alice", "alice", "alice", "alice", "alice ", "ALICE", "empty", "%empty"];
const PIECES: [&str; 14] =
    [" ", "\n", "\t", "=", "%", ":", ".", "0", "::ffff:", "sk-", "\u{662}", "\u{ff12}", "publickey ", "@openssh.com"];

/// One of the texts, changed in up to three places; without the NUL that a C string cannot hold.
fn changed(random: &mut Random, texts: &[&str]) -> Vec<u8> {
    let mut bytes = texts[random.below(texts.len())].as_bytes().to_vec();
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 => bytes.insert(at, u8::try_from(1 + random.below(255)).unwrap()),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            _ => drop(bytes.splice(at..at, PIECES[random.below(PIECES.len())].bytes())),
        }
    }
    bytes
}

/// A second reading of the last rule.
fn is_from_a_network(rhost: &[u8]) -> bool {
    let text = String::from_utf8_lossy(rhost);
    let (plain, zone) = text.split_once('%').map_or((&*text, None), |(plain, zone)| (plain, Some(zone)));
    match plain.parse() {
        Ok(IpAddr::V4(address)) => zone.is_none() && address.octets().starts_with(&[203, 0, 113]),
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.octets().starts_with(&[203, 0, 113]));
            zone.is_none() && (mapped || address.segments().starts_with(&[0x2001, 0xdb8, 0xaa]))
        }
        Err(_) => false,
    }
}

#[test]
fn whatever_a_client_says_passes_by_no_rule_that_is_not_meant_for_it() {
    const LOGINS: usize = 5_000;
    Setup::new().config(RULES).host(|world| {
        world.account("alice");
        world.group("empty", &[]);
        let log_in = |user: &[u8], rhost: &[u8], info: &[u8]| {
            let variable = [b"SSH_AUTH_INFO_0=", info].concat();
            let [user, rhost, variable] = [user, rhost, &variable].map(|text| CString::new(text).unwrap());
            // Nobody's code, and not counted.
            authenticate_from(c"svc", &user, b"hunter2", &rhost, &variable)
        };
        let mut random = Random::new(0x2026_1124_0400_0004);
        let mut passed = 0;
        for _ in 0..LOGINS {
            let [user, rhost, info] = [&USERS[..], &SOURCES, &INFOS].map(|texts| changed(&mut random, texts));
            let code = log_in(&user, &rhost, &info);
            let shown = [&user, &rhost, &info].map(|text| String::from_utf8_lossy(text));
            let expected = user == b"alice" && is_from_a_network(&rhost);
            assert_eq!(code == IGNORED, expected, "{code:?} {shown:?}");
            assert_ne!(code, PamCode::Success, "nobody is enrolled: {shown:?}");
            passed += usize::from(expected);
        }
        // Both ends were met often, or it proves nothing.
        assert!((LOGINS / 100..LOGINS / 2).contains(&passed), "{passed}");
        assert_eq!(log_in(b"alice", b"192.0.2.1", TOKEN.as_bytes()), IGNORED);
    });
}
