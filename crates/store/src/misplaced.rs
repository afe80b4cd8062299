//! Settings of the configuration that are in the wrong table: where they belong.

use crate::messages;

/// The settings of each table; those outside of all tables first, so that they win over a rule's.
const TABLES: [(&str, &[&str]); 7] = [
    ("", &["second_factor", "prompt", "echo", "fail_delay", "issuer", "help", "language", "qr"]),
    ("[store]", &["directory", "key_file"]),
    ("[throttle]", &["free_failures", "budget", "spacing", "disable_after"]),
    ("[self_service]", &["first_enrollment", "allow"]),
    ("[helpdesk]", &["group", "protected_groups"]),
    ("[notify]", &["mail", "sendmail"]),
    ("[[rule]]", &["name", "services", "users", "groups", "from", "key_types", "until", "second_factor", "remember"]),
];

/// What to say of the unknown key at `offset`, if another table has it.
pub(crate) fn explain(text: &str, offset: usize) -> Option<String> {
    let rest = text.get(offset..)?;
    let key = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next()?;
    let (table, _) = TABLES.iter().find(|(_, keys)| keys.contains(&key))?;
    let before = text.get(..offset)?;
    let place = match *table {
        "" => messages::above_all_tables(first_header(before)),
        "[[rule]]" => messages::IN_A_RULE.to_owned(),
        table => messages::in_table(table, headers(text).find(|(_, header)| *header == table).map(|(line, _)| line)),
    };
    Some(messages::misplaced_key(key, &place))
}

fn first_header(text: &str) -> Option<(usize, &str)> {
    headers(text).next()
}

/// The headers of tables with their lines, from 1. No setting has a value with a line that begins so.
fn headers(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(str::trim)).filter_map(|(line, text)| {
        let end = text.rfind(']').filter(|_| text.starts_with('['))?;
        Some((line, text.get(..=end)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const SHIPPED: &str = include_str!("../../../config/config.toml");

    /// The settings of the shipped file, each with its table; those of rules are in its list of conditions.
    fn shipped() -> Vec<(&'static str, String)> {
        let mut table = "";
        let mut found = Vec::new();
        let is_key = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        for line in SHIPPED.lines() {
            if line.starts_with('[') {
                table = line;
            } else if line.starts_with("# Rules: ") {
                table = "[[rule]]";
            } else if let Some((key, _)) =
                line.strip_prefix('#').and_then(|line| line.split_once(" = ")).filter(|(key, _)| is_key(key))
            {
                found.push((table, key.to_owned()));
            } else if table == "[[rule]]"
                && let Some((key, _)) =
                    line.strip_prefix("# ").and_then(|line| line.split_once("  ")).filter(|(key, _)| is_key(key))
            {
                found.push((table, key.to_owned()));
            } else if table == "[[rule]]" && line.starts_with("# second_factor  ") {
                found.push((table, "second_factor".to_owned()));
            }
        }
        found
    }

    #[test]
    fn the_settings_of_each_table_are_those_of_the_shipped_file() {
        for (table, keys) in TABLES {
            let shipped = shipped();
            let of_table: Vec<_> = shipped.iter().filter(|(of, _)| *of == table).map(|(_, key)| key.as_str()).collect();
            let sorted = |mut keys: Vec<&str>| {
                keys.sort_unstable();
                keys.dedup();
                keys.join(" ")
            };
            assert_eq!(sorted(of_table), sorted(keys.to_vec()), "{table}");
        }
    }

    #[test]
    fn a_setting_in_a_wrong_table_is_told_where_it_belongs() {
        let mut tried = 0;
        for (belongs, key) in shipped() {
            for (wrong, keys) in TABLES {
                if keys.contains(&key.as_str()) {
                    continue;
                }
                // What the wrong table needs comes first, and the tables of the shipped file are all there.
                let (line, text) = match wrong {
                    "" => (1, format!("{key} = 1\n{SHIPPED}")),
                    "[[rule]]" => {
                        let lines = SHIPPED.lines().count() + 3;
                        (lines, format!("{SHIPPED}[[rule]]\nsecond_factor = \"required\"\n{key} = 1\n"))
                    }
                    wrong => {
                        let header = format!("\n{wrong}\n");
                        let at = SHIPPED.find(&header).unwrap() + header.len();
                        let (before, after) = SHIPPED.split_at(at);
                        (before.lines().count() + 1, format!("{before}{key} = 1\n{after}"))
                    }
                };
                let header = |wanted: &str| text.lines().position(|line| line == wanted).unwrap() + 1;
                let place = match belongs {
                    _ if key == "second_factor" => format!("above `[store]` (line {})", header("[store]")),
                    "" => format!("above `[store]` (line {})", header("[store]")),
                    "[[rule]]" => "in a `[[rule]]`".to_owned(),
                    table => format!("in `{table}` (line {})", header(table)),
                };
                let told = Config::parse(text.as_bytes()).unwrap_err().to_string();
                assert_eq!(told, format!("{line}:1: unknown key here: `{key}` belongs {place}"), "{key} in {wrong:?}");
                tried += 1;
            }
        }
        assert!(tried >= 100, "{tried}");
    }

    #[test]
    fn the_edit_of_an_emergency_is_told_where_it_belongs() {
        let line = SHIPPED.lines().position(|line| line == "[store]").unwrap() + 1;
        let told = Config::parse(format!("{SHIPPED}second_factor = \"skip\"\n").as_bytes()).unwrap_err().to_string();
        assert!(
            told.ends_with(&format!(":1: unknown key here: `second_factor` belongs above `[store]` (line {line})")),
            "{told}"
        );
    }

    #[test]
    fn a_file_without_the_table_or_without_any_is_told_as_well() {
        for (text, told) in [
            (
                "budget = 1",
                "1:1: unknown key here: `budget` belongs in `[throttle]`, which this file does not have yet",
            ),
            ("store.prompt = \"?\"", "1:7: unknown key here: `prompt` belongs outside of all tables"),
            (
                "notify = { budget = 1 }",
                "1:12: unknown key here: `budget` belongs in `[throttle]`, which this file does not have yet",
            ),
            (" [ store ] # here\nprompt = \"?\"", "2:1: unknown key here: `prompt` belongs above `[ store ]` (line 1)"),
            ("[store]\n\"prompt\" = 1", "2:1: unknown key `prompt`; known keys: `directory`, `key_file`"),
            ("[store]\nprompts = 1", "2:1: unknown key `prompts`; known keys: `directory`, `key_file`"),
        ] {
            assert_eq!(Config::parse(text.as_bytes()).unwrap_err().to_string(), told, "{text}");
        }
    }
}
