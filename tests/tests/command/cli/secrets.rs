//! Where secrets must not be: arguments, environment, log, core dumps, other programs, the network.

use std::fs;

use twinlock_tests::{Authenticator, Canaries, Terminal};

use crate::cli::alice::{json, with_account};

#[test]
fn no_secret_is_in_the_arguments_or_the_environment_of_the_process() {
    with_account(|world, _| {
        let mut terminal = Terminal::start(world.twinlock_launch(&["enroll", "alice"]));
        let shown = terminal.expect("Enter the code that the app shows now: ");
        let address = shown.lines().find_map(|line| line.trim().strip_prefix("Address  ")).unwrap().to_owned();
        let mut canaries = Canaries::default();
        canaries.uri(&address);
        let look = |terminal: &Terminal, canaries: &Canaries| {
            let of_process = |file: &str| fs::read(format!("/proc/{}/{file}", terminal.process().pid())).unwrap();
            let seen = [of_process("cmdline"), of_process("environ")]
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert_eq!(seen[0], "twinlock\0enroll\0alice\0");
            canaries.assert_not_in("the environment", &seen[1]);
        };
        look(&terminal, &canaries);
        terminal.send_line(&Authenticator::from_uri(&address).codes().next());
        let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
        let codes = shown.split_whitespace().filter(|word| word.matches('-').count() == 3);
        for code in codes {
            canaries.recovery_code(code);
        }
        look(&terminal, &canaries);
    });
}

#[test]
fn no_secret_is_in_the_log() {
    with_account(|world, _| {
        let enrolled = json(&world.twinlock(&["enroll", "alice", "--no-confirm", "--json"]));
        let renewed = json(&world.twinlock(&["recovery", "new", "alice", "--no-confirm", "--json"]));
        let mut canaries = Canaries::default();
        canaries.uri(enrolled["uri"].as_str().unwrap());
        let codes = [&enrolled, &renewed].into_iter().flat_map(|value| value["recovery_codes"].as_array().unwrap());
        let codes: Vec<_> = codes.map(|code| code.as_str().unwrap()).collect();
        for answer in &codes {
            canaries.recovery_code(answer);
            world.twinlock_launch(&["verify", "alice"]).run_with_input(format!("{answer}\n").as_bytes());
        }
        let log = world.log();
        assert!(log.len() > codes.len());
        canaries.assert_not_in("the log", log.iter().map(ToString::to_string).collect::<String>());
    });
}

/// The system calls of a run.
fn traced(world: &twinlock_tests::World, arguments: &[&str], input: &[u8], filter: &str) -> String {
    let trace = ["strace", "-f", "-o", "/run/trace", "-e", filter];
    world.twinlock_launch(arguments).under(trace).run_with_input(input);
    fs::read_to_string("/run/trace").unwrap()
}

const VERBS: [&[&str]; 7] = [
    &["enroll", "alice", "--no-confirm"],
    &["status", "alice"],
    &["verify", "alice"],
    &["recovery", "new", "alice", "--no-confirm"],
    &["check"],
    &["unlock", "alice"],
    &["remove", "alice", "--yes"],
];

#[test]
fn no_verb_runs_a_program_or_uses_the_network() {
    with_account(|world, _| {
        for verb in VERBS {
            let trace = traced(world, verb, b"123456\n", "trace=execve,execveat,socket,prctl");
            assert_eq!(trace.matches("execve(").count(), 1, "P12: {verb:?}: {trace}");
            let sockets: Vec<_> = trace.lines().filter(|line| line.contains("socket(")).collect();
            assert!(sockets.iter().all(|line| line.contains("AF_UNIX")), "G20: {verb:?}: {sockets:?}");
            assert!(trace.contains("PR_SET_DUMPABLE, SUID_DUMP_DISABLE"), "{verb:?}: {trace}");
        }
    });
}

#[test]
fn an_enrolment_takes_its_randomness_from_the_kernel_or_does_not_happen() {
    with_account(|world, _| {
        let store = twinlock_tests::Snapshot::of(twinlock_tests::STORE);
        // The first calls are libc's and the standard library's own.
        let trace = traced(world, &["enroll", "alice", "--no-confirm"], b"", "trace=getrandom");
        assert!(trace.matches("getrandom(").count() > 10, "G19: {trace}");
        assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
        for errno in ["ENOSYS", "EAGAIN", "EIO"] {
            let inject = format!("inject=getrandom:error={errno}:when=3+");
            let fault = ["strace", "-f", "-o", "/run/trace", "-e", &inject];
            let launch = world.twinlock_launch(&["enroll", "alice", "--no-confirm"]).under(fault);
            let output = launch.run();
            if output.code == Some(0) {
                // It may fall back to /dev/urandom where there is no system call.
                assert_eq!(errno, "ENOSYS", "P02: {output:?}");
                assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
            }
            assert_eq!(twinlock_tests::Snapshot::of(twinlock_tests::STORE), store, "{errno}");
        }
    });
}
