//! What people name as a picture and the worker does not read: by its first bytes, with its name and what to do.

/// A kind of file that is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, with its article.
    pub(super) name: &'static str,
    /// Whether it shows something that can be converted to a start image as it is.
    pub(super) is_picture: bool,
    /// What to do about it.
    pub(super) hint: &'static str,
    /// The bytes that it begins with, and from where on; none for what `recognise` and `text` find out in other ways.
    pub(super) magic: &'static [(usize, &'static [u8])],
}

const MAGICK: &str = "convert it: `magick start.psd start.png`, with its own name";
const DEVELOP: &str = "develop it: `darktable-cli photo.raw start.png`, with its own name, or export it as JPEG from the camera's program";
const UNPACK: &str = "unpack it, and name the picture itself";
const ITSELF: &str = "name the picture itself";
const SOUND: &str = "name the picture that the video should begin with";
const FRAME: &str =
    "take a frame of it: `ffmpeg -i clip.mp4 -frames:v 1 start.png`, with its own name";

const fn picture(name: &'static str, hint: &'static str, magic: Magic) -> Foreign {
    Foreign {
        name,
        is_picture: true,
        hint,
        magic,
    }
}

const fn other(name: &'static str, hint: &'static str, magic: Magic) -> Foreign {
    Foreign {
        name,
        is_picture: false,
        hint,
        magic,
    }
}

type Magic = &'static [(usize, &'static [u8])];

