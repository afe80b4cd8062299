//! The command's own reader and walker of PAM stacks against real libpam: thousands of stacks that nobody would write, with
//! includes, substacks, jumps and mistakes, each run by both.

use std::ffi::CString;

use twinlock_tests::{PamCode, World, authenticate, in_world};

use crate::pam_stack::{Line, Phase, ReturnCode, Service};
use crate::pam_walk::{Position, ends};

/// Numbers by chance, the same in every run (xorshift64*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % end
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

const KEYWORDS: [&str; 6] = ["required", "requisite", "sufficient", "optional", "Required", "mistyped"];
const CODES: [&str; 7] =
    ["success", "auth_err", "ignore", "perm_denied", "new_authtok_reqd", "default", "module_unknown"];
const ACTIONS: [&str; 10] = ["ignore", "ok", "done", "bad", "die", "reset", "1", "2", "3", "0"];

fn control(chance: &mut Chance) -> String {
    if chance.below(2) == 0 {
        return chance.one(&KEYWORDS).into();
    }
    let words: Vec<String> = (0..=chance.below(4))
        .map(|_| {
            let code = chance.one(&CODES);
            format!("{code}={} ", chance.one(&ACTIONS))
        })
        .collect();
    format!("[{}]", words.concat())
}

fn module(chance: &mut Chance) -> String {
    match chance.below(8) {
        0..=2 => "pam_permit.so".into(),
        3 => "pam_deny.so".into(),
        4 => "pam_nosuch.so".into(),
        // What is incomplete leaves the transaction open.
        _ => format!("pam_debug.so auth={}", chance.one(&ReturnCode::NAMES[..ReturnCode::COUNT - 1])),
    }
}

/// One file, which may include the next one.
fn file(chance: &mut Chance, number: usize) -> String {
    (0..=chance.below(5)).map(|_| line(chance, number)).collect()
}

fn line(chance: &mut Chance, number: usize) -> String {
    let phase = chance.one(&["auth", "auth", "auth", "-auth", "AUTH", "account"]);
    let next = if chance.below(12) == 0 { "nosuch".to_owned() } else { format!("random{}", number + 1) };
    match chance.below(14) {
        0 | 1 if number < 3 => format!("{phase} include {next}\n"),
        2 | 3 if number < 3 => format!("{phase} substack {next}\n"),
        4 if chance.below(4) == 0 => {
            chance.one(&["auth\n", "auth required\n", "auht required pam_permit.so\n"]).to_owned()
        }
        5 => format!("{phase} {} \\\n  {} # why\n", control(chance), module(chance)),
        _ => format!("{phase} {} {}\n", control(chance), module(chance)),
    }
}

fn returned(line: &Line) -> ReturnCode {
    match line.module() {
        "pam_permit.so" => ReturnCode::SUCCESS,
        "pam_deny.so" => ReturnCode::AUTH_ERR,
        "pam_debug.so" => {
            let name = line.arguments()[0].strip_prefix("auth=").unwrap();
            let number = ReturnCode::NAMES.iter().position(|known| *known == name).unwrap();
            ReturnCode(u8::try_from(number).unwrap())
        }
        _ => ReturnCode(28),
    }
}

/// What the walker makes of the service in `/etc/pam.d`.
fn walked(service: &str) -> ReturnCode {
    let service = Service::of_host(service).unwrap().unwrap();
    let stack = service.phase(Phase::Auth);
    let mut position = Position::start();
    while let Some(at) = position.next(&stack) {
        position = position.after(&stack, returned(stack[at]));
    }
    // The search for all ends must come to the same, where each line has one answer.
    let found = ends(&stack, (), |line| vec![returned(line)], |(), _, _, _| ());
    assert_eq!(found, [((), position.end())], "{}", service.file.display());
    position.end()
}

fn write(world: &World, texts: &[String]) {
    for (number, text) in texts.iter().enumerate() {
        world.service(&format!("random{number}"), text);
    }
}

#[test]
fn thousands_of_stacks_come_to_what_libpam_makes_of_them() {
    in_world(|world| {
        world.account("alice");
        let mut chance = Chance(0x7477_696e_6c6f_636b);
        let service = CString::new("random0").unwrap();
        let (mut succeeded, mut wrong) = (0, Vec::new());
        for _ in 0..4000 {
            let texts: Vec<String> = (0..4).map(|number| file(&mut chance, number)).collect();
            // Without a line for the phase, libpam takes the file of `other`.
            let texts = if texts[0].to_lowercase().contains("auth ") {
                texts
            } else {
                vec![format!("auth optional pam_debug.so auth=ignore\n{}", texts[0])]
            };
            write(world, &texts);
            if Service::of_host("random0").unwrap().unwrap().phase(Phase::Auth).is_empty() {
                continue;
            }
            let real = authenticate(&service, c"alice", b"");
            let ours = PamCode::from(i32::from(walked("random0").0));
            succeeded += usize::from(real == PamCode::Success);
            if ours != real {
                wrong.push(format!("libpam {real:?}, walked {ours:?}:\n{}", texts.join("---\n")));
            }
        }
        assert!(wrong.is_empty(), "{} differ, the first:\n{}", wrong.len(), wrong[0]);
        assert!(succeeded > 300, "too few succeed to tell anything: {succeeded}");
    });
}

#[test]
fn a_file_of_debian_is_included_for_all_phases() {
    in_world(|world| {
        world.account("alice");
        if !std::path::Path::new("/etc/debian_version").exists() && !std::path::Path::new("/usr/bin/dpkg").exists() {
            return;
        }
        for (common, wanted) in [
            ("auth required pam_permit.so\n", ReturnCode::SUCCESS),
            ("auth required pam_deny.so\n", ReturnCode::AUTH_ERR),
        ] {
            world.service("common", common);
            world.service("random0", "@include common\n");
            assert_eq!(walked("random0"), wanted);
            assert_eq!(authenticate(c"random0", c"alice", b""), PamCode::from(i32::from(wanted.0)));
        }
    });
}
