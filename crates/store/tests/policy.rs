//! The policy, by rules as administrators write them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that cannot go on panics"
)]

use std::{io, time::Duration};

use twinlock_core::{account::UserName, policy::*, time::UnixTime};
use twinlock_store::{config::Config, document};

/// Groups of three accounts; the group `broken` cannot be asked for.
struct Directory;

impl Groups for Directory {
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
        match user.as_str() {
            "alice" => Ok(vec!["alice".into(), "admins".into()]),
            "git" => Ok(vec!["git".into(), "robots".into(), "admins".into()]),
            // Of which libc was told a part, and no error.
            "forgotten" => Ok(vec!["forgotten".into()]),
            "lost" => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(Vec::new()),
        }
    }

    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
        match group {
            "broken" => Err(io::ErrorKind::TimedOut.into()),
            "admins" => Ok(Some(vec!["alice".into(), "git".into(), "forgotten".into()])),
            "alice" | "git" | "robots" => Ok(Some(Vec::new())),
            _ => Ok(None),
        }
    }
}

impl Hosts for Directory {
    /// Finds names in any case, as some directories do.
    fn account_found_as(&self, name: &UserName) -> io::Result<Option<UserName>> {
        let name = UserName::parse(name.as_str().to_ascii_lowercase().as_bytes()).unwrap();
        Ok(["alice", "git"].contains(&name.as_str()).then_some(name))
    }
}

/// The noon of 2027-01-31.
const NOON: u64 = 1_801_396_800;

struct Given {
    user: &'static str,
    service: &'static str,
    rhost: Option<&'static str>,
    key: Option<KeyType>,
    now: u64,
}

const ALICE: Given =
    Given { user: "alice", service: "sshd", rhost: Some("10.1.2.3"), key: Some(KeyType::SkEd25519), now: NOON };

fn policy(text: &str) -> Policy {
    Config::parse(text.as_bytes()).unwrap().policy
}

/// What is decided: the outcome, the name of the rule, and whether there was a doubt. `None`: undecided.
fn decided(text: &str, given: &Given) -> Option<(SecondFactor, Option<String>, bool)> {
    let user = UserName::parse(given.user.as_bytes()).ok();
    let source = Source::from_rhost(given.rhost);
    let first_factors = given.key.map_or_else(FirstFactors::default, FirstFactors::with_key_of);
    let facts = Facts {
        service: given.service,
        user: user.as_ref(),
        source: &source,
        first_factors: &first_factors,
        now: UnixTime::from_seconds(given.now),
    };
    let policy = policy(text);
    let decision = policy.decide(&facts, &Directory).ok()?;
    Some((decision.second_factor, decision.rule.map(|rule| rule.title().to_owned()), decision.doubt.is_some()))
}

fn outcome(text: &str, given: &Given) -> Option<SecondFactor> {
    decided(text, given).map(|(second_factor, ..)| second_factor)
}

fn skip(condition: &str) -> String {
    format!("[[rule]]\n{condition}\nsecond_factor = \"skip\"\n")
}

use SecondFactor::{Enroll, Optional, Required, Skip};

#[test]
fn without_rules_the_one_setting_holds() {
    assert_eq!(decided("", &ALICE), Some((Required, None, false)));
    assert_eq!(decided("second_factor = \"enroll\"", &ALICE), Some((Enroll, None, false)));
}

