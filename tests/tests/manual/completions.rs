//! Completions, in the shells themselves.

use std::path::Path;

use twinlock_tests::{Launch, World, in_world};

fn script(world: &World, shell: &str) -> String {
    let output = world.twinlock(&["completions", shell]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    let path = format!("/tmp/twinlock.{shell}");
    world.write(&path, output.stdout);
    path
}

/// What bash offers for the last of these words.
fn offered(world: &World, words: &str) -> Vec<String> {
    let path = script(world, "bash");
    let line = format!(
        "source {path}; complete -p twinlock >/dev/null || exit 9; COMP_WORDS=({words}); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _twinlock twinlock \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = Launch::new(["bash", "-c", &line]).run();
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_flags_and_values() {
    in_world(|world| {
        assert_eq!(offered(world, "twinlock enr"), ["enroll"]);
        assert_eq!(offered(world, "twinlock re"), ["recovery", "remove", "resync", "repair"]);
        assert_eq!(offered(world, "twinlock device s"), ["suspend"]);
        assert_eq!(offered(world, "twinlock list --w"), ["--without"]);
        assert_eq!(offered(world, "twinlock enroll --type h"), ["hotp"]);
        assert_eq!(offered(world, "twinlock man"), [""]);
    });
}

#[test]
fn every_shell_that_is_here_reads_its_script() {
    in_world(|world| {
        for shell in ["bash", "zsh", "fish"] {
            let path = script(world, shell);
            if Path::new("/usr/bin").join(shell).exists() {
                let output = Launch::new([shell, "-n", &path]).run();
                assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}: {output:?}");
            } else {
                eprintln!("skipped: {shell} is not installed");
            }
        }
    });
}
