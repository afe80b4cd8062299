//! Ways round the administrator's rules, found by an attack on Twinlock itself on 2026-11-30 (A).

use twinlock_tests::{Attempt, CONFIG, EXACT, IGNORED, Operation, VERIFIED_KEY, World, in_world};

use crate::row::{Row, Trial};

pub(crate) const ROWS: &[Row] = &[
    Row {
        id: "A14",
        flaw: "`key_types` let logins pass for which sshd showed no key",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(a_key_that_is_not_shown_is_in_doubt),
    },
    Row {
        id: "A15",
        flaw: "Rules for sudo and su missed `sudo -i` and `su -`",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(second_names_of_services_are_reported),
    },
    Row {
        id: "A16",
        flaw: "Unverified addresses were compared with networks",
        origin: Some("Twinlock review"),
        trial: Trial::Ours(an_unverified_source_lets_nobody_off),
    },
];

fn on_a_host(services: &[&str], config: &str, test: impl FnOnce(&World) + Send) {
    in_world(|world| {
        world.set_up(config);
        world.account("alice");
        for service in services {
            world.service(service, EXACT);
        }
        test(world);
    });
}

/// Whether our module lets alice pass without a question.
fn passes(world: &World, attempt: Attempt) -> bool {
    attempt.answer("junk").run(world).code() == IGNORED
}

fn a_key_that_is_not_shown_is_in_doubt() -> String {
    let config = "second_factor = \"skip\"\n[[rule]]\nkey_types = [\"ssh-rsa\"]\nsecond_factor = \"required\"\n";
    on_a_host(&["sshd"], config, |world| {
        let sshd = || Attempt::new("sshd").user("alice");
        let with = |info: &str| sshd().pam_environment("SSH_AUTH_INFO_0", info);
        assert!(passes(world, with(VERIFIED_KEY)), "the rule is not about this key");
        let long = format!("{VERIFIED_KEY}{}", "x".repeat(64 * 1024));
        let unknown = format!("{VERIFIED_KEY}publickey ssh-unheard-of AAAA\n");
        for info in ["", "password\n", &unknown, &long] {
            assert!(!passes(world, with(info)), "let pass with {info:.80}");
        }
        assert!(!passes(world, sshd()), "let pass where sshd says nothing");
        assert!(!passes(world, sshd().operations([Operation::AcctMgmt])), "let pass by key alone");
    });
    "no key, unknown kind, long text: prompted or denied".into()
}

fn second_names_of_services_are_reported() -> String {
    on_a_host(&[], "", |world| {
        for (service, other) in [("sudo", "sudo-i"), ("su", "su-l")] {
            let rule = |services: &str| {
                world.write(
                    CONFIG,
                    format!(
                        "second_factor = \"skip\"\n[[rule]]\nservices = [{services}]\nsecond_factor = \"required\"\n"
                    ),
                );
                world.twinlock(&["check"])
            };
            let output = rule(&format!("\"{service}\""));
            assert_eq!(output.code, Some(1), "{output:?}");
            assert!(output.stderr.contains(&format!("\"{service}\", \"{other}\"")), "{output:?}");
            let output = rule(&format!("\"{service}\", \"{other}\""));
            assert_eq!(output.code, Some(0), "{output:?}");
        }
    });
    "`check` names the missing service".into()
}

fn an_unverified_source_lets_nobody_off() -> String {
    let inside = "[[rule]]\nname = \"inside\"\nfrom = [\"10.0.0.0/8\"]\nsecond_factor = \"skip\"\n";
    on_a_host(&["sshd", "vsftpd", "login"], inside, |world| {
        let from_inside = |service: &str| Attempt::new(service).user("alice").rhost("10.1.2.3");
        assert!(passes(world, from_inside("sshd")), "sshd gives addresses");
        for service in ["vsftpd", "login"] {
            assert!(!passes(world, from_inside(service)), "{service} may give a name that looks like an address");
        }
        world.write(CONFIG, inside.replace("from", "services = [\"sshd\", \"vsftpd\"]\nfrom"));
        assert!(passes(world, from_inside("vsftpd")), "the rule names the service");
        let outside = "second_factor = \"skip\"\n[[rule]]\nfrom = [\"192.0.2.0/24\"]\nsecond_factor = \"required\"\n";
        world.write(CONFIG, outside);
        assert!(passes(world, from_inside("sshd")), "sshd gives addresses");
        assert!(!passes(world, from_inside("vsftpd")), "let off by a name that looks like an address");
    });
    "prompted, unless sshd or a named service".into()
}
