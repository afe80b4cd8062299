//! sshd as a whole.

use std::path::PathBuf;

use twinlock_store::config::Config;

use super::{
    found,
    host::{DROP_IN, Host},
};
use crate::{
    doctor::{
        finding::Severity::{Hint, Lockout, Warning},
        host::HostFacts,
    },
    ssh::match_blocks,
    sshd::Files,
};

const BY_NETWORK: &str = "[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\nremember = \"8h\"\n";

#[test]
fn too_little_time_to_enrol_in_is_a_warning() {
    let enrols = "second_factor = \"enroll\"\n";
    Host::with_key_and_code().config(enrols).finds("grace-time", Warning, None);
    Host::with_key_and_code().set_first("LoginGraceTime 180").config(enrols).finds(
        "grace-time",
        Warning,
        Some(format!("{DROP_IN}:1")),
    );
    assert_eq!(Host::with_key_and_code().set_first("LoginGraceTime 300").config(enrols).found(), []);
    assert_eq!(Host::with_key_and_code().set_first("LoginGraceTime 180").found(), []);
}

#[test]
fn match_blocks_of_other_rules_are_a_warning() {
    const EXEMPT: &str = "[[rule]]\nusers = [\"deploy\"]\nsecond_factor = \"skip\"\n";
    let with = |rules: &str, blocks: Option<String>| {
        let mut facts = HostFacts { config: Config::parse(rules.as_bytes()).unwrap(), ..HostFacts::sound() };
        facts.sshd.as_mut().unwrap().match_blocks = blocks;
        found(&facts)
    };
    let made = match_blocks::generate(&Config::parse(EXEMPT.as_bytes()).unwrap().policy, &Files::default());
    let stale = [("match-blocks", Warning, Some(DROP_IN.to_owned()))];
    assert_eq!(with(EXEMPT, Some(made.clone())), []);
    assert_eq!(with(EXEMPT, Some(String::new())), stale);
    assert_eq!(with("", Some(made)), stale);
    assert_eq!(with("", Some(String::new())), []);
    assert_eq!(with(EXEMPT, None), [], "somebody else made the drop-in");
}

#[test]
fn names_where_rules_name_networks_are_a_warning() {
    assert_eq!(Host::with_key_and_code().set_first("UseDNS yes").found(), []);
    Host::with_key_and_code().set_first("UseDNS yes").config(BY_NETWORK).finds(
        "use-dns",
        Warning,
        Some(format!("{DROP_IN}:1")),
    );
}

#[test]
fn penalties_for_addresses_are_a_hint_where_rules_name_networks() {
    let host = || Host::with_key_and_code().in_force("persourcepenalties", "crash:90 authfail:5");
    assert_eq!(host().found(), []);
    host().config(BY_NETWORK).finds("penalties", Hint, None);
    let exempt = host().in_force("persourcepenaltyexemptlist", "192.0.2.0/24");
    assert_eq!(exempt.config(BY_NETWORK).found(), []);
}

#[test]
fn keys_on_tokens_that_need_no_touch_are_a_hint_where_a_rule_exempts_them() {
    const EXEMPT: &str = "[[rule]]\nkey_types = [\"sk-ssh-ed25519@openssh.com\"]\nsecond_factor = \"skip\"\n";
    const OTHERS: &str = "[[rule]]\nkey_types = [\"ssh-ed25519\"]\nsecond_factor = \"skip\"\n";
    let with = |options| Host::with_key_and_code().in_force("pubkeyauthoptions", options);
    with("none").config(EXEMPT).finds("touch", Hint, None);
    assert_eq!(with("touch-required").config(EXEMPT).found(), []);
    assert_eq!(with("touch-required verify-required").config(EXEMPT).found(), []);
    assert_eq!(with("none").config(OTHERS).found(), []);
    assert_eq!(with("none").found(), []);
    assert_eq!(Host::with_key_and_code().config(EXEMPT).found(), [], "an old sshd does not know the setting");
}

#[test]
fn an_old_server_is_told_what_it_lacks() {
    let of = |major, minor| Host::with_key_and_code().version(major, minor);
    of(7, 5).finds("version", Warning, None);
    of(8, 6).finds("version", Hint, None);
    assert_eq!(of(8, 7).found(), []);
}

#[test]
fn a_line_of_the_administrator_that_is_not_heard_is_a_hint() {
    let earlier = "/etc/ssh/sshd_config.d/05-site.conf";
    let later = "/etc/ssh/sshd_config.d/10-site.conf";
    // What the drop-in of Twinlock overrules is meant to be overruled.
    let overruled = || Host::with_key_and_code().file(later, "PermitRootLogin no\nPasswordAuthentication yes\n");
    assert_eq!(overruled().found(), []);
    let host = overruled().change(DROP_IN, "\nPasswordAuthentication no\n", "\n");
    host.file(earlier, "PasswordAuthentication no\n").finds("sshd-unheard", Hint, Some(format!("{later}:2")));
}

#[test]
fn a_configuration_that_sshd_refuses_is_a_lockout_at_the_line_that_it_names() {
    let complaint = "/etc/ssh/sshd_config.d/00-twinlock.conf: line 9: Bad configuration option: X";
    Host::with_key_and_code().complaint(complaint).finds("sshd-config", Lockout, Some(format!("{DROP_IN}:9")));
    // No line of the configuration is to blame.
    let host = || Host::with_key_and_code().complaint("Missing privilege separation directory: /run/sshd");
    host().finds("sshd-config", Lockout, None);
    assert!(host().worst().fix.contains("install -d -m 0755"), "{:#?}", host().worst());
}

#[test]
fn a_method_that_is_named_and_switched_off_is_a_lockout_at_the_line_that_switches_it_off() {
    let earlier = "/etc/ssh/sshd_config.d/00-a.conf";
    let host = || {
        let host = Host::with_key_and_code().file(earlier, "# ours\nKbdInteractiveAuthentication no\n");
        host.complaint("Disabled method \"keyboard-interactive\" in AuthenticationMethods list \"publickey\"")
    };
    let heard_too_late = Some(host().place(DROP_IN, "KbdInteractiveAuthentication"));
    let config = ("sshd-config", Lockout, Some(format!("{earlier}:2")));
    assert_eq!(host().found(), [config, ("sshd-unheard", Warning, heard_too_late)]);
}

#[test]
fn a_server_that_says_nothing_or_has_not_read_its_configuration_is_a_warning() {
    let mut silent = HostFacts { logins: Vec::new(), ..HostFacts::sound() };
    silent.sshd.as_mut().unwrap().settings = None;
    assert_eq!(found(&silent), [("sshd-config", Warning, None)]);
    let mut stale = HostFacts::sound();
    stale.sshd.as_mut().unwrap().changed_since = Some(PathBuf::from("/etc/ssh/sshd_config"));
    assert_eq!(found(&stale), [("sshd-stale", Warning, Some("/etc/ssh/sshd_config".to_owned()))]);
}
