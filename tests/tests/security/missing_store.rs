//! Attacks on Twinlock, 2026-11-30: the store is not mounted, or was restored without its credentials (RT-1).

use std::fs;

use twinlock_tests::{
    Attempt, CONFIG, Family, FirstFactor, ForgedState, LogEntry, Operation, Outcome, PASSWORD, PamCode, STORE,
    Snapshot, World, credentials_of, in_sshd_world, in_world, set_mode, tool,
};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A01",
        flaw: "With the store unmounted, `optional` let enrolled users in",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(under_optional_nobody_passes_while_the_store_is_not_mounted),
    },
    Row {
        id: "A05",
        flaw: "With the store unmounted, `enroll` offered enrolled users a new secret",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(nobody_enrols_while_the_store_is_not_mounted),
    },
    Row {
        id: "A06",
        flaw: "A store restored without credentials let enrolled users in",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a_record_without_credentials_is_a_fault),
    },
];

/// Under every stack here a code decides, and the account phase runs as in sshd.
const STACK: &str = "auth required pam_unix.so\nauth required pam_twinlock.so\naccount required pam_twinlock.so\n";

/// alice is enrolled in a store that is a file system of its own, over folders as the packages of 0.1.0 made them. She
/// logs in, and the file system goes.
fn unmount(world: &World, config: &str) {
    for folder in ["", "/credentials", "/state"] {
        fs::create_dir(format!("{STORE}{folder}")).unwrap();
        set_mode(format!("{STORE}{folder}"), 0o700);
    }
    tool(&["mount", "-t", "tmpfs", "-o", "mode=0700", "store", STORE]);
    world.set_up(config);
    world.service("svc", STACK);
    ForgedState::of(&world.account("alice")).write(world);
    let code = world.deploy("alice").codes().next();
    assert_eq!(attempt(world, &code).code(), PamCode::Success, "{:#?}", world.log());
    tool(&["umount", STORE]);
    assert!(!credentials_of("alice").exists());
}

fn attempt(world: &World, code: &str) -> Outcome {
    let login = Attempt::new("svc").user("alice").pam_environment("SSH_AUTH_INFO_0", "password");
    login.operations([Operation::Authenticate, Operation::AcctMgmt]).answer(PASSWORD).answer(code).run(world)
}

/// An incorrect code is refused in both phases, and each says that it is the store.
fn refuses(world: &World) -> LogEntry {
    let (before, mark) = (Snapshot::of(STORE), world.log_mark());
    let outcome = attempt(world, "000000");
    let codes = [Operation::Authenticate, Operation::AcctMgmt].map(|phase| outcome.code_of(phase));
    let mut entries = world.entries_since(mark);
    assert!(!codes.contains(&PamCode::Success) && !codes.contains(&PamCode::Ignore), "{codes:?} {entries:#?}");
    assert!(!format!("{:?}", outcome.prompts()).contains("Scan"), "{outcome:#?}");
    assert!(entries.iter().any(|entry| entry.value("reason") == "store"), "{entries:#?}");
    assert_eq!(Snapshot::of(STORE), before, "nothing is written beneath the mount");
    entries.remove(0)
}

fn under_optional_nobody_passes_while_the_store_is_not_mounted() -> String {
    const OPTIONAL: &str = "second_factor = \"optional\"\nfail_delay = \"0s\"\n";
    in_world(|world| {
        unmount(world, OPTIONAL);
        let detail = refuses(world).detail.unwrap();
        for told in ["/etc/twinlock/store-id", "/var/lib/twinlock/store-id", "findmnt"] {
            assert!(detail.contains(told), "{told} in {detail}");
        }
        // Nor is anybody believed not to be enrolled who is not.
        world.account("bob");
        let bob = Attempt::new("svc").user("bob").answer(PASSWORD).answer("000000").run(world);
        assert_ne!(bob.code(), PamCode::Success);
    });
    in_sshd_world(|world| {
        unmount(world, OPTIONAL);
        tool(&["mount", "-t", "tmpfs", "-o", "mode=0700", "store", STORE]);
        let sshd = world.ship(Family::Debian, FirstFactor::Key);
        world.write(CONFIG, OPTIONAL);
        let alice = world.deploy("alice");
        ForgedState::of(&world.account("alice")).write(world);
        assert!(sshd.login("alice").answer(alice.codes().next()).run().granted);
        tool(&["umount", STORE]);
        let login = sshd.login("alice").answer("000000").run();
        assert!(!login.granted, "{login:#?}");
    });
    "denied with reason=store, also through sshd".into()
}

fn nobody_enrols_while_the_store_is_not_mounted() -> String {
    in_world(|world| {
        unmount(world, "second_factor = \"enroll\"\nfail_delay = \"0s\"\n");
        refuses(world);
        let command = world.twinlock(&["enroll", "alice", "--no-confirm", "--json"]);
        assert_eq!((command.code, command.stdout.as_str()), (Some(1), ""), "{command:?}");
        assert!(!credentials_of("alice").exists());
    });
    "no QR code in a login; root's `enroll` fails".into()
}

fn a_record_without_credentials_is_a_fault() -> String {
    for policy in ["optional", "enroll"] {
        in_world(|world| {
            world.set_up(&format!("second_factor = \"{policy}\"\nfail_delay = \"0s\"\n"));
            world.service("svc", STACK);
            let alice = world.account("alice");
            let enrolled = world.deploy("alice");
            ForgedState::of(&alice).write(world);
            assert_eq!(attempt(world, &enrolled.codes().next()).code(), PamCode::Success);
            fs::remove_file(credentials_of("alice")).unwrap();
            let detail = refuses(world).detail.unwrap();
            assert!(detail.contains("twinlock remove alice"), "{detail}");
            // Root says that it is meant.
            assert_eq!(world.twinlock(&["remove", "alice", "--yes"]).code, Some(0));
            if policy == "optional" {
                assert_eq!(attempt(world, "000000").code(), PamCode::Success, "{:#?}", world.log());
            }
        });
    }
    "denied with reason=store until root removes the record".into()
}
