//! What a file's bytes say of a picture: formats, other things by their real names, and where a picture ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, io::Cursor, path::Path};

use framepack_jobs::picture::{self, Alpha, Format, Header, Unfit, examine, recognise};

fn look(bytes: &[u8]) -> Result<Header, Unfit> {
    examine(Cursor::new(bytes)).unwrap()
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/pictures");
    fs::read(folder.join(name)).unwrap()
}

/// A file of an ISO container with these brands.
fn container(brands: &[u8]) -> Vec<u8> {
    let len = (brands.len() as u32 + 8).to_be_bytes();
    [&len[..], b"ftyp", brands, &[0; 40]].concat()
}

/// A little-endian TIFF with one directory of these entries: tag, type, value.
fn tiff(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn what_is_not_read_is_called_by_its_name_with_a_way_out() {
    let at = |place: usize, magic: &[u8]| [&vec![1; place][..], magic].concat();
    let cases: Vec<(Vec<u8>, &str, &str, &str)> = vec![
        (
            container(b"heic\0\0\0\0mif1heic"),
            "HEIC",
            "FP2004",
            "heif-convert",
        ),
        (
            container(b"mif1\0\0\0\0mif1avif"),
            "AVIF",
            "FP2004",
            "avifdec",
        ),
        (
            container(b"avif\0\0\0\0avifmif1"),
            "AVIF",
            "FP2004",
            "avifdec",
        ),
        (
            container(b"crx \0\0\0\0crx isom"),
            "CR3",
            "FP2004",
            "darktable-cli",
        ),
        (
            container(b"isom\0\0\0\0isomavc1"),
            "MP4",
            "FP2007",
            "ffmpeg",
        ),
        (
            container(b"qt  \0\0\0\0qt  "),
            "QuickTime",
            "FP2007",
            "ffmpeg",
        ),
        (
            b"\0\0\0\x08wide\0\0\0\0mdat".to_vec(),
            "QuickTime",
            "FP2007",
            "ffmpeg",
        ),
        (
            b"\x1A\x45\xDF\xA3\x9F\x42\x86\x81".to_vec(),
            "WebM",
            "FP2007",
            "ffmpeg",
        ),
        (
            b"\xFF\x0A\xFA\x1F\x01".to_vec(),
            "JPEG XL",
            "FP2004",
            "djxl",
        ),
        (
            b"\0\0\0\x0CJXL \r\n\x87\n".to_vec(),
            "JPEG XL",
            "FP2004",
            "djxl",
        ),
        (
            b"\0\0\0\x0CjP  \r\n\x87\n".to_vec(),
            "JPEG 2000",
            "FP2004",
            "magick",
        ),
        (b"8BPS\0\x01".to_vec(), "Photoshop", "FP2004", "magick"),
        (
            b"\x76\x2F\x31\x01\x02".to_vec(),
            "OpenEXR",
            "FP2004",
            "magick",
        ),
        (b"#?RADIANCE\n".to_vec(), "Radiance", "FP2004", "magick"),
        (b"\0\0\x01\0\x02\0".to_vec(), "icon", "FP2004", "magick"),
        (
            b"II*\0\x10\0\0\0CR\x02\0".to_vec(),
            "CR2",
            "FP2004",
            "darktable-cli",
        ),
        (
            b"FUJIFILMCCD-RAW 0201".to_vec(),
            "RAF",
            "FP2004",
            "darktable-cli",
        ),
        (
            tiff(&[(254, 4, 1), (330, 4, 99)]),
            "NEF",
            "FP2004",
            "darktable-cli",
        ),
        (tiff(&[(262, 3, 32803)]), "NEF", "FP2004", "darktable-cli"),
        (
            tiff(&[(254, 4, 1), (50706, 1, 0x401)]),
            "DNG",
            "FP2004",
            "darktable-cli",
        ),
        (at(128, b"DICM"), "DICOM", "FP2004", "magick"),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            "SVG",
            "FP2004",
            "rsvg-convert",
        ),
        (
            b"<?xml version='1.0'?>\n<!-- x --><svg/>".to_vec(),
            "SVG",
            "FP2004",
            "rsvg-convert",
        ),
        (
            b"\xEF\xBB\xBF \n<!DOCTYPE html><title>404".to_vec(),
            "web page",
            "FP2007",
            "download",
        ),
        (
            b"<HTML><BODY>Sign in".to_vec(),
            "web page",
            "FP2007",
            "download",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "git-lfs",
            "FP2007",
            "git lfs pull",
        ),
        (
            b"data:image/png;base64,iVBORw0KGgo".to_vec(),
            "base64",
            "FP2007",
            "base64 -d",
        ),
        (
            b"/9j/4AAQSkZJRgABAQ".to_vec(),
            "base64",
            "FP2007",
            "base64 -d",
        ),
        (
            b"bplist00\xD1".to_vec(),
            "placeholder",
            "FP2007",
            "download",
        ),
        (
            b"[InternetShortcut]\r\nURL=https://a".to_vec(),
            "shortcut",
            "FP2007",
            "download",
        ),
        (b"%PDF-1.7\n".to_vec(), "PDF", "FP2007", "pdftoppm"),
        (b"PK\x03\x04\x14\0".to_vec(), "zip", "FP2007", "unpack"),
        (
            b"\0\x05\x16\x07\0\x02".to_vec(),
            "AppleDouble",
            "FP2007",
            "._",
        ),
        (
            b"a cat jumps\n".to_vec(),
            "text",
            "FP2007",
            "picture itself",
        ),
        (
            "eine Katze springt über".as_bytes().to_vec(),
            "text",
            "FP2007",
            "picture itself",
        ),
        (b"".to_vec(), "empty", "FP2008", "again"),
        (vec![0; 4096], "zero bytes", "FP2006", "again"),
        (
            b"\x89PNG\n\x1a\n\0\0\0\rIHDR".to_vec(),
            "transfer as text",
            "FP2006",
            "binary",
        ),
        (
            b"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\0\x10JFIF".to_vec(),
            "transfer as text",
            "FP2006",
            "binary",
        ),
        (
            b"\x93NUMPY\x01\0v\0".to_vec(),
            "known format",
            "FP2004",
            "convert",
        ),
        (tiff(&[(339, 3, 3)]), "floating-point", "FP2006", "magick"),
        (b"\xD7\xCD\xC6\x9A\0\0".to_vec(), "WMF", "FP2004", "magick"),
        (
            [b"\x01\0\0\0", &[7; 36][..], b" EMF"].concat(),
            "EMF",
            "FP2004",
            "inkscape",
        ),
        (
            b"\0\0\x02\0\x03\0\x10\x10\0\0\0\0".to_vec(),
            "cursor",
            "FP2004",
            "magick",
        ),
        (
            b"\0\0\x02\0\0\0\0\0\0\0\0\0\0\x01\0\x01\x18\0pixels".to_vec(),
            "TGA",
            "FP2004",
            "magick",
        ),
        (
            container(b"M4A \0\0\0\0M4A mp42"),
            "sound",
            "FP2007",
            "picture",
        ),
        (b"BZh91AY&SY\0".to_vec(), "bzip2", "FP2007", "unpack"),
        (b"\x7FELF\x02".to_vec(), "program", "FP2007", "itself"),
        (b"MZ\x90\0".to_vec(), "program", "FP2007", "itself"),
        (
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>".to_vec(),
            "error message of a server",
            "FP2007",
            "download",
        ),
        (
            b"/annex/objects/SHA256E-s123--abc.png\n".to_vec(),
            "git-annex",
            "FP2007",
            "git annex get",
        ),
    ];
    for (bytes, name, code, hint) in cases {
        let unfit = look(&bytes).unwrap_err();
        let said = unfit.to_string();
        assert!(said.contains(name), "{name}: {said}");
        assert_eq!(unfit.code().as_str(), code, "{name}");
        let advice = unfit.hint().unwrap_or(unfit.code().hint());
        assert!(advice.contains(hint), "{name}: {advice}");
    }
}

