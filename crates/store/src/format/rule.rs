//! A rule of the configuration, `[[rule]]`, as a table.

use std::time::Duration;

use toml::de::DeValue;
use twinlock_core::{
    policy::{KeyType, Names, Network, Rule, SecondFactor},
    time::UnixTime,
};

use crate::{
    document::{ParseError, ParseErrorKind, Table, array, date, each, printable, span, string},
    messages,
};

pub(crate) fn read(mut table: Table<'_>) -> Result<Rule, ParseError> {
    let rule = Rule {
        offset: table.place(),
        name: table.optional("name", title)?,
        services: table.optional("services", read_services)?,
        users: table.optional("users", read_names)?,
        groups: table.optional("groups", read_names)?,
        from: table.optional("from", |value| each(value, |net| Network::parse(string(net)?)))?,
        key_types: table.optional("key_types", |value| each(value, |name| KeyType::named(string(name)?)))?,
        until: table.optional("until", last_day)?,
        second_factor: table.required("second_factor", |value| SecondFactor::named(string(value)?))?,
        remember: table.optional("remember", |value| span(value, "1m", "30d"))?,
    };
    if rule.remember.is_some() && rule.second_factor == SecondFactor::Skip {
        let message = messages::REMEMBER_WITHOUT_CODE.to_owned();
        return Err(ParseError { offset: rule.offset, message, kind: ParseErrorKind::Value });
    }
    table.end()?;
    Ok(rule)
}

fn read_names(value: &DeValue<'_>) -> Result<Names, String> {
    let mut names = Names::default();
    for element in array(value)? {
        let name = string(element.get_ref())?;
        let (list, name) = match name.strip_prefix('!') {
            Some(name) => (&mut names.unwanted, name),
            None => (&mut names.wanted, name),
        };
        let sound = !name.is_empty() && name.len() <= 256 && !name.chars().any(|c| c.is_control() || c == '!');
        if !sound {
            return Err(messages::NAME_RULE.into());
        }
        list.push(name.to_owned());
    }
    Ok(names)
}

fn read_services(value: &DeValue<'_>) -> Result<Names, String> {
    let Names { wanted, unwanted } = read_names(value)?;
    // Linux-PAM looks for the file of a service under its name in lower case.
    let lower = |names: Vec<String>| names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    Ok(Names { wanted: lower(wanted), unwanted: lower(unwanted) })
}

fn title(value: &DeValue<'_>) -> Result<String, String> {
    printable(string(value)?, 1..=100, "a rule's name has 1 to 100 characters, none a control character")
}

fn last_day(value: &DeValue<'_>) -> Result<UnixTime, String> {
    const DAY: Duration = Duration::from_hours(24);
    Ok(date(value)?.after(DAY))
}
