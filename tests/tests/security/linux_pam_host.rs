//! Rows L: what surrounds a login, and what is left of it.

use std::fs;
use std::time::{Duration, Instant};

use twinlock_tests::{Attempt, CONFIG, Give, Outcome, PASSWORD, PamCode, one_after_another};

use crate::contender::{Contender, granted};
use crate::programs::secrets_in_memory;
use crate::row::{Finding, Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "L16",
        flaw: "A failed change of user id went unnoticed",
        origin: Some("CVE-2010-3316"),
        trial: Trial::Everyone(l16_a_failed_change_of_identity_lets_nobody_in),
    },
    Row {
        id: "L17",
        flaw: "The environment of a set-user-ID program chose its files",
        origin: Some("CVE-2010-3853"),
        trial: Trial::Everyone(l17_the_environment_of_su_changes_nothing),
    },
    Row {
        id: "L18",
        flaw: "Huge or deeply nested files overflowed the stack",
        origin: Some("CVE-2011-3148"),
        trial: Trial::Everyone(l18_absurd_files_are_refused),
    },
    Row {
        id: "L19",
        flaw: "Resource limits killed the program",
        origin: Some("Linux-PAM 9349333a"),
        trial: Trial::Everyone(l19_limits_kill_nobody),
    },
    Row {
        id: "L20",
        flaw: "DNS lookups of the client's name decided access",
        origin: Some("CVE-2024-10963"),
        trial: Trial::Everyone(l20_no_name_is_looked_up),
    },
    Row {
        id: "L21",
        flaw: "Secrets stayed in memory after the login",
        origin: Some("CVE-2024-10041"),
        trial: Trial::Everyone(l21_no_secret_stays_in_memory),
    },
    Row {
        id: "L22",
        flaw: "System accounts or broken conversations were let in",
        origin: Some("CVE-2016-4422"),
        trial: Trial::Everyone(l22_odd_accounts_are_as_others),
    },
];

fn l16_a_failed_change_of_identity_lets_nobody_in(contender: Contender) -> Finding {
    const CALLS: &str = "setuid,setgid,setreuid,setregid,setresuid,setresgid,setfsuid,setfsgid,setgroups";
    contender.scene(|scene| {
        let inject = |error: &str| format!("inject={CALLS}:error={error}");
        let mut changed = 0;
        for error in ["EPERM", "EAGAIN"] {
            let inject = inject(error);
            let strace = ["strace", "-f", "-o", "/run/trace", "-e", &inject];
            let outcome = scene.guess().under(strace).run(scene.world);
            if !outcome.report_came() || outcome.code() == PamCode::Success {
                return Finding::Broken(format!("{error}: incorrect code granted, or a crash"));
            }
            changed += usize::from(outcome.before.status != outcome.after.status);
        }
        Finding::of(changed == 0, format!("{changed} of 2 changed the rights of the program"))
    })
}

