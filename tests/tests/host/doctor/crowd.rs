//! A thousand accounts.

use std::fmt::Write as _;
use std::fs;
use std::io::{Write, stderr};
use std::time::{Duration, Instant};

use twinlock_tests::{CONFIG, World, credentials_of};

use crate::doctor::planted::{DROP_IN, findings, on_debian, only};

const MANY: usize = 1000;

/// All in `/etc/passwd` at once, half of them enrolled, each with keys.
fn crowd(world: &World) {
    let [mut passwd, mut group] = ["/etc/passwd", "/etc/group"].map(|path| fs::read_to_string(path).unwrap());
    let credentials = fs::read_to_string(credentials_of("alice")).unwrap();
    for number in 0..MANY {
        let (name, uid) = (format!("user{number}"), 10_000 + number);
        writeln!(passwd, "{name}:x:{uid}:{uid}::/home/{name}:/bin/sh").unwrap();
        writeln!(group, "{name}:x:{uid}:").unwrap();
        world.write(format!("/home/{name}/.ssh/authorized_keys"), "ssh-ed25519 AAAA somebody\n");
        if number % 2 == 0 {
            world.write_secret(credentials_of(&name), credentials.replace("\"alice\"", &format!("\"{name}\"")));
        }
    }
    let robots: Vec<_> = (0..MANY).step_by(10).map(|number| format!("user{number}")).collect();
    writeln!(group, "robots:x:9999:{}", robots.join(",")).unwrap();
    world.write("/etc/passwd", passwd);
    world.write("/etc/group", group);
}

#[test]
fn a_thousand_accounts_are_judged_in_three_seconds() {
    on_debian(|world| {
        crowd(world);
        world.write(CONFIG, "[[rule]]\ngroups = [\"robots\"]\nsecond_factor = \"skip\"\n");
        world.write("/etc/ssh/everybody", "ssh-ed25519 AAAA everybody\n");
        let named = (0..40).map(|number| format!("user{number}")).collect::<Vec<_>>().join(",");
        let text = fs::read_to_string(DROP_IN).unwrap();
        world.write(
            DROP_IN,
            format!("{text}AuthorizedKeysFile /etc/ssh/everybody\nMatch User {named}\n    LogLevel VERBOSE\nMatch Address 10.0.0.0/8\n    LogLevel INFO\n"),
        );
        // The fastest of three: other tests run beside this one.
        let runs = [(); 3].map(|()| {
            let begun = Instant::now();
            (findings(world), begun.elapsed())
        });
        let (all, took) = runs.into_iter().min_by_key(|(_, took)| *took).unwrap();
        drop(writeln!(stderr(), "doctor over {MANY} accounts: {took:.2?}"));
        let one = only(&all, "not-enrolled");
        // Of the half without a second factor, none is a robot; and root.
        assert!(one.found.starts_with("501 accounts ") && one.found.ends_with(" and 496 more"), "{one:#?}");
        assert!(took < Duration::from_secs(3), "{took:?}");
    });
}
