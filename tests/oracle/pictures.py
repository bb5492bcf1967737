"""Pictures as cameras, editors and transfers leave them, and what Pillow shows of each.

    python pictures.py tests/fixtures/pictures

writes NAME.EXT and NAME.ppm: `ImageOps.exif_transpose(...)` of it in RGB, on white where it is transparent.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps

WIDTH, HEIGHT = 24, 16
ORIENTATION = 0x0112


def ramp() -> Image.Image:
    """No two corners are alike, and all of it is smooth."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    parts = [x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), 255 - (x + y) * 255 // (WIDTH + HEIGHT - 2)]
    return Image.fromarray(np.stack(parts, axis=-1).astype(np.uint8))


def see_through() -> Image.Image:
    image = ramp().convert("RGBA")
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image.putalpha(Image.fromarray(np.clip((x - y) * 20, 0, 255).astype(np.uint8)))
    return image


def turned(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def reference(path: Path) -> Image.Image:
    image = ImageOps.exif_transpose(Image.open(path))
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA"):
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def pictures(folder: Path) -> None:
    image, clear = ramp(), see_through()
    indexed = image.quantize(16)
    jpeg = {"quality": 95, "subsampling": 0}

    def save(name: str, picture: Image.Image, **options: object) -> None:
        path = folder / name
        picture.save(path, **options)
        reference(path).save(path.with_suffix(".ppm"))

    save("jpeg-progressive.jpg", image, progressive=True, **jpeg)
    save("jpeg-restarts.jpg", image, restart_marker_blocks=1, **jpeg)
    save("jpeg-cmyk.jpg", image.convert("CMYK"), **jpeg)
    save("jpeg-grey.jpg", image.convert("L"), **jpeg)
    save("jpeg-two-pictures.jpg", image, format="MPO", save_all=True, append_images=[image.rotate(180)], **jpeg)
    for value in range(1, 9):
        save(f"jpeg-orientation-{value}.jpg", image, exif=turned(value), **jpeg)
    save("webp-orientation.webp", image, lossless=True, exif=turned(6))
    save("webp-alpha.webp", clear, lossless=True, exact=True)
    save("webp-animated.webp", image, lossless=True, save_all=True, append_images=[image.rotate(180)])
    save("tiff-orientation.tif", image, tiffinfo={ORIENTATION: 8})
    save("tiff-palette.tif", indexed, compression="tiff_lzw")
    save("tiff-fax.tif", image.convert("1"), compression="group4")
    save("tiff-one-bit.tif", image.convert("1"))
    save("tiff-cmyk.tif", image.convert("CMYK"), compression="tiff_adobe_deflate")
    save("tiff-jpeg.tif", image, compression="jpeg", quality=95)
    save("tiff-pages.tif", image, save_all=True, append_images=[image.rotate(180)])
    save("tiff-alpha.tif", clear)
    save("tiff-ycbcr-jpeg.tif", image.convert("YCbCr"), compression="jpeg", quality=95)
    save("tiff-ycbcr.tif", image.convert("YCbCr"), tiffinfo={530: (1, 1)})
    save("tiff-zstd.tif", image, compression="zstd")
    save("tiff-big-alpha.tif", clear, big_tiff=True)
    save("tiff-big-palette.tif", indexed, big_tiff=True)
    save("png-one-bit.png", image.convert("1"))
    save("png-palette.png", indexed)
    save("png-palette-transparent.png", indexed, transparency=bytes([0, 128, 255]))
    save("png-colour-transparent.png", image, transparency=(0, 0, 255))
    save("png-grey-alpha.png", clear.convert("LA"))
    save("png-alpha.png", clear)
    save("png-animated.png", image, save_all=True, append_images=[image.rotate(180)])
    save("png-profile.png", image, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    save("gif-palette.gif", indexed)
    save("gif-transparent.gif", indexed, transparency=3)
    save("gif-animated.gif", indexed, save_all=True, append_images=[indexed.rotate(180)])
    save("bmp-24.bmp", image)
    save("bmp-palette.bmp", indexed)
    save("bmp-32.bmp", clear)
    save("pnm-grey.pgm", image.convert("L"))
    save("pnm-bits.pbm", image.convert("1"))
    save("qoi.qoi", image)

    def change(name: str, of: str, edit: Callable[[bytes], bytes]) -> None:
        path = folder / name
        path.write_bytes(edit((folder / of).read_bytes()))
        reference(path).save(path.with_suffix(".ppm"))

    change("png-without-end.png", "png-palette.png", lambda png: png[:-12])
    change("bmp-reserved.bmp", "bmp-24.bmp", lambda bmp: bmp[:6] + bytes([1, 2, 3, 4]) + bmp[10:])


if __name__ == "__main__":
    pictures(Path(sys.argv[1]))
