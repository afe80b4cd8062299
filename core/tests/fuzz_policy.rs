//! A million hostile inputs, the same in every run: what comes from the network or from a file never panics, and never
//! decides for a login what a second, simpler reading of it does not.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    clippy::string_slice,
    reason = "a test that cannot go on panics"
)]

mod random;

use std::{io, net::IpAddr};

use twinlock_core::{
    account::UserName,
    answer::{Answer, split},
    config::Config,
    policy::{Facts, FirstFactors, Groups, Network, SecondFactor, Source},
    record::Record,
    time::UnixTime,
};

use random::{Mutations, Random};

const MUTATIONS: Mutations = Mutations { pieces: PIECES, places: 5, copied: 8 };

const PIECES: &[&[u8]] = &[
    b"\n",
    b" ",
    b"  ",
    b"\t",
    b"\r",
    b"=",
    b"/",
    b"%",
    b":",
    b".",
    b"::ffff:",
    b"\xff",
    b"\0",
    "\u{661}".as_bytes(),
    "\u{ff11}".as_bytes(),
    b"publickey ",
    b"sk-",
    b"-cert-v01",
    b"@openssh.com",
    b"10.",
    b"fd00::",
    b"0",
    b"-",
    b"!",
    b"\"",
    b"[[rule]]\n",
    b"'",
    b"#",
];

/// `sk-ssh-ed25519@openssh.com` as it goes over the wire, and its certificate; then keys that are not on a token.
const KEYS: &[&[u8]] = &[
    b"publickey sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABHNzaDo=\n",
    b"publickey sk-ssh-ed25519-cert-v01@openssh.com AAAAI3NrLXNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIAAAAAAAAAAAAAAAAAAAAAA=\n",
    b"publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
    b"publickey ssh-ed25519 AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAA\n",
    b"publickey sk-ssh-ed25519@openssh.com AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAA\n",
    b"publickey sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t\n",
    b"password\n", b"keyboard-interactive/pam\n", b"",
    b"hostbased sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIAAA\n",
];

const SOURCES: &[&[u8]] = &[
    b"10.1.2.3",
    b"11.1.2.3",
    b"::ffff:10.1.2.3",
    b"::ffff:11.1.2.3",
    b"fd00::1",
    b"fe80::1%eth0",
    b"2001:db8::1",
    b"localhost",
    b"10.1.2.3.example.com",
    b"010.1.2.3",
    b"0x0a010203",
    b"167838211",
    b"10.1.2",
    b"[fd00::1]",
    b"UNKNOWN",
    b"",
    b"10.1.2.3%eth0",
    b"fd00::10.1.2.3",
    b"1.2.3.10",
    b"::10.1.2.3",
];

const USERS: &[&[u8]] = &[
    b"alice",
    b"ALICE",
    b"alice ",
    b"bob",
    b"root",
    b"al\0ice",
    "alic\u{e9}".as_bytes(),
    b"../alice",
    b"DOM\\alice",
    b"@admins",
    b"%admins",
];

const SERVICES: &[&[u8]] = &[b"sshd", b"SSHD", b"sudo", b"su", b"sshd ", b"", b"../sshd"];

