//! A large host. The store is written here, slot by slot, as ARCHITECTURE.md describes it.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use twinlock_tests::{Terminal, World, in_world};

use crate::list::{furnish, json};

const USERS: usize = 10_000;
const STORE: &str = "/var/lib/twinlock";

/// All of them enrolled, each as the first one was by the command itself.
fn crowd(world: &World) {
    let name = |number: usize| format!("u{number:05}");
    let line = |number| format!("{}:x:{1}:{1}::/:/bin/sh", name(number), 20_000 + number);
    let passwd: Vec<String> = (0..USERS).map(line).collect();
    world.write("/etc/passwd", format!("root:x:0:0::/root:/bin/sh\n{}\n", passwd.join("\n")));
    world.enrol(&name(0));
    let credentials = fs::read_to_string(format!("{STORE}/credentials/u00000.toml")).unwrap();
    let state = fs::read(format!("{STORE}/state/u00000")).unwrap();
    for number in 1..USERS {
        let (user, uid) = (name(number), format!("{}", 20_000 + number));
        let changed = credentials.replace("u00000", &user).replace("20000", &uid);
        write(&format!("{STORE}/credentials/{user}.toml"), changed.as_bytes());
        write(&format!("{STORE}/state/{user}"), &slots(&state, &user, &uid));
    }
}

/// The same state of another user: names and numbers of the same length in each slot's body, and its checksum anew.
fn slots(state: &[u8], user: &str, uid: &str) -> Vec<u8> {
    let mut all = Vec::new();
    for slot in state.chunks(4096) {
        let mut slot = slot.to_vec();
        let length = usize::try_from(u32::from_le_bytes(slot[16..20].try_into().unwrap())).unwrap();
        let body = String::from_utf8(slot[32..32 + length].to_vec()).unwrap();
        let body = body.replace("u00000", user).replace("20000", uid);
        slot[32..32 + length].copy_from_slice(body.as_bytes());
        if length > 0 {
            let sum = Sha256::new().chain_update(&slot[..24]).chain_update(body).finalize();
            slot[24..32].copy_from_slice(&sum[..8]);
        }
        all.extend(slot);
    }
    all
}

fn write(path: &str, content: &[u8]) {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(content).unwrap();
}

#[test]
fn ten_thousand_users_are_listed_at_once() {
    in_world(|world| {
        furnish(world);
        crowd(world);
        let output = world.twinlock(&["list"]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        assert_eq!(
            output.stdout.lines().filter(|line| line.ends_with("\tenrolled\tphone\t-\t-\t10\tnormal")).count(),
            USERS
        );
        assert_eq!(json(&world.twinlock(&["list", "--json"])).len(), USERS + 1);
    });
}

#[test]
fn a_slow_store_shows_how_far_it_is_on_a_terminal_and_leaves_no_trace() {
    in_world(|world| {
        furnish(world);
        for number in 0..4 {
            world.account(&format!("u{number}"));
            world.enrol(&format!("u{number}"));
        }
        let slow = ["strace", "-qq", "-f", "-o", "/dev/null", "-e", "inject=pread64:delay_enter=1200000"];
        if !Path::new("/usr/bin/strace").exists() {
            println!("skipped: strace is missing");
            return;
        }
        let output = Terminal::start(world.twinlock_launch(&["list"]).under(slow)).finish();
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(output.stdout.contains(" left"), "{output:?}");
        assert!(output.stdout.contains("\nu3    enrolled"), "{output:?}");
        let piped = world.twinlock_launch(&["list"]).under(slow).run();
        assert_eq!(piped.stderr, "", "{piped:?}");
    });
}
