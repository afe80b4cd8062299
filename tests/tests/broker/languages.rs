//! Self-service in the language of the locale: the broker's refusals, and what the command says was done.

use twinlock_tests::{Launch, Setup, Terminal, User};

/// Runs the test with the shipped French catalogue, where `make install` puts it.
fn in_french(config: &str, test: impl FnOnce(&User<'_>) + Send) {
    Setup::with_broker().config(config).enrolled(|alice| {
        let mount = ["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/usr/local/share"];
        assert_eq!(Launch::new(mount).run().code, Some(0));
        alice.world.write("/usr/local/share/twinlock/locale/fr.toml", alice.world.shipped("locale/fr.toml"));
        test(alice);
    });
}

/// What alice reads on stderr, with this locale and this answer.
fn told(alice: &User<'_>, locale: &str, arguments: &[&str], answer: &str) -> String {
    let launch = alice.command(arguments).environment("LC_ALL", locale);
    launch.run_with_input(format!("{answer}\n").as_bytes()).stderr
}

#[test]
fn users_read_refusals_and_changes_in_french() {
    in_french("", |alice| {
        let (fr, suspend) = ("fr_FR.UTF-8", ["device", "suspend", "alice", "nosuch"]);
        let wrong = told(alice, fr, &["verify"], &alice.wrong_code());
        let refusal = "twinlock: ce code n'est pas valable : il ne correspond ni à l'application en ce moment ni à un code de \
                       secours\nhint: vérifiez que le téléphone et cet hôte règlent leur heure automatiquement\n";
        assert!(wrong.ends_with(refusal), "{wrong}");
        let nosuch = told(alice, fr, &suspend, alice.recovery_code(0));
        assert!(nosuch.contains("twinlock: alice n'a aucun appareil avec cet identifiant ou ce nom\n"), "{nosuch}");
        let suspended = told(alice, fr, &["device", "suspend", "alice", "phone"], alice.recovery_code(1));
        assert!(suspended.contains("suspendu\nalice n'a plus d'appareil actif : "), "{suspended}");
        let required = told(alice, fr, &["remove", "alice", "--yes"], alice.recovery_code(2));
        assert!(required.contains("interdit : cet hôte exige un second facteur pour votre compte"), "{required}");

        for (locale, code) in [("C", 3), ("fr_FR.ISO-8859-1", 6)] {
            let english = told(alice, locale, &suspend, alice.recovery_code(code));
            assert!(english.contains("twinlock: alice has no device with this id or label\n"), "{locale}: {english}");
        }
        alice.configure("language = \"fr\"\n");
        let of_the_host = told(alice, "C", &suspend, alice.recovery_code(4));
        assert!(of_the_host.contains("aucun appareil"), "without a language of the caller: {of_the_host}");
        alice.world.write("/usr/local/share/twinlock/locale/fr.toml", "no-such-device = \"");
        let damaged = told(alice, fr, &suspend, alice.recovery_code(5));
        assert!(damaged.contains("alice has no device with this id or label"), "{damaged}");
    });
}

#[test]
fn yes_is_typed_in_the_language_of_the_question_or_in_english() {
    in_french("second_factor = \"optional\"\n", |alice| {
        let removing = || {
            let launch = alice.command(&["remove", "alice"]).environment("LC_ALL", "fr_FR.UTF-8");
            let mut terminal = Terminal::start(launch);
            let question = terminal.expect("Tapez oui : ");
            assert!(
                question.contains("Sans second facteur, alice se connecte avec le premier facteur seul."),
                "{question}"
            );
            terminal
        };
        let mut no = removing();
        no.send_line("non");
        no.expect("alice garde donc le second facteur");
        let mut removed = removing();
        removed.send_line("oui");
        removed.expect("un code de secours :");
        removed.send_line(alice.recovery_code(0));
        removed.expect("alice : second facteur supprimé. Sans second facteur, alice se connecte");
    });
}
