//! Attempts in a process that is full of threads: some fork, some ask for the time, some change the environment, one sends
//! signals that interrupt whatever is waited for.

use std::ffi::CString;
use std::io::{Write, stdout};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use twinlock_tests::authenticate;

use crate::raw;

/// How each of so many attempts ends, a line each.
pub(crate) fn play(arguments: &[String]) {
    let [service, user, answer, count] = arguments else { unreachable!("--crowd SERVICE USER ANSWER COUNT") };
    let [service, user] = [service, user].map(|name| CString::new(name.as_str()).expect("no NUL byte"));
    let count: usize = count.parse().expect("a number");
    raw::take_note_of(Signal::SIGUSR1);
    raw::set_environment("CROWD_0", "0");
    raw::set_environment("CROWD_1", "1");
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let crowd: [fn(usize); 8] = [
            |_| raw::fork_for_nothing(),
            |_| raw::fork_for_nothing(),
            |_| raw::ask_for_local_time(),
            |_| raw::ask_for_local_time(),
            |round| raw::set_environment("CROWD_0", if round % 2 == 0 { "even" } else { "odd!" }),
            |round| raw::set_environment("CROWD_1", if round % 2 == 0 { "even" } else { "odd!" }),
            |_| raw::ask_environment(c"CROWD_0"),
            |_| kill(Pid::this(), Signal::SIGUSR1).expect("it is ourselves"),
        ];
        let over = &over;
        for one in crowd {
            scope.spawn(move || {
                let mut round = 0_usize;
                while !over.load(Relaxed) {
                    one(round);
                    round = round.wrapping_add(1);
                    thread::yield_now();
                }
            });
        }
        for _ in 0..count {
            let end = authenticate(&service, &user, answer.as_bytes());
            stdout().write_all(format!("{end:?}\n").as_bytes()).expect("somebody listens");
        }
        over.store(true, Relaxed);
    });
}
