//! Hostile logins by the hundred thousand, and by the million in the long run, the same each time: nothing decides for a login what a second, simpler reading of it
//! does not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on panics")]

use twinlock_core::policy::Network;
use twinlock_fuzz::{login, random::Random};
use twinlock_tests::{sweep_of, tally};

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

#[test]
fn every_login_is_decided_as_a_second_reading_says() {
    let logins = sweep_of(1_000_000);
    let mut random = Random(0x2026_1124_0400_0001);
    let mut granted = 0_usize;
    for _ in 0..logins {
        let (mut info, mut rhost, mut user, mut service) =
            (KEYS[8].to_vec(), b"192.0.2.1".to_vec(), b"bob".to_vec(), b"sshd".to_vec());
        // Most logins have one strange thing about them, some have several.
        let strange = random.below(8);
        if strange == 0 || strange > 5 {
            info = random.mutated(KEYS);
        }
        if strange == 1 || strange > 5 {
            rhost = random.mutated(SOURCES);
        }
        if strange == 2 || strange == 7 {
            user = random.mutated(USERS);
        }
        if strange == 3 || strange == 7 {
            service = random.mutated(SERVICES);
        }
        if strange == 4 {
            info = random.one(KEYS).to_vec();
            info.extend(random.mutated(KEYS));
        }
        if strange == 5 {
            rhost = (0..random.below(40)).map(|_| b"0123456789abcdef:.%"[random.below(19)]).collect();
        }
        granted += usize::from(login::decide(&service, &user, &rhost, &info));
    }
    // Both answers were given often, or it all proves nothing.
    assert!((logins / 20..logins / 2).contains(&granted), "{granted} of {logins}");
    tally("fuzz", "logins decided twice", logins as u64);
}

#[test]
fn a_network_means_the_same_when_it_is_written() {
    let mut random = Random(0x2026_1124_0400_0002);
    let networks: &[&[u8]] = &[b"10.0.0.0/8", b"fd00::/8", b"::ffff:10.0.0.0/104", b"192.0.2.1", b"0.0.0.0/0", b"::/0"];
    for _ in 0..sweep_of(100_000) {
        let text = random.mutated(networks);
        let text = String::from_utf8_lossy(&text);
        if let Ok(network) = Network::parse(&text) {
            assert_eq!(Network::parse(&network.to_string()), Ok(network), "{text}");
        }
    }
}