#[test]
fn headers_tell_size_transparency_and_more_pictures() {
    let cases = [
        ("jpeg-progressive.jpg", Format::Jpeg, Alpha::None, false),
        ("jpeg-restarts.jpg", Format::Jpeg, Alpha::None, false),
        ("jpeg-cmyk.jpg", Format::Jpeg, Alpha::None, false),
        ("jpeg-two-pictures.jpg", Format::Jpeg, Alpha::None, false),
        ("png-alpha.png", Format::Png, Alpha::Straight, false),
        ("png-grey-alpha.png", Format::Png, Alpha::Straight, false),
        ("png-palette.png", Format::Png, Alpha::None, false),
        (
            "png-palette-transparent.png",
            Format::Png,
            Alpha::Straight,
            false,
        ),
        ("png-animated.png", Format::Png, Alpha::None, true),
        ("webp-alpha.webp", Format::WebP, Alpha::Straight, false),
        ("webp-animated.webp", Format::WebP, Alpha::None, true),
        ("tiff-alpha.tif", Format::Tiff, Alpha::Straight, false),
        ("tiff-palette.tif", Format::Tiff, Alpha::None, false),
        ("tiff-pages.tif", Format::Tiff, Alpha::None, true),
        ("gif-palette.gif", Format::Gif, Alpha::None, false),
        ("gif-transparent.gif", Format::Gif, Alpha::Straight, false),
        ("gif-animated.gif", Format::Gif, Alpha::None, true),
        ("bmp-24.bmp", Format::Bmp, Alpha::None, false),
        ("qoi.qoi", Format::Qoi, Alpha::None, false),
    ];
    for (name, format, alpha, has_more) in cases {
        let header = look(&fixture(name)).unwrap_or_else(|unfit| panic!("{name} {unfit}"));
        let size = Some((24, 16));
        let expected = Header {
            format,
            size,
            alpha,
            has_more,
        };
        assert_eq!(header, expected, "{name}");
    }
    for name in ["pnm-bits.pbm", "pnm-grey.pgm"] {
        let pnm = look(&fixture(name)).unwrap();
        assert_eq!((pnm.format, pnm.size), (Format::Pnm, Some((24, 16))));
    }
    let pam = b"P7\n# a comment\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n12345678";
    let pam = look(pam).unwrap();
    assert_eq!((pam.alpha, pam.size), (Alpha::Straight, Some((2, 1))));
    assert_eq!(
        look(b"P6 # so\n2 1 255\n123456").unwrap().size,
        Some((2, 1))
    );
    // A frame that is smaller than its picture leaves the rest transparent.
    let mut gif = fixture("gif-palette.gif");
    gif[6] = 40;
    assert_eq!(look(&gif).unwrap().alpha, Alpha::Straight);
    // The reserved bytes of a bitmap are of no use.
    let mut bmp = fixture("bmp-24.bmp");
    bmp[6..10].copy_from_slice(&[1, 2, 3, 4]);
    assert!(look(&bmp).is_ok());
}

