//! What the broker adds: a request over its socket, a code tried through it rather than by the module as root, a hundred
//! users who enrol at once, and its memory.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use twinlock_tests::{
    Account, Authenticator, Enrolled, ForgedState, Launch, PASSWORD, PamCode, Raw, World, authenticate, state_of,
};

use crate::clock;
use crate::report::{milliseconds, spread};
use crate::samples::Samples;

/// How many enrol at once.
const TOGETHER: u32 = 100;
/// Recovery codes are hashed two at a time.
const PATIENCE: Duration = Duration::from_mins(10);
/// This program where every user may run it.
const CLIENT: &str = "/run/bench-client";

/// A line of the report: what, and its figure.
pub(crate) type Figure = (String, String);

/// Measures, in so many rounds.
pub(crate) fn measure(world: &World, rounds: usize) -> Vec<Figure> {
    world.set_up("");
    world.broker_service();
    world.service("bench-broker", "auth required pam_twinlock.so\n");
    let account = world.account_with_uid("owner", 30_000);
    let owner = world.deploy("owner");
    let broker = world.broker();
    let idle = broker.resident_kib();
    let mut figures = vec![("memory of the idle broker, KiB".to_owned(), idle.to_string())];

    eprintln!("the broker: {rounds} rounds");
    let mut times: [Samples; 5] = Default::default();
    let program = program_of("twinlock");
    for _ in 0..rounds {
        times[0].push(timed(|| ask("\"status\"", b"", "D")));
        times[1].push(timed(|| run(&program, &account)));
        times[2].push(timed(|| run("/bin/true", &account)));
        let code = put_back(world, &account, &owner);
        times[3].push(timed(|| ask("\"verify\"", code.as_bytes(), "D")));
        let code = put_back(world, &account, &owner);
        times[4].push(timed(|| {
            assert_eq!(authenticate(c"bench-broker", c"owner", code.as_bytes()), PamCode::Success);
        }));
    }
    let names = [
        "request for the status, ms",
        "`twinlock status` as a user, ms",
        "`true` as a user, ms",
        "a code verified by the broker, ms",
        "the same by the module as root, ms",
    ];
    figures.extend(names.iter().zip(&times).map(|(name, times)| ((*name).to_owned(), spread(times))));

    eprintln!("{TOGETHER} enrolments at once");
    fs::copy("/proc/self/exe", CLIENT).expect("/run is ours");
    fs::set_permissions(CLIENT, Permissions::from_mode(0o755)).expect("just written");
    let accounts = (1..=TOGETHER).map(|number| world.account_with_uid(&format!("new{number:03}"), 30_000 + number));
    let accounts: Vec<_> = accounts.collect();
    let took = timed(|| {
        let mut clients: Vec<Child> = accounts.iter().map(start_client).collect();
        assert!(clients.iter_mut().all(|client| client.wait().expect("our child").success()), "all are enrolled");
    });
    figures.push((format!("{TOGETHER} users enrol at once, ms"), milliseconds(took)));
    figures.push(("memory of the broker afterwards, KiB".into(), broker.resident_kib().to_string()));
    figures
}

fn timed(act: impl FnOnce()) -> u64 {
    let begin = clock::now();
    act();
    clock::now() - begin
}

/// As root for the owner: one request with at most one answer, on a connection of its own.
fn ask(request: &str, answer: &[u8], end: &str) {
    let mut raw = Raw::connect();
    raw.say('R', format!("{{\"version\":1,\"user\":\"owner\",\"request\":{request}}}").as_bytes());
    loop {
        let frame = raw.hear().expect("the broker answers");
        match frame.kind {
            'Q' => raw.say('A', answer),
            kind => return assert_eq!(kind.to_string(), end, "{}", frame.text()),
        }
    }
}

/// The state of somebody who logged in an hour ago, on the disk; and the current code.
fn put_back(world: &World, account: &Account, owner: &Enrolled) -> String {
    ForgedState::of(account).write(world);
    File::open(state_of(&account.name)).and_then(|file| file.sync_all()).expect("the disk takes it");
    owner.codes().next()
}

fn program_of(name: &str) -> String {
    Launch::new(["sh", "-c", "command -v \"$0\"", name]).run().stdout.trim().to_owned()
}

fn run(program: &str, account: &Account) {
    let mut command = Command::new(program);
    command.arg("status").env_clear().stdout(Stdio::null()).uid(account.uid).gid(account.uid);
    let status = command.status().expect(program);
    assert!(status.success(), "{program}: {status}");
}

fn start_client(account: &Account) -> Child {
    let mut command = Command::new(Path::new(CLIENT));
    command.args([crate::worker::NAME, "enroll"]).env_clear().uid(account.uid).gid(account.uid);
    command.spawn().expect(CLIENT)
}

/// The inside of a client: enrols the user who runs it.
pub(crate) fn enroll() {
    let mut raw = Raw::connect().patient(PATIENCE);
    raw.say(
        'R',
        br#"{"version":1,"user":null,"request":{"enroll":{"place":"first","label":"phone","issuer":null,"confirm":"ask","parameters":{"algorithm":"sha1","digits":6,"factor":{"time":{"period":30}}}}}}"#,
    );
    let mut app = None;
    let mut kept = String::new();
    loop {
        let frame = raw.hear().expect("the broker answers");
        let text = frame.text();
        match frame.kind {
            'H' => raw.say('A', PASSWORD.as_bytes()),
            'I' => {
                let uri = text.split_once("\"uri\":\"").and_then(|(_, rest)| rest.split_once('"')).expect("an address");
                app = Some(Authenticator::from_uri(uri.0));
            }
            'T' => {
                kept = text.split_whitespace().find(|word| word.len() == 19).map_or(kept, str::to_owned);
            }
            'Q' if text.starts_with("Enter the code that the app shows") => {
                let app = app.as_ref().expect("it was shown");
                raw.say('A', app.code_at(app.now_step()).as_bytes());
            }
            'Q' => raw.say('A', kept.as_bytes()),
            'D' => return,
            other => panic!("{other} {text}"),
        }
    }
}
