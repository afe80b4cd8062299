//! docs/monitoring.md: every line that its table names is provoked, and every example is run as it stands there: the searches
//! of the journal by a real journald, the file of rsyslog by rsyslogd, and the metrics by the parser of Prometheus' Python
//! client.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use twinlock_tests::{
    Attempt, CONFIG, DEADLINE, ForgedState, Launch, LogLine, Operation, World, in_world, is_root_in_earnest, state_of,
};

use crate::manual::{guides::blocks, tool};

fn page(world: &World) -> String {
    fs::read_to_string(world.repository().join("docs/monitoring.md")).unwrap()
}

/// The first column of the table.
fn alerts(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect()
}

/// Which of the alerts a line is, if it is one.
fn alert<'p>(alerts: &BTreeSet<&'p str>, line: &str) -> Option<&'p str> {
    alerts.iter().copied().find(|alert| line.split(' ').any(|word| word == *alert))
}

/// Has the programs write every line of the table, and others.
fn provoke(world: &World) -> Vec<LogLine> {
    const MAIL: &str = "fail_delay = \"0s\"\n[notify]\nmail = true\nsendmail = \"/bin/false\"\n";
    world.set_up("");
    let alice = world.account("alice");
    world.account("bob");
    world.service("sshd", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
    let login = |answer: &str| Attempt::new("sshd").user("alice").rhost("192.0.2.7").answer(answer).run(world);
    let enrolled = world.enrol("alice");
    let code = enrolled.codes().next();
    for answer in [&code, &code, &code, &code, &code] {
        login(answer);
    }
    ForgedState::of(&alice).wrong_codes(100).write(world);
    login(&code);
    // An intruder's user name cannot look like a line of ours.
    Attempt::new("sshd").user("pam_twinlock(sshd:auth): result=refused reason=disabled ").answer("1").run(world);
    Attempt::new("sshd").user("alice").operations([Operation::AcctMgmt]).run(world);
    world.write(CONFIG, MAIL);
    world.twinlock(&["unlock", "alice"]);
    login("000000");
    world.enrol_with("alice", &["--replace"]);
    world.enrol_with("alice", &["--add", "--label", "tablet"]);
    world.twinlock(&["device", "rename", "alice", "tablet", "slate"]);
    world.twinlock(&["emergency", "off"]);
    login("000000");
    world.twinlock(&["emergency", "on"]);
    world.write("/root/uri", "otpauth://totp/x:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=x\n");
    let import = Launch::new(["sh", "-c", "twinlock import uri alice --replace </root/uri"]);
    world.install();
    assert_eq!(import.run().code, Some(0));
    fs::write(state_of("alice"), "torn").unwrap();
    login("000000");
    world.twinlock(&["remove", "alice", "--yes"]);
    world.write(CONFIG, "second_factor = 7\n");
    login("000000");
    world.write(CONFIG, "fail_delay = \"0s\"\n");
    Attempt::new("sshd").user("alice").change_user("bob").answer("000000").run(world);
    world.log()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}: never");
        sleep(Duration::from_millis(5));
    }
}

/// The lines as programs send them to `/dev/log`.
fn send(lines: &[LogLine], socket: &str) {
    let sender = UnixDatagram::unbound().unwrap();
    for LogLine { facility, severity, tag, text, .. } in lines {
        let priority = facility << 3 | severity;
        sender.send_to(format!("<{priority}>Nov 24 05:43:01 {tag}[7]: {text}").as_bytes(), socket).unwrap();
    }
}

