//! `twinlock ssh`, `sudo` and `su`: the trial on the terminal at which it began.

use std::time::Duration;

use twinlock_hostcheck::trial::ChangedService;

use crate::failure::Failure;

/// The line that counts down; at most 80 columns.
pub(crate) fn time_left(left: Duration) -> String {
    let (minutes, seconds) = (left.as_secs() / 60, left.as_secs() % 60);
    format!("On trial for {minutes}:{seconds:02}. Enter: keep the change. Ctrl-C: leave it on trial.")
}

/// Before the change is kept.
pub(crate) const fn keep(service: ChangedService) -> &'static str {
    match service {
        ChangedService::Ssh => "Has a login from another terminal worked? Type yes to keep the change: ",
        ChangedService::Sudo => "Has sudo worked in another terminal? Type yes to keep the change: ",
        ChangedService::Su => "Has su worked in another terminal? Type yes to keep the change: ",
    }
}

/// Another process has confirmed the trial.
pub(crate) const CONFIRMED_ELSEWHERE: &str = "confirmed from elsewhere: the new configuration stays";

/// Nobody has confirmed it, or somebody has disabled it.
pub(crate) fn undone() -> Failure {
    Failure::refused("the change was not kept: the previous configuration is restored")
}
