//! `twinlock announce`: tells users who are not enrolled that they will need a code, and until when they can enrol. The day is
//! the last one of the rule by which they enrol, which is in the configuration and nowhere else, unless another is typed.

use std::{collections::BTreeMap, path::Path};

use twinlock_core::{ports::Clock, time::UnixTime};
use twinlock_hostcheck::{doctor::OUTSIDE, forecast::Forecast};
use twinlock_service::notify::mail;
use twinlock_store::host::{self, SystemClock};

use crate::{
    accounts::Accounts,
    cli::{self, Announce},
    context::CommandContext,
    explanation::{Explained, Logins},
    failure::Failure,
    messages::announce as texts,
    output::{print, print_note},
};

const SECONDS_A_DAY: u64 = 86_400;
/// How many days before the last one users are reminded.
const REMINDERS: [u64; 3] = [14, 3, 1];

pub(crate) fn run(config: &Path, arguments: &Announce) -> Result<(), Failure> {
    let (context, text) = CommandContext::load_with_text(config)?;
    let now = SystemClock.now();
    let accounts = Accounts::find(&context, None)?;
    let rows = accounts.read(&context)?;
    let logins = Logins {
        context: &context,
        file: &config.display().to_string(),
        text: &text,
        service: "sshd",
        from: Some(OUTSIDE),
        key_type: None,
        at: now,
        emergency: None,
    };
    let explained = logins.explain_all(&logins.pam_lines(), &accounts, &rows)?;
    let mut recipients: BTreeMap<UnixTime, Vec<&str>> = BTreeMap::new();
    for one in explained.iter().filter(|one| one.enrolled == Some(false)) {
        if let Some(day) = last_day(arguments, one)? {
            recipients.entry(day).or_default().push(&one.user);
        }
    }
    if arguments.remind {
        recipients.retain(|day, _| REMINDERS.contains(&days_until(*day, now)));
    }
    if recipients.is_empty() {
        return print(texts::NOBODY);
    }
    let host = host::name();
    let help = Some(context.config.help.as_str()).filter(|help| !help.is_empty());
    let mut unsent = 0usize;
    for (day, users) in recipients {
        let text = texts::announcement(&host, day, help);
        if !arguments.mail {
            print(&texts::to_users(&users, &text))?;
            continue;
        }
        for user in &users {
            match mail::deliver(&context.config.notify.sendmail, user, &texts::subject(&host), &text) {
                Ok(()) => print_note(&texts::sent(user, day)),
                Err(error) => {
                    print_note(&texts::not_sent(user, &error));
                    unsent = unsent.saturating_add(1);
                }
            }
        }
    }
    if unsent == 0 { Ok(()) } else { Err(texts::some_not_sent(unsent)) }
}

/// The last day on which this user can enrol; `None` for one who need not or has no such day.
fn last_day(arguments: &Announce, explained: &Explained<'_>) -> Result<Option<UnixTime>, Failure> {
    match (explained.outcome, arguments.until) {
        (Forecast::Enrolls | Forecast::Refused, Some(day)) => Ok(Some(day)),
        (Forecast::Enrolls, None) => {
            let day = explained.rule.as_ref().and_then(|rule| rule.until.as_deref());
            let day = day.ok_or_else(|| texts::no_last_day(&explained.user))?;
            Ok(cli::day(day).ok())
        }
        _ => Ok(None),
    }
}

/// Days from today to another day, in UTC.
const fn days_until(day: UnixTime, now: UnixTime) -> u64 {
    (day.seconds() / SECONDS_A_DAY).saturating_sub(now.seconds() / SECONDS_A_DAY)
}
