//! The record of a user's logins as TOML: the body of a state slot.

use std::fmt::Write as _;

use toml::de::DeValue;
use toml_writer::{ToTomlKey as _, TomlKeyBuilder};
use twinlock_core::{
    account::UserName,
    policy::Network,
    record::{Origin, Record, Spent, Use},
    spacing::{FailedNetwork, Spacing},
    throttle::Throttle,
    time::UnixTime,
};

use super::{TomlDocument, authenticator_id, issued, notice, quoted, recovery_set_id, remembered};
use crate::document::{Document, ParseError, Table, array, boolean, each, integer, string};

impl TomlDocument for Record {
    type Source = str;
    type Text = String;
    type Error = ParseError;

    fn parse(text: &str) -> Result<Self, ParseError> {
        let document = Document::parse(text)?;
        let mut whole = document.table();
        let user = whole
            .required("user", |value| UserName::parse(string(value)?.as_bytes()).map_err(|bad| bad.to_string()))?;
        let uid = whole.required("uid", integer)?;
        let mut table = whole.section("throttle")?;
        // Version 0.1.0 wrote one time for both methods, and no networks.
        let last_failure = table.optional("last_failure", integer)?.map(UnixTime::from_seconds).unwrap_or_default();
        let before = || Spacing { last_failure, ..Spacing::default() };
        let throttle = Throttle {
            failures: table.required("failures", integer)?,
            otp_failures: table.required("otp_failures", integer)?,
            recovery_failures: table.required("recovery_failures", integer)?,
            spent: table.required("spent", integer)?,
            refilled: UnixTime::from_seconds(table.required("refilled", integer)?),
            home: table.optional("home", |value| Network::parse(string(value)?))?,
            otp: table.table("otp")?.map_or_else(|| Ok(before()), read_spacing)?,
            recovery: table.table("recovery")?.map_or_else(|| Ok(before()), read_spacing)?,
        };
        table.end()?;
        let authenticators = whole.tables("authenticator", read_use)?;
        let recovery = whole.table("recovery")?.map(read_spent).transpose()?;
        let remembered = whole.table("remembered")?.map(remembered::read).transpose()?;
        let notice = whole.table("notice")?.map(notice::read).transpose()?;
        let provisional = whole.optional("provisional", boolean)?.unwrap_or(false);
        let mut extra = whole.section("extra")?;
        let issued = extra.optional(issued::KEY, |value| issued::from_text(string(value)?))?.unwrap_or_default();
        let extra = extra.strings()?;
        whole.end()?;
        Ok(Self { user, uid, throttle, uses: authenticators, recovery, remembered, notice, issued, provisional, extra })
    }

    fn to_toml(&self) -> String {
        let mut text = String::with_capacity(1024);
        // Writing to a String cannot fail.
        let _ = write(self, &mut text);
        text
    }
}

fn write(record: &Record, out: &mut String) -> std::fmt::Result {
    let Throttle { failures, otp_failures, recovery_failures, spent, refilled, otp, recovery, home } = &record.throttle;
    writeln!(out, "user = {}\nuid = {}", quoted(record.user.as_str()), record.uid)?;
    if record.provisional {
        writeln!(out, "provisional = true")?;
    }
    writeln!(
        out,
        "[throttle]\nfailures = {failures}\notp_failures = {otp_failures}\nrecovery_failures = {recovery_failures}"
    )?;
    writeln!(out, "spent = {spent}\nrefilled = {}", refilled.seconds())?;
    if let Some(home) = home {
        writeln!(out, "home = \"{home}\"")?;
    }
    for (method, spacing) in [("otp", otp), ("recovery", recovery)] {
        if *spacing != Spacing::default() {
            writeln!(out, "[throttle.{method}]")?;
            write_spacing(spacing, out)?;
        }
    }
    for Use { id, last_step, drift, last_used, last_from } in &record.uses {
        writeln!(out, "[[authenticator]]\nid = \"{}\"\nlast_step = {last_step}", id.as_str())?;
        writeln!(out, "drift = {drift}\nlast_used = {}", last_used.seconds())?;
        if let Some(origin) = last_from {
            // No key of its own for the claim: the fullest record has to fit its slot.
            let key = if origin.is_claimed() { "claimed" } else { "last_from" };
            writeln!(out, "{key} = \"{}\"", origin.as_str())?;
        }
    }
    if let Some(Spent { set, ids }) = &record.recovery {
        writeln!(out, "[recovery]\nset = \"{}\"\nids = {ids:?}", set.as_str())?;
    }
    if let Some(remembered) = &record.remembered {
        remembered::write(remembered, out)?;
    }
    if let Some(notice) = &record.notice {
        notice::write(notice, out)?;
    }
    if !record.issued.is_empty() || !record.extra.is_empty() {
        writeln!(out, "[extra]")?;
        if !record.issued.is_empty() {
            writeln!(out, "{} = \"{}\"", issued::KEY, issued::to_text(&record.issued))?;
        }
        for (key, value) in &record.extra {
            writeln!(out, "{} = {}", TomlKeyBuilder::new(key).as_default().to_toml_key(), quoted(value))?;
        }
    }
    Ok(())
}

