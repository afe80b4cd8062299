//! `hooks/remove-leaver`, run by the userdel and the deluser of the host: the second factor goes with the account.

use std::path::Path;

use twinlock_tests::{
    Attempt, Enrolled, Launch, LogLine, Output, PamCode, STORE, World, credentials_of, in_world, is_root_in_earnest,
    state_of,
};

const HOOK: &str = "/etc/remove-leaver";

/// alice, enrolled, whose first factor is not asked for, on a host with the hook as it ships.
fn with_alice(test: impl FnOnce(&World, &Enrolled) + Send) {
    // userdel and useradd change the owner of homes.
    if !is_root_in_earnest("userdel") {
        return;
    }
    in_world(|world| {
        world.set_up("");
        world.service("svc", "auth required pam_twinlock.so\n");
        world.account("alice");
        // Where `make install` places it: deluser sets a PATH of its own.
        done(&["mount", "-t", "tmpfs", "-o", "mode=0755", "bin", "/usr/local/bin"]);
        done(&["sh", "-c", "cp \"$(command -v twinlock)\" /usr/local/bin"]);
        world.write_script(HOOK, &world.shipped("hooks/remove-leaver"));
        let alice = world.enrol("alice");
        assert_eq!(login(world, &alice.codes().next()), PamCode::Success);
        test(world, &alice);
    });
}

fn login(world: &World, answer: &str) -> PamCode {
    Attempt::new("svc").user("alice").answer(answer).run(world).code()
}

fn run(arguments: &[&str]) -> Output {
    Launch::new(arguments).run()
}

fn done(arguments: &[&str]) -> Output {
    let output = run(arguments);
    assert_eq!(output.code, Some(0), "{arguments:?}: {output:?}");
    output
}

/// Sets the hook in login.defs, as the guide says.
fn userdel_cmd(world: &World) {
    let text = std::fs::read_to_string("/etc/login.defs").unwrap();
    std::fs::remove_file("/etc/login.defs").unwrap();
    world.write("/etc/login.defs", format!("{text}\nUSERDEL_CMD {HOOK}\n"));
}

/// The account again, of somebody else, with the same name and number.
fn make_anew() {
    done(&["useradd", "--uid", "1001", "--create-home", "alice"]);
}

fn holds_nothing() {
    for path in [credentials_of("alice"), state_of("alice"), Path::new(STORE).join("uid/1001")] {
        assert!(!path.exists(), "{}", path.display());
    }
}

fn is_logged(lines: &[LogLine]) {
    assert!(
        lines.iter().any(|line| line.text.contains("change=removed") && line.text.contains("user=alice")),
        "{lines:#?}"
    );
}

fn the_former_phone_is_refused(world: &World, alice: &Enrolled) {
    make_anew();
    let next = alice.authenticator.code_at(alice.authenticator.now_step() + 1);
    assert_eq!(login(world, &next), PamCode::AuthErr);
    assert_eq!(world.entries_since(0).last().unwrap().value("reason"), "not-enrolled");
}

/// The control of the other tests: it is the hook that does it.
#[test]
fn without_the_hook_the_former_phone_opens_the_new_account() {
    with_alice(|world, alice| {
        done(&["userdel", "-r", "alice"]);
        make_anew();
        let next = alice.authenticator.code_at(alice.authenticator.now_step() + 1);
        assert_eq!(login(world, &next), PamCode::Success);
    });
}

#[test]
fn userdel_removes_the_second_factor() {
    with_alice(|world, alice| {
        userdel_cmd(world);
        let mark = world.log_mark();
        done(&["userdel", "-r", "alice"]);
        holds_nothing();
        is_logged(&world.log_since(mark));
        the_former_phone_is_refused(world, alice);
    });
}

#[test]
fn deluser_removes_the_second_factor_by_the_same_setting() {
    if !Path::new("/usr/sbin/deluser").exists() {
        return;
    }
    with_alice(|world, alice| {
        userdel_cmd(world);
        deluser(world);
        holds_nothing();
        the_former_phone_is_refused(world, alice);
    });
}

/// Debian's own hook, which runs when the account has gone.
#[test]
fn deluser_local_removes_the_second_factor_of_an_account_that_has_gone() {
    if !Path::new("/usr/sbin/deluser").exists() {
        return;
    }
    with_alice(|world, alice| {
        done(&["mount", "-t", "tmpfs", "-o", "mode=0755", "sbin", "/usr/local/sbin"]);
        done(&["ln", "-s", HOOK, "/usr/local/sbin/deluser.local"]);
        let mark = world.log_mark();
        deluser(world);
        holds_nothing();
        is_logged(&world.log_since(mark));
        the_former_phone_is_refused(world, alice);
        // The new owner, who is not enrolled, leaves as well.
        deluser(world);
    });
}

fn deluser(world: &World) {
    for name in ["adduser.conf", "deluser.conf"] {
        world.write(Path::new("/etc").join(name), "");
    }
    done(&["deluser", "--quiet", "alice"]);
}

#[test]
fn a_user_who_is_not_enrolled_leaves_without_a_word_and_a_store_that_fails_is_told() {
    with_alice(|world, _| {
        world.account("bob");
        let output = run(&[HOOK, "bob"]);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
        let output = run(&[HOOK, "zoe", "1009", "1009", "/home/zoe"]);
        assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""));
        std::fs::rename(STORE, "/var/lib/elsewhere").unwrap();
        let output = run(&[HOOK, "alice"]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("run: twinlock remove --yes alice"), "{output:?}");
    });
}
