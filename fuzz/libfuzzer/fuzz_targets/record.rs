#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = twinlock_fuzz::record::check(bytes);
});
