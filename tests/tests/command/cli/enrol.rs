//! `twinlock enroll` in scripts.

use std::fs;

use serde_json::Value;
use twinlock_tests::{Authenticator, PamCode, STORE, Snapshot, State, World, credentials_of, state_of};

use crate::cli::alice::{fields, json, login, remove_store, with_account, with_alice};

const FIELDS: [&str; 6] = ["user", "authenticator", "label", "type", "uri", "recovery_codes"];

fn uri(world: &World, arguments: &[&str]) -> String {
    let output = world.twinlock(&[&["enroll", "--no-confirm", "--json"], arguments].concat());
    json(&output)["uri"].as_str().unwrap().to_owned()
}

#[test]
fn json_has_the_promised_fields_and_no_others() {
    with_account(|world, _| {
        let output = world.twinlock(&["enroll", "alice", "--no-confirm", "--json"]);
        let value = json(&output);
        assert!(fields(&output.stdout, &FIELDS), "{output:?}");
        assert_eq!(value.as_object().unwrap().len(), FIELDS.len());
        assert_eq!(
            (&value["user"], &value["label"], &value["type"]),
            (&Value::from("alice"), &Value::from("phone"), &Value::from("totp"))
        );
        let id = value["authenticator"].as_str().unwrap();
        assert!(id.len() == 6 && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{id}");
        assert_eq!(output.stderr, "");
    });
}

#[test]
fn there_are_ten_recovery_codes_of_four_groups_of_four_and_all_differ() {
    with_account(|world, _| {
        let codes = world.enrol("alice").recovery_codes;
        let crockford = |symbol: char| "0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(symbol);
        let shaped = |code: &String| {
            let groups: Vec<_> = code.split('-').collect();
            groups.len() == 4 && groups.iter().all(|group| group.len() == 4 && group.chars().all(crockford))
        };
        assert!(codes.len() == 10 && codes.iter().all(shaped), "{codes:?}");
        let mut different = codes.clone();
        different.sort_unstable();
        different.dedup();
        assert_eq!(different.len(), 10);
    });
}

#[test]
fn without_json_the_uri_and_the_codes_are_printed_a_line_each() {
    with_account(|world, _| {
        let output = world.twinlock(&["enroll", "alice", "--no-confirm"]);
        let lines: Vec<_> = output.stdout.lines().collect();
        assert_eq!((output.code, lines.len(), output.stderr.as_str()), (Some(0), 11, ""));
        let app = Authenticator::from_uri(lines[0]);
        assert_eq!(login(world, &app.codes().next()), PamCode::Success);
        assert_eq!(login(world, lines[1]), PamCode::Success);
    });
}

#[test]
fn the_uri_is_what_every_app_reads() {
    with_account(|world, _| {
        let uri = uri(world, &["alice", "--issuer", "web01"]);
        let (before, secret_and_rest) = uri.split_once("secret=").unwrap();
        let (secret, rest) = secret_and_rest.split_once('&').unwrap();
        assert_eq!((before, rest), ("otpauth://totp/web01:alice?", "issuer=web01"), "defaults left out");
        assert!(
            secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)),
            "{secret}"
        );
    });
}

#[test]
fn the_uri_escapes_issuer_and_user_and_has_one_colon() {
    with_account(|world, _| {
        world.account("DOM\\al ice@x");
        let uri = uri(world, &["DOM\\al ice@x", "--issuer", "Ex & Co? \u{e9}"]);
        assert!(uri.starts_with("otpauth://totp/Ex%20%26%20Co%3F%20%C3%A9:DOM%5Cal%20ice%40x?secret="), "{uri}");
        assert!(uri.ends_with("&issuer=Ex%20%26%20Co%3F%20%C3%A9"), "{uri}");
        assert_eq!(uri.matches(':').count(), 2, "the scheme's and the label's");
    });
}

