//! Characters that are not what they seem: those that nobody sees, and those that change how others are seen.

/// Ranges of characters that show nothing of their own or change what is shown around them, in order: the general
/// categories Cf, Zl and Zp, and the property `Default_Ignorable_Code_Point` (bidirectional controls, joiners, variation
/// selectors, fillers, tags), of Unicode 16.0; and the braille pattern blank. Control characters (Cc) are not among them.
const HIDDEN: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character shows nothing of its own, or changes what is shown around it.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    let at = HIDDEN.partition_point(|(_, last)| *last < c);
    HIDDEN.get(at).is_some_and(|(first, _)| *first <= c)
}

/// Whether two texts look alike: they are the same without hidden characters and white space, in lower case.
///
/// Letters of different scripts that have one shape are told apart: nearly all of Latin, Greek and Cyrillic would be alike
/// otherwise.
#[must_use]
pub fn look_alike(one: &str, other: &str) -> bool {
    fn seen(text: &str) -> impl Iterator<Item = char> {
        text.chars().filter(|c| !is_hidden(*c) && !c.is_whitespace()).flat_map(char::to_lowercase)
    }
    seen(one).eq(seen(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_hidden_and_what_is_seen_is_not() {
        for hidden in
            "\u{ad}\u{34f}\u{61c}\u{180e}\u{200b}\u{200d}\u{202e}\u{2066}\u{3164}\u{fe0f}\u{feff}\u{e0041}\u{e0100}"
                .chars()
        {
            assert!(is_hidden(hidden), "{hidden:?}");
        }
        for seen in "a 0-é\u{301}ßЖשع中📱½\u{ac}\u{ae}\u{200a}\u{2010}\u{2070}\u{3165}\u{fdff}\u{fe10}\u{e1000}".chars()
        {
            assert!(!is_hidden(seen), "{seen:?}");
        }
    }

    #[test]
    fn the_ranges_are_in_order_and_apart() {
        assert!(HIDDEN.iter().all(|(first, last)| first <= last));
        assert!(HIDDEN.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn texts_that_differ_in_what_is_not_seen_look_alike() {
        for alike in ["phone", "Phone", "PHONE", " p h o n e ", "pho\u{200b}ne", "\u{202e}phone", "pho\u{a0}ne"] {
            assert!(look_alike("phone", alike), "{alike:?}");
        }
        for other in ["phone-2", "phon", "phone2", "ph\u{f6}ne", "ph\u{43e}ne", ""] {
            assert!(!look_alike("phone", other), "{other:?}");
        }
        assert!(look_alike("ÄÖ", "äö"));
    }
}
