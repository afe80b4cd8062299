//! Verbs and options as Markdown, from the definitions by which clap parses them.

use clap::{Arg, Command, CommandFactory, builder::StyledStr};

use crate::format_item;

#[allow(dead_code, reason = "the page describes these options and takes none of them")]
#[path = "../../broker/src/cli.rs"]
mod broker_cli;

/// Every verb of the command: what it does, and its options.
pub(crate) fn describe_verbs() -> String {
    let cli = command();
    visible_verbs(&cli).map(|verb| describe_verb(verb, "twinlock")).collect()
}

/// The options that the command takes before or after any verb.
pub(crate) fn list_common() -> Vec<String> {
    visible_arguments(&command()).map(format_argument_item).collect()
}

/// The options of the broker.
pub(crate) fn list_of_broker() -> Vec<String> {
    let mut command = broker_cli::BrokerCli::command();
    command.build();
    visible_arguments(&command).map(format_argument_item).collect()
}

fn command() -> Command {
    let mut cli = twinlock_command::definition();
    cli.build();
    cli
}

fn visible_verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help")
}

fn visible_arguments(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|argument| !argument.is_hide_set())
}

fn describe_verb(verb: &Command, above: &str) -> String {
    let mut heading = format!("{above} {}", verb.get_name());
    if verb.has_subcommands() {
        return visible_verbs(verb).map(|below| describe_verb(below, &heading)).collect();
    }
    let is_own =
        |argument: &&Arg| !argument.is_global_set() && argument.get_id() != "help" && argument.get_id() != "version";
    let (positions, options): (Vec<_>, Vec<_>) =
        visible_arguments(verb).filter(is_own).partition(|argument| argument.is_positional());
    heading += &positions_in_usage(verb);
    if !options.is_empty() {
        heading += " [OPTION...]";
    }
    let about = verb.get_about().map(join_lines).unwrap_or_default();
    let items = positions.into_iter().chain(options).map(format_argument_item).collect::<Vec<_>>().join("\n");
    format!("### {heading}\n\n{about}.\n\n{items}\n")
}

/// The positions as the usage line has them, which a verb may override.
fn positions_in_usage(verb: &Command) -> String {
    let usage = verb.clone().render_usage().to_string();
    let words = usage.split_whitespace().filter(|word| word.starts_with(['<', '[']) && *word != "[OPTIONS]");
    words.flat_map(|word| [" ".into(), word.replace(['<', '>'], "")]).collect()
}

fn format_argument_item(argument: &Arg) -> String {
    let values: Vec<_> = argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect();
    let takes_values = argument.get_action().takes_values();
    let mut text = argument.get_help().map(join_lines).unwrap_or_default();
    let are_described = values.iter().any(|value| value.get_help().is_some());
    if takes_values && !values.is_empty() && !are_described {
        let names: Vec<_> = values.iter().map(|value| format!("`{}`", value.get_name())).collect();
        text += &format!(": {}", names.join(", "));
    }
    if takes_values && !argument.is_hide_default_value_set() && !argument.get_default_values().is_empty() {
        let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        text += &format!(" (default: {})", defaults.join(" "));
    }
    let mut item = format_item(&format_argument(argument), &format!("{text}."));
    for value in values.iter().filter(|_| takes_values && are_described) {
        let about = value.get_help().map(join_lines).unwrap_or_default();
        item += &format!("\n  `{}`\n  : {about}.\n", value.get_name());
    }
    item
}

/// An argument as it is typed.
fn format_argument(argument: &Arg) -> String {
    if argument.is_positional() {
        return format!("*{}*", format_value_name(argument));
    }
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let value = if argument.get_action().takes_values() {
        format!(" *{}*", format_value_name(argument))
    } else {
        String::new()
    };
    format!("{short}`--{}`{value}", argument.get_long().unwrap_or_default())
}

fn format_value_name(argument: &Arg) -> String {
    let names: Vec<_> = argument.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
    let is_optional = !argument.is_positional() && argument.get_num_args().is_some_and(|range| range.min_values() == 0);
    if is_optional { format!("[{}]", names.join(" ")) } else { names.join(" ") }
}

fn join_lines(text: &StyledStr) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