#[test]
fn the_issuer_is_the_hosts_name_unless_told() {
    with_account(|world, _| {
        let host = twinlock_tests::Launch::new(["hostname"]).run().stdout.trim().to_owned();
        assert!(uri(world, &["alice"]).starts_with(&format!("otpauth://totp/{host}:alice?")));
    });
}

#[test]
fn the_label_is_kept() {
    with_account(|world, _| {
        assert_eq!(world.enrol_with("alice", &["--label", "Pixel \"8\""]).label, "Pixel \"8\"");
        assert_eq!(json(&world.twinlock(&["status", "alice", "--json"]))["authenticators"][0]["label"], "Pixel \"8\"");
    });
}

#[test]
fn an_unconfirmed_enrolment_leaves_every_code_unused() {
    with_account(|world, _| {
        let enrolled = world.enrol("alice");
        let mut codes = enrolled.codes();
        assert_eq!([codes.next(), codes.next()].map(|code| login(world, &code)), [PamCode::Success; 2]);
    });
}

#[test]
fn secrets_and_recovery_codes_are_new_every_time() {
    with_account(|world, _| {
        let one = world.enrol("alice");
        let other = world.enrol_with("alice", &["--replace"]);
        assert_ne!(one.authenticator.secret, other.authenticator.secret);
        assert_eq!((one.authenticator.secret.len(), other.authenticator.secret.len()), (20, 20), "G19");
        assert!(one.recovery_codes.iter().all(|code| !other.recovery_codes.contains(code)));
    });
}

#[test]
fn who_is_enrolled_stays_so_unless_replacing_is_asked_for() {
    with_alice(|world, alice| {
        let store = Snapshot::of(STORE);
        let output = world.twinlock(&["enroll", "alice", "--no-confirm"]);
        let told = "twinlock: alice is already enrolled\n\
                    hint: --add adds another device, --replace replaces the present second factor\n";
        assert_eq!(output.parts(), (Some(1), "", told));
        assert_eq!(Snapshot::of(STORE), store);
        assert_eq!(login(world, &alice.codes().next()), PamCode::Success);
    });
}

#[test]
fn after_replace_the_old_secret_and_recovery_codes_are_dead_and_the_new_ones_work() {
    with_alice(|world, alice| {
        let new = world.enrol_with("alice", &["--replace"]);
        assert_eq!(login(world, &alice.codes().next()), PamCode::AuthErr);
        assert_eq!(login(world, alice.recovery_code(0)), PamCode::AuthErr);
        assert_eq!(login(world, &new.codes().next()), PamCode::Success);
        assert_eq!(login(world, &new.recovery_codes[0]), PamCode::Success);
    });
}

#[test]
fn replace_lifts_what_was_disabled_and_keeps_the_budget_spent() {
    with_alice(|world, alice| {
        alice.state().wrong_codes(100).wrong_recovery_codes(7).budget_spent(29).write(world);
        let new = world.enrol_with("alice", &["--replace"]);
        assert_eq!(State::of("alice").charges(), [0, 0, 0, 29]);
        assert_eq!(login(world, &new.codes().next()), PamCode::Success);
    });
}

#[test]
fn replace_enrols_who_is_not_enrolled_too() {
    with_account(|world, _| {
        let new = world.enrol_with("alice", &["--replace"]);
        assert_eq!(login(world, &new.codes().next()), PamCode::Success);
    });
}

#[test]
fn the_first_enrolment_makes_the_store() {
    with_account(|world, _| {
        remove_store();
        let enrolled = world.enrol("alice");
        assert_eq!(login(world, &enrolled.codes().next()), PamCode::Success);
    });
}

#[test]
fn files_are_roots_alone_whatever_the_umask_is() {
    use std::os::unix::fs::MetadataExt;
    for mask in ["000", "022", "077"] {
        with_account(|world, _| {
            remove_store();
            let masked = format!("umask {mask}; exec \"$@\"");
            let launch = world.twinlock_launch(&["enroll", "alice", "--no-confirm"]).under(["sh", "-c", &masked, "sh"]);
            assert_eq!(launch.run().code, Some(0), "{mask}");
            let mode = |path: &std::path::Path| {
                let found = fs::metadata(path).unwrap();
                (found.mode() & 0o7777, found.uid(), found.gid())
            };
            for path in Snapshot::of(STORE).paths() {
                let expected = if path.is_dir() { 0o700 } else { 0o600 };
                assert_eq!(mode(path), (expected, 0, 0), "G16: umask {mask}: {}", path.display());
            }
            assert!(credentials_of("alice").is_file() && state_of("alice").is_file());
        });
    }
}

