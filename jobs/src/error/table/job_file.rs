//! 2xxx: the job file and its image.

codes! {
    IMAGE_GONE "FP2001", Input, Job,
        "image is missing when rendering starts",
        "check `start.image`; a relative path starts at the job file's folder";
    IMAGE_UNREADABLE "FP2002", Input, Job,
        "image can't be read",
        "check the file's permissions";
    IMAGE_NOT_A_FILE "FP2003", Input, Job,
        "image is not a regular file",
        "name an image file in `start.image`";
    IMAGE_FORMAT "FP2004", Input, Job,
        "image is in a format that is not read, or in none that is known",
        "convert it to PNG or JPEG; JPEG, PNG, WebP, TIFF, GIF, BMP, PNM and QOI are read";
    IMAGE_TOO_LARGE "FP2005", Input, Job,
        "image has too many pixels or bytes",
        "scale it down: a video is never larger than about 768x768 pixels";
    IMAGE_DAMAGED "FP2006", Input, Job,
        "image is truncated, damaged or in an unsupported variant",
        "copy it again, or open it in an editor and save it as 8-bit PNG";
    IMAGE_NOT_A_PICTURE "FP2007", Input, Job,
        "image file is something else than a picture: a video, a web page, an archive, a text",
        "name the picture itself in `start.image`; the message says what the file is";
    IMAGE_EMPTY "FP2008", Input, Job,
        "image file is empty",
        "copy it again, and drop the job when the copy is complete";

    UNKNOWN_KEY "FP2101", Input, Job,
        "unknown key",
        "correct or remove it; the message suggests the nearest key";
    WRONG_TYPE "FP2102", Input, Job,
        "value of the wrong type",
        "use the type that the message names";
    OUT_OF_RANGE "FP2103", Input, Job,
        "value out of range, or not one of the allowed ones",
        "use a value that the message allows";
    MISSING_KEY "FP2104", Input, Job,
        "required key is missing",
        "add it";
    NOT_AVAILABLE "FP2105", Input, Job,
        "key or value that this version does not support, or that the device can't do",
        "remove it, or take another value";
    SYNTAX "FP2106", Input, Job,
        "invalid YAML, or YAML beyond the accepted subset",
        "correct it at the line and column in the message";
    PATH_ESCAPE "FP2107", Policy, Job,
        "path leaves the folder that it must stay in",
        "use a relative path without `..`";
    UNREADABLE_FILE "FP2108", Validation, Job,
        "a command's input file can't be read",
        "check its path, permissions and content";
    UNWRITABLE_FILE "FP2109", Validation, Job,
        "a command's output file can't be written",
        "check its path, permissions and free space";
    EMPTY_VALUE "FP2110", Input, Job,
        "key with nothing in it, where there must be something",
        "write a value; a text that begins with `#` goes in quotes";

    IMAGE_OUTSIDE "FP2201", Policy, Job,
        "image is outside the folders that jobs may read",
        "move it into one of these folders, or add its folder to `paths.inputs` in the daemon's configuration";
    IMAGE_LINK "FP2202", Policy, Job,
        "image is a symbolic link, or is reached through one",
        "put the image itself there instead of a link";
    IMAGE_SPECIAL "FP2203", Policy, Job,
        "image is a folder, pipe or device",
        "name a regular image file in `start.image`";
    JOB_FILE_SPECIAL "FP2204", Policy, Job,
        "job file is a link, pipe or device",
        "drop the job file itself";
    IMAGE_OTHER_FILE_SYSTEM "FP2205", Policy, Job,
        "image is on a different file system from the folder that jobs may read",
        "add the folder that is mounted there to `paths.inputs` in the daemon's configuration";
    OUTPUT_LINK "FP2206", Policy, Job,
        "`output.dir` leads through a symbolic link or a file",
        "choose another `output.dir`, or replace the link by a folder or a mount";

    IMAGE_MISSING "FP2301", Input, Job,
        "image does not exist",
        "copy it there, then drop the job again; a relative path starts at the job file's folder";
    IMAGE_FILE_TOO_LARGE "FP2302", Input, Job,
        "image file is too large",
        "use a smaller image: a video has about 640x640 pixels";

    JOB_FILE_EMPTY "FP2401", Input, Job,
        "job file is empty",
        "write the job under another name and rename it when it is complete";
    JOB_FILE_TOO_LARGE "FP2402", Input, Job,
        "job file is too large",
        "a job is a short YAML text; name the image in it instead of embedding it";
    JOB_FILE_NOT_TEXT "FP2403", Input, Job,
        "job file is not UTF-8 text",
        "save it as UTF-8";
    JOB_FILE_CHANGED "FP2404", Input, Job,
        "job file was still being written when the daemon took it",
        "write it into `.incoming/` of the jobs folder and rename it when it is complete";
    BUNDLE_OUTSIDE "FP2411", Policy, Job,
        "job bundle has a name that leads out of it, or is not a plain path",
        "pack the job file and its images under plain names, at most 8 folders deep";
    BUNDLE_SPECIAL "FP2412", Policy, Job,
        "job bundle contains a link, pipe or device",
        "pack the files themselves";
    BUNDLE_TOO_LARGE "FP2413", Input, Job,
        "job bundle has more than 1000 entries, or unpacks to more than 1024 MiB or 200 times its size",
        "pack one job file and the images that it names, and nothing else";
    BUNDLE_DAMAGED "FP2414", Input, Job,
        "job bundle is damaged, truncated or encrypted",
        "pack it again, as a .zip without a password, or a .tar.zst";
    BUNDLE_NOT_ONE_JOB "FP2415", Input, Job,
        "job bundle has no job file at its top, or several",
        "put one .yaml at its top; make a bundle for each job";
    BUNDLE_CHANGED "FP2416", Input, Job,
        "job bundle was still being written when the daemon took it",
        "write it into `.incoming/` of the jobs folder and rename it when it is complete";
}
