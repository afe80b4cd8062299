//! Logins in another language, as a real client shows them: prompts as they are written, all else in ASCII.

use twinlock_tests::{FirstFactor, Launch, Login, World, in_sshd_world};

use crate::policy::first_login::{PROMPT, alice_is_enrolled, app_of, configure, ends, host};

const GERMAN: &str = "language = \"/etc/twinlock/german.toml\"\n";

/// Puts a catalogue where [`GERMAN`] says.
fn catalogue(world: &World, text: &str) {
    world.write("/etc/twinlock/german.toml", text);
}

/// What a client showed besides prompts.
fn information(login: &Login) -> &str {
    assert!(!login.stderr.contains("\\3") && login.stderr.is_ascii(), "escapes: {login:#?}");
    &login.stderr
}

#[test]
fn alice_enrols_and_logs_in_in_german() {
    in_sshd_world(|world| {
        let config =
            format!("second_factor = \"enroll\"\nissuer = \"web01\"\nhelp = \"Büro 12 – bitte melden.\"\n{GERMAN}");
        let sshd = host(world, FirstFactor::Key, &config);
        catalogue(world, &world.shipped("locale/de.toml"));
        let mut session = sshd.login("alice").terminal();
        let shown = session.expect("Geben Sie den Code ein, den die App jetzt anzeigt: ");
        for text in
            ["Dieser Rechner verlangt einen Code", "\nBüro 12 – bitte melden.\n", "drücken Sie die Eingabetaste."]
        {
            assert!(shown.contains(text), "{shown}");
        }
        assert!(shown.lines().all(|line| line.chars().count() <= 78), "{shown}");
        let mut codes = app_of(&shown).codes();
        session.send_line(&codes.next());
        let shown = session.expect("einen dieser Codes ein: ");
        session.send_line(&twinlock_tests::recovery_codes_in(&shown)[0]);
        session.expect("gespeichert, sobald diese Anmeldung abgeschlossen\nist.");
        assert!(session.finish().granted && alice_is_enrolled(world));

        let refused = sshd.login("alice").answer("000000").run();
        assert_eq!(refused.prompts, ["Bestätigungscode: "]);
        assert!(information(&refused).contains("Buero 12 - bitte melden."), "{refused:#?}");
        assert_eq!(world.twinlock(&["unlock", "alice"]).code, Some(0));
        let granted = sshd.login("alice").answer(codes.next()).run();
        assert!(granted.granted && granted.prompts == ["Bestätigungscode: "], "{granted:#?}");
        let told = information(&granted).split_whitespace().collect::<Vec<_>>().join(" ");
        for text in [
            "Die Fehlversuche wurden gerade eben zurueckgesetzt.",
            "Waren Sie das nicht? Benachrichtigen Sie Ihren Administrator.",
        ] {
            assert!(told.contains(text), "{told}");
        }

        configure(world, &format!("help = \"電話 4711\"\n{GERMAN}"));
        let refused = sshd.login("alice").answer("000000").run();
        assert_eq!(refused.prompts, ["\n電話 4711\nBestätigungscode: "]);
        assert!(!information(&refused).contains("4711"), "{refused:#?}");
    });
}

#[test]
fn a_catalogue_that_cannot_be_used_refuses_nobody_and_is_said_in_english() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, GERMAN);
        let mut codes = world.deploy("alice").codes();
        let asks = |prompt: &str, why: &str| {
            assert_eq!(sshd.login("alice").answer("").run().prompts, [prompt], "{why}");
        };
        asks(PROMPT, "missing");
        catalogue(world, "code-prompt = \"Code:\"\n");
        asks("Code: ", "with one text");
        for (text, why) in [
            ("code-prompt = \"Code:", "damaged"),
            ("code-prompt = \"{name}\"\n", "another value"),
            ("code-prompt = \"\\u001b[2J\"\n", "a control character"),
            ("code-prompt = 7\n", "no text"),
            (&format!("code-prompt = \"Code:\"\n#{}", "x".repeat(64 * 1024)), "too large"),
        ] {
            catalogue(world, text);
            asks(PROMPT, why);
        }
        catalogue(world, "code-prompt = \"Code:\"\n");
        assert_eq!(Launch::new(["chmod", "o+w", "/etc/twinlock/german.toml"]).run().code, Some(0));
        asks(PROMPT, "anybody may write it");
        let login = sshd.login("alice").answer(codes.next()).run();
        assert_eq!((login.granted, ends(&login)), (true, vec!["granted/-".into()]));
    });
}

#[test]
fn a_language_is_found_by_its_name_where_it_is_installed() {
    in_sshd_world(|world| {
        let sshd = host(world, FirstFactor::Key, "language = \"ja\"\n");
        world.deploy("alice");
        let prompts = || sshd.login("alice").answer("").run().prompts;
        assert_eq!(prompts(), [PROMPT], "it is not installed");
        let mount = ["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/usr/local/share"];
        assert_eq!(Launch::new(mount).run().code, Some(0));
        world.write("/usr/local/share/twinlock/locale/ja.toml", world.shipped("locale/ja.toml"));
        assert_eq!(prompts(), ["確認コード: "]);
        let refused = sshd.login("alice").answer("000000").run();
        assert!(information(&refused).is_ascii());
        configure(world, "language = \"en\"\n");
        assert_eq!(prompts(), [PROMPT]);
    });
}