#[test]
fn of_two_enrolments_at_once_one_wins_and_its_secret_works() {
    with_account(|world, _| {
        let start = || world.twinlock_launch(&["enroll", "alice", "--no-confirm", "--json"]).start();
        let both = [start(), start(), start()].map(twinlock_tests::Process::finish);
        let (won, lost): (Vec<_>, Vec<_>) = both.iter().partition(|output| output.code == Some(0));
        assert_eq!((won.len(), lost.len()), (1, 2), "{both:#?}");
        assert!(
            lost.iter().all(|output| output.code == Some(1) && output.stderr.contains("alice is already enrolled")),
            "{lost:?}"
        );
        let app = Authenticator::from_uri(json(won[0])["uri"].as_str().unwrap());
        assert_eq!(login(world, &app.codes().next()), PamCode::Success);
        assert_eq!(world.twinlock(&["check"]).code, Some(0));
    });
}

#[test]
fn an_enrolment_beside_logins_spoils_neither() {
    with_alice(|world, alice| {
        let replacing = world.twinlock_launch(&["enroll", "alice", "--no-confirm", "--json", "--replace"]).start();
        let old: Vec<_> = alice.enrolled.recovery_codes.iter().map(|code| login(world, code)).collect();
        let output = replacing.finish();
        let new = Authenticator::from_uri(json(&output)["uri"].as_str().unwrap());
        let still_in_force = old.iter().take_while(|code| **code == PamCode::Success).count();
        assert!(
            old[still_in_force..].iter().all(|code| *code == PamCode::AuthErr),
            "the old ones, then no more: {old:?}"
        );
        assert_eq!(world.twinlock(&["unlock", "alice"]).code, Some(0));
        assert_eq!(login(world, &new.codes().next()), PamCode::Success);
    });
}

#[test]
fn without_a_terminal_an_interactive_enrolment_is_refused_clearly() {
    with_account(|world, _| {
        let store = Snapshot::of(STORE);
        let output = world.twinlock(&["enroll", "alice"]);
        let told = "twinlock: cannot enrol alice: there is no terminal\nhint: connect with `ssh -t`; in scripts, use --no-confirm --json\n";
        assert_eq!(output.parts(), (Some(1), "", told));
        assert_eq!(Snapshot::of(STORE), store);
    });
}

#[test]
fn with_closed_streams_it_still_works_or_says_why() {
    with_account(|world, _| {
        for closed in ["<&-", "2>&-", "<&- 2>&-"] {
            let script = format!("exec \"$@\" {closed}");
            let launch = world
                .twinlock_launch(&["enroll", "alice", "--no-confirm", "--json", "--replace"])
                .under(["sh", "-c", &script, "sh"]);
            let output = launch.run();
            assert_eq!(output.code, Some(0), "{closed}: {output:?}");
            let app = Authenticator::from_uri(json(&output)["uri"].as_str().unwrap());
            assert_eq!(login(world, &app.codes().next()), PamCode::Success, "{closed}");
        }
    });
}

#[test]
fn nothing_is_written_into_the_store_by_mistake_when_all_streams_are_closed() {
    with_account(|world, _| {
        let script = "exec \"$@\" <&- >&- 2>&-";
        let output =
            world.twinlock_launch(&["enroll", "alice", "--no-confirm"]).under(["sh", "-c", script, "sh"]).run();
        assert!(output.code.is_some(), "{output:?}");
        assert_eq!(world.twinlock(&["check"]).code, Some(0), "T-FD");
    });
}
