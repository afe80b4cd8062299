//! What is asked, said and logged.

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use twinlock_tests::{Attempt, CONFIG, Give, PamCode, one_after_another};

use crate::attacks::same_as;
use crate::contender::{Contender, granted};
use crate::row::Finding;

/// A key that sshd has verified, as `SSH_AUTH_INFO_0` has it.
const KEY: &str = "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n";

pub(super) fn a_remembered_login_is_throttled_too(contender: Contender) -> Finding {
    if contender == Contender::Oath {
        return Finding::Unfit("no remembered logins");
    }
    contender.scene(|scene| {
        let how = match contender {
            Contender::GoogleAuthenticator => "grace_period=28800",
            Contender::Twinlock | Contender::Oath => "",
        };
        scene.with_words(how);
        scene.world.write(CONFIG, "[[rule]]\nsecond_factor = \"required\"\nremember = \"8h\"\n");
        let known = || scene.attempt().rhost("192.0.2.7").pam_environment("SSH_AUTH_INFO_0", KEY);
        let first = known().answer(scene.codes().next()).run(scene.world);
        assert_eq!(first.code(), PamCode::Success, "{}", contender.name());
        assert_eq!(known().run(scene.world).code(), PamCode::Success, "{}: it is remembered", contender.name());
        let guess = scene.attempt().rhost("198.51.100.7").answer(scene.app.wrong_code());
        assert_eq!(granted(&one_after_another(scene.world, vec![guess; 4])), 0);
        let open = known().run(scene.world).code() == PamCode::Success;
        let with = if how.is_empty() { String::new() } else { format!(", with `{how}`") };
        let end = if open { "not prompted" } else { "prompted again" };
        Finding::of(!open, format!("after 4 guesses from elsewhere: {end}{with}"))
    })
}

pub(super) fn who_is_not_enrolled_is_asked_the_same(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.world.account("bob");
        same_as(scene, "bob")
    })
}

pub(super) fn not_enrolled_is_no_success(contender: Contender) -> Finding {
    if contender == Contender::Oath {
        return Finding::Unfit("never optional");
    }
    contender.scene(|scene| {
        scene.world.account("bob");
        scene.stack(&format!("auth sufficient {} nullok\nauth required pam_deny.so\n", contender.module()));
        let open = Attempt::new("svc").user("bob").run(scene.world).code() == PamCode::Success;
        Finding::of(!open, if open { "granted without a factor, with `nullok`" } else { "denied, with `nullok`" })
    })
}

pub(super) fn one_prompt_an_attempt(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let gives = [Give::Bytes(vec![]), Give::NullText, Give::NullArray, Give::ConvErr, Give::Code(5)];
        let asked = gives.into_iter().map(|give| {
            let outcome = scene.attempt().give(give).run(scene.world);
            // A program that crashed has asked once; that is another row.
            if outcome.report_came() { outcome.prompts().len() } else { 1 }
        });
        let most = asked.max().unwrap();
        Finding::of(most == 1, if most == 1 { "prompted once".into() } else { format!("prompted {most} times") })
    })
}

pub(super) fn a_user_name_that_is_missing_is_asked_for(contender: Contender) -> Finding {
    contender.scene(|scene| {
        let unnamed = Attempt::new("svc");
        let broken = unnamed.clone().run(scene.world);
        assert!(!broken.report_came() || broken.code() != PamCode::Success);
        let outcome = unnamed.answer("alice").answer(scene.codes().next()).run(scene.world);
        let served = outcome.report_came() && outcome.code() == PamCode::Success;
        let seen = match (served, broken.report_came()) {
            (true, true) => "asked for the name, then granted",
            (true, false) => "crashed without a name",
            (false, _) => "denied with name and code",
        };
        Finding::of(served && broken.report_came(), seen)
    })
}

pub(super) fn debugging_tells_no_secret(contender: Contender) -> Finding {
    contender.scene(|scene| {
        scene.with_words("debug");
        let mut canaries = vec![
            ("the secret", BASE32_NOPAD.encode(&scene.app.secret)),
            ("the secret", HEXLOWER.encode(&scene.app.secret)),
            ("an incorrect code", scene.app.wrong_code()),
            ("a correct code", scene.codes().next()),
        ];
        canaries.extend(scene.recovery_code.clone().map(|code| ("a recovery code", code)));
        let mut told = String::new();
        for (_, answer) in &canaries[2..] {
            let outcome = scene.attempt().answer(answer).run(scene.world);
            told.extend([outcome.output.stdout, outcome.output.stderr]);
        }
        told.extend(scene.world.log().iter().map(|line| format!("{}\n", line.text)));
        let told = told.to_lowercase();
        let mut leaked: Vec<_> = canaries
            .iter()
            .filter(|(_, text)| {
                told.contains(&text.to_lowercase()) || told.contains(&text.replace('-', "").to_lowercase())
            })
            .map(|(what, _)| *what)
            .collect();
        leaked.dedup();
        Finding::of(
            leaked.is_empty(),
            if leaked.is_empty() {
                "no codes, no secrets".into()
            } else {
                format!("with `debug`: {}", leaked.join(", "))
            },
        )
    })
}
