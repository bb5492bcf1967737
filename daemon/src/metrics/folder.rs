//! Metrics of the jobs folder.

use super::text::{Family, Text};
use crate::folder::{FolderMetrics, Mode};

/// Writes the folder's latest metrics.
pub(super) fn write(metrics: &FolderMetrics, text: &mut Text) {
    let files = text.family(Family::gauge(
        "framepackd_spool_files",
        "Files in the jobs folder: not settled yet, left until there is room, claimed.",
    ));
    for (state, count) in [
        ("unsettled", metrics.unsettled),
        ("left", metrics.left),
        ("claimed", metrics.claimed),
    ] {
        files.value(&[("state", state)], count as f64);
    }
    let oldest = metrics.oldest_unsettled.map(|since| since.elapsed());
    text.family(Family::gauge(
        "framepackd_spool_oldest_unsettled_seconds",
        "Time since the oldest file that has not settled appeared; 0 if there is none.",
    ))
    .value(&[], oldest.unwrap_or_default().as_secs_f64());
    text.family(Family::gauge(
        "framepackd_spool_scan_seconds",
        "Duration of the last listing of the jobs folder.",
    ))
    .value(&[], metrics.listing.as_secs_f64());
    let mode = text.family(Family::gauge(
        "framepackd_spool_mode",
        "How changes in the jobs folder are detected: 1 for the current mode, 0 for the others.",
    ));
    for way in Mode::ALL {
        let is = f64::from(u8::from(way == metrics.mode));
        mode.value(&[("mode", way.as_str())], is);
    }
    let totals = &metrics.totals;
    for (name, help, count) in [
        ("framepackd_spool_seen", "Files seen.", totals.seen),
        ("framepackd_spool_claimed", "Files claimed.", totals.claimed),
        (
            "framepackd_spool_jobs",
            "Files that became jobs.",
            totals.jobs,
        ),
        (
            "framepackd_spool_duplicates",
            "Files that duplicate an existing job.",
            totals.duplicates,
        ),
        (
            "framepackd_spool_rejected",
            "Files rejected.",
            totals.rejected,
        ),
        (
            "framepackd_spool_scans",
            "Listings of the jobs folder.",
            totals.listings,
        ),
        (
            "framepackd_spool_overflows",
            "Times the kernel dropped events.",
            totals.overflows,
        ),
    ] {
        text.family(Family::counter(name, help))
            .value(&[], count as f64);
    }
}