/// The same TIFF with places and counts of eight bytes; its values fit into their entries.
fn as_big(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
    bytes.extend((entries.len() as u64).to_le_bytes());
    for (tag, kind, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(u64::from(*value).to_le_bytes());
    }
    bytes.extend([0; 8]);
    bytes
}

#[test]
fn tiffs_are_read_or_refused_by_what_their_directory_says() {
    let plain = |changes: &[(u16, u32)]| {
        let mut entries = vec![
            (256_u16, 3_u16, 4_u32),
            (257, 3, 1),
            (258, 3, 8),
            (259, 3, 1),
            (262, 3, 2),
            (273, 4, 8),
            (277, 3, 3),
            (279, 4, 12),
        ];
        for (tag, value) in changes {
            entries.retain(|(known, ..)| known != tag);
            entries.push((*tag, 3, *value));
        }
        entries.sort_unstable();
        entries
    };
    let read: [&[(u16, u32)]; 8] = [
        &[],
        &[(258, 16)],
        &[(259, 50000)],
        &[(262, 1), (277, 1), (258, 1), (259, 4)],
        &[(262, 3), (277, 1), (258, 4)],
        &[(262, 5), (277, 4)],
        &[(262, 6), (259, 7)],
        &[(277, 4), (338, 2)],
    ];
    for changes in read {
        for bytes in [tiff(&plain(changes)), as_big(&plain(changes))] {
            let header = look(&bytes).unwrap_or_else(|unfit| panic!("{changes:?} {unfit}"));
            let is_transparent = changes.contains(&(338, 2));
            assert_eq!(header.alpha == Alpha::Straight, is_transparent);
            assert_eq!(header.size, Some((4, 1)));
        }
    }
    let refused: [(&[(u16, u32)], &str); 16] = [
        (&[(259, 34925)], "LZMA"),
        (&[(259, 3)], "CCITT G3"),
        (&[(259, 2)], "CCITT RLE"),
        (&[(259, 6)], "old-style JPEG"),
        (&[(259, 34887)], "LERC"),
        (&[(259, 77)], "unknown compression"),
        (&[(262, 6)], "YCbCr"),
        (&[(262, 8)], "CIELab"),
        (&[(262, 9)], "CIELab"),
        (&[(262, 77)], "unknown kind"),
        (&[(262, 1), (277, 1), (258, 32)], "32 or 64 bits"),
        (&[(262, 1), (277, 1), (258, 4)], "2 or 4 bits"),
        (&[(262, 1), (277, 2), (338, 2)], "opacity"),
        (&[(262, 5), (277, 5), (338, 2)], "additional channels"),
        (&[(258, 32)], "neither 8 nor 16 bits"),
        (&[(317, 3)], "predictor"),
    ];
    for (changes, name) in refused {
        for bytes in [tiff(&plain(changes)), as_big(&plain(changes))] {
            let unfit = look(&bytes).unwrap_err();
            assert!(unfit.to_string().contains(name), "{name}: {unfit}");
            assert!(unfit.hint().unwrap().contains("magick"), "{name}");
        }
    }
    for empty in [tiff(&[]), as_big(&[])] {
        let unfit = look(&empty).unwrap_err();
        assert!(unfit.to_string().contains("has no picture"), "{unfit}");
    }
    // What it says of its pixels is all that a TIFF with a palette is changed in.
    for bytes in [
        tiff(&plain(&[(262, 3), (277, 1)])),
        as_big(&plain(&[(262, 3), (277, 1)])),
    ] {
        let greys = picture::tiff_palette_as_greys(&bytes).unwrap();
        let changed: Vec<_> = bytes.iter().zip(&greys).filter(|(a, b)| a != b).collect();
        assert_eq!(changed, [(&3, &1)]);
        assert_eq!(picture::tiff_palette_as_greys(&greys), None);
    }
}