#[test]
fn each_condition_fits_and_does_not() {
    for (condition, fits) in [
        ("", true),
        ("services = [\"sshd\"]", true),
        ("services = [\"SSHD\"]", true),
        ("services = [\"sudo\", \"su\"]", false),
        ("services = [\"!sudo\"]", true),
        ("users = [\"bob\", \"alice\"]", true),
        ("users = [\"Alice\"]", false),
        ("users = [\"!root\"]", true),
        ("users = [\"!alice\"]", false),
        ("groups = [\"admins\"]", true),
        ("groups = [\"!robots\"]", true),
        ("groups = [\"admins\", \"!robots\"]", true),
        ("groups = [\"admins\", \"!alice\"]", false),
        ("groups = [\"robots\"]", false),
        ("from = [\"10.0.0.0/8\"]", true),
        ("from = [\"192.0.2.0/24\", \"10.1.2.3\"]", true),
        ("from = [\"fd00::/8\"]", false),
        ("key_types = [\"sk-ssh-ed25519@openssh.com\"]", true),
        ("key_types = [\"ssh-ed25519\", \"ssh-rsa\"]", false),
        ("until = 2027-01-31", true),
        ("until = 2027-01-30", false),
        ("services = []", false),
        ("users = []", false),
        ("groups = []", false),
        ("from = []", false),
        ("key_types = []", false),
        (
            "services = [\"sshd\"]\nusers = [\"alice\"]\ngroups = [\"admins\"]\nfrom = [\"10.0.0.0/8\"]\nuntil = 2027-01-31",
            true,
        ),
        (
            "services = [\"sshd\"]\nusers = [\"alice\"]\ngroups = [\"admins\"]\nfrom = [\"10.0.0.0/8\"]\nuntil = 2027-01-30",
            false,
        ),
    ] {
        assert_eq!(outcome(&skip(condition), &ALICE), Some(if fits { Skip } else { Required }), "{condition}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let two = "[[rule]]\nname = \"a\"\nusers = [\"bob\"]\nsecond_factor = \"skip\"\n[[rule]]\nname = \"b\"\nsecond_factor = \"optional\"\n\
               [[rule]]\nname = \"c\"\nsecond_factor = \"required\"\n";
    assert_eq!(decided(two, &ALICE), Some((Optional, Some("b".into()), false)));
    assert_eq!(decided(two, &Given { user: "bob", ..ALICE }), Some((Skip, Some("a".into()), false)));
}

#[test]
fn a_rule_ends_with_the_last_second_of_its_day() {
    let rule = skip("until = 2027-01-31");
    let end = 1_801_440_000;
    assert_eq!(outcome(&rule, &Given { now: end - 1, ..ALICE }), Some(Skip));
    assert_eq!(outcome(&rule, &Given { now: end, ..ALICE }), Some(Required));
}

#[test]
fn nobody_is_in_no_group_and_has_no_name() {
    for condition in ["users = [\"!root\"]", "groups = [\"!robots\"]", "groups = [\"admins\"]"] {
        assert_eq!(outcome(&skip(condition), &Given { user: "", ..ALICE }), Some(Required), "{condition}");
    }
}

#[test]
fn an_account_that_was_not_found_is_taken_for_whatever_is_strictest() {
    let nobody = Given { user: "", ..ALICE };
    for condition in ["users = [\"bob\"]", "groups = [\"admins\"]", "users = [\"!root\"]", "groups = [\"!broken\"]"] {
        let strict = format!("second_factor = \"skip\"\n[[rule]]\n{condition}\nsecond_factor = \"required\"\n");
        assert_eq!(decided(&strict, &nobody), Some((Required, Some("without a name".into()), true)), "{condition}");
        let other_service = strict.replace("[[rule]]", "[[rule]]\nservices = [\"sudo\"]");
        assert_eq!(outcome(&other_service, &nobody), Some(Skip), "{condition}");
    }
    let for_nobody = "second_factor = \"skip\"\n[[rule]]\nusers = []\nsecond_factor = \"required\"\n";
    assert_eq!(outcome(for_nobody, &nobody), Some(Skip));
}

#[test]
fn a_source_that_is_a_name_is_taken_for_whatever_is_strictest() {
    let host = Given { rhost: Some("host.example.com"), ..ALICE };
    assert_eq!(decided(&skip("from = [\"10.0.0.0/8\"]"), &host), Some((Required, None, false)));
    let strict = "second_factor = \"skip\"\n[[rule]]\nname = \"outside\"\nfrom = [\"0.0.0.0/0\"]\nsecond_factor = \"required\"\n";
    assert_eq!(decided(strict, &host), Some((Required, Some("outside".into()), true)));
    assert_eq!(decided(strict, &Given { rhost: None, ..ALICE }), Some((Skip, None, false)));
    let other_user = strict.replace("from", "users = [\"bob\"]\nfrom");
    assert_eq!(outcome(&other_user, &host), Some(Skip));
}

/// Required for one kind of key before something more lenient.
const SOFT_KEYS: &str = "second_factor = \"skip\"\n[[rule]]\nname = \"soft keys\"\nkey_types = [\"ssh-ed25519\"]\nsecond_factor = \"required\"\n";

fn decided_with(text: &str, service: &str, info: Option<&[u8]>) -> (SecondFactor, Option<String>) {
    let (policy, source, first_factors) = (policy(text), Source::Here, FirstFactors::parse(info));
    let user = UserName::parse(b"alice").unwrap();
    let now = UnixTime::default();
    let facts = Facts { service, user: Some(&user), source: &source, first_factors: &first_factors, now };
    let decision = policy.decide(&facts, &Directory).unwrap();
    (decision.second_factor, decision.doubt.map(|doubt| doubt.to_string()))
}

#[test]
fn a_key_that_sshd_does_not_show_is_taken_for_whatever_is_strictest() {
    let sk = FirstFactors::told_of_key(KeyType::SkEd25519);
    let unreadable_beside = format!("{sk}publickey ssh-unheard-of AAAA\n");
    let too_long = format!("{sk}{}", "x".repeat(64 * 1024));
    let not_text = [sk.as_bytes(), b"\xff"].concat();
    for (info, expected) in [
        (None, Required),
        (Some(&b""[..]), Required),
        (Some(b"password\n"), Required),
        (Some(unreadable_beside.as_bytes()), Required),
        (Some(too_long.as_bytes()), Required),
        (Some(&not_text), Required),
        (Some(sk.as_bytes()), Skip),
    ] {
        let (second_factor, doubt) = decided_with(SOFT_KEYS, "sshd", info);
        assert_eq!(second_factor, expected, "{info:?}");
        assert_eq!(doubt.is_some_and(|doubt| doubt.contains("key_types")), expected == Required, "{info:?}");
    }
    assert_eq!(decided_with(SOFT_KEYS, "sshd-internal", None).0, Required);
    assert_eq!(
        decided_with(SOFT_KEYS, "ssh", Some(b"")).0,
        Required,
        "sshd alone sets it, whatever its service is called"
    );
}

#[test]
fn of_a_service_other_than_sshd_it_is_certain_that_no_key_was_proved() {
    assert_eq!(decided_with(SOFT_KEYS, "sudo", None), (Skip, None));
}

#[test]
fn a_key_that_is_not_shown_changes_nothing_where_the_rule_is_not_the_stricter_one() {
    let lenient = skip("key_types = [\"sk-ssh-ed25519@openssh.com\"]\ngroups = [\"broken\"]");
    let alike = "[[rule]]\nkey_types = [\"ssh-rsa\"]\ngroups = [\"broken\"]\nsecond_factor = \"required\"\n";
    let remembered = "[[rule]]\nsecond_factor = \"required\"\nremember = \"8h\"\n";
    for rules in [lenient.clone(), alike.into(), lenient + remembered] {
        assert_eq!(decided_with(&rules, "sshd", None), (Required, None), "no group is asked for: {rules}");
    }
    let none = SOFT_KEYS.replace("\"ssh-ed25519\"", "");
    assert_eq!(decided_with(&none, "sshd", None), (Skip, None), "no kind is no doubt");
}

#[test]
fn the_source_of_a_service_other_than_sshd_counts_where_the_rule_names_the_service() {
    let inside = |service: &'static str| Given { service, ..ALICE };
    let lenient = |services: &str| skip(&format!("{services}\nfrom = [\"10.0.0.0/8\"]"));
    let strict = |services: &str| {
        let rule = "second_factor = \"skip\"\n[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\n";
        rule.replace("from", &format!("{services}\nfrom"))
    };
    for (services, service, trusted) in [
        ("", "sshd", true),
        ("", "sshd-internal", true),
        ("", "vsftpd", false),
        ("", "login", false),
        ("services = [\"!sudo\"]", "vsftpd", false),
        ("services = [\"vsftpd\"]", "vsftpd", true),
        ("services = [\"sshd\", \"VSFTPD\"]", "vsftpd", true),
    ] {
        let expected = if trusted { Skip } else { Required };
        assert_eq!(outcome(&lenient(services), &inside(service)), Some(expected), "{services} {service}");
        assert_eq!(outcome(&strict(services), &inside(service)), Some(expected), "{services} {service}");
    }
    assert_eq!(outcome(&strict(""), &Given { rhost: None, ..inside("vsftpd") }), Some(Skip), "no source is no doubt");
    assert_eq!(outcome(&skip("from = []"), &inside("vsftpd")), Some(Required));
    assert_eq!(outcome(&strict("").replace("\"192.0.2.0/24\"", ""), &inside("vsftpd")), Some(Skip));
}

#[test]
fn a_group_that_does_not_exist_is_taken_for_whatever_is_strictest() {
    assert_eq!(outcome(&skip("groups = [\"nosuch\"]"), &ALICE), Some(Required));
    assert_eq!(outcome(&skip("groups = [\"!nosuch\"]"), &ALICE), Some(Required));
    assert_eq!(outcome(&skip("groups = [\"admins\", \"!nosuch\"]"), &ALICE), Some(Required));
    let strict = |groups: &str| {
        format!("second_factor = \"skip\"\n[[rule]]\ngroups = [{groups}]\nsecond_factor = \"required\"\n")
    };
    assert_eq!(decided(&strict("\"nosuch\""), &ALICE), Some((Required, Some("without a name".into()), true)));
    assert_eq!(outcome(&strict("\"robots\""), &ALICE), Some(Skip));
    assert_eq!(outcome(&strict("\"!nosuch\""), &ALICE), Some(Required));
    assert_eq!(outcome(&strict("\"!admins\""), &ALICE), Some(Skip));
}

#[test]
fn a_group_that_names_a_user_whose_list_lacks_it_is_taken_for_whatever_is_strictest() {
    let forgotten = Given { user: "forgotten", ..ALICE };
    let strict = "second_factor = \"skip\"\n[[rule]]\ngroups = [\"admins\"]\nsecond_factor = \"required\"\n";
    assert_eq!(decided(strict, &forgotten), Some((Required, Some("without a name".into()), true)));
    assert_eq!(outcome(strict, &Given { user: "bob", ..ALICE }), Some(Skip), "named nowhere");
    assert_eq!(outcome(&skip("groups = [\"!admins\"]"), &forgotten), Some(Required));
    assert_eq!(outcome(&skip("groups = [\"!robots\"]"), &forgotten), Some(Skip));
}

#[test]
fn what_cannot_be_asked_is_not_decided() {
    for text in [
        skip("groups = [\"!broken\"]"),
        "second_factor = \"skip\"\n[[rule]]\ngroups = [\"broken\"]\nsecond_factor = \"required\"\n".into(),
    ] {
        assert_eq!(outcome(&text, &ALICE), None, "{text}");
    }
    let lost = Given { user: "lost", ..ALICE };
    assert_eq!(outcome(&skip("groups = [\"admins\"]"), &lost), None);
    assert_eq!(outcome(&skip("users = [\"alice\"]\ngroups = [\"admins\"]"), &lost), Some(Required));
    assert_eq!(outcome(&skip("groups = [\"broken\"]"), &ALICE), Some(Required), "nothing hangs on it");
}

/// A directory that counts.
struct Counting(std::cell::Cell<(usize, usize)>);

impl Groups for Counting {
    fn groups_of(&self, user: &UserName) -> io::Result<Vec<String>> {
        let (of, members) = self.0.get();
        self.0.set((of + 1, members));
        Directory.groups_of(user)
    }

    fn members(&self, group: &str) -> io::Result<Option<Vec<String>>> {
        let (of, members) = self.0.get();
        self.0.set((of, members + 1));
        Directory.members(group)
    }
}

#[test]
fn the_directory_is_asked_late_and_for_each_thing_once() {
    let asked = |text: &str| {
        let (source, first_factors) = (Source::Here, FirstFactors::default());
        let user = UserName::parse(b"alice").unwrap();
        let facts = Facts {
            service: "sshd",
            user: Some(&user),
            source: &source,
            first_factors: &first_factors,
            now: UnixTime::default(),
        };
        let directory = Counting(std::cell::Cell::default());
        let _ = policy(text).decide(&facts, &directory).unwrap();
        directory.0.get()
    };
    let robots =
        |asks: &str| format!("[[rule]]\ngroups = [\"robots\", \"git\"]\nsecond_factor = \"{asks}\"\n").repeat(3);
    assert_eq!(asked(&format!("{}{}", skip("users = [\"git\"]\ngroups = [\"admins\"]"), skip(""))), (0, 0));
    assert_eq!(asked(&robots("required")), (1, 0), "nothing hangs on whether they exist");
    assert_eq!(asked(&(robots("required") + &skip(""))), (1, 2));
}

#[test]
fn a_doubt_forgets_what_is_remembered() {
    let text = "[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\n[[rule]]\nsecond_factor = \"required\"\nremember = \"8h\"\n";
    let policy = policy(text);
    let of = |rhost| {
        let (source, first_factors) = (Source::from_rhost(Some(rhost)), FirstFactors::default());
        let facts = Facts {
            service: "sshd",
            user: None,
            source: &source,
            first_factors: &first_factors,
            now: UnixTime::default(),
        };
        policy.decide(&facts, &Directory).unwrap().remember
    };
    assert_eq!(of("10.0.0.1"), Some(Duration::from_hours(8)));
    assert_eq!(of("192.0.2.1"), None);
    assert_eq!(of("some.host"), None);
}

#[test]
fn everybody_but_a_group_that_is_not_there_is_not_remembered() {
    let but =
        |group: &str| format!("[[rule]]\ngroups = [\"!{group}\"]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
    let remembered = |text: &str| {
        let (policy, source, first_factors) = (policy(text), Source::Here, FirstFactors::default());
        let user = UserName::parse(b"alice").unwrap();
        let now = UnixTime::default();
        let facts = Facts { service: "sshd", user: Some(&user), source: &source, first_factors: &first_factors, now };
        let decision = policy.decide(&facts, &Directory).unwrap();
        (decision.second_factor, decision.remember)
    };
    assert_eq!(remembered(&but("robots")), (Required, Some(Duration::from_hours(8))));
    assert_eq!(remembered(&but("nosuch")), (Required, None));
    assert_eq!(remembered(&(but("nosuch") + &skip(""))), (Required, None));
}

#[test]
fn a_rule_that_is_no_rule_names_its_place() {
    for (rule, told) in [
        ("", "1:1: the key `second_factor` is missing"),
        ("second_factor = \"never\"", "2:17: `never` is not one of `required`"),
        (
            "second_factor = \"skip\"\nuser = [\"a\"]",
            "3:1: unknown key `user`; known keys: `name`, `services`, `users`",
        ),
        ("users = \"alice\"", "2:9: this must be an array"),
        ("users = [7]", "2:9: this must be a string"),
        ("users = [\"!\"]", "2:9: a name has 1 to 256 characters"),
        ("users = [\"!!a\"]", "2:9: a name has 1 to 256 characters"),
        ("groups = [\"a\\n\"]", "2:10: a name has 1 to 256 characters"),
        ("from = [\"10.0.0.1/8\"]", "2:8: `10.0.0.1/8` has bits set after its prefix"),
        ("from = [\"lan\"]", "2:8: `lan` is neither"),
        ("key_types = [\"sk\"]", "2:13: `sk` is not one of `ssh-ed25519`"),
        ("until = \"2027-01-31\"", "2:9: this must be a date such as 2027-01-31, but is a TOML string"),
        ("until = 2027-01-31T10:00:00", "2:9: this must be a date such as 2027-01-31"),
        ("until = 1969-12-31", "2:9: 1969-12-31 is not a day"),
        ("second_factor = \"required\"\nremember = \"59s\"", "3:12: `59s` is not a time span from 1m to 30d"),
        ("second_factor = \"required\"\nremember = \"31d\"", "3:12: `31d` is not a time span from 1m to 30d"),
        ("second_factor = \"skip\"\nremember = \"8h\"", "1:1: `remember` has no effect with second_factor"),
        ("name = \"\"", "2:8: a rule's name has 1 to 100 characters"),
    ] {
        let error = Config::parse(format!("[[rule]]\n{rule}").as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(told), "{rule}: {error}");
    }
}

#[test]
fn who_may_enrol_depends_on_the_service_and_the_day() {
    let rule = |conditions: &str| format!("[[rule]]\n{conditions}\nsecond_factor = \"enroll\"\n");
    for (text, enrolls) in [
        (String::new(), false),
        ("second_factor = \"enroll\"".into(), true),
        (rule(""), true),
        (rule("services = [\"sshd\"]"), true),
        (rule("services = [\"!sshd\"]"), false),
        (rule("until = 2027-01-31"), true),
        (rule("until = 2027-01-30"), false),
    ] {
        assert_eq!(policy(&text).enrolls_in("sshd", UnixTime::from_seconds(NOON)), enrolls, "{text}");
    }
}

#[test]
fn whoever_is_asked_somewhere_or_may_be_is_told_so() {
    let rule = |conditions: &str, asks: &str| format!("[[rule]]\n{conditions}\nsecond_factor = \"{asks}\"\n");
    let optional = |rules: String| format!("second_factor = \"optional\"\n{rules}");
    for (text, asked) in [
        (String::new(), true),
        (optional(String::new()), false),
        (optional(rule("users = [\"alice\"]\nservices = [\"sudo\"]\nfrom = [\"192.0.2.7\"]", "enroll")), true),
        (optional(rule("users = [\"bob\"]", "required")), false),
        (optional(rule("groups = [\"admins\"]", "required")), true),
        (optional(rule("groups = [\"robots\"]", "required")), false),
        (optional(rule("groups = [\"nosuch\"]", "required")), true),
        (optional(rule("groups = [\"nosuch\", \"!admins\"]", "required")), false),
        (optional(rule("groups = [\"!robots\"]", "required")), true),
        (rule("users = [\"alice\"]", "skip"), false),
        (rule("services = [\"sshd\"]", "skip"), true),
        (rule("groups = [\"admins\"]", "optional"), true),
    ] {
        let user = UserName::parse(b"alice").unwrap();
        assert_eq!(policy(&text).asks_somewhere(&user, &Directory).unwrap(), asked, "{text}");
    }
    let lost = UserName::parse(b"lost").unwrap();
    let admins = policy(&optional(rule("groups = [\"admins\"]", "required")));
    assert!(admins.asks_somewhere(&lost, &Directory).is_err());
}

#[test]
fn a_rule_knows_where_it_stands() {
    let text = "echo = true\n\n[[rule]]\nsecond_factor = \"skip\"\n  [[rule]]\nsecond_factor = \"required\"\n";
    let offsets: Vec<usize> = policy(text).rules.iter().map(|rule| rule.offset).collect();
    let lines: Vec<usize> =
        offsets.iter().map(|offset| document::line_and_column(text.as_bytes(), *offset).0).collect();
    assert_eq!(lines, [3, 5]);
}

fn graded_flaws(text: &str) -> Vec<(Grade, String)> {
    let policy = policy(text);
    let flaws = review(&policy, UnixTime::from_seconds(NOON), &Directory).unwrap();
    flaws.into_iter().map(|flaw| (flaw.grade, flaw.problem)).collect()
}

fn flaws(text: &str) -> Vec<String> {
    graded_flaws(text).into_iter().map(|(_, problem)| problem).collect()
}

#[test]
fn rules_that_can_never_decide_are_told() {
    use Grade::{Error, Warning};
    for (rules, grade, told) in [
        (skip("users = []"), Error, "`users` is empty"),
        (skip("key_types = []"), Error, "`key_types` is empty"),
        (skip("from = []"), Error, "`from` is empty"),
        (skip("users = [\"alice\", \"!alice\"]"), Error, "`users` lists the same names with and without `!`"),
        (skip("until = 2027-01-30"), Warning, "its last day has passed"),
        (skip("groups = [\"nosuch\"]"), Warning, "there is no group named nosuch"),
        (skip("groups = [\"!nosuch\"]"), Warning, "there is no group named nosuch"),
        (skip("users = [\"bob\"]"), Warning, "there is no account named bob"),
        (skip("users = [\"Alice\"]"), Error, "the account Alice is named alice"),
        (skip("users = [\"!Alice\"]"), Error, "the account Alice is named alice"),
    ] {
        let flaws = graded_flaws(&rules);
        assert!(flaws.len() == 1 && flaws[0].0 == grade && flaws[0].1.starts_with(told), "{rules}: {flaws:?}");
    }
}

#[test]
fn a_strict_rule_on_keys_is_told_where_it_also_holds_without_a_key() {
    let sk_passes = "[[rule]]\nkey_types = [\"sk-ssh-ed25519@openssh.com\"]\nsecond_factor = \"skip\"\n";
    let soft = "[[rule]]\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"required\"\n";
    for (rules, told) in [
        (SOFT_KEYS.to_owned(), 1),
        (format!("{soft}{}", skip("users = [\"alice\"]")), 1),
        (format!("{soft}{sk_passes}"), 0),
        (format!("{sk_passes}{soft}"), 0),
    ] {
        let flaws = flaws(&rules);
        assert_eq!(flaws.len(), told, "{rules}: {flaws:?}");
        assert!(flaws.iter().all(|flaw| flaw.contains("sshd reports no key")), "{flaws:?}");
    }
}

#[test]
fn a_rule_that_names_one_of_two_services_of_a_program_is_told() {
    let second = |services: &str| skip(&format!("services = [{services}]"));
    for (rules, told) in [
        (second("\"sudo\""), 1),
        (second("\"sudo-i\""), 1),
        (second("\"!sudo\""), 1),
        (second("\"SU\", \"sshd\""), 1),
        (second("\"su\", \"sudo\""), 2),
        (second("\"sudo\", \"sudo-i\""), 0),
        (second("\"sudo\", \"!sudo-i\""), 0),
        (second("\"!su\", \"!su-l\""), 0),
        (second("\"sudo\"") + &second("\"sudo-i\"").replace("skip", "required"), 0),
        (second("\"sudo\"") + &skip("services = [\"sudo-i\"]\nusers = [\"alice\"]"), 2),
        (second("\"sshd\""), 0),
    ] {
        let flaws = flaws(&rules);
        assert_eq!(flaws.len(), told, "{rules}: {flaws:?}");
        assert!(flaws.iter().all(|flaw| flaw.starts_with("it names the service")), "{flaws:?}");
    }
}

#[test]
fn a_rule_in_the_shadow_of_an_earlier_one_is_told_and_no_other() {
    for (earlier, later, shadowed) in [
        ("", "users = [\"alice\"]", true),
        ("users = [\"alice\", \"git\"]", "users = [\"git\"]\nfrom = [\"10.0.0.0/8\"]", true),
        ("users = [\"git\"]", "users = [\"alice\", \"git\"]", false),
        ("users = [\"!git\"]", "users = [\"alice\"]", true),
        ("users = [\"!git\"]", "users = [\"alice\", \"git\"]", false),
        ("users = [\"!git\"]", "users = [\"!git\", \"!alice\"]", true),
        ("users = [\"!git\"]", "", false),
        ("from = [\"10.0.0.0/8\"]", "from = [\"10.1.0.0/16\", \"10.2.0.1\"]", true),
        ("from = [\"10.0.0.0/8\"]", "from = [\"10.1.0.0/16\", \"11.0.0.0/8\"]", false),
        ("from = [\"10.0.0.0/8\"]", "", false),
        ("services = [\"sshd\"]", "services = [\"sshd\"]\ngroups = [\"admins\"]", true),
        ("groups = [\"admins\"]", "groups = [\"admins\", \"robots\"]", false),
        ("groups = [\"admins\", \"robots\"]", "groups = [\"admins\"]", true),
        ("groups = [\"admins\", \"!robots\"]", "groups = [\"admins\"]", false),
        ("groups = [\"!robots\"]", "groups = [\"admins\"]", false),
        ("groups = [\"!robots\"]", "groups = [\"admins\", \"!robots\"]", true),
        ("key_types = [\"ssh-rsa\", \"ssh-ed25519\"]", "key_types = [\"ssh-rsa\"]", true),
        ("key_types = [\"ssh-rsa\"]", "key_types = [\"ssh-ed25519\"]", false),
        ("until = 2027-03-31", "until = 2027-02-28", true),
        ("until = 2027-02-28", "until = 2027-03-31", false),
        ("until = 2027-02-28", "", false),
    ] {
        let flaws = flaws(&(skip(earlier) + &skip(later)));
        let told = flaws.iter().any(|flaw| flaw.starts_with("an earlier rule"));
        assert!(told == shadowed && flaws.len() == usize::from(shadowed), "{earlier} / {later}: {flaws:?}");
    }
}
