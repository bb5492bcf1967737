//! Which format a file has, and whether it can be a start image.

use std::io::{self, BufRead, Seek};

use super::{
    HEAD_BYTES, bmp,
    foreign::foreign,
    format::{Format, Header},
    gif, jpeg, png,
    scan::{Scan, Stop},
    small, text, tiff,
    unfit::{MAX_PIXELS, Unfit},
    webp,
};

/// The format that a file's first bytes (up to [`HEAD_BYTES`]) are of.
pub fn recognise(head: &[u8]) -> Result<Format, Unfit> {
    if head.is_empty() {
        return Err(Unfit::Empty);
    }
    if head.len() >= 16 && head.iter().all(|byte| *byte == 0) {
        return Err(Unfit::Zeros);
    }
    if let Some(foreign) = foreign(head) {
        return Err(Unfit::Foreign(foreign));
    }
    let begins = |start: &[u8]| head.starts_with(start);
    if begins(b"\xFF\xD8\xFF") {
        Ok(Format::Jpeg)
    } else if begins(png::SIGNATURE) {
        Ok(Format::Png)
    } else if begins(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        Ok(Format::WebP)
    } else if [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"]
        .into_iter()
        .any(begins)
    {
        Ok(Format::Tiff)
    } else if begins(b"GIF87a") || begins(b"GIF89a") {
        Ok(Format::Gif)
    } else if begins(b"qoif") {
        Ok(Format::Qoi)
    } else if small::is_pnm(head) {
        Ok(Format::Pnm)
    } else if bmp::is_bmp(head) {
        Ok(Format::Bmp)
    } else {
        Err(text::text(head).unwrap_or(Unfit::Unknown))
    }
}

/// What a picture's header tells, if the file can be a start image.
///
/// A file whose picture ends early is none. What follows a complete picture (a video, a second picture, zeros) does not
/// matter.
///
/// # Errors
/// When `file` can't be read.
pub fn examine(file: impl BufRead + Seek) -> io::Result<Result<Header, Unfit>> {
    match header(file) {
        Ok(header) => Ok(Ok(header)),
        Err(Stop::Unfit(unfit)) => Ok(Err(unfit)),
        Err(Stop::Io(error)) => Err(error),
    }
}

fn header(file: impl BufRead + Seek) -> Result<Header, Stop> {
    let mut file = Scan::new(file)?;
    let head = file.up_to(HEAD_BYTES)?;
    let header = match recognise(&head)? {
        Format::Jpeg => jpeg::header(&mut file),
        Format::Png => png::header(&mut file),
        Format::WebP => webp::header(&mut file),
        Format::Tiff => tiff::header(&mut file),
        Format::Gif => gif::header(&mut file),
        Format::Bmp => bmp::header(&mut file),
        Format::Qoi => small::qoi(&mut file),
        Format::Pnm => small::pnm(&mut file),
    }?;
    if let Some((width, height)) = header.size
        && u64::from(width) * u64::from(height) > MAX_PIXELS
    {
        return Err(Unfit::TooManyPixels { width, height }.into());
    }
    Ok(header)
}
