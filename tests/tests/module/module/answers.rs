//! Odd answers (R0 in SECURITY.md): each denies, in one prompt, and what is no code costs nothing.

use twinlock_tests::{Give, PamCode, Setup, State, User};

use crate::module::end::{granted, granted_by_recovery, login, refused, refused_by, run};

fn bytes(answer: impl AsRef<[u8]>) -> Give {
    Give::Bytes(answer.as_ref().to_vec())
}

/// Each is refused with this code for this reason, after one prompt, and leaves the state as it was.
fn each_is_free(alice: &User<'_>, gives: impl IntoIterator<Item = Give>, code: PamCode, reason: &str) {
    let state = alice.state_bytes();
    for give in gives {
        let (outcome, end) = run(alice.world, alice.attempt().give(give.clone()));
        assert_eq!(outcome.signal(), None, "{give:?}");
        let expected = refused(code, reason);
        assert!(end.code == expected.code && end.log.starts_with(&expected.log), "{give:?}: {end:?}");
        assert_eq!(outcome.messages.len(), 1, "G21: {give:?}");
    }
    assert_eq!(alice.state_bytes(), state);
}

#[test]
fn a_conversation_without_an_answer_is_refused_as_such() {
    Setup::new().enrolled(|alice| {
        let gives = [Give::NullArray, Give::NullText, Give::ConvErr, Give::Code(-1), Give::Code(4711), Give::Code(25)];
        each_is_free(alice, gives, PamCode::ConvErr, "no-answer");
    });
}

#[test]
fn a_conversation_that_wants_to_be_asked_again_is_incomplete() {
    Setup::new().enrolled(|alice| {
        each_is_free(alice, [Give::Code(PamCode::ConvAgain.into())], PamCode::Incomplete, "no-answer");
    });
}

#[test]
fn a_conversation_without_memory_says_so() {
    Setup::new()
        .enrolled(|alice| each_is_free(alice, [Give::Code(PamCode::BufErr.into())], PamCode::BufErr, "no-answer"));
}

#[test]
fn answers_of_every_wrong_length_are_junk() {
    Setup::new().enrolled(|alice| {
        let lengths = [0, 1, 2, 5, 9, 10, 11, 15, 17, 127, 128, 129, 512, 513, 65_536, 200_000];
        each_is_free(alice, lengths.map(|length| Give::Huge { length, byte: b'7' }), PamCode::AuthErr, "junk");
    });
}

#[test]
fn an_answer_of_16_mib_is_junk() {
    Setup::new().enrolled(|alice| {
        let huge = [Give::Huge { length: 16 << 20, byte: b'7' }, Give::Huge { length: 16 << 20, byte: 0xff }];
        each_is_free(alice, huge, PamCode::AuthErr, "junk");
    });
}

#[test]
fn what_is_no_digit_is_not_read_as_one() {
    Setup::new().enrolled(|alice| {
        let near: [&[u8]; 26] = [
            b"+12345",
            b"+123456",
            b"0x1234",
            b"1e5",
            b"12345.",
            b"123,456",
            b"123.456",
            b"123_456",
            b"%31%32%33456",
            b"123456\n",
            b"123456\r\n",
            b"\n123456",
            b"123456\x0b",
            b"123456\x7f",
            b"\xff\xfe12345",
            b"12345\xe9",
            b"\xc0\xb123456",
            "１２３４５６".as_bytes(),
            "12345６".as_bytes(),
            "١٢٣٤٥٦".as_bytes(),
            "१२३४५६".as_bytes(),
            "123\u{a0}456".as_bytes(),
            "123\u{200b}456".as_bytes(),
            "\u{feff}123456".as_bytes(),
            "123\u{2013}456".as_bytes(),
            "correct horse battery".as_bytes(),
        ];
        each_is_free(alice, near.map(bytes), PamCode::AuthErr, "junk");
    });
}

