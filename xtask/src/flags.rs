//! What clap knows of an argument, as a manual page says it.

use clap::{Arg, builder::StyledStr};
use roff::{Inline, bold, italic, roman};

/// As it is typed.
pub(crate) fn spelled(argument: &Arg) -> Vec<Inline> {
    if argument.is_positional() {
        return vec![italic(value_name(argument))];
    }
    let short = argument.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
    let mut term = vec![bold(format!("{short}--{}", argument.get_long().unwrap_or_default()))];
    if argument.get_action().takes_values() {
        term.extend([roman(" "), italic(value_name(argument))]);
    }
    term
}

/// What stands for its value.
pub(crate) fn value_name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let is_optional = !argument.is_positional() && argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    if is_optional { format!("[{names}]") } else { names }
}

/// The help, with the default and the values that need no words of their own.
pub(crate) fn help(argument: &Arg) -> String {
    let mut text = argument.get_help().map(plain).unwrap_or_default();
    if !argument.get_action().takes_values() {
        return text + ".";
    }
    let values: Vec<_> = argument.get_possible_values();
    if !values.is_empty() && values.iter().all(|value| value.get_help().is_none()) {
        let names: Vec<_> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        text = text + ": " + &names.join(", ");
    }
    if !argument.is_hide_default_value_set() && !argument.get_default_values().is_empty() {
        let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        text = format!("{text} (default: {})", defaults.join(" "));
    }
    text + "."
}

/// A help text on one line.
pub(crate) fn plain(text: &StyledStr) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
