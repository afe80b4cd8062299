//! The system calls of a fork between two marks that it sets, counted and struck, by ptrace(2).

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use twinlock_tests::{Blow, Call, End, Faults, Share};

/// What was seen.
pub(crate) struct Trace {
    pub(crate) end: End,
    pub(crate) calls: Vec<Call>,
    pub(crate) struck: usize,
}

/// The number of a call that the kernel does not know, and so does not make.
const NO_CALL: u64 = u64::MAX;

/// Begins and ends what is traced: the fork stops itself, by one system call and no more.
pub(crate) fn mark(traced: bool, this: Pid) {
    if traced {
        kill(this, Signal::SIGSTOP).expect("it is ourselves");
    }
}

/// How far a fork is.
#[derive(PartialEq, Eq)]
enum Stage {
    Before,
    /// Between the marks; inside a system call, with what it is to return instead of its own result.
    Outside,
    Inside(Option<i64>),
    After,
}

/// Follows a fork to its end.
pub(crate) fn follow(host: Pid, faults: &Faults) -> Trace {
    let mut trace = Trace { end: End::Left(0), calls: Vec::new(), struck: 0 };
    let mut stage = Stage::Before;
    loop {
        match waitpid(host, None).expect("it is our child") {
            WaitStatus::Exited(_, status) => {
                trace.end = End::Left(status);
                return trace;
            }
            WaitStatus::Signaled(_, signal, _) => {
                trace.end = End::Killed(signal as i32);
                return trace;
            }
            WaitStatus::PtraceSyscall(_) => stage = next(host, &stage, faults, &mut trace),
            WaitStatus::Stopped(_, Signal::SIGSTOP) if stage == Stage::Before => {
                ptrace::setoptions(host, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL)
                    .expect("it stands");
                go_on(host, None);
                stage = Stage::Outside;
            }
            WaitStatus::Stopped(_, Signal::SIGSTOP) if stage == Stage::After => {
                let _gone = ptrace::detach(host, None);
            }
            // It stands; that is what this signal does. It goes on as SIGCONT would let it.
            WaitStatus::Stopped(_, Signal::SIGSTOP) => go_on(host, None),
            // One of a blow, or of the host's own doing.
            WaitStatus::Stopped(_, signal) if stage == Stage::After => {
                let _gone = ptrace::cont(host, signal);
            }
            WaitStatus::Stopped(_, signal) => go_on(host, Some(signal)),
            other @ (WaitStatus::PtraceEvent(..) | WaitStatus::Continued(_) | WaitStatus::StillAlive) => {
                unreachable!("not asked for: {other:?}")
            }
        }
    }
}

/// At the beginning or the end of a system call.
fn next(host: Pid, stage: &Stage, faults: &Faults, trace: &mut Trace) -> Stage {
    // It may have been killed meanwhile; waitpid says so next.
    let Ok(mut registers) = ptrace::getregs(host) else {
        return Stage::Outside;
    };
    if let Stage::Inside(instead) = stage {
        if let Some(result) = instead {
            registers.rax = result.cast_unsigned();
            let _gone = ptrace::setregs(host, registers);
        }
        if let Some(call) = trace.calls.last_mut() {
            call.result = Some(registers.rax.cast_signed());
        }
        if !faults.traced && trace.struck == faults.blows.len() {
            let _gone = ptrace::cont(host, None);
            return Stage::After;
        }
        go_on(host, None);
        return Stage::Outside;
    }
    let number = registers.orig_rax.cast_signed();
    if number == libc::SYS_kill && registers.rsi == Signal::SIGSTOP as u64 {
        let _gone = ptrace::cont(host, None);
        return Stage::After;
    }
    let at = trace.calls.len();
    trace.calls.push(Call { number, length: registers.rdx, result: None });
    let mut instead = None;
    for (_, blow) in faults.blows.iter().filter(|(place, _)| *place == at) {
        trace.struck = trace.struck.saturating_add(1);
        match blow {
            Blow::Errno(errno) => {
                instead = Some(i64::from(*errno).saturating_neg());
                if number != libc::SYS_close {
                    registers.orig_rax = NO_CALL;
                }
            }
            Blow::Short(share) => {
                registers.rdx = match share {
                    Share::Nothing => 0,
                    Share::OneByte => registers.rdx.min(1),
                    Share::AllButOneByte => registers.rdx.saturating_sub(1),
                }
            }
            Blow::Signal(signal) => {
                kill(host, Signal::try_from(*signal).expect("a signal")).expect("it stands");
            }
        }
        let _gone = ptrace::setregs(host, registers);
    }
    go_on(host, None);
    Stage::Inside(instead)
}

/// Lets it run to the next beginning or end. One that was killed where it stood runs no more.
fn go_on(host: Pid, signal: Option<Signal>) {
    let gone = ptrace::syscall(host, signal);
    assert!(matches!(gone, Ok(()) | Err(Errno::ESRCH)), "{gone:?}");
}