#[test]
fn what_sshd_sends_for_who_may_not_log_in_is_free_at_every_length() {
    Setup::new().enrolled(|alice| {
        let dummy = b"\x08\n\r\x7fINCORRECT\x08\n\r\x7fINCORRECT";
        let cut = (1..=dummy.len()).map(|length| bytes(&dummy[..length]));
        each_is_free(alice, cut, PamCode::AuthErr, "junk");
        let lines = alice.world.log();
        let explained = lines.iter().filter(|line| line.text.contains("detail=\"sshd replaced the answer")).count();
        assert_eq!(explained, dummy.len(), "H04: the log says what it means");
    });
}

#[test]
fn an_answer_ends_at_its_nul() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        let with_tail = [code.as_bytes(), b"\0garbage"].concat();
        let (_, end) = run(alice.world, alice.attempt().give(bytes(with_tail)));
        assert_eq!(end, granted(), "a C string ends there for every module");
        each_is_free(alice, [bytes(b"\x00123456"), bytes(b"123\x00456")], PamCode::AuthErr, "junk");
    });
}

#[test]
fn a_right_code_is_right_however_it_is_spaced() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        let (one, two) = code.split_at(3);
        let spellings = [
            format!(" {code}"),
            format!("{code} "),
            format!("{one} {two}"),
            format!("{one}-{two}"),
            format!("\t{one}\t{two}\t"),
            format!("--{one} - {two}--"),
        ];
        for spelling in spellings {
            alice.state().write(alice.world);
            assert_eq!(login(alice, &[&spelling]), granted(), "{spelling:?}");
        }
    });
}

#[test]
fn a_used_code_is_refused_in_every_spelling() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        let (one, two) = code.split_at(3);
        assert_eq!(login(alice, &[&code]), granted());
        let used = State::of("alice").number("authenticator.last_step");
        let spaces = ["", " ", "  ", "\t", "-", "--", " - "];
        let around = spaces.iter().flat_map(|a| spaces.iter().map(move |b| (*a, *b)));
        let spellings = around.flat_map(|(a, b)| [format!("{a}{one}{b}{two}"), format!("{one}{a}{two}{b}")]);
        for spelling in spellings {
            alice.state().used(used).write(alice.world);
            assert_eq!(
                login(alice, &[&spelling]),
                refused_by("totp", "0", PamCode::AuthErr, "replayed"),
                "B03: {spelling:?}"
            );
        }
        let wide: String =
            code.chars().map(|digit| char::from_u32(u32::from(digit) - 0x30 + 0xff10).unwrap()).collect();
        let arabic: String =
            code.chars().map(|digit| char::from_u32(u32::from(digit) - 0x30 + 0x660).unwrap()).collect();
        let escaped = format!("%20{code}");
        let folded = [
            format!("{one}\u{a0}{two}"),
            format!("{one}\u{200d}{two}"),
            wide,
            arabic,
            format!("+{code}"),
            escaped,
            format!("{code}\n"),
            format!("000{code}"),
        ];
        alice.state().used(used).write(alice.world);
        each_is_free(alice, folded.map(bytes), PamCode::AuthErr, "junk");
        for zeroed in [format!("0{code}"), format!("00{code}")] {
            alice.state().used(used).write(alice.world);
            assert_eq!(login(alice, &[&zeroed]), refused_by("totp", "1", PamCode::AuthErr, "wrong-code"), "{zeroed}");
        }
    });
}

#[test]
fn a_code_of_seven_or_eight_digits_is_not_cut_to_six() {
    Setup::new().enrolled(|alice| {
        let code = alice.codes().next();
        for (typed, failures) in [(format!("{code}0"), "1"), (format!("{code}00"), "2")] {
            assert_eq!(login(alice, &[&typed]), refused_by("totp", failures, PamCode::AuthErr, "wrong-code"));
        }
    });
}

#[test]
fn a_recovery_code_is_right_however_it_is_spaced() {
    Setup::new().enrolled(|alice| {
        let spaced = alice.recovery_code(0).replace('-', " - ");
        assert_eq!(login(alice, &[&format!("\t{spaced} ")]), granted_by_recovery());
    });
}
