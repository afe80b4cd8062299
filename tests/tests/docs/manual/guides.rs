//! The guides of `docs/`, against the programs: every command can be typed, every prompt is the default one, and the
//! example session is what the programs print.

use std::fs;

use twinlock_tests::{Account, Authenticator, PASSWORD, Terminal, World, in_world, is_root_in_earnest};

use crate::manual::help::{assert_can_be_typed, global_flags, verbs};

const GUIDES: [&str; 14] = [
    "user-guide.md",
    "roll-out.md",
    "self-service.md",
    "help-desk.md",
    "migration.md",
    "troubleshooting.md",
    "log.md",
    "monitoring.md",
    "policy.md",
    "automation.md",
    "more-than-one-host.md",
    "../SECURITY.md",
    "install.md",
    "sealing.md",
];

fn guide(world: &World, name: &str) -> String {
    fs::read_to_string(world.repository().join("docs").join(name)).unwrap()
}

/// The lines of all blocks of a kind.
pub(crate) fn blocks<'a>(guide: &'a str, kind: &str) -> Vec<&'a str> {
    let (mut lines, mut inside) = (Vec::new(), None);
    for line in guide.lines() {
        match (line.strip_prefix("```"), inside) {
            (Some(begun), None) => inside = Some(begun),
            (Some(_), Some(_)) => inside = None,
            (None, Some(current)) if current == kind => lines.push(line),
            (None, _) => {}
        }
    }
    lines
}

#[test]
fn every_command_line_of_the_guides_can_be_typed() {
    in_world(|world| {
        let (verbs, global) = (verbs(world), global_flags(world));
        for name in GUIDES {
            let text = guide(world, name);
            // In a block of its own, after a prompt, or between backticks.
            let quoted = text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`'));
            let typed = blocks(&text, "sh").into_iter().chain(blocks(&text, "transcript")).chain(quoted);
            let typed: Vec<_> = typed
                .map(|line| {
                    line.trim_start().trim_start_matches("$ ").trim_start_matches("# ").trim_start_matches("sudo ")
                })
                .filter(|line| line.starts_with("twinlock ") && !line.ends_with(':'))
                .collect();
            assert!(!typed.is_empty(), "{name}: {typed:?}");
            for line in typed {
                assert_can_be_typed(line, &verbs, &global);
            }
        }
    });
}

#[test]
fn the_prompt_in_the_user_guide_is_the_default() {
    in_world(|world| {
        let text = guide(world, "user-guide.md");
        let prompts: Vec<_> = text.split('`').skip(1).step_by(2).filter(|span| span.ends_with(": ")).collect();
        assert_eq!(prompts.len(), 1, "{prompts:?}");
        let default = format!("# open, but anyone who starts a login can read it. Empty means {:?}, in", prompts[0]);
        assert!(world.shipped("config.toml").contains(&default), "{default}");
    });
}

/// Stands for a QR code, in the guide as well.
const QR_CODE: &str = "    [the QR code]";

/// The line of the guide in place of lines that it leaves out.
const LEFT_OUT: &str = "    [...]\n";

/// Replaces what differs from run to run, and each QR code by [`QR_CODE`].
fn constant(text: &str) -> String {
    let is_qr_code = |line: &str| !line.is_empty() && line.chars().all(|c| "█▀▄ ".contains(c));
    let lines = text.lines().map(str::trim_end);
    let mut lines: Vec<_> =
        lines.map(|line| if is_qr_code(line) { QR_CODE.to_owned() } else { constant_line(line) } + "\n").collect();
    lines.dedup_by(|line, before| line == before && line.trim_end() == QR_CODE);
    lines.concat()
}

/// Whether the guide shows the session, with every line but those that it leaves out.
fn is_shown(guide: &str, session: &str) -> bool {
    let mut parts = guide.split(LEFT_OUT);
    let Some(mut rest) = parts.next().and_then(|first| session.strip_prefix(first)) else { return false };
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.is_empty()
}

fn constant_line(line: &str) -> String {
    // An id stands before the label of a device.
    let ids: Vec<_> = line.split_whitespace().take(1).filter(|_| line.contains("  totp ")).collect();
    let words = line.split(' ').map(|word| {
        let shape: String = word
            .trim_end_matches(['.', ';', ',', ')'])
            .chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect();
        let is = |ending: &str| shape.replace('A', "0") == ending;
        match () {
            () if word.starts_with("otpauth://") => "URI",
            () if is("0000-0000-0000-0000") => "RECOVERY",
            () if shape == "000000" => "CODE",
            () if shape == "0000-00-00A00:00:00A" => "TIME",
            () if is("0000") => "KEY",
            () if ids.contains(&word) => "ID",
            () if word.starts_with("authenticator=") => "authenticator=ID",
            () => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// One command of alice, her answers, and all that was on her screen.
fn run(world: &World, alice: &Account, command: &str, answers: &mut dyn FnMut(&mut Terminal)) -> String {
    let words: Vec<_> = command.split(' ').skip(1).collect();
    let mut terminal = Terminal::start(world.twinlock_as(alice, &words).environment("NO_COLOR", "1"));
    answers(&mut terminal);
    let output = terminal.finish();
    format!("$ {command}\n{}\n", output.stdout)
}

fn answer(terminal: &mut Terminal, question: &str, answer: &str) {
    terminal.expect(question);
    terminal.send_line(answer);
}

fn scanned(shown: &str) -> Authenticator {
    Authenticator::from_uri(shown.split_whitespace().find(|word| word.starts_with("otpauth://")).unwrap())
}

/// Scans, confirms, and keeps the recovery codes.
fn set_up_phone(terminal: &mut Terminal) -> Vec<String> {
    let shown = terminal.expect("Enter the code that the app shows now: ");
    terminal.send_line(&scanned(&shown).codes().next());
    let shown = terminal.expect("Enter one of these codes to confirm that you saved them: ");
    let codes: Vec<_> = shown.split_whitespace().filter(|word| word.len() == 19).map(str::to_owned).collect();
    terminal.send_line(&codes[0]);
    terminal.expect("Done: ");
    codes
}

#[test]
fn the_session_of_the_user_guide_is_one_that_happened() {
    if !is_root_in_earnest("another user") {
        return;
    }
    in_world(|world| {
        world.set_up("issuer = \"server.example.org\"\n");
        world.broker_service();
        let alice = world.account("alice");
        let _broker = world.broker();
        let mut recovery = Vec::new();
        let mut session = run(world, &alice, "twinlock enroll", &mut |terminal| {
            answer(terminal, "Password: ", PASSWORD);
            recovery = set_up_phone(terminal);
        });
        session += &run(world, &alice, "twinlock status", &mut |_| {});
        session += &run(world, &alice, "twinlock enroll --replace", &mut |terminal| {
            answer(terminal, "a code from your app or a recovery code: ", &recovery[1]);
            set_up_phone(terminal);
        });
        let shown = constant(&blocks(&guide(world, "user-guide.md"), "transcript").join("\n"));
        assert!(is_shown(&shown, &constant(session.trim_end())), "{shown}\nthe session was:\n{session}");
        // The log of it, which the page on self-service shows.
        let log = world.log().into_iter().filter(|line| line.tag == "twinlockd").map(|line| line.text + "\n");
        let log: String = log.collect();
        let told = blocks(&guide(world, "self-service.md"), "log").join("\n") + "\n";
        assert_eq!(constant(&told), constant(&log), "the log was:\n{log}");
    });
}