const HOSTILE: [(&str, &str); 16] = [
    ("HOME", "/tmp/evil"),
    ("XDG_CONFIG_HOME", "/tmp/evil"),
    ("TMPDIR", "/tmp/evil"),
    ("TZ", "/tmp/evil/zone"),
    ("TZDIR", "/tmp/evil"),
    ("LANGUAGE", "/tmp/evil"),
    ("LOCPATH", "/tmp/evil"),
    ("NLSPATH", "/tmp/evil/%N"),
    ("HOSTALIASES", "/tmp/evil/hosts"),
    ("GCONV_PATH", "/tmp/evil"),
    ("LD_PRELOAD", "/tmp/evil/lib.so"),
    ("LD_LIBRARY_PATH", "/tmp/evil"),
    ("TWINLOCK_CONFIG", "/tmp/evil/config.toml"),
    ("TWINLOCK_STORE", "/tmp/evil"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_MIN_STACK", "1"),
];

fn l17_the_environment_of_su_changes_nothing(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        scene.world.write("/tmp/evil/config.toml", "second_factor = \"skip\"\n");
        // strace as root lets it keep its set-user-ID bit.
        let trace = ["strace", "-f", "-u", "bob", "-o", "/run/trace", "-e", "trace=%file,connect"];
        let output = scene.su(&HOSTILE, &scene.codes().next()).under(trace).run();
        assert!(output.stdout.contains("IN"), "{output:?}");
        let trace = fs::read_to_string("/run/trace").unwrap();
        // What is not set-user-ID, the shells before and after, may do as its caller likes.
        let lines: Vec<_> = trace.lines().collect();
        let begun = lines.iter().rposition(|line| line.contains("/su\", [\"su\"")).unwrap();
        let su: Vec<_> = lines[begun + 1..].iter().take_while(|line| !line.contains("execve(")).collect();
        assert!(su.len() > 20, "a trace of su: {su:#?}");
        let evil = su.iter().filter(|line| line.contains("/tmp/evil")).count();
        Finding::of(evil == 0, format!("{} variables: {evil} files opened", HOSTILE.len()))
    })
}

fn l18_absurd_files_are_refused(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let keys: Vec<_> = (0..5000).map(|number| format!("key{number} = {number}")).collect();
        let absurd = [
            "[".repeat(65_000),
            "a.".repeat(32_000),
            format!("a = {}", "[".repeat(65_000)),
            format!("a = {}", "{a=".repeat(20_000)),
            keys.join("\n"),
            "A".repeat(1 << 20),
            "\0".repeat(65_000),
        ];
        let (mut longest, mut tried) = (Duration::ZERO, 0);
        for path in scene.files_read() {
            let before = fs::read(&path).ok();
            for content in &absurd {
                scene.world.write_secret(&path, content);
                let begun = Instant::now();
                let small = "ulimit -s 256; exec timeout -s KILL 5 \"$@\"";
                let outcome =
                    scene.attempt().answer(scene.codes().next()).under(["sh", "-c", small, "sh"]).run(scene.world);
                longest = longest.max(begun.elapsed());
                tried += 1;
                if !outcome.report_came() {
                    return Finding::Broken(format!("a crash: {:?}", outcome.output));
                }
                assert_ne!(outcome.code(), PamCode::Success, "{}: {} bytes", path.display(), content.len());
            }
            match before {
                Some(content) => scene.world.write_secret(&path, content),
                None => fs::remove_file(&path).unwrap(),
            }
        }
        Finding::Holds(format!("{tried} files denied within {} ms", longest.as_millis()))
    })
}

const LIMITS: [&str; 12] = [
    "--fsize=0:unlimited",
    "--fsize=1:unlimited",
    "--fsize=512:unlimited",
    "--fsize=4096:unlimited",
    "--nofile=4",
    "--nofile=5",
    "--nofile=6",
    "--nproc=0",
    "--memlock=0",
    "--stack=131072",
    "--sigpending=0",
    "--msgqueue=0",
];

fn l19_limits_kill_nobody(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let fresh = scene.keep();
        let (mut killed, mut twice, mut begun) = (Vec::new(), Vec::new(), 0);
        for limit in LIMITS {
            let code = scene.codes().next();
            let under = [("prlimit", limit); 2]
                .map(|(program, limit)| scene.attempt().answer(&code).under([program, limit]).run(scene.world));
            let name = limit.trim_start_matches("--").trim_end_matches(":unlimited");
            let after = scene.answer(&code) == PamCode::Success;
            if under.iter().any(|outcome| outcome.signal().is_some()) {
                killed.push(name);
            }
            let opened = granted(under.iter().filter(|outcome| outcome.report_came())) + usize::from(after);
            if opened > 1 {
                twice.push(name);
            }
            begun += usize::from(under.iter().any(Outcome::report_came));
            scene.put_back(&fresh);
        }
        assert!(begun > LIMITS.len() / 2 || !killed.is_empty(), "most limits leave a program that can begin");
        let seen = match (killed.is_empty(), twice.is_empty()) {
            (true, true) => format!("{} limits: none killed, no code reused", LIMITS.len()),
            (false, _) => format!("killed under {}", killed.join(", ")),
            (true, false) => format!("code reused under {}", twice.join(", ")),
        };
        Finding::of(killed.is_empty() && twice.is_empty(), seen)
    })
}

