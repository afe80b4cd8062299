//! What docs/more-than-one-host.md says of a bastion and of a shared secret, with real logins.

use std::fs;
use std::net::TcpListener;

use twinlock_tests::{
    Account, CONFIG, Enrolled, Family, FirstFactor, ForgedState, Launch, Sshd, Terminal, World, in_sshd_world, tool,
};

/// A host with alice, whose secret is the same on each. It holds nothing back after a refusal, to save time.
fn on_a_host(config: &str, test: impl for<'w> FnOnce(&'w World, &Sshd<'w>, &Enrolled) + Send) {
    in_sshd_world(|world| {
        let sshd = world.ship(Family::Debian, FirstFactor::Key);
        world.write(CONFIG, format!("fail_delay = \"0s\"\n{config}"));
        world.account("alice");
        test(world, &sshd, &world.deploy("alice"));
    });
}

#[test]
fn through_the_bastion_one_code_is_enough_and_from_elsewhere_every_host_asks() {
    // The client has an address of its own, and what the bastion opens comes from the first one of the loopback.
    const OUTSIDE: &str = "127.0.0.9";
    on_a_host("", |world, sshd, alice| {
        let page = fs::read_to_string(world.repository().join("docs/more-than-one-host.md")).unwrap();
        let rule = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let rule = rule.replace("\"10.8.0.1\"", "\"127.0.0.1\"");
        assert!(rule.contains("127.0.0.1"), "the page has other addresses now");
        world.write(CONFIG, format!("fail_delay = \"0s\"\n{rule}"));

        let person = world.account("person");
        let key = "/home/person/.ssh/id_ed25519";
        fs::create_dir_all("/home/person/.ssh").unwrap();
        tool(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lobby = sshd.welcome(listener, &fs::read_to_string(format!("{key}.pub")).unwrap());
        world.write("/home/person/.ssh/known_hosts", format!("* {}\n", lobby.host_key()));
        let jump = page.split("```ssh-config\n").nth(1).unwrap().split("```").next().unwrap();
        let both = format!(
            "Host *\n    HostName 127.0.0.1\n    Port {port}\n    User alice\n    IdentityAgent none\n    BindAddress {OUTSIDE}\n"
        );
        world.write("/home/person/.ssh/config", jump.to_owned() + &both);
        tool(&["chown", "-R", "person:", "/home/person"]);

        let ssh = |host: &str| Terminal::start(Launch::new(["ssh", host, "echo $SSH_CLIENT"]).account(&person));
        lobby.serve_during(|| {
            let mut terminal = ssh("web01.inside.example.org");
            terminal.expect("(alice@127.0.0.1) Verification code: ");
            terminal.send_line(&alice.codes().next());
            terminal.expect("127.0.0.1 ");
            assert_eq!(terminal.finish().code, Some(0));
            let lines: Vec<_> = world.entries_since(0).iter().map(|entry| entry.value("rhost").to_owned()).collect();
            assert_eq!(lines.first().map(String::as_str), Some(OUTSIDE), "the code was for the bastion: {lines:?}");
            let told = "not asked, by the rule: asked at the bastion";
            assert!(
                page.contains(told) && world.log().iter().any(|line| line.text.contains(told)),
                "{:?}",
                world.log()
            );
        });
        let direct = sshd.login("alice").from(OUTSIDE).answer(alice.authenticator.wrong_code()).run();
        assert!(!direct.granted && direct.prompts == ["Verification code: "], "{direct:?}");
    });
}

#[test]
fn a_code_of_a_shared_secret_is_accepted_once_on_each_host_and_failures_stay_where_they_were() {
    let mut code = String::new();
    on_a_host("", |world, sshd, alice| {
        code = alice.codes().next();
        assert!(sshd.login("alice").answer(&code).run().granted);
        let again = sshd.login("alice").answer(&code).run();
        assert!(!again.granted, "{again:?}");
        let account = Account { name: "alice".into(), uid: 1001, home: "/home/alice".into() };
        ForgedState::of(&account).wrong_codes(100).write(world);
        let disabled = sshd.login("alice").answer(&code).run();
        assert!(disabled.server_log.iter().any(|line| line.text.contains("reason=disabled")), "{disabled:?}");
    });
    on_a_host("", |_, sshd, _| {
        let other = sshd.login("alice").answer(&code).run();
        assert!(other.granted, "{other:?}");
    });
}
