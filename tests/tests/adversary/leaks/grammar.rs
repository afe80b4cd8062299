//! The log under attack by names and hosts: one line an attempt, each of it by the grammar (`LogEntry`),
//! and nothing of an unknown name.

use memchr::memmem;
use twinlock_tests::{
    Attempt, LogEntry, Operation, PamCode, in_world, odd_texts, odd_user_names, one_after_another, tally,
};

use crate::leaks::owner::EXACT;

/// Bytes as by dice, the same in every run (xorshift). None is zero, which no C string can hold.
fn dice(seed: &mut u64, length: usize) -> Vec<u8> {
    let mut roll = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        u8::try_from(*seed % 255 + 1).unwrap()
    };
    (0..length).map(|_| roll()).collect()
}

#[test]
fn whatever_the_names_are_each_attempt_has_one_line_that_parses() {
    in_world(|world| {
        world.set_up("");
        world.account("alice");
        world.deploy("alice");
        let services = ["svc", "a b", "50%s", "result=granted"];
        for service in &services {
            world.service(service, &EXACT.replace(" debug", ""));
        }
        let mut seed = 0x1234_5678_9abc_def1;
        let mut names = odd_user_names();
        // Very long ones are told from long ones by the harness's JSON alone, which takes its time.
        names.retain(|name| name.len() < 100_000);
        names.extend((0..50).map(|number| dice(&mut seed, 8 + number)));
        let texts: Vec<_> = odd_texts().into_iter().map(|(text, _)| text).filter(|text| text.len() < 4096).collect();
        let answers: [&[u8]; 4] = [b"123456", b"0000-0000-0000-0000", b"\x08\n\r\x7fINCORRECT", b"result=granted"];
        let mut attempts = Vec::new();
        for (number, name) in names.iter().enumerate() {
            for (turn, host) in texts.iter().enumerate() {
                for (service, answer) in services.iter().zip(answers) {
                    let tty = &texts[(number + turn) % texts.len()];
                    attempts.push(Attempt::new(service).user(name).rhost(host).tty(tty).answer(answer));
                }
            }
        }
        attempts.push(Attempt::new("svc").user(vec![b'x'; 100_000]).answer("123456"));
        let count = attempts.len();
        let mark = world.log_mark();
        for some in attempts.chunks(500) {
            let outcomes = one_after_another(world, some.iter().cloned());
            assert!(outcomes.iter().all(|outcome| outcome.code() == PamCode::UserUnknown));
        }

        let lines = world.log_since(mark);
        let entries: Vec<_> = lines.iter().map(LogEntry::parse).collect::<Result<_, _>>().unwrap();
        assert_eq!((count > 5_000, lines.len()), (true, count), "I7: one line an attempt");
        for (line, entry) in lines.iter().zip(&entries) {
            assert_eq!((entry.value("reason"), entry.value("user")), ("unknown-user", "-"), "{line}");
            assert!(line.text.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
        }
        let whole: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
        let whole = whole.join("\n");
        // Those that are also a word of every line, or among the hosts and services, can say nothing.
        let plain =
            |name: &&Vec<u8>| name.len() > 3 && !services.iter().any(|known| known.as_bytes() == name.as_slice());
        for name in
            names.iter().filter(plain).filter(|name| !texts.contains(name) && !name.iter().all(|byte| *byte == b'x'))
        {
            assert!(memmem::find(whole.as_bytes(), name).is_none(), "L15: {}", name.escape_ascii());
        }
        tally("leaks", "attempts of odd names, a line each", count as u64);
    });
}

#[test]
fn debug_adds_one_line_that_says_nothing_of_the_name_and_the_guard_has_one_too() {
    in_world(|world| {
        world.set_up("");
        world.service("svc", EXACT);
        world.account("alice");
        world.deploy("alice");
        let names = odd_user_names().into_iter().filter(|name| name.len() < 100_000).chain([b"alice".to_vec()]);
        let attempts: Vec<_> = names
            .map(|name| {
                let attempt = Attempt::new("svc").user(name).rhost("x\n\x1b[31m").answer("hunter2");
                attempt.operations([Operation::Authenticate, Operation::AcctMgmt])
            })
            .collect();
        let (count, mark) = (attempts.len(), world.log_mark());
        drop(one_after_another(world, attempts));
        let lines = world.log_since(mark);
        let (debug, said): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.text.contains("): debug: "));
        let entries: Vec<_> = said.iter().map(|line| LogEntry::parse(line)).collect::<Result<_, _>>().unwrap();
        assert_eq!((debug.len(), entries.len()), (2 * count, 2 * count), "one each for either phase");
        for (line, number) in debug.iter().zip(0..) {
            let known = if number / 2 + 1 == count { "known" } else { "unknown" };
            let text = line.text.split_once("): ").unwrap().1;
            let wanted = format!(
                "debug: config=/etc/twinlock/config.toml second_factor=required rule=\"-\" doubt=\"-\" user is {known}"
            );
            assert_eq!(text, wanted);
        }
        for (number, entry) in entries.iter().enumerate() {
            let user = if number / 2 + 1 == count { "alice" } else { "-" };
            assert_eq!((entry.value("user"), entry.value("rhost")), (user, "x%0A%1B%5B31m"), "{}", entry.text);
        }
        tally("leaks", "lines of debug that parse", debug.len() as u64);
    });
}