fn l20_no_name_is_looked_up(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n");
        scene.world.write("/etc/hosts", "127.0.0.1 localhost\n192.0.2.7 known.example.com\n");
        scene.world.write("/etc/resolv.conf", "nameserver 127.0.0.1\n");
        scene.world.service("none", "auth required pam_permit.so\n");
        let looked = |service: &str| {
            let trace = ["strace", "-f", "-o", "/run/trace", "-e", "trace=socket,connect,openat"];
            let attempt = Attempt::new(service).user("alice").rhost("trusted.example.com").answer(scene.codes().next());
            assert_eq!(attempt.under(trace).run(scene.world).code(), PamCode::Success);
            let trace = fs::read_to_string("/run/trace").unwrap();
            trace.lines().filter(|line| line.contains("AF_INET") || line.contains("resolv.conf")).count()
        };
        // libpam itself looks it up, for the audit log of the kernel.
        let looked = looked("svc").saturating_sub(looked("none"));
        if contender == Contender::Twinlock {
            // What may come unasked from an address may not come so from a name of it.
            scene
                .world
                .write(CONFIG, "[[rule]]\nservices = [\"svc\"]\nfrom = [\"192.0.2.7\"]\nsecond_factor = \"skip\"\n");
            let asked = |rhost: &str| scene.guess().rhost(rhost).run(scene.world).prompts().len();
            assert_eq!([asked("192.0.2.7"), asked("known.example.com")], [0, 1]);
        }
        Finding::of(looked == 0, format!("{looked} lookups"))
    })
}

fn l21_no_secret_stays_in_memory(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let line = contender.line();
        // The module has ended when the next one asks.
        scene.world.service("two", &format!("auth {line}\nauth required pam_unix.so\n"));
        let attempt = Attempt::new("two").user("alice").answer(scene.codes().next()).held().answer(PASSWORD);
        let held = attempt.start(scene.world);
        let found = secrets_in_memory(held.process().pid(), &scene.app);
        assert_eq!(held.release().code(), PamCode::Success);
        Finding::of(found == 0, format!("{found} copies of the secret"))
    })
}

fn l22_odd_accounts_are_as_others(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account_with_uid("daemon", 2);
        scene.world.account_with_uid("proxy", 999);
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let long = format!("longhome:x:1500:1500::/{}:/bin/sh\n", "h".repeat(5000));
        scene.world.write("/etc/passwd", passwd + &long);
        let apps = ["daemon", "proxy", "longhome"].map(|name| (name, scene.enrol(name)));
        let (mut let_in, mut crashed) = (0, 0);
        for (name, app) in &apps {
            let one = || Attempt::new("svc").user(name);
            let refused = [
                one().answer(app.wrong_code()),
                one().answer(scene.codes().next()),
                one().give(Give::ConvErr),
                one().give(Give::NullText),
                one().give(Give::NullArray),
            ];
            for attempt in refused {
                let outcome = attempt.run(scene.world);
                crashed += usize::from(!outcome.report_came());
                let_in += usize::from(outcome.report_came() && outcome.code() == PamCode::Success);
            }
        }
        let unenrolled = ["root", "nobody", "sshd"].map(|name| Attempt::new("svc").user(name).answer("123456"));
        let_in += granted(&one_after_another(scene.world, unenrolled));
        Finding::of(let_in + crashed == 0, format!("{let_in} of 18 logins granted, {crashed} crashes"))
    })
}
