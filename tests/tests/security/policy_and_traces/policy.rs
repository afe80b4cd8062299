//! Whether a user is asked, and what happens where that cannot be known.

use std::fs;

use twinlock_tests::{Attempt, CONFIG, PASSWORD, PamCode, World, in_world};

use crate::contender::Contender;
use crate::row::Finding;

pub(super) fn what_cannot_be_read_lets_nobody_in(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.stack(&format!("auth required {}\nauth required pam_permit.so\n", contender.module()));
        let mut opened = Vec::new();
        let mut tried = 0;
        let mut try_with = |what: &'static str| {
            tried += 1;
            if scene.answer(scene.codes().next()) == PamCode::Success {
                opened.push(what);
            }
        };
        for path in scene.files() {
            for (what, content) in
                [("an empty file", ""), ("another file", "#!/bin/sh\nexit 0\n"), ("zeros", "\0\0\0\0")]
            {
                scene.reset();
                scene.world.write_secret(&path, content);
                try_with(what);
            }
        }
        if contender == Contender::Twinlock {
            for (what, content) in [
                ("an unknown outcome", "second_factor = \"perhaps\""),
                ("an unknown key", "second_factors = \"skip\""),
                ("half a line", "second_factor = \"sk"),
                ("zeros", "\0\0\0\0"),
            ] {
                scene.reset();
                scene.world.write(CONFIG, content);
                try_with(what);
            }
            scene.world.write(CONFIG, "second_factor = \"optional\"\n");
        }
        scene.reset();
        fs::rename(scene.folder(), scene.folder().with_file_name("gone")).unwrap();
        try_with("no folder at all");
        Finding::of(
            opened.is_empty(),
            if opened.is_empty() {
                format!("{tried} faults: denied")
            } else {
                format!("granted with {}", opened.join(", "))
            },
        )
    })
}

/// Whether bob, who is not enrolled, is let in under this rule and this fault.
fn passes(world: &World, condition: &str, fault: &[&str]) -> bool {
    world.write(CONFIG, format!("[[rule]]\n{condition}\nsecond_factor = \"skip\"\n"));
    let attempt = Attempt::new("svc").user("bob");
    let attempt = if fault.is_empty() { attempt } else { attempt.under(fault) };
    attempt.run(world).code() == PamCode::Success
}

pub(super) fn a_group_in_doubt_lets_nobody_pass() -> String {
    Contender::Twinlock.scene(|scene| {
        let world = scene.world;
        world.account("bob");
        world.group("robots", &["bob"]);
        scene.stack("auth required pam_twinlock.so\nauth required pam_permit.so\n");
        assert!(passes(world, "groups = [\"robots\"]", &[]), "the rule exempts bob");
        for condition in ["groups = [\"nosuch\"]", "groups = [\"!nosuch\"]", "groups = [\"2001\"]", "groups = [\"\"]"] {
            assert!(!passes(world, condition, &[]), "{condition}");
        }
        for error in ["EIO", "EACCES", "EMFILE"] {
            let fault = format!("inject=openat:error={error}");
            let strace = ["strace", "-f", "-o", "/dev/null", "-P", "/etc/group", "-e", &fault];
            for condition in ["groups = [\"robots\"]", "groups = [\"!admins\"]"] {
                assert!(!passes(world, condition, &strace), "{error} {condition}");
            }
        }
        // More than a first guess of how many there are has room for.
        let many =
            (0..5_000).map(|number| format!("group{number}:x:{}:bob\n", 10_000 + number)).collect::<Vec<_>>().concat();
        world.write("/etc/group", format!("root:x:0:\nbob:x:1002:\n{many}admins:x:9999:bob\n"));
        assert!(!passes(world, "groups = [\"!admins\"]", &[]), "the 5,002nd group counts");
    });
    "missing group, failing database, 5,000 groups: not exempt".into()
}

pub(super) fn the_full_name_means_nothing(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        let passwd = fs::read_to_string("/etc/passwd").unwrap();
        let bob = passwd.lines().find(|line| line.starts_with("bob:")).unwrap();
        let parts: Vec<_> = bob.split(':').collect();
        let renamed = format!("bob:x:{}:{}:alice,,,:/home/alice:/bin/alice", parts[2], parts[3]);
        scene.world.write("/etc/passwd", passwd.replace(bob, &renamed));
        let code = scene.codes().next();
        let attempt = Attempt::new("svc").user("bob").answer(&code);
        let open = attempt.run(scene.world).code() == PamCode::Success;
        let own = scene.answer(&code) == PamCode::Success;
        Finding::of(
            !open && own,
            match (open, own) {
                (true, _) => "bob granted with alice's code",
                (false, true) => "bob, whose full name is alice, denied with her code",
                (false, false) => "alice denied",
            },
        )
    })
}

pub(super) fn who_is_exempt_gives_the_first_factor() -> String {
    let stacks = [
        "auth requisite pam_unix.so nodelay\nauth required pam_twinlock.so\nauth required pam_permit.so\n",
        "auth required pam_unix.so nodelay\nauth required pam_twinlock.so\nauth required pam_permit.so\n",
        "auth [success=1 default=ignore] pam_unix.so nodelay\nauth requisite pam_deny.so\n\
         auth required pam_twinlock.so\nauth required pam_permit.so\n",
    ];
    in_world(|world| {
        world.set_up("[[rule]]\ngroups = [\"robots\"]\nsecond_factor = \"skip\"\n");
        for name in ["robot", "bob"] {
            world.account(name);
        }
        world.group("robots", &["robot"]);
        for stack in stacks {
            world.service("svc", stack);
            world.install();
            let login = |name: &str, password: &str| {
                Attempt::new("svc").user(name).answer(password).answer("000000").run(world).code() == PamCode::Success
            };
            let ends = [login("robot", PASSWORD), login("robot", "wrong"), login("bob", PASSWORD)];
            assert_eq!(ends, [true, false, false], "{stack}");
        }
    });
    format!("{} stacks: exempt granted with the password only, others denied", stacks.len())
}