fn read_spacing(mut table: Table<'_>) -> Result<Spacing, ParseError> {
    let spacing = Spacing {
        last_failure: UnixTime::from_seconds(table.required("last_failure", integer)?),
        extra: table.required("extra", integer)?,
        networks: table.required("networks", |value| each(value, read_failed_network))?,
    };
    table.end()?;
    Ok(spacing)
}

fn write_spacing(spacing: &Spacing, out: &mut String) -> std::fmt::Result {
    let Spacing { last_failure, extra, networks } = spacing;
    write!(out, "last_failure = {}\nextra = {extra}\nnetworks = [", last_failure.seconds())?;
    for FailedNetwork { network, failures, last_failure } in networks {
        write!(out, "[\"{network}\",{failures},{}],", last_failure.seconds())?;
    }
    writeln!(out, "]")
}

fn read_failed_network(value: &DeValue<'_>) -> Result<FailedNetwork, String> {
    match &array(value)?[..] {
        [network, failures, last_failure] => Ok(FailedNetwork {
            network: Network::parse(string(network.get_ref())?)?,
            failures: integer(failures.get_ref())?,
            last_failure: UnixTime::from_seconds(integer(last_failure.get_ref())?),
        }),
        _ => Err("a network that failed has three parts".into()),
    }
}

fn read_use(mut table: Table<'_>) -> Result<Use, ParseError> {
    let last_from = table.optional("last_from", |value| Ok(Origin::from_text(string(value)?)))?.flatten();
    let claimed = table.optional("claimed", |value| Ok(Origin::from_text(string(value)?)))?.flatten();
    let used = Use {
        id: table.required("id", authenticator_id)?,
        last_step: table.required("last_step", integer)?,
        drift: table.required("drift", integer)?,
        last_used: UnixTime::from_seconds(table.required("last_used", integer)?),
        last_from: last_from.or(claimed.map(Origin::claimed)),
    };
    table.end()?;
    Ok(used)
}

fn read_spent(mut table: Table<'_>) -> Result<Spent, ParseError> {
    let set = table.required("set", recovery_set_id)?;
    let ids = table.required("ids", |value| each(value, integer))?;
    table.end()?;
    Ok(Spent { set, ids })
}

#[cfg(test)]
mod tests {
    use twinlock_core::{account::Subject, credentials::AuthenticatorId};

    use super::*;

    fn used_from(from: &str) -> Record {
        let mut record = Record::new(&Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 });
        let phone = AuthenticatorId::parse("phone").unwrap();
        record.use_step(&phone, 7, UnixTime::from_seconds(210));
        record.set_from(&phone, Origin::from_text(from).as_ref());
        record
    }

    #[test]
    fn an_origin_is_read_as_it_was_written() {
        for from in ["192.0.2.7", "", "\"\n", "0000:0000:0000:0000:0000:ffff:255.255.255.255"] {
            assert_eq!(Record::parse(&used_from(from).to_toml()), Ok(used_from(from)), "{from}");
        }
    }

    #[test]
    fn an_origin_that_is_claimed_is_read_as_one() {
        let mut record = used_from("192.0.2.7");
        let plain = record.to_toml();
        record.uses[0].last_from = Origin::from_text("192.0.2.7").map(Origin::claimed);
        let claimed = record.to_toml();
        assert_eq!(Record::parse(&claimed), Ok(record));
        assert_eq!(claimed.replace("\nclaimed = ", "\nlast_from = "), plain);
    }

    #[test]
    fn a_record_from_before_there_were_origins_is_read() {
        let old = used_from("").to_toml();
        assert!(!old.contains("last_from"));
        assert_eq!(Record::parse(&old).unwrap().uses[0].last_from, None);
    }

    #[test]
    fn networks_that_failed_are_read_as_they_were_written() {
        let [home, other] = ["2001:db8::/64", "192.0.2.7/32"].map(|text| Network::parse(text).unwrap());
        let mut record = used_from("");
        record.throttle.home = Some(home);
        let failed = |network| FailedNetwork { network, failures: 3, last_failure: UnixTime::from_seconds(8) };
        let networks = vec![failed(home), failed(other)];
        record.throttle.otp = Spacing { last_failure: UnixTime::from_seconds(9), extra: 4, networks };
        record.throttle.recovery.last_failure = UnixTime::from_seconds(10);
        assert_eq!(Record::parse(&record.to_toml()), Ok(record));
    }

    #[test]
    fn a_record_of_version_0_1_0_has_one_time_for_both_methods() {
        let old = "user = \"alice\"\nuid = 1001\n[throttle]\nfailures = 3\notp_failures = 2\nrecovery_failures = 1\n\
                   spent = 3\nrefilled = 7\nlast_failure = 9\n";
        let failed = Spacing { last_failure: UnixTime::from_seconds(9), ..Spacing::default() };
        let throttle = Throttle {
            failures: 3,
            otp_failures: 2,
            recovery_failures: 1,
            spent: 3,
            refilled: UnixTime::from_seconds(7),
            otp: failed.clone(),
            recovery: failed,
            home: None,
        };
        let subject = Subject { name: UserName::parse(b"alice").unwrap(), uid: 1001 };
        assert_eq!(Record::parse(old), Ok(Record { throttle, provisional: false, ..Record::new(&subject) }));
    }
}
