//! What the command says, as files: each folder of `cases/` is one run of it in a world of its own, and a test of the
//! folder's name.
//!
//! | file | what | if it is not there |
//! | --- | --- | --- |
//! | `setup` | lines for `sh`, each of which must succeed | nothing is prepared |
//! | `command` | one line for `sh` | |
//! | `stdin` | what there is to read | nothing |
//! | `stdout`, `stderr` | what is written | nothing is |
//! | `exit` | the exit status | 0 |
//!
//! Times, ids and secrets are `[TIME]`, `[ID]`, `[SECRET]` and `[RECOVERY-CODE]`. In a world there are root, alice, bob
//! and carol, nobody is enrolled, and the store is as `twinlock store init` leaves it. With `TWINLOCK_WRITE_SNAPSHOTS=1` in the
//! environment a test writes `stdout`, `stderr` and `exit` anew: read the difference before you keep it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test that cannot go on panics")]

mod placeholders;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use twinlock_tests::{Launch, Output, World, in_world};

const WRITE: &str = "TWINLOCK_WRITE_SNAPSHOTS";

/// One folder.
#[derive(Debug)]
struct Case {
    folder: PathBuf,
    setup: String,
    command: String,
    stdin: String,
    wanted: Written,
}

/// What a run leaves.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    stdout: String,
    stderr: String,
    exit: String,
}

impl Case {
    fn load(folder: PathBuf) -> Self {
        let file = |name| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let command = fs::read_to_string(folder.join("command"));
        let command = command.unwrap_or_else(|error| panic!("{}/command: {error}", folder.display()));
        let exit = Some(file("exit")).filter(|exit| !exit.is_empty()).unwrap_or_else(|| "0\n".into());
        let wanted = Written { stdout: file("stdout"), stderr: file("stderr"), exit };
        Self { setup: file("setup"), stdin: file("stdin"), command, wanted, folder }
    }

    fn run(&self, world: &World) -> Written {
        let config = fs::read_to_string(world.repository().join("config/config.toml")).unwrap();
        world.write("/etc/twinlock/config.toml", config.replace("#issuer = \"\"", "issuer = \"world\""));
        for name in ["alice", "bob", "carol"] {
            world.account(name);
        }
        world.group("admins", &["bob"]);
        world.make_store();
        world.install();
        if !self.setup.is_empty() {
            let prepared = Launch::new(["sh", "-euc", &self.setup]).run();
            assert_eq!(prepared.code, Some(0), "{}/setup: {prepared:?}", self.folder.display());
        }
        let Output { code, signal, stdout, stderr } =
            Launch::new(["sh", "-c", self.command.trim_end()]).run_with_input(self.stdin.as_bytes());
        assert_eq!(signal, None, "{}", self.folder.display());
        Written {
            stdout: placeholders::put(&stdout),
            stderr: placeholders::put(&stderr),
            exit: format!("{}\n", code.unwrap()),
        }
    }

    fn keep(&self, written: &Written) {
        let empty = |name: &str| if name == "exit" { "0\n" } else { "" };
        for (name, text) in [("stdout", &written.stdout), ("stderr", &written.stderr), ("exit", &written.exit)] {
            let path = self.folder.join(name);
            if text == empty(name) {
                drop(fs::remove_file(path));
            } else {
                fs::write(path, text).unwrap();
            }
        }
    }
}

/// Runs one case; an error where it writes something else than its files say.
fn check(case: &Case) -> Result<(), String> {
    let mut written = None;
    // Where there are no worlds, nothing is compared.
    in_world(|world| written = Some(case.run(world)));
    match written {
        Some(written) if env::var_os(WRITE).is_some() => case.keep(&written),
        Some(written) if written != case.wanted => {
            let (command, wanted) = (&case.command, &case.wanted);
            return Err(format!("{WRITE}=1 writes it anew: {command}wanted {wanted:#?}\nwritten {written:#?}"));
        }
        Some(_) | None => {}
    }
    Ok(())
}

/// The folders of `cases/` with their names, which are those of the tests.
fn cases() -> impl Iterator<Item = (String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli_snapshots/cases");
    let folders = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    folders.map(|folder| (folder.file_name().unwrap().display().to_string(), Case::load(folder)))
}

fn there_is_a_case_for_every_verb(commands: &[String]) {
    assert!(commands.len() >= 40, "{}", commands.len());
    in_world(|world| {
        let help = world.twinlock(&["--help"]).stdout;
        let verbs = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
        let verbs = verbs.filter_map(|line| line.split_whitespace().next().filter(|_| !line.starts_with("   ")));
        for verb in verbs.filter(|verb| *verb != "help") {
            for wanted in [format!("twinlock {verb}"), format!("twinlock {verb} --help")] {
                assert!(commands.iter().any(|command| command.contains(&wanted)), "{wanted}");
            }
        }
    });
}

fn main() -> ExitCode {
    let cases: Vec<_> = cases().collect();
    let commands: Vec<_> = cases.iter().map(|(_, case)| case.command.clone()).collect();
    let mut trials: Vec<_> =
        cases.into_iter().map(|(name, case)| Trial::test(name, move || check(&case).map_err(Failed::from))).collect();
    trials.push(Trial::test("there_is_a_case_for_every_verb", move || {
        there_is_a_case_for_every_verb(&commands);
        Ok(())
    }));
    trials.sort_unstable_by(|one, other| one.name().cmp(other.name()));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