fn assert_finds_what_is_in_the_table(found: &str, log: &[LogLine], page: &str) {
    let alerts = alerts(page);
    let expected = log.iter().filter(|line| alert(&alerts, &line.text).is_some()).map(|line| line.text.as_str());
    let expected: BTreeSet<&str> = expected.collect();
    let missing: Vec<_> = expected.iter().filter(|text| !found.contains(*text)).collect();
    assert!(missing.is_empty(), "{missing:#?} are not in {found}");
    let kinds: BTreeSet<_> = found.lines().filter_map(|line| alert(&alerts, line)).collect();
    assert_eq!(kinds, alerts, "{found}");
    let others: Vec<_> = found.lines().filter(|line| !expected.iter().any(|text| line.ends_with(text))).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn the_searches_and_the_file_of_rsyslog_find_the_lines_of_the_table_and_no_others() {
    if !is_root_in_earnest("another user") {
        return;
    }
    in_world(|world| {
        let page = page(world);
        let log = provoke(world);

        let rules = blocks(&page, "rsyslog").join("\n");
        let before =
            "module(load=\"imuxsock\" SysSock.Use=\"off\")\ninput(type=\"imuxsock\" Socket=\"/run/rsyslog\")\n";
        world.write("/run/rsyslog.conf", format!("{before}{rules}\n"));
        let rsyslog = Launch::new(["rsyslogd", "-n", "-i", "NONE", "-f", "/run/rsyslog.conf"]).start();
        wait_until("rsyslogd listens", || Path::new("/run/rsyslog").exists());
        send(&log, "/run/rsyslog");
        let alerts = || fs::read_to_string("/var/log/twinlock-alerts.log").unwrap_or_default();
        wait_until("rsyslogd has written the last line", || alerts().contains("reason=internal"));
        assert_finds_what_is_in_the_table(&alerts(), &log, &page);
        rsyslog.kill();

        let _journald = world.journald(1000);
        send(&log, "/dev/log");
        assert_eq!(tool(&["journalctl", "--sync"]).code, Some(0));
        let search = |command: &str| {
            let command = command.replace("journalctl ", "journalctl --directory=/run/log/journal ");
            tool(&["sh", "-c", &command]).stdout
        };
        let searches: Vec<_> = blocks(&page, "sh").into_iter().filter(|line| line.starts_with("journalctl")).collect();
        let [table, replayed, wrong, exempt] = searches[..] else { panic!("{searches:?}") };
        assert_finds_what_is_in_the_table(&search(table), &log, &page);
        assert_eq!(search(replayed).split_whitespace().collect::<Vec<_>>(), ["4", "user=alice"]);
        assert_eq!(search(wrong), "", "one typing error is no alert");
        let wrong = log.iter().find(|line| line.text.contains("reason=wrong-code")).unwrap();
        send(&vec![wrong.clone(); 10], "/dev/log");
        assert_eq!(tool(&["journalctl", "--sync"]).code, Some(0));
        assert_eq!(search(searches[2]).split_whitespace().collect::<Vec<_>>(), ["11", "user=alice"]);
        assert_eq!(search(exempt), "");
    });
}

/// Prints each sample that the parser finds, and lints names and types as `promtool check metrics` does.
const PARSE: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.read()):
    assert family.documentation and family.type == 'gauge', family
    assert family.name.startswith('twinlock_') and not family.name.endswith(('_total', '_count', '_sum')), family
    for sample in family.samples:
        print(sample.name, ','.join(f'{k}={v}' for k, v in sample.labels.items()), int(sample.value))
";

fn samples(text: &str) -> BTreeMap<String, u64> {
    let output = Launch::new(["/usr/bin/python3", "-c", PARSE]).run_with_input(text.as_bytes());
    assert_eq!(output.code, Some(0), "{output:?}");
    let read =
        |line: &str| line.rsplit_once(' ').map(|(name, value)| (name.trim_end().to_owned(), value.parse().unwrap()));
    output.stdout.lines().map(|line| read(line).unwrap()).collect()
}

