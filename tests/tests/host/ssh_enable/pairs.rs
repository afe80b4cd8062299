//! Each configuration of sshd meets each stack: on the way from one to the other, in connections that began before, and
//! where the way was cut. No such pair refuses who is right, but for one who connected before; none lets in more.

use std::fs;

use twinlock_tests::{CONFIG, Family, FirstFactor, PASSWORD};

use crate::ssh_enable::stock_host::{DROP_IN, FAMILIES, Host, JOURNAL, PAM, with_host};

/// Which stack.
#[derive(Clone, Copy)]
enum Stack {
    Before,
    Bridge,
    After,
}

/// A host on the way: sshd of before, or of after with the drop-in, and this stack.
fn with_pair(family: Family, mode: &str, drop_in: bool, stack: Stack, test: impl FnOnce(&Host<'_>) + Send) {
    with_host(family, |host| {
        host.ssh_done(&["enable", "--mode", mode, "--keep"]);
        let name = match stack {
            Stack::Before => "pam.before",
            Stack::Bridge => "pam.bridge",
            Stack::After => "pam.after",
        };
        fs::copy(format!("{JOURNAL}/{name}"), PAM).unwrap();
        if !drop_in {
            fs::remove_file(DROP_IN).unwrap();
        }
        test(host);
    });
}

/// Debian's and RHEL's own: a key is enough, and so is a password.
fn is_as_before(host: &Host<'_>) {
    for login in [host.key_alone(), host.password_method(PASSWORD)] {
        assert!(login.granted, "{login:#?}");
    }
    let strange = host.strange_key();
    for login in [host.password_method("wrong"), strange, host.answers(&[&host.code()])] {
        assert!(!login.granted, "{login:#?}");
    }
}

#[test]
fn sshd_of_before_with_the_bridge_is_the_old_configuration() {
    for family in FAMILIES {
        for mode in ["key+code", "password+code"] {
            with_pair(family, mode, false, Stack::Bridge, is_as_before);
        }
    }
}

#[test]
fn sshd_of_after_with_the_bridge_is_the_new_configuration() {
    for family in FAMILIES {
        with_pair(family, "key+code", true, Stack::Bridge, |host| host.asks_for_both(FirstFactor::Key));
        with_pair(family, "password+code", true, Stack::Bridge, |host| host.asks_for_both(FirstFactor::Password));
    }
}

#[test]
fn a_code_ends_in_the_bridge_when_it_is_wrong_and_no_password_makes_up_for_it() {
    with_pair(Family::Debian, "key+code", true, Stack::Bridge, |host| {
        let wrong = host.app.wrong_code();
        let login = host.login(|client| client.answer(&wrong).answer(PASSWORD));
        assert!(!login.granted && login.prompts == ["Verification code: "], "{login:#?}");
    });
}

#[test]
fn a_connection_of_before_is_refused_by_the_stack_of_after() {
    for family in FAMILIES {
        for mode in ["key+code", "password+code"] {
            with_pair(family, mode, false, Stack::After, |host| {
                for login in [host.key_alone(), host.password_method(PASSWORD), host.password_method("junk")] {
                    assert!(!login.granted, "{family:?} {mode}: {login:#?}");
                }
            });
        }
    }
}

/// The account that a rule spares the code, for which no module decides anything.
const SPARED: &str = "[[rule]]\nname = \"robots\"\nusers = [\"alice\"]\nsecond_factor = \"skip\"\n";

#[test]
fn whom_a_rule_spares_the_code_still_needs_a_key_whatever_sshd_allows() {
    for stack in [Stack::Bridge, Stack::After] {
        with_pair(Family::Debian, "key+code", false, stack, |host| {
            host.world.write(CONFIG, SPARED);
            host.world.write(
                "/etc/ssh/sshd_config",
                "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nKbdInteractiveAuthentication yes\n",
            );
            assert!(host.key_alone().granted);
            let junk = [host.password_method("junk"), host.answers(&["junk"]), host.answers(&[""])];
            assert!(junk.iter().all(|login| !login.granted), "{junk:#?}");
        });
        with_pair(Family::Debian, "key+code", true, stack, |host| {
            host.world.write(CONFIG, SPARED);
            let login = host.key_alone();
            assert!(login.granted && login.prompts.is_empty(), "{login:#?}");
        });
    }
}

#[test]
fn a_connection_of_after_gives_as_much_to_the_stack_of_before() {
    with_pair(Family::Debian, "key+code", true, Stack::Before, |host| {
        assert!(!host.key_alone().granted);
        assert!(!host.answers(&[PASSWORD]).granted, "no password without the key");
        assert!(host.login(|client| client.answer(PASSWORD)).granted, "key and password");
    });
    with_pair(Family::Debian, "password+code", true, Stack::Before, |host| {
        assert!(!host.key_alone().granted);
        assert!(!host.answers(&["wrong"]).granted);
    });
}