#[test]
fn a_png_gets_the_end_that_it_lacks() {
    let whole = fixture("png-palette.png");
    assert_eq!(picture::png_with_end(&whole), None);
    for cut in [12, 8, 4, 1] {
        let cut = &whole[..whole.len() - cut];
        assert!(look(cut).is_ok());
        assert_eq!(picture::png_with_end(cut).as_ref(), Some(&whole));
    }
    let zeros = [&whole[..whole.len() - 12], &[0; 5]].concat();
    assert_eq!(picture::png_with_end(&zeros), Some(whole));
}

#[test]
fn pixel_maps_are_measured_by_their_headers() {
    let large = look(b"P6 90000 90000 255\n").unwrap_err();
    assert_eq!(large.code().as_str(), "FP2005");
    for cut in [
        &b"P6\n256 256\n255\nabc"[..],
        b"P5 4 4 65535 0123456789abcdef",
        b"P4 9 2 abc",
        b"P3 1 1 255 1 2",
        b"P1 2 2 01",
        b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 3\nMAXVAL 255\nENDHDR\nabc",
        b"P7\nWIDTH 2\nHEIGHT 2\n",
        b"P6 256",
    ] {
        assert_eq!(look(cut), Err(Unfit::Truncated), "{}", cut.escape_ascii());
    }
    let odd = look(b"P6 256 wide 255 ").unwrap_err();
    assert!(odd.to_string().contains("number"), "{odd}");
}

#[test]
fn what_follows_a_complete_picture_does_not_matter() {
    let video = container(b"mp42\0\0\0\0isommp42");
    let behind: [Vec<u8>; 6] = [
        video.clone(),
        [&video[..], b"\xFF\xDA and more of the video"].concat(),
        [
            &fixture("jpeg-progressive.jpg")[..300],
            b"a gain map, cut off",
        ]
        .concat(),
        b"\0\0\x01\x0AImage_UTC_Data1SEFHk\0\0\0SEFT".to_vec(),
        vec![0; 5000],
        vec![0xFF; 64],
    ];
    for name in [
        "jpeg-progressive.jpg",
        "jpeg-restarts.jpg",
        "jpeg-grey.jpg",
        "png-alpha.png",
        "gif-palette.gif",
        "webp-alpha.webp",
        "bmp-24.bmp",
    ] {
        for tail in &behind {
            let bytes = [&fixture(name)[..], tail].concat();
            assert!(look(&bytes).is_ok(), "{name}: {:?}", look(&bytes));
        }
    }
}

