//! What a process did to the files of alice, as strace saw it.

use std::fs;

const TRACE: &str = "/run/trace";
const STATES: &str = "/var/lib/twinlock/state";
const CREDENTIALS: &str = "/var/lib/twinlock/credentials";

/// One thing done to the disk. The state may be made under a draft's name; it is the same file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Bytes written into the state.
    Write { offset: usize, bytes: Vec<u8> },
    /// The state synced.
    Sync,
    /// The state given its name.
    Appear,
    /// The folder of states synced.
    SyncStates,
    /// New credentials given their name.
    Replace,
    /// The folder of credentials synced.
    SyncCredentials,
}

/// What a process is run under to be traced.
pub(crate) fn strace() -> Vec<&'static str> {
    let calls = "trace=pwrite64,write,fdatasync,fsync,renameat,renameat2";
    vec!["strace", "-f", "-y", "-x", "-s", "9000", "-o", TRACE, "-e", calls]
}

/// What the process that was traced last did, in order.
pub(crate) fn events() -> Vec<Event> {
    let trace = fs::read_to_string(TRACE).unwrap();
    trace.lines().filter_map(event).collect()
}

fn event(line: &str) -> Option<Event> {
    let (_, call) = line.split_once(' ')?;
    let (name, rest) = call.trim_start().split_once('(')?;
    let on = |path: &str| rest.contains(&format!("<{path}>"));
    let on_state = on(&format!("{STATES}/alice")) || on(&format!("{STATES}/.alice.new"));
    match name {
        "pwrite64" if on_state => Some(write(rest)),
        "fdatasync" | "fsync" if on_state => Some(Event::Sync),
        "fsync" if on(STATES) => Some(Event::SyncStates),
        "fsync" if on(CREDENTIALS) => Some(Event::SyncCredentials),
        "renameat" | "renameat2" if rest.contains("\"alice\"") => Some(Event::Appear),
        "renameat" | "renameat2" if rest.contains("\"alice.toml\"") => Some(Event::Replace),
        "write" if on_state => panic!("the state is written in place: {line}"),
        _ => None,
    }
}

/// `5</var/lib/twinlock/state/alice>, "\x54\x57", 2, 4096) = 2`
fn write(rest: &str) -> Event {
    let parts = rest.split_once(", \"").and_then(|(_, rest)| rest.split_once("\", "));
    let (text, numbers) = parts.unwrap_or_else(|| panic!("no string: {rest}"));
    let bytes: Vec<_> = text
        .split("\\x")
        .skip(1)
        .map(|byte| u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("not in hexadecimal: {text}")))
        .collect();
    let numbers: Vec<usize> = numbers.split([',', ')', '=']).filter_map(|number| number.trim().parse().ok()).collect();
    assert_eq!([numbers[0], numbers[2]], [bytes.len(); 2], "all of it is in the trace: {rest}");
    Event::Write { offset: numbers[1], bytes }
}
