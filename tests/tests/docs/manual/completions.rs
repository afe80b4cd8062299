//! Completions, in the shells themselves.

use twinlock_tests::{World, in_world};

use crate::manual::tool;

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
    let output = tool(&["bash", "-c", &line]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_flags_and_values() {
    in_world(|world| {
        assert_eq!(offered(world, "twinlock enr"), ["enroll"]);
        assert_eq!(offered(world, "twinlock re"), ["recovery", "remove", "resync", "report", "repair"]);
        assert_eq!(offered(world, "twinlock device s"), ["suspend"]);
        assert_eq!(offered(world, "twinlock list --w"), ["--without"]);
        assert_eq!(offered(world, "twinlock enroll --type h"), ["hotp"]);
        assert_eq!(offered(world, "twinlock man"), [""]);
    });
}

#[test]
fn every_shell_reads_its_script() {
    in_world(|world| {
        for shell in ["bash", "zsh", "fish"] {
            let path = script(world, shell);
            let output = tool(&[shell, "-n", &path]);
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}: {output:?}");
        }
    });
}

#[test]
fn zsh_completes_verbs_and_flags() {
    in_world(|world| {
        let path = script(world, "zsh");
        // The function that completes the command, and what it describes as its verbs and flags.
        let line = format!(
            "autoload -U compinit && compinit -u -D && source {path} && print -r -- $_comps[twinlock] && \
             functions _twinlock_commands _twinlock"
        );
        let output = tool(&["zsh", "-f", "-c", &line]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
        assert!(output.stdout.starts_with("_twinlock\n"), "{output:?}");
        for offered in ["enroll:", "device:", "import:", "resync:", "--without[", "--type=["] {
            assert!(output.stdout.contains(offered), "{offered} {output:?}");
        }
    });
}

#[test]
fn fish_completes_verbs_flags_and_values() {
    in_world(|world| {
        let path = script(world, "fish");
        let offered = |typed: &str| {
            let output = tool(&["fish", "--no-config", "-c", &format!("source {path}; complete -C '{typed}'")]);
            assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{typed}: {output:?}");
            let words = output.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned());
            words.collect::<Vec<_>>()
        };
        assert_eq!(offered("twinlock enr"), ["enroll"]);
        assert_eq!(offered("twinlock device s"), ["suspend"]);
        assert_eq!(offered("twinlock list --w"), ["--without"]);
        assert_eq!(offered("twinlock enroll --type h"), ["hotp"]);
    });
}
