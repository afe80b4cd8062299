//! A bar on stderr for work that takes its time: seen only on a terminal, and only after the first second.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shorter work is over before anybody has read the bar.
const QUIET: Duration = Duration::from_secs(1);

/// How much of a number of things is done. Dropped, it leaves no trace on the terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    /// So many things are to be done.
    pub(crate) fn over(things: usize) -> Self {
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len}, {eta} left");
        let bar = ProgressBar::with_draw_target(u64::try_from(things).ok(), ProgressDrawTarget::hidden())
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, terminal: io::stderr().is_terminal() }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
        if self.terminal && self.bar.is_hidden() && self.bar.elapsed() > QUIET {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
