//! The pages: whole, and well formed.

use std::fs;
use std::path::Path;

use twinlock_tests::{Launch, World, in_world};

use crate::manual::help::{assert_can_be_typed, flags, global_flags, verbs};
use crate::manual::tool;

pub(crate) const PAGES: [&str; 4] = ["twinlock.1", "twinlock.toml.5", "pam_twinlock.8", "twinlockd.8"];

/// A page as text, its escapes undone.
pub(crate) fn page(world: &World, name: &str) -> String {
    let written = Launch::new([world.artefacts().join("xtask").to_str().unwrap(), "/tmp"]).run();
    assert_eq!((written.code, written.stderr.as_str()), (Some(0), ""), "{written:?}");
    let text = fs::read_to_string(Path::new("/tmp").join(name)).unwrap();
    text.replace("\\-", "-").replace("\\*(Aq", "'").replace("\\fB", "").replace("\\fI", "").replace("\\fR", "")
}

/// The part of a page under the heading that begins so, up to the next of its rank.
fn part<'a>(page: &'a str, rank: &str, heading: &str) -> Vec<&'a str> {
    let begins = |line: &&str| {
        let title = line.strip_prefix(rank).map(|rest| rest.trim().trim_matches('"'));
        title.is_some_and(|title| title == heading || title.starts_with(&format!("{heading} ")))
    };
    let lines = page.lines().skip_while(move |line| !begins(line)).skip(1);
    lines.take_while(|line| !line.starts_with(".SH") && !line.starts_with(rank)).collect()
}

#[test]
fn every_verb_and_every_flag_of_the_help_is_in_the_manual() {
    in_world(|world| {
        let page = page(world, "twinlock.1");
        let options = part(&page, ".SH", "OPTIONS").join("\n");
        let global = global_flags(world);
        assert!(global.iter().any(|flag| flag == "--config"));
        for flag in &global {
            assert!(options.contains(flag), "{flag}");
        }
        for verb in verbs(world) {
            let lines = part(&page, ".SS", &format!("twinlock {}", verb.name));
            assert!(!lines.is_empty(), "{}", verb.name);
            for flag in verb.flags.iter().filter(|flag| !global.contains(flag)) {
                let found = lines.iter().any(|line| line.split(' ').next() == Some(flag));
                assert!(found, "{flag} of {}: {lines:#?}", verb.name);
            }
        }
    });
}

#[test]
fn every_flag_of_the_broker_is_in_its_page() {
    in_world(|world| {
        let page = page(world, "twinlockd.8");
        let options = part(&page, ".SH", "OPTIONS").join("\n");
        world.install();
        let help = Launch::new(["twinlockd", "--help"]).run();
        assert_eq!(help.code, Some(0), "{help:?}");
        let flags = flags(&help.stdout);
        assert!(flags.contains(&"--listen".to_owned()), "{flags:?}");
        for flag in &flags {
            assert!(options.contains(flag), "{flag}: {options}");
        }
        assert!(!page.contains("--prove"), "{page}");
    });
}

#[test]
fn the_manual_has_no_verb_that_the_help_has_not() {
    in_world(|world| {
        let known: Vec<_> = verbs(world).into_iter().map(|verb| format!("twinlock {}", verb.name)).collect();
        let page = page(world, "twinlock.1");
        for heading in page.lines().filter_map(|line| line.strip_prefix(".SS ")) {
            let heading = heading.trim_matches('"');
            assert!(known.iter().any(|verb| heading.starts_with(verb.as_str())), "{heading}");
        }
    });
}

#[test]
fn what_the_examples_type_can_be_typed() {
    in_world(|world| {
        let (verbs, global) = (verbs(world), global_flags(world));
        let page = page(world, "twinlock.1");
        let examples: Vec<_> =
            part(&page, ".SH", "EXAMPLES").into_iter().filter(|line| line.starts_with("twinlock ")).collect();
        assert!(examples.len() > 8, "{examples:?}");
        for example in examples {
            assert_can_be_typed(example, &verbs, &global);
        }
    });
}

#[test]
fn every_page_has_the_parts_that_people_look_for() {
    in_world(|world| {
        for (name, parts) in [
            ("twinlock.1", &["OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"][..]),
            ("twinlock.toml.5", &["SETTINGS", "FILES", "EXAMPLES", "SEE ALSO"]),
            ("pam_twinlock.8", &["OPTIONS", "RETURN VALUES", "FILES", "EXAMPLES", "SEE ALSO"]),
            ("twinlockd.8", &["OPTIONS", "LIMITS", "LOG", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"]),
        ] {
            let page = page(world, name);
            for heading in ["NAME", "SYNOPSIS", "DESCRIPTION"].iter().chain(parts) {
                assert!(!part(&page, ".SH", heading).is_empty(), "{heading} of {name}");
            }
        }
    });
}

#[test]
fn no_page_is_typeset_with_a_warning() {
    in_world(|world| {
        world.take_from_host_etc("groff");
        for name in PAGES {
            page(world, name);
            let path = format!("/tmp/{name}");
            for typeset in [&["groff", "-man", "-Tutf8", "-ww", "-z", &path][..], &["man", "--warnings", "-l", &path]] {
                let output = tool(typeset);
                assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{typeset:?}: {output:?}");
            }
        }
    });
}

#[test]
fn mandoc_finds_nothing_in_any_page() {
    in_world(|world| {
        let lint = |name: &str| tool(&["mandoc", "-T", "lint", &format!("/tmp/{name}")]);
        for name in PAGES {
            page(world, name);
            let output = lint(name);
            assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (Some(0), "", ""), "{name}");
        }
        // Without its date a page is found fault with, so pages are looked at.
        let text = fs::read_to_string("/tmp/twinlockd.8").unwrap();
        let undated = text.lines().map(|line| if line.starts_with(".TH") { ".TH twinlockd 8" } else { line });
        world.write("/tmp/undated.8", undated.collect::<Vec<_>>().join("\n") + "\n");
        let output = lint("undated.8");
        assert!(output.stdout.contains("missing date"), "{output:?}");
    });
}

#[test]
fn no_placeholder_is_left_in_a_page() {
    in_world(|world| {
        for name in PAGES {
            let page = page(world, name);
            assert!(!page.contains("<!--") && !page.contains('`') && !page.contains("**"), "{name}: {page}");
        }
    });
}