/// By their first bytes. The first that fits is it.
#[rustfmt::skip]
pub(super) static BY_MAGIC: [Foreign; 62] = [
    picture("a JPEG XL picture", "convert it: `djxl start.jxl start.png`", &[(0, b"\xFF\x0A")]),
    picture("a JPEG XL picture", "convert it: `djxl start.jxl start.png`", &[(0, b"\0\0\0\x0CJXL \r\n\x87\n")]),
    picture("a JPEG 2000 picture", "convert it: `magick start.jp2 start.png`", &[(0, b"\0\0\0\x0CjP  \r\n\x87\n")]),
    picture("a JPEG 2000 picture", "convert it: `magick start.j2k start.png`", &[(0, b"\xFF\x4F\xFF\x51")]),
    picture("a JPEG XR picture", "convert it: `JxrDecApp -i start.jxr -o start.tif`", &[(0, b"II\xBC\x01")]),
    picture("a Photoshop picture", MAGICK, &[(0, b"8BPS")]),
    picture("a GIMP picture", "export it from GIMP as PNG", &[(0, b"gimp xcf")]),
    picture("an OpenEXR picture", "convert it: `magick start.exr -colorspace sRGB -depth 8 start.png`", &[(0, b"\x76\x2F\x31\x01")]),
    picture("a Radiance HDR picture", "convert it: `magick start.hdr -colorspace sRGB -depth 8 start.png`", &[(0, b"#?RA")]),
    picture("a Radiance HDR picture", "convert it: `magick start.hdr -colorspace sRGB -depth 8 start.png`", &[(0, b"#?RG")]),
    picture("a PFM picture with floating-point channels", "convert it: `magick start.pfm -depth 8 start.png`", &[(0, b"PF\n")]),
    picture("a PFM picture with floating-point channels", "convert it: `magick start.pfm -depth 8 start.png`", &[(0, b"Pf\n")]),
    picture("a DirectDraw texture", "convert it: `magick start.dds start.png`", &[(0, b"DDS ")]),
    picture("a Windows icon", "convert it: `magick icon.ico[0] start.png`", &[(0, b"\0\0\x01\0")]),
    picture("an animated Windows cursor", "take a frame of it: open it in an editor, and save it as PNG", &[(0, b"RIFF"), (8, b"ACON")]),
    picture("a Windows metafile (WMF)", "convert it: `magick drawing.wmf start.png`", &[(0, b"\xD7\xCD\xC6\x9A")]),
    picture("a Windows metafile (EMF)", "convert it: `inkscape drawing.emf -w 1280 -o start.png`", &[(0, b"\x01\0\0\0"), (40, b" EMF")]),
    picture("an MNG or JNG picture", "convert it: `magick start.mng[0] start.png`", &[(0, b"\x8AMNG\r\n")]),
    picture("an MNG or JNG picture", "convert it: `magick start.jng start.png`", &[(0, b"\x8BJNG\r\n")]),
    picture("a Khronos texture (KTX)", "convert it with the program that made it", &[(0, b"\xABKTX ")]),
    picture("an Apple icon", "convert it: `magick icon.icns[0] start.png`", &[(0, b"icns")]),
    picture("a PCX picture", "convert it: `magick start.pcx start.png`", &[(0, b"\x0A\x05\x01")]),
    picture("a farbfeld picture", "convert it: `ff2png < start.ff > start.png`", &[(0, b"farbfeld")]),
    picture("a BPG picture", "convert it: `bpgdec -o start.png start.bpg`", &[(0, b"BPG\xFB")]),
    picture("a FLIF picture", "convert it: `flif -d start.flif start.png`", &[(0, b"FLIF")]),
    picture("a DICOM picture", "convert it: `magick start.dcm start.png`", &[(128, b"DICM")]),
    picture("a FITS picture", "convert it: `magick start.fits start.png`", &[(0, b"SIMPLE  =")]),
    picture("a Canon raw photo (CR2)", DEVELOP, &[(0, b"II*\0"), (8, b"CR\x02\0")]),
    picture("an Olympus raw photo (ORF)", DEVELOP, &[(0, b"IIR")]),
    picture("an Olympus raw photo (ORF)", DEVELOP, &[(0, b"MMOR")]),
    picture("a Panasonic raw photo (RW2)", DEVELOP, &[(0, b"IIU\0")]),
    picture("a Fujifilm raw photo (RAF)", DEVELOP, &[(0, b"FUJIFILMCCD-RAW")]),
    picture("a Sigma raw photo (X3F)", DEVELOP, &[(0, b"FOVb")]),
    other("a PDF document", "convert a page of it: `pdftoppm -png -r 200 -singlefile document.pdf start`", &[(0, b"%PDF-")]),
    other("a PostScript document", "convert it: `magick -density 200 drawing.eps start.png`", &[(0, b"%!PS")]),
    other("a PostScript document", "convert it: `magick -density 200 drawing.eps start.png`", &[(0, b"\xC5\xD0\xD3\xC6")]),
    other("a Matroska or WebM video", FRAME, &[(0, b"\x1A\x45\xDF\xA3")]),
    other("an AVI video", FRAME, &[(0, b"RIFF"), (8, b"AVI ")]),
    other("an MPEG video", FRAME, &[(0, b"\0\0\x01\xBA")]),
    other("an MPEG video", FRAME, &[(0, b"G"), (188, b"G"), (376, b"G")]),
    other("a Windows Media video", FRAME, &[(0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11")]),
    other("a Flash video", FRAME, &[(0, b"FLV\x01")]),
    other("a sound file", SOUND, &[(0, b"RIFF"), (8, b"WAVE")]),
    other("a sound file", SOUND, &[(0, b"ID3")]),
    other("a sound file", SOUND, &[(0, b"fLaC")]),
    other("a sound file", SOUND, &[(0, b"\xFF\xFB")]),
    other("an Ogg sound file or video", SOUND, &[(0, b"OggS")]),
    other("a zip archive or document", UNPACK, &[(0, b"PK\x03\x04")]),
    other("a compressed file (gzip)", UNPACK, &[(0, b"\x1F\x8B")]),
    other("a compressed file (zstd)", UNPACK, &[(0, b"\x28\xB5\x2F\xFD")]),
    other("a compressed file (xz)", UNPACK, &[(0, b"\xFD7zXZ\0")]),
    other("a compressed file (bzip2)", UNPACK, &[(0, b"BZh"), (4, b"1AY&SY")]),
    other("a 7-Zip archive", UNPACK, &[(0, b"7z\xBC\xAF\x27\x1C")]),
    other("a RAR archive", UNPACK, &[(0, b"Rar!\x1A\x07")]),
    other("a tar archive", UNPACK, &[(257, b"ustar")]),
    other("the file in which a Mac keeps a picture's attributes (AppleDouble)", "name the picture itself, without `._`", &[(0, b"\0\x05\x16\x07")]),
    other("a Windows shortcut", "copy the picture itself", &[(0, b"\x4C\0\0\0\x01\x14\x02\0")]),
    other("a program (ELF)", ITSELF, &[(0, b"\x7FELF")]),
    other("a program (Mach-O)", ITSELF, &[(0, b"\xCF\xFA\xED\xFE")]),
    other("a program (Mach-O)", ITSELF, &[(0, b"\xCA\xFE\xBA\xBE")]),
    other("a Windows program", ITSELF, &[(0, b"MZ")]),
    other("an SQLite database", ITSELF, &[(0, b"SQLite format 3\0")]),
];

/// A container of Apple, ISO or `QuickTime`, by its brands.
pub(super) static HEIC: Foreign = picture(
    "a HEIC picture",
    "convert it: `heif-convert photo.heic photo.jpg`, or set the telephone's camera to `Most Compatible`",
    &[],
);
pub(super) static AVIF: Foreign = picture(
    "an AVIF picture",
    "convert it: `avifdec start.avif start.png`",
    &[],
);
pub(super) static CR3: Foreign = picture("a Canon raw photo (CR3)", DEVELOP, &[]);
pub(super) static VIDEO: Foreign = other("an MP4 or QuickTime video", FRAME, &[]);
static SOUND_CONTAINER: Foreign = other("a sound file (M4A)", SOUND, &[]);
static CURSOR: Foreign = picture(
    "a Windows cursor",
    "convert it: `magick cursor.cur[0] start.png`",
    &[],
);
static TGA: Foreign = picture(
    "a TGA picture",
    "convert it: `magick start.tga start.png`",
    &[],
);
/// By the entries of its directory.
pub(super) static DNG: Foreign = picture("a raw photo (DNG)", DEVELOP, &[]);
pub(super) static RAW: Foreign = picture(
    "a raw photo of a camera (such as NEF, ARW or PEF)",
    DEVELOP,
    &[],
);
/// By its words.
pub(super) static SVG: Foreign = picture(
    "an SVG drawing",
    "convert it: `rsvg-convert -w 1280 drawing.svg -o start.png`",
    &[],
);
pub(super) static WEB_PAGE: Foreign = other(
    "a web page",
    "the server sent it instead of the picture: download the picture itself; it may want a login, or the link leads to a page around the picture",
    &[],
);
pub(super) static ERROR_PAGE: Foreign = other(
    "an error message of a server (XML)",
    "the server sent it instead of the picture: open the link in a browser to read it, and download the picture itself",
    &[],
);
pub(super) static ANNEX_POINTER: Foreign = other(
    "a pointer of git-annex",
    "fetch the picture itself: `git annex get start.png`, with its own name",
    &[],
);
pub(super) static LFS_POINTER: Foreign = other(
    "a pointer of git-lfs",
    "fetch the picture itself: `git lfs pull`",
    &[],
);
pub(super) static ENCODED: Foreign = other(
    "a picture's bytes written as text (base64)",
    "decode it: `base64 -d start.txt > start.png`, without what precedes the first comma",
    &[],
);
pub(super) static LINK: Foreign = other(
    "an internet shortcut",
    "download the picture that it leads to",
    &[],
);
pub(super) static PLACEHOLDER: Foreign = other(
    "a placeholder (property list) for a file in a cloud or on the web",
    "download the picture itself",
    &[],
);
pub(super) static TEXT: Foreign = other("a text file", ITSELF, &[]);

impl Foreign {
    fn fits(&self, head: &[u8]) -> bool {
        let is_there = |(at, bytes): &(usize, &[u8])| {
            head.get(*at..).is_some_and(|rest| rest.starts_with(bytes))
        };
        !self.magic.is_empty() && self.magic.iter().all(is_there)
    }
}

/// What is not read, as far as its first bytes tell.
pub(super) fn foreign(head: &[u8]) -> Option<&'static Foreign> {
    let known = BY_MAGIC.iter().find(|foreign| foreign.fits(head));
    let structured = || {
        container(head)
            .or_else(|| cursor(head))
            .or_else(|| tga(head))
    };
    known.or_else(structured)
}

/// A few small pictures, of which each has a place for a zero.
fn cursor(head: &[u8]) -> Option<&'static Foreign> {
    let is_cursor = matches!(head, [0, 0, 2, 0, 1..=64, 0, _, _, _, 0, ..]);
    is_cursor.then_some(&CURSOR)
}

/// TGA has no magic number: a header without a palette whose fields fit together.
fn tga(head: &[u8]) -> Option<&'static Foreign> {
    let [_, 0, 2 | 3 | 10 | 11, 0, 0, 0, 0, 0, _, _, _, _, size @ ..] = head.get(..18)? else {
        return None;
    };
    let [a, b, c, d, bits, flags] = *size else {
        return None;
    };
    let has_size = (a, b) != (0, 0) && (c, d) != (0, 0);
    let fits = has_size && [8, 15, 16, 24, 32].contains(&bits) && flags & 0xC0 == 0;
    fits.then_some(&TGA)
}

/// A file of boxes, each with its length and its name: `ftyp` has the brands.
fn container(head: &[u8]) -> Option<&'static Foreign> {
    let name = head.get(4..8)?;
    if [&b"moov"[..], b"mdat", b"wide", b"pnot"].contains(&name) {
        return Some(&VIDEO);
    }
    if name != b"ftyp" {
        return None;
    }
    let len = u32::from_be_bytes(head[..4].try_into().ok()?) as usize;
    let brands = head.get(8..)?;
    let brands = &brands[..brands.len().min(len.saturating_sub(8))];
    let has = |wanted: &[&[u8]]| brands.chunks_exact(4).any(|brand| wanted.contains(&brand));
    Some(if has(&[b"avif", b"avis"]) {
        &AVIF
    } else if has(&[
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ]) {
        &HEIC
    } else if has(&[b"M4A ", b"M4B ", b"M4P "]) {
        &SOUND_CONTAINER
    } else if has(&[b"crx "]) {
        &CR3
    } else {
        &VIDEO
    })
}