#[test]
fn the_metrics_are_those_of_the_page_and_a_parser_reads_them() {
    in_world(|world| {
        world.set_up("");
        let alice = world.account("alice");
        world.account("bob");
        world.service("sshd", "auth required pam_twinlock.so\naccount required pam_twinlock.so\n");
        world.enrol("alice");
        ForgedState::of(&alice).wrong_codes(100).write(world);
        let file = "/run/twinlock.prom";
        let written = || world.twinlock(&["metrics", "--output", file]);
        assert_eq!((written().code, written().stdout.as_str()), (Some(0), ""));
        let text = fs::read_to_string(file).unwrap();
        let found = samples(&text);
        let expected = [
            ("twinlock_accounts coverage=covered", 3),
            ("twinlock_accounts coverage=exempt", 0),
            ("twinlock_accounts_disabled", 1),
            ("twinlock_accounts_enrolled", 1),
            ("twinlock_config_valid", 1),
            ("twinlock_emergency", 0),
            ("twinlock_gather_success", 1),
        ];
        for (name, number) in expected {
            assert_eq!(found.get(name), Some(&number), "{name}: {text}");
        }
        assert!(!text.contains("alice") && !text.contains("bob"), "{text}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o644);
        let beside: Vec<_> = fs::read_dir("/run").unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!beside.iter().any(|name| name.to_string_lossy().starts_with(".twinlock.prom")), "{beside:?}");

        // The page has each of them, and its rules name no other.
        let page = page(world);
        let names: BTreeSet<_> = found.keys().map(|name| name.split(' ').next().unwrap()).collect();
        let listed = page.lines().filter(|line| line.starts_with("- `twinlock_"));
        let listed: BTreeSet<_> =
            listed.flat_map(|line| line.split('`')).filter(|word| word.starts_with("twinlock_")).collect();
        assert_eq!(listed, names);
        let rules = blocks(&page, "yaml").join("\n");
        let read = "import sys, yaml\nfor g in yaml.safe_load(sys.stdin)['groups']:\n  for r in g['rules']: print(r['alert'], r['expr'])";
        let rules = Launch::new(["/usr/bin/python3", "-c", read]).run_with_input(rules.as_bytes()).stdout;
        let used: Vec<_> = rules
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("twinlock_"))
            .collect();
        assert!(used.len() >= 7 && used.iter().all(|name| names.contains(name)), "{rules}");
        for label in
            rules.split('{').skip(1).filter_map(|rest| rest.split('"').nth(1)).filter(|label| !label.contains('.'))
        {
            for value in label.split('|') {
                assert!(found.keys().any(|name| name.ends_with(&format!("={value}"))), "{value}");
            }
        }

        // A broken configuration is a number too, and the old file is not left standing.
        world.write(CONFIG, "second_factor = 7\n");
        assert_eq!(written().code, Some(1));
        let broken = samples(&fs::read_to_string(file).unwrap());
        assert_eq!((broken["twinlock_config_valid"], broken.get("twinlock_accounts_disabled")), (0, None));
        world.write(CONFIG, "");
        fs::remove_dir_all("/var/lib/twinlock").unwrap();
        assert_eq!(written().code, Some(1));
        let broken = samples(&fs::read_to_string(file).unwrap());
        assert_eq!((broken["twinlock_config_valid"], broken["twinlock_gather_success"]), (1, 0));
    });
}

#[test]
fn the_units_of_the_guides_are_sound() {
    in_world(|world| {
        let roll_out = fs::read_to_string(world.repository().join("docs/roll-out.md")).unwrap();
        let units = [page(world), roll_out].map(|page| blocks(&page, "systemd").join("\n")).join("\n");
        let units: Vec<_> =
            units.split("# /etc/systemd/system/").skip(1).map(|unit| unit.split_once('\n').unwrap()).collect();
        assert_eq!(units.len(), 4);
        world.install();
        for (name, unit) in &units {
            world.write(format!("/run/units/{name}"), unit.replace("/usr/bin/twinlock", "/bin/true"));
        }
        for (name, _) in units {
            let output = tool(&["systemd-analyze", "verify", "--man=no", &format!("/run/units/{name}")]);
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        }
    });
}
