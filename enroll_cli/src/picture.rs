//! The QR code as a file: for its owner alone, and never over a file that is there.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use qrcode::{Color, EcLevel, QrCode, render::svg};

use crate::{failure::Failure, messages::enroll as messages};

/// Light modules around the code (ISO/IEC 18004 asks for 4).
const QUIET: usize = 4;
/// Pixels of a module in a PNG.
const SCALE: usize = 8;

/// A picture file that is removed again unless it is kept: it belongs to an enrolment that may not come about.
pub(crate) struct Picture {
    path: PathBuf,
    kept: bool,
}

impl Picture {
    /// Writes `text` as a PNG.
    pub(crate) fn png(path: &Path, text: &str) -> Result<Self, Failure> {
        Self::write(path, &png_of(&code(text)?)?)
    }

    /// Writes `text` as an SVG.
    pub(crate) fn svg(path: &Path, text: &str) -> Result<Self, Failure> {
        let drawn = code(text)?.render::<svg::Color<'_>>().min_dimensions(256, 256).build();
        Self::write(path, drawn.as_bytes())
    }

    /// The enrolment came about.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }

    fn write(path: &Path, bytes: &[u8]) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| messages::qr_code_not_written(path, &error);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        let picture = Self { path: path.to_owned(), kept: false };
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(picture)
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        if !self.kept {
            // Made by this very run a moment ago; if it cannot be removed there is nobody better to be told.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn code(text: &str) -> Result<QrCode, Failure> {
    QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| messages::qr_code_too_long())
}

fn png_of(code: &QrCode) -> Result<Vec<u8>, Failure> {
    let modules = code.to_colors();
    let rows: Vec<&[Color]> = modules.chunks(code.width()).collect();
    let side = code.width().saturating_add(2 * QUIET).saturating_mul(SCALE);
    let dark = |pixel: usize| pixel.checked_div(SCALE).and_then(|module| module.checked_sub(QUIET));
    let mut pixels = Vec::with_capacity(side.saturating_mul(side));
    for y in 0..side {
        for x in 0..side {
            let module = dark(y).and_then(|y| rows.get(y)).zip(dark(x)).and_then(|(row, x)| row.get(x));
            pixels.push(if module == Some(&Color::Dark) { 0u8 } else { 255 });
        }
    }
    let mut bytes = Vec::new();
    let edge = u32::try_from(side).map_err(|_| messages::qr_code_too_long())?;
    let mut encoder = png::Encoder::new(&mut bytes, edge, edge);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| messages::png_not_made(&error))?;
    Ok(bytes)
}
