//! What is typed at a password is not seen; whatever ends the question, an interrupt too, it is seen again afterwards.

use std::{fs::File, thread};

use nix::sys::{
    signal::{SigSet, Signal, raise},
    termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr},
};

/// A terminal that does not show what is typed. Dropped, it does again.
pub(crate) struct Hidden {
    tty: File,
    before: Termios,
}

impl Hidden {
    /// Switches the echo off; `None` if there is no terminal that has one.
    pub(crate) fn on(tty: Option<&File>) -> Option<Self> {
        let tty = tty?.try_clone().ok()?;
        let before = tcgetattr(&tty).ok()?;
        restore_on_signals(tty.try_clone().ok()?, before.clone())?;
        let mut hidden = before.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&tty, SetArg::TCSAFLUSH, &hidden).ok()?;
        Some(Self { tty, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to show.
        let _ = tcsetattr(&self.tty, SetArg::TCSANOW, &self.before);
    }
}

/// Lets a thread wait for what would end this process: it gives the terminal back first, and then ends it all the same.
fn restore_on_signals(tty: File, before: Termios) -> Option<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
        signals.add(signal);
    }
    signals.thread_block().ok()?;
    thread::Builder::new()
        .spawn(move || {
            if let Ok(signal) = signals.wait() {
                // What was typed so far goes with it: the shell would show it.
                let _ = tcsetattr(&tty, SetArg::TCSAFLUSH, &before);
                // Unblocked in this thread, it ends the whole process.
                let _ = signals.thread_unblock();
                let _ = raise(signal);
            }
        })
        .ok()?;
    Some(())
}
