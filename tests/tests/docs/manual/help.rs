//! What `--help` says, taken apart.

use twinlock_tests::World;

/// A verb that does something, such as `recovery new`.
pub(crate) struct Verb {
    pub(crate) name: String,
    pub(crate) flags: Vec<String>,
}

/// All verbs of the command, by its own help.
pub(crate) fn verbs(world: &World) -> Vec<Verb> {
    let mut all = Vec::new();
    collect(world, &[], &mut all);
    assert!(all.len() > 15, "the help was not understood");
    all
}

/// The flags of the command itself.
pub(crate) fn global_flags(world: &World) -> Vec<String> {
    flags(&help(world, &[]))
}

/// Whether there is the verb and every flag of a line that begins with `twinlock`; a pipe ends it.
pub(crate) fn assert_can_be_typed(line: &str, verbs: &[Verb], global: &[String]) {
    let typed = line.split(" | ").next().unwrap().strip_prefix("twinlock ").unwrap();
    let typed = typed.strip_prefix("--config ").map_or(typed, |rest| rest.split_once(' ').unwrap().1);
    let verb = verbs.iter().find(|verb| format!("{typed} ").starts_with(&format!("{} ", verb.name)));
    let verb = verb.unwrap_or_else(|| panic!("no verb in {line}"));
    for flag in typed.split(' ').filter(|word| word.starts_with("--")) {
        assert!(verb.flags.iter().chain(global).any(|known| known == flag), "{line}");
    }
}

fn collect(world: &World, verb: &[&str], all: &mut Vec<Verb>) {
    let text = help(world, verb);
    let below = section(&text, "Commands:");
    if below.is_empty() {
        all.push(Verb { name: verb.join(" "), flags: flags(&text) });
    }
    for line in below {
        // Deeper lines are the rest of a description.
        let name =
            line.strip_prefix("  ").filter(|line| !line.starts_with(' ')).and_then(|line| line.split(' ').next());
        if let Some(name) = name.filter(|name| *name != "help") {
            collect(world, &[verb, &[name]].concat(), all);
        }
    }
}

fn help(world: &World, verb: &[&str]) -> String {
    let output = world.twinlock(&[verb, &["--help"]].concat());
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    output.stdout
}

/// The flags in a help text.
pub(crate) fn flags(text: &str) -> Vec<String> {
    let words = section(text, "Options:").into_iter().map(str::trim_start).filter(|line| line.starts_with('-'));
    let flags =
        words.flat_map(|line| line.split([' ', ',']).take_while(|word| word.is_empty() || word.starts_with('-')));
    flags.filter(|word| word.starts_with("--")).map(str::to_owned).collect()
}

fn section<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = text.lines().skip_while(|line| *line != heading).skip(1);
    lines.take_while(|line| line.is_empty() || line.starts_with(' ')).collect()
}