const POLICY: &str = "
[[rule]]
services = [\"sshd\"]
key_types = [\"sk-ssh-ed25519@openssh.com\"]
second_factor = \"skip\"
[[rule]]
services = [\"sshd\"]
from = [\"10.0.0.0/8\", \"fd00::/8\"]
second_factor = \"optional\"
[[rule]]
services = [\"sshd\"]
groups = [\"admins\", \"!robots\"]
second_factor = \"skip\"
";

struct Directory;

impl Groups for Directory {
    fn of(&self, user: &UserName) -> io::Result<Vec<String>> {
        Ok(if user.as_str() == "alice" { vec!["admins".into()] } else { vec!["staff".into()] })
    }

    fn exists(&self, group: &str) -> io::Result<bool> {
        Ok(["admins", "robots", "staff"].contains(&group))
    }
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
    if bits[whole..].contains('1') || (text.len() - plain.len()) * 2 != bits.len() - whole {
        return None;
    }
    (0..whole).step_by(8).map(|at| u8::from_str_radix(&bits[at..at + 8], 2).ok()).collect()
}

/// Whether a key on a token was proven, by a second reading of `SSH_AUTH_INFO_0`.
fn proves_a_token(info: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(info) else { return false };
    text.split('\n').any(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        let name = words.get(1).copied().unwrap_or_default();
        let named = ["sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"].contains(&name);
        let method = words[0] == "publickey" || words[0].starts_with("publickey/");
        let blob = words.get(2).and_then(|word| base64(word)).unwrap_or_default();
        let mut begin = vec![0, 0, 0, u8::try_from(name.len()).unwrap_or(255)];
        begin.extend(name.bytes());
        method && named && blob.starts_with(&begin) && blob.len() > begin.len()
    })
}

/// Whether an address is of `10.0.0.0/8` or `fd00::/8`, by its first bytes.
fn is_inside(rhost: &str) -> bool {
    let (plain, zone) = rhost.split_once('%').map_or((rhost, None), |(plain, zone)| (plain, Some(zone)));
    match plain.parse() {
        Ok(IpAddr::V4(address)) => zone.is_none() && address.octets()[0] == 10,
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.octets()[0] == 10);
            zone != Some("") && (address.octets()[0] == 0xfd || mapped)
        }
        Err(_) => false,
    }
}

#[test]
fn a_million_logins_are_decided_as_a_second_reading_says() {
    const LOGINS: usize = 1_000_000;
    let policy = Config::parse(POLICY.as_bytes()).unwrap().policy;
    let mut random = Random(0x2026_1124_0400_0001);
    let (mut granted, mut inputs) = (0_usize, 0_usize);
    for _ in 0..LOGINS {
        let (mut info, mut rhost, mut user, mut service) =
            (KEYS[8].to_vec(), b"192.0.2.1".to_vec(), b"bob".to_vec(), b"sshd".to_vec());
        // Most logins have one strange thing about them, some have several.
        let strange = random.below(8);
        if strange == 0 || strange > 5 {
            info = random.mutated(KEYS, &MUTATIONS);
        }
        if strange == 1 || strange > 5 {
            rhost = random.mutated(SOURCES, &MUTATIONS);
        }
        if strange == 2 || strange == 7 {
            user = random.mutated(USERS, &MUTATIONS);
        }
        if strange == 3 || strange == 7 {
            service = random.mutated(SERVICES, &MUTATIONS);
        }
        if strange == 4 {
            info = random.one(KEYS).to_vec();
            info.extend(random.mutated(KEYS, &MUTATIONS));
        }
        if strange == 5 {
            rhost = (0..random.below(40)).map(|_| b"0123456789abcdef:.%"[random.below(19)]).collect();
        }
        inputs += 1;
        let (rhost, service) = (String::from_utf8_lossy(&rhost), String::from_utf8_lossy(&service));
        let name = UserName::parse(&user).ok();
        let (source, first_factors) = (Source::of(Some(&rhost)), FirstFactors::parse(Some(&info)));
        let facts = Facts {
            service: &service,
            user: name.as_ref(),
            source: &source,
            first_factors: &first_factors,
            now: UnixTime::default(),
        };
        let decision = policy.decide(&facts, &Directory).unwrap();
        let may_pass = service == "sshd" && (proves_a_token(&info) || is_inside(&rhost) || user == b"alice");
        let passes = decision.second_factor < SecondFactor::Required;
        assert_eq!(passes, may_pass, "{:?} {rhost:?} {user:?} {service:?}", String::from_utf8_lossy(&info));
        granted += usize::from(passes);
    }
    assert_eq!(inputs, LOGINS);
    // Both answers were given often, or the million proves nothing.
    assert!((LOGINS / 20..LOGINS / 2).contains(&granted), "{granted} of {LOGINS}");
    eprintln!("{LOGINS} logins, {granted} of them let pass by a rule");
}

#[test]
fn what_stands_in_a_rule_is_read_or_refused() {
    let mut random = Random(0x2026_1124_0400_0002);
    let texts: &[&[u8]] = &[
        POLICY.as_bytes(),
        include_bytes!("../../config/config.toml"),
        b"[[rule]]\nkey_types = [\"sk-ssh-ed25519@openssh.com\"]\nuntil = 2027-01-31\nsecond_factor = \"required\"\nremember = \"8h\"\n",
        b"[[rule]]\nusers = [\"!alice\"]\nsecond_factor = \"enroll\"\n",
    ];
    for _ in 0..20_000 {
        let text = random.mutated(texts, &MUTATIONS);
        if let Err(bad) = Config::parse(&text) {
            assert!(bad.line >= 1 && !bad.picture().contains('\u{1b}'));
        }
    }
    let networks: &[&[u8]] = &[b"10.0.0.0/8", b"fd00::/8", b"::ffff:10.0.0.0/104", b"192.0.2.1", b"0.0.0.0/0", b"::/0"];
    for _ in 0..100_000 {
        let text = random.mutated(networks, &MUTATIONS);
        let text = String::from_utf8_lossy(&text);
        if let Ok(network) = Network::parse(&text) {
            // What was read means the same when it is written.
            assert_eq!(Network::parse(&network.to_string()), Ok(network), "{text}");
        }
    }
}

#[test]
fn answers_and_records_are_read_or_refused() {
    let mut random = Random(0x2026_1124_0400_0003);
    let answers: &[&[u8]] =
        &[b"123456", b"12345678", b"ABCD-EFGH-JKMN-PQRS", b"password123456", b"\x08\n\r\x7fINCORRECT"];
    for _ in 0..200_000 {
        let typed = random.mutated(answers, &MUTATIONS);
        if let Some((password, code)) = split(&typed, &[6, 8]) {
            assert!(
                typed == [password, code].concat() && !matches!(Answer::read(code), Answer::Junk | Answer::Blocked)
            );
        }
        if let Answer::Otp(_) = Answer::read(&typed) {
            let plain: Vec<u8> = typed.into_iter().filter(|byte| !b" \t-".contains(byte)).collect();
            assert!((6..=8).contains(&plain.len()) && plain.iter().all(u8::is_ascii_digit));
        }
    }
    let records: &[&[u8]] = &[
        b"user = \"alice\"\nuid = 1\n[throttle]\nfailures = 0\notp_failures = 0\nrecovery_failures = 0\nspent = 0\nrefilled = 0\nlast_failure = 0\n[remembered]\nkey = \"00112233445566778899aabbccddeeff\"\nlogins = [[\"00112233445566778899aabb\",1,2],]\n",
    ];
    let (mut read, runs) = (0, 20_000);
    for _ in 0..runs {
        let text = random.mutated(records, &MUTATIONS);
        if let Ok(record) = Record::parse(&String::from_utf8_lossy(&text)) {
            read += 1;
            assert_eq!(Record::parse(&record.to_toml()), Ok(record));
        }
    }
    assert!(read > 0 && read < runs);
}
