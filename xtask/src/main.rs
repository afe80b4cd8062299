//! `xtask DIRECTORY`: writes the manual pages. Their text is in `docs/man`. A comment such as `<!-- verbs -->` there is replaced
//! by what the programs themselves read: options, settings, module arguments, reasons. Used at build time (`make man`); nothing
//! of it ships.

#![forbid(unsafe_code)]
#![allow(clippy::format_push_string, reason = "a few kilobytes, once in a build")]

mod options;
mod roff_page;
mod settings;

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use twinlock_core::{audit::Reason, module_arguments::ModuleArgument};

const PAGES: [(&str, &str); 4] = [
    ("twinlock.1", include_str!("../../docs/man/twinlock.1.md")),
    ("twinlock.toml.5", include_str!("../../docs/man/twinlock.toml.5.md")),
    ("pam_twinlock.8", include_str!("../../docs/man/pam_twinlock.8.md")),
    ("twinlockd.8", include_str!("../../docs/man/twinlockd.8.md")),
];

fn main() -> io::Result<()> {
    let directory = std::env::args_os().nth(1).ok_or_else(|| io::Error::other("usage: xtask DIRECTORY"))?;
    for (name, text) in PAGES {
        let page = fill_in(text).and_then(|text| roff_page::convert(name, &text));
        let page = page.map_err(|problem| io::Error::other(format!("docs/man/{name}.md: {problem}")))?;
        let path = Path::new(&directory).join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(page.as_bytes()));
        written.map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(())
}

/// The text with each comment on a line of its own replaced by the Markdown that it stands for.
fn fill_in(text: &str) -> Result<String, String> {
    let lines = text.lines().map(|line| match line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->")) {
        Some(name) => generate(name).ok_or_else(|| format!("nothing is generated for <!-- {name} -->")),
        None => Ok(line.to_owned()),
    });
    Ok(lines.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

fn generate(name: &str) -> Option<String> {
    let items = match name {
        "verbs" => return Some(options::describe_verbs()),
        "settings" => return Some(settings::describe()),
        "synopsis of the module" => {
            let arguments = ModuleArgument::ALL.map(|argument| format!("[{}]", format_argument(argument)));
            return Some(format!("**pam_twinlock.so** {}", arguments.join(" ")));
        }
        "options of every verb" => options::list_common(),
        "options of the broker" => options::list_of_broker(),
        "findings" => {
            let checks = twinlock_command::doctor_checks();
            checks.into_iter().map(|(id, about)| format_item(&format!("`{id}`"), about)).collect()
        }
        "arguments" => {
            ModuleArgument::ALL.map(|argument| format_item(&format_argument(argument), argument.help())).to_vec()
        }
        "reasons" => Reason::ALL.map(|reason| format_item(&format!("`{}`", reason.name()), reason.meaning())).to_vec(),
        _ => return None,
    };
    Some(items.join("\n"))
}

/// An argument of the module, its value in italics.
fn format_argument(argument: ModuleArgument) -> String {
    match argument.spelling().split_once('=') {
        Some((name, value)) => format!("`{name}=`*{value}*"),
        None => format!("`{}`", argument.spelling()),
    }
}

/// An item of a definition list in Markdown.
fn format_item(term: &str, text: &str) -> String {
    format!("{term}\n: {text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_for_which_nothing_is_generated_is_an_error() {
        assert_eq!(fill_in("a\n<!-- b -->"), Err("nothing is generated for <!-- b -->".to_owned()));
        assert!(fill_in("a\n<!-- reasons -->\nb").is_ok_and(|text| text.starts_with("a\n`wrong-code`\n: ")));
    }
}
