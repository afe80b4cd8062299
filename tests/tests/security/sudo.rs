//! Rows U: whose proof counts, whose files are opened, what is logged.

use std::fs;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use twinlock_tests::{Attempt, CONFIG, Launch, PamCode, one_after_another, set_mode, tally};

use crate::contender::Contender;
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "U01",
        flaw: "One account's proof counted for another (rootpw, targetpw)",
        origin: Some("GHSA-c978-wq47-pvvw"),
        trial: Trial::Everyone(u01_sudo_wants_the_code_of_whom_it_asks_for),
    },
    Row {
        id: "U02",
        flaw: "TZ made root open a caller's file",
        origin: Some("CVE-2014-9680"),
        trial: Trial::Everyone(u02_no_time_zone_of_the_caller_is_opened),
    },
    Row {
        id: "U03",
        flaw: "Control characters forged log lines",
        origin: Some("CVE-2023-28486"),
        trial: Trial::Everyone(u03_no_control_character_reaches_the_log),
    },
    Row {
        id: "U04",
        flaw: "A flipped bit (Rowhammer) turned denial into success",
        origin: Some("CVE-2023-42465"),
        trial: Trial::Never(
            "a flipped bit can change any pointer, code or return value of a root process; use error-correcting memory",
        ),
    },
    Row {
        id: "U05",
        flaw: "Unusual settings caused a panic or a default",
        origin: Some("sudo-rs audit, 2025"),
        trial: Trial::Ours(u05_odd_settings_are_refused),
    },
];

fn u01_sudo_wants_the_code_of_whom_it_asks_for(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let root = scene.enrol("root");
        scene.ask_for_the_code_alone("sudo");
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        scene.world.write("/etc/hosts", format!("127.0.0.1 localhost {name}"));
        scene
            .world
            .write("/etc/sudoers", "Defaults rootpw, passwd_tries=1, timestamp_timeout=0\nalice ALL=(ALL) ALL\n");
        set_mode("/etc/sudoers", 0o440);
        let sudo = |code: String| {
            let launch = Launch::new(["sudo", "-S", "sh", "-c", "echo IN as $(id -u)"]).account(&scene.alice);
            launch.run_with_input(format!("{code}\n").as_bytes())
        };
        let own = sudo(scene.codes().next());
        let of_root = sudo(root.codes().next());
        assert!(of_root.stdout.contains("IN as 0"), "{of_root:?}");
        let opens = own.stdout.contains("IN");
        Finding::of(!opens, if opens { "own code accepted" } else { "own code denied, root's accepted" })
    })
}

fn u02_no_time_zone_of_the_caller_is_opened(contender: Contender) -> Finding {
    const ZONES: [&str; 4] = [":/tmp/pipe", "/tmp/pipe", "../../../../tmp/pipe", ":../../../../tmp/pipe"];
    contender.scene(|scene| {
        scene.world.account("bob");
        mkfifo("/tmp/pipe", Mode::from_bits_truncate(0o666)).unwrap();
        let kept = scene.keep();
        for zone in ZONES {
            scene.put_back(&kept);
            let bob = ["timeout", "-s", "KILL", "5", "setpriv", "--reuid=bob", "--regid=bob", "--clear-groups"];
            let output = scene.su(&[("TZ", zone)], &scene.codes().next()).under(bob).run();
            if !output.stdout.contains("IN") {
                return Finding::Broken(format!("TZ={zone}: {output:?}"));
            }
        }
        Finding::Holds(format!("{} pipes: su does not hang", ZONES.len()))
    })
}

fn u03_no_control_character_reaches_the_log(contender: Contender) -> Finding {
    const FORGED: [&str; 4] = [
        "192.0.2.1\nNov 24 05:43:01 sshd[1]: Accepted publickey for root",
        "\u{1b}[2J\u{1b}]0;x\u{7}",
        "a\rb\u{8}\u{7f}",
        "%s%n\tx",
    ];
    contender.scene(|scene| {
        let mark = scene.world.log_mark();
        let as_user = FORGED.map(|text| Attempt::new("svc").user(text).answer("123456"));
        let as_item = FORGED.map(|text| scene.guess().rhost(text).tty(text));
        one_after_another(scene.world, as_user.into_iter().chain(as_item));
        let lines = scene.world.log_since(mark);
        // libpam's own line about the kernel's audit log is not the module's.
        let of_module = lines.iter().filter(|line| !line.text.contains("audit_log"));
        let raw = of_module.filter(|line| line.text.chars().any(char::is_control)).count();
        Finding::of(raw == 0, format!("{raw} of {} lines have them", lines.len()))
    })
}

/// Every setting, as it is written before its value.
const SETTINGS: [&str; 20] = [
    "second_factor = ",
    "prompt = ",
    "echo = ",
    "fail_delay = ",
    "issuer = ",
    "help = ",
    "store = ",
    "throttle = ",
    "rule = ",
    "store.directory = ",
    "throttle.free_failures = ",
    "throttle.budget = ",
    "throttle.spacing = ",
    "throttle.disable_after = ",
    "self_service.first_enrollment = ",
    "self_service.allow = ",
    "notify.mail = ",
    "notify.sendmail = ",
    "[[rule]]\nsecond_factor = \"skip\"\nuntil = ",
    "[[rule]]\nsecond_factor = \"skip\"\ngroups = ",
];

fn u05_odd_settings_are_refused() -> String {
    const ODD: [&str; 6] = ["-1", "nan", "[[], [1]]", "{ x = 1 }", "\"\\u0000\"", "18446744073709551616"];
    Contender::Twinlock.scene(|scene| {
        let mark = scene.world.log_mark();
        for setting in SETTINGS {
            for odd in ODD {
                scene.world.write(CONFIG, format!("{setting}{odd}\n"));
                let outcome = scene.attempt().answer(scene.codes().next()).run(scene.world);
                assert_eq!(outcome.code(), PamCode::AuthinfoUnavail, "{setting}{odd}: {:?}", outcome.output);
            }
        }
        let tried = SETTINGS.len() * ODD.len();
        let entries = scene.world.entries_since(mark);
        let told = entries.iter().filter(|entry| entry.value("reason") == "config").count();
        assert_eq!(told, tried, "no panic, no other reason");
        tally("security", "odd settings", tried as u64);
        format!("{tried} odd values denied, no panic")
    })
}
