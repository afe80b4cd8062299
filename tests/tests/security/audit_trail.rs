//! An attack on Twinlock, 2026-11-30 (A): the log and the places of the broker under a flood by any local account.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use twinlock_tests::{Caller, Launch, Raw};

use crate::contender::Contender;
use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A03",
        flaw: "Changes were not logged while the syslog queue was full",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a03_a_full_queue_loses_no_change),
    },
    Row {
        id: "A04",
        flaw: "One account with subordinate uids took all of the broker's connections",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a04_numbers_without_an_account_take_no_places),
    },
    Row {
        id: "A11",
        flaw: "Changes were not logged once denials had used up journald's limit",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a11_refusals_leave_room_for_changes),
    },
];

const STOP: &[u8] = b"stop";

/// Two writers that keep the queue of `/dev/log` full, and one reader of it.
struct Flood {
    ended: Arc<AtomicBool>,
    writers: Vec<JoinHandle<()>>,
    reader: JoinHandle<usize>,
}

impl Flood {
    /// Takes `/dev/log` over.
    fn begin() -> Self {
        fs::remove_file("/dev/log").unwrap();
        let log = UnixDatagram::bind("/dev/log").unwrap();
        let reader = thread::spawn(move || {
            let (mut buffer, mut changes) = ([0; 4096], 0);
            loop {
                let length = log.recv(&mut buffer).unwrap();
                if &buffer[..length] == STOP {
                    return changes;
                }
                changes += usize::from(buffer[..length].windows(7).any(|window| window == b"change="));
            }
        });
        let ended = Arc::new(AtomicBool::new(false));
        let writers = [(); 2].map(|()| {
            let ended = Arc::clone(&ended);
            let socket = UnixDatagram::unbound().unwrap();
            socket.set_nonblocking(true).unwrap();
            socket.connect("/dev/log").unwrap();
            thread::spawn(move || {
                while !ended.load(Ordering::Relaxed) {
                    drop(socket.send(b"<13>flood: x"));
                }
            })
        });
        Self { ended, writers: writers.into(), reader }
    }

    /// Ends it; how many lines about changes came through.
    fn end(self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.join().unwrap();
        }
        UnixDatagram::unbound().unwrap().send_to(STOP, "/dev/log").unwrap();
        self.reader.join().unwrap()
    }
}

fn a03_a_full_queue_loses_no_change() -> String {
    const CHANGES: usize = 40;
    Contender::Twinlock.scene(|scene| {
        let flood = Flood::begin();
        let mut on_stderr = 0;
        for number in 0..CHANGES {
            let label = format!("phone {number}");
            let output = scene.world.twinlock(&["device", "rename", "alice", "phone1", &label]);
            assert_eq!(output.code, Some(0), "{output:?}");
            on_stderr += output.stderr.matches("change=device-renamed user=alice by-uid=0").count();
        }
        let in_syslog = flood.end();
        assert_eq!(in_syslog + on_stderr, CHANGES, "{in_syslog} in syslog, {on_stderr} on standard error");
        format!("{CHANGES} of {CHANGES} changes logged during a flood, or reported on standard error")
    })
}

fn a04_numbers_without_an_account_take_no_places() -> String {
    const NUMBERS: u32 = 40;
    const OF_ONE: usize = 8;
    Contender::Twinlock.scene(|scene| {
        scene.world.broker_service();
        let _broker = scene.world.broker();
        let callers: Vec<_> = (0..NUMBERS).map(|number| scene.world.caller(200_000 + number)).collect();
        let silent = |caller: &Caller| [(); OF_ONE].map(|()| caller.connect());
        let held: Vec<Raw> = callers.iter().flat_map(silent).collect();
        let served = (0..OF_ONE).filter(|_| scene.world.twinlock_as(&scene.alice, &["status"]).run().code == Some(0));
        let served = served.count();
        assert_eq!(served, OF_ONE, "{} silent connections", held.len());
        format!("{served} of {OF_ONE} requests served beside {} silent connections of {NUMBERS} uids", held.len())
    })
}

fn a11_refusals_leave_room_for_changes() -> String {
    const LINES: usize = 1000;
    Contender::Twinlock.scene(|scene| {
        let journald = scene.world.journald(20);
        let unit = journald.in_unit();
        let unit: Vec<_> = unit.iter().map(String::as_str).collect();
        scene.world.broker_service();
        let _broker = scene.world.broker_under(&unit);
        let mallory = scene.world.caller(scene.world.account("mallory").uid);
        let somebody_else = ["1", "alice", "required", "lock", "", "Code: "].join("\0");
        for _ in 0..LINES {
            let mut connection = mallory.connect();
            connection.say('L', somebody_else.as_bytes());
            assert_eq!(connection.hear().map(|frame| frame.content), Some(b"refused unknown-user".to_vec()));
        }
        // Whatever else the unit may say as loudly as a refusal.
        let more = format!("seq -f 'flood %g' {LINES} | logger -p authpriv.notice -t twinlockd");
        assert_eq!(Launch::new(["sh", "-c", &more]).under(&unit).run().code, Some(0));
        let rename = ["device", "rename", "alice", "phone1", "tablet"];
        let code = scene.recovery_code.as_deref().unwrap();
        let renamed = scene.world.twinlock_as(&scene.alice, &rename).run_with_input(code.as_bytes());
        assert_eq!(renamed.code, Some(0), "{renamed:?}");
        let lines = journald.lines("twinlockd");
        let flood = lines.iter().filter(|line| !line.contains("change=")).count();
        assert!(flood < LINES, "the limit was not reached: {flood} lines");
        let change = format!("4 change=device-renamed user=alice by-uid={}", scene.alice.uid);
        assert!(lines.contains(&change), "{} lines, the last {:?}", lines.len(), lines.last());
        format!("change logged after {LINES} denials and {LINES} other lines")
    })
}
