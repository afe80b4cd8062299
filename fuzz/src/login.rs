//! A login as the policy sees it: service, user, where from, and what sshd says of it.

use std::{io, net::IpAddr, sync::LazyLock};

use twinlock_core::{
    account::UserName,
    policy::{Facts, FirstFactors, Groups, Policy, SecondFactor, Source},
    time::UnixTime,
};
use twinlock_store::config::Config;

use crate::auth_info::{hides_a_key, proven};

/// Logins that may pass: a key on a token, two networks for users who have no second factor, a group.
pub const POLICY: &str = "
[[rule]]
services = [\"sshd\"]
key_types = [\"sk-ssh-ed25519@openssh.com\"]
second_factor = \"skip\"
[[rule]]
services = [\"sshd\"]
from = [\"10.0.0.0/8\", \"fd00::/8\"]
second_factor = \"optional\"
[[rule]]
services = [\"sshd\"]
groups = [\"admins\", \"!robots\"]
second_factor = \"skip\"
";

/// Logins that must answer: two kinds of keys, and one network, where everybody else may pass.
const STRICT: &str = "
second_factor = \"skip\"
[[rule]]
key_types = [\"ssh-ed25519\", \"ssh-rsa\"]
second_factor = \"required\"
[[rule]]
services = [\"sshd\"]
from = [\"10.0.0.0/8\", \"fd00::/8\"]
second_factor = \"required\"
";

/// Four fields, between bytes that are in no text: service, user, where from, `SSH_AUTH_INFO_0`.
#[must_use]
pub fn check(bytes: &[u8]) -> bool {
    let mut fields = bytes.split(|byte| *byte == 0xfe);
    let [service, user, rhost, info] = [(); 4].map(|()| fields.next().unwrap_or_default());
    decide(service, user, rhost, info)
}

/// Whether somebody may pass without a second factor, which is so exactly where a second reading finds one of the rules.
#[must_use]
pub fn decide(service: &[u8], user: &[u8], rhost: &[u8], info: &[u8]) -> bool {
    static RULES: LazyLock<Policy> = LazyLock::new(|| Config::parse(POLICY.as_bytes()).unwrap().policy);
    let (rhost, service) = (String::from_utf8_lossy(rhost), String::from_utf8_lossy(service));
    let name = UserName::parse(user).ok();
    let (source, first_factors) = (Source::from_rhost(Some(&rhost)), FirstFactors::parse(Some(info)));
    let facts = Facts {
        service: &service,
        user: name.as_ref(),
        source: &source,
        first_factors: &first_factors,
        now: UnixTime::default(),
    };
    must_answer(&facts, info, &rhost);
    let decision = RULES.decide(&facts, &Directory).unwrap();
    let token = proven(info).contains(&"sk-ssh-ed25519@openssh.com");
    let may_pass = service == "sshd" && (token || is_inside(&rhost) || user == b"alice");
    let passes = decision.second_factor < SecondFactor::Required;
    assert_eq!(passes, may_pass, "{:?} {rhost:?} {user:?} {service:?}", String::from_utf8_lossy(info));
    passes
}

/// Whether strict rules hold, which is so where a second reading finds one of them, or cannot tell.
fn must_answer(facts: &Facts<'_>, info: &[u8], rhost: &str) {
    static RULES: LazyLock<Policy> = LazyLock::new(|| Config::parse(STRICT.as_bytes()).unwrap().policy);
    let is_name = !rhost.is_empty() && *facts.source == Source::Name;
    let by_source = facts.service == "sshd" && (is_name || is_inside(rhost));
    for told in [Some(info), None] {
        let first_factors = FirstFactors::parse(told);
        let seen = told.map(proven).unwrap_or_default();
        let soft = seen.iter().any(|kind| ["ssh-ed25519", "ssh-rsa"].contains(kind));
        let may_have_keys = told.is_some() || facts.service.starts_with("sshd");
        let unsure = may_have_keys && (seen.is_empty() || told.is_some_and(hides_a_key));
        let decision = RULES.decide(&Facts { first_factors: &first_factors, ..*facts }, &Directory).unwrap();
        let must_answer = decision.second_factor == SecondFactor::Required;
        assert_eq!(must_answer, soft || unsure || by_source, "{facts:?} {:?}", String::from_utf8_lossy(info));
    }
}

struct Directory;

impl Groups for Directory {
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
        Ok(if user.as_str() == "alice" { vec!["admins".into()] } else { vec!["staff".into()] })
    }

    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
        Ok(["admins", "robots", "staff"].contains(&group).then(Vec::new))
    }
}

/// Whether an address is of `10.0.0.0/8` or `fd00::/8`, by its first bytes.
fn is_inside(rhost: &str) -> bool {
    let (plain, zone) = rhost.split_once('%').map_or((rhost, None), |(plain, zone)| (plain, Some(zone)));
    match plain.parse() {
        Ok(IpAddr::V4(address)) => zone.is_none() && address.octets()[0] == 10,
        Ok(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.octets()[0] == 10);
            zone.is_none() && (address.octets()[0] == 0xfd || mapped)
        }
        Err(_) => false,
    }
}