#[test]
fn fillers_thumbnails_and_standing_markers_are_part_of_a_jpeg() {
    let whole = fixture("jpeg-grey.jpg");
    let thumbnail = &fixture("jpeg-restarts.jpg")[..];
    let exif = [
        b"\xFF\xE1",
        &(thumbnail.len() as u16 + 2).to_be_bytes()[..],
        thumbnail,
    ]
    .concat();
    let fillers = b"\xFF\xFF\xFF\xFF\xFE\0\x04hi";
    for inserted in [&exif[..], fillers] {
        let bytes = [&whole[..2], inserted, &whole[2..]].concat();
        assert_eq!(look(&bytes).unwrap().size, Some((24, 16)));
        // Complete is the thumbnail alone.
        let cut = &bytes[..inserted.len() + 40];
        assert_eq!(look(cut), Err(Unfit::Truncated));
    }
    // Pillow takes a picture without its last marker for truncated, too.
    assert_eq!(look(&whole[..whole.len() - 2]), Err(Unfit::Truncated));
}

#[test]
fn every_format_that_ends_early_is_truncated_and_nothing_panics() {
    // The last bytes that a picture needs, from its end: what follows the pixels may be missing.
    let names = [
        ("jpeg-progressive.jpg", 1),
        ("jpeg-two-pictures.jpg", 700),
        ("png-palette.png", 20),
        ("webp-alpha.webp", 2),
        ("tiff-alpha.tif", 1),
        ("gif-palette.gif", 2),
        ("bmp-24.bmp", 1),
        ("pnm-grey.pgm", 1),
        ("qoi.qoi", 9),
    ];
    for (name, last) in names {
        let bytes = fixture(name);
        for len in 16..bytes.len() {
            let seen = look(&bytes[..len]);
            if len + last <= bytes.len() && !name.contains("two") {
                assert_eq!(seen, Err(Unfit::Truncated), "{name} of {len}");
            }
        }
        let mut wild = bytes.clone();
        for at in 8..wild.len() {
            wild[at] = !wild[at];
            let _ = look(&wild);
        }
    }
}

#[test]
fn variants_that_no_decoder_here_has_are_named() {
    let frame = |marker: u8, precision: u8| {
        [
            b"\xFF\xD8\xFF",
            &[marker, 0, 11, precision, 0, 16, 0, 24, 1, 1, 0x11, 0][..],
            b"\xFF\xD9",
        ]
        .concat()
    };
    for (marker, precision, name) in [
        (0xC9, 8, "arithmetic"),
        (0xC3, 8, "lossless"),
        (0xC1, 12, "12 bits"),
    ] {
        let unfit = look(&frame(marker, precision)).unwrap_err();
        assert!(unfit.to_string().contains(name), "{unfit}");
        assert_eq!(unfit.code().as_str(), "FP2006");
    }
    let mut apple = fixture("png-alpha.png");
    apple[12..16].copy_from_slice(b"CgBI");
    assert!(look(&apple).unwrap_err().to_string().contains("CgBI"));
}

#[test]
fn a_picture_of_two_hundred_megapixels_is_too_large_by_its_header() {
    let header = [&16320_u32.to_be_bytes()[..], &12240_u32.to_be_bytes()].concat();
    let mut bytes = fixture("png-one-bit.png");
    bytes[16..24].copy_from_slice(&header);
    let unfit = look(&bytes).unwrap_err();
    assert_eq!(
        unfit.to_string(),
        "has 16320x12240 = 199756800 pixels, more than 64000000"
    );
    assert_eq!(unfit.code().as_str(), "FP2005");
}

#[test]
fn texts_that_begin_like_a_picture_are_texts() {
    for text in [
        "Pfad: /a",
        "P1 is the first",
        "BM is a word",
        "GIFts",
        "P6\u{a0}",
    ] {
        assert!(recognise(text.as_bytes()).is_err(), "{text}");
    }
}
