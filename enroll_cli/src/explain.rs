//! `twinlock explain`: which rule decides a login, and what that login will look like. What `sshd -T -C` is to sshd.
//! With `--all`, the same for every account.

use std::{fmt::Write as _, path::Path};

use twinlock_core::{
    account::{Subject, UserName},
    ports::Clock,
};
use twinlock_hostcheck::{forecast::Forecast, messages as hostcheck_messages};
use twinlock_store::{
    files::emergency_in_force,
    host::{self, SystemClock},
};

use crate::{
    accounts::Accounts,
    cli::Explain,
    context::{CommandContext, user_name},
    explanation::{DecidingRule, Explained, Logins},
    failure::Failure,
    messages,
    output::{print, print_json},
    table,
};

pub(crate) fn run(config: &Path, arguments: &Explain) -> Result<(), Failure> {
    let (context, text) = CommandContext::load_with_text(config)?;
    let file = std::path::absolute(config).unwrap_or_else(|_| config.to_owned()).display().to_string();
    let logins = Logins {
        context: &context,
        file: &file,
        text: &text,
        service: &arguments.service.to_ascii_lowercase(),
        from: arguments.from.as_deref(),
        key_type: arguments.key_type,
        at: arguments.at.unwrap_or_else(|| SystemClock.now()),
        emergency: if arguments.at.is_none() { emergency_in_force() } else { None },
    };
    match &arguments.user {
        Some(user) => of_one(&logins, user, arguments.json),
        None => of_all(&logins, arguments.json),
    }
}

fn of_one(logins: &Logins<'_>, user: &str, json: bool) -> Result<(), Failure> {
    let subject = account(user)?;
    let (status, remembered) = logins.status(subject.as_ref());
    let explained = logins.explain(&logins.pam_lines(), (user, subject.as_ref()), (&status, remembered))?;
    if json {
        print_json(&explained)?;
    } else {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = describe(&mut text, &explained);
        print(&text)?;
    }
    match subject {
        Some(_) => Ok(()),
        None => Err(messages::no_account(&user_name(user)?)),
    }
}

fn of_all(logins: &Logins<'_>, json: bool) -> Result<(), Failure> {
    let accounts = Accounts::find(logins.context, None)?;
    let rows = accounts.read(logins.context)?;
    let pam = logins.pam_lines();
    let all = logins.explain_all(&pam, &accounts, &rows)?;
    if json {
        return print_json(&all);
    }
    let cells = all.iter().map(|one| {
        let rule = one.rule.as_ref().map_or_else(|| one.told.otherwise.clone(), place);
        [one.user.clone(), one.outcome.name().to_owned(), one.second_factor.to_owned(), rule]
    });
    let mut text = table::columns(messages::explain::HEADINGS, cells);
    let refused: Vec<&str> =
        all.iter().filter(|one| one.outcome == Forecast::Refused).map(|one| one.user.as_str()).collect();
    text.push_str(&messages::explain::refused(&refused, all.len(), &logins.at.to_string()));
    for note in &pam.notes {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "note:     {note}");
    }
    print(&text)
}

/// Somebody who does not exist is explained as well: strangers try every name.
fn account(typed: &str) -> Result<Option<Subject>, Failure> {
    let Ok(name) = UserName::parse(typed.as_bytes()) else {
        return Ok(None);
    };
    host::account(&name).map_err(|error| Failure::refused(hostcheck_messages::no_passwd_database(&error)))
}

fn describe(out: &mut String, explained: &Explained<'_>) -> std::fmt::Result {
    let Explained { user, service, from, key_type, at, told, .. } = explained;
    writeln!(out, "login:    {}", hostcheck_messages::explained_login(user, service, *from, *key_type, at))?;
    let rule = match &explained.rule {
        Some(rule) => place(rule),
        None => hostcheck_messages::no_deciding_rule(&told.otherwise),
    };
    writeln!(out, "rule:     {rule}\npolicy:   second_factor = \"{}\"", explained.second_factor)?;
    if let Some(doubt) = &explained.doubt {
        writeln!(out, "because:  {}", hostcheck_messages::in_doubt(doubt))?;
    }
    writeln!(out, "outcome:  {}: {user} {}", explained.outcome.name(), told.means)?;
    for (heading, text) in [("remember", &told.remembering), ("guard", &told.guard)] {
        if let Some(text) = text {
            writeln!(out, "{:<10}{text}", format!("{heading}:"))?;
        }
    }
    for note in &explained.notes {
        writeln!(out, "note:     {note}")?;
    }
    Ok(())
}

fn place(rule: &DecidingRule<'_>) -> String {
    hostcheck_messages::deciding_rule(rule.number, rule.name, rule.file, rule.line, rule.until.as_deref())
}
