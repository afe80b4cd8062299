//! `make words`, which looks through everything that people read: that it finds what it is for, and nothing else.

use twinlock_tests::{Launch, World, in_world};

const ROOT: &str = "/tmp/words";

/// Texts with one fault each, the file each is in, and what is reported of it.
const FAULTS: &[(&str, &str, &str)] = &[
    ("docs/page.md", "Ask whoever is on call.", "whoever"),
    ("docs/page.md", "Who is not enrolled is refused.", "Who"),
    ("docs/page.md", "The user whom policy asks gives one.", "whom"),
    ("docs/page.md", "Rules for who is enrolled.", "for who is"),
    ("docs/page.md", "It is not the code\nof now.", "of now"),
    ("docs/page.md", "A code of another time.", "of another time"),
    ("docs/page.md", "A wrong code is refused.", "wrong code"),
    ("docs/page.md", "| status | how a user stands |", "how a user stands"),
    ("docs/page.md", "An old code opens one login.", "opens one login"),
    ("docs/page.md", "It is charged.", "charged"),
    ("docs/page.md", "A recovery code is spent.", "spent"),
    ("docs/page.md", "With a recovery code neither.", "neither."),
    ("docs/page.md", "## That a code is used up", "## That"),
    ("docs/page.md", "The user forgot his phone.", "his"),
    ("docs/page.md", "See DESIGN, section 3.", "DESIGN"),
    ("docs/page.md", "The color of the prompt.", "color"),
    ("docs/man/page.8.md", "The file is recieved.", "recieved"),
    ("config/config.toml", "# Mend the file.\nkey = \"mend\"", "Mend"),
    ("config/pam.d/svc", "# Asks whoever comes.", "whoever"),
    ("packaging/debian/control", "Package: twinlock\nDescription: mends\n logins", "mends"),
    ("packaging/tool", "#!/bin/sh\n# Mended here.\ntrue", "Mended"),
    ("crates/core/src/lib.rs", "/// Its name.\nfn name() {}", "Its name."),
    ("crates/core/src/lib.rs", "/// Whose.\nfn name() {}", "Whose"),
    ("broker/src/main.rs", "//! Tells users\n//! of now.", "of now"),
    ("pam_module/src/main.rs", "// Wrong codes are counted.", "Wrong codes"),
    ("broker/src/main.rs", "#[cfg(test)]\nmod tests {\n    // whoever\n}", "whoever"),
    ("tests/tests/all.rs", "/// Whoever it is.\nconst A: &str = \"mend it\";", "Whoever"),
    ("enroll_cli/src/messages.rs", "const A: &str = \"how to \\\n    mend it\";", "mend"),
    ("enroll_cli/src/messages.rs", "const A: char = '\"'; const B: &str = r#\"\"a\" mended\"#;", "mended"),
    ("enroll_cli/src/messages.rs", "format!(\"{name} is cancelled, not canceled\")", "canceled"),
];

/// Texts without a fault that look like one.
const FINE: &[(&str, &str)] = &[
    ("docs/page.md", "Users who are enrolled, and to whom mail goes: amended, commander."),
    ("docs/page.md", "## Who must give a code?"),
    ("docs/page.md", "The reason is `wrong-code`, the command `mend`, the colour grey. Neither is read."),
    ("docs/page.md", "```\nmend whoever\n```"),
    (
        "docs/page.md",
        "Run twinlock enroll, see [mail](mend.md) and <https://mend.example>, /etc/mend/recieved, pam_mend.so.",
    ),
    ("config/config.toml", "key = \"mend\""),
    ("crates/core/src/lib.rs", "const A: &str = \"mend\";\nfn mend<'a>(_: &'a str) {}\nconst Q: char = '\"';"),
    ("crates/core/src/lib.rs", "#[cfg(test)]\nmod tests {\n    const A: &str = \"mend it\";\n}"),
    ("crates/core/tests/all.rs", "const A: &str = \"mend it\";"),
];

/// What is reported of a tree of this one file.
fn reported(world: &World, file: &str, text: &str) -> (Option<i32>, String) {
    world.write(format!("{ROOT}/{file}"), text);
    let script = world.repository().join("scripts/words");
    let output = Launch::new([script.to_str().unwrap(), ROOT]).run();
    std::fs::remove_dir_all(ROOT).unwrap();
    (output.code, output.stdout)
}

#[test]
fn each_kind_of_fault_is_found_in_each_kind_of_text() {
    in_world(|world| {
        for (file, text, fault) in FAULTS {
            let (code, found) = reported(world, file, text);
            let [line] = found.lines().collect::<Vec<_>>()[..] else { panic!("{file}: {text}: {found:?}") };
            assert!(line.starts_with(&format!("{file}:")) && line.contains(&format!(": `{fault}`")), "{text}: {line}");
            assert_eq!(code, Some(1), "{text}");
        }
    });
}

#[test]
fn what_only_looks_like_a_fault_is_passed_over() {
    in_world(|world| {
        for (file, text) in FINE {
            assert_eq!(reported(world, file, text), (Some(0), String::new()), "{file}: {text}");
        }
    });
}
