use super::*;

fn text(written: &str) -> String {
    let read = parse(written).unwrap();
    assert_eq!(read.corrections, Vec::<String>::new(), "{written}");
    read.text
}

#[test]
fn what_torch_takes_is_taken_as_it_is() {
    for written in [
        "",
        "expandable_segments:True",
        "expandable_segments:False,max_split_size_mb:128",
        "max_split_size_mb:20",
        "garbage_collection_threshold:0.8",
        "roundup_power2_divisions:4",
        "roundup_power2_divisions:[256:1,512:2,1024:0,>:8],backend:native",
        "backend:cudaMallocAsync",
        "pinned_use_cuda_host_register:True,pinned_num_register_threads:8",
        "pinned_reserve_segment_size_mb:1",
        "pinned_use_background_threads:True",
        "release_lock_on_cudamalloc:True",
        "graph_capture_record_stream_reuse:True",
        "per_process_memory_fraction:0.5",
        "per_process_memory_fraction:1",
        "large_segment_size_mb:11,max_split_size_mb:11",
        "max_non_split_rounding_mb:20",
    ] {
        assert_eq!(text(written), written);
    }
}

#[test]
fn spaces_and_a_last_comma_are_dropped() {
    assert_eq!(
        text(" expandable_segments : True , max_split_size_mb:128,"),
        "expandable_segments:True,max_split_size_mb:128"
    );
}

#[test]
fn the_spelling_of_the_applications_documents_is_corrected_and_told() {
    let read = parse("expandable_segments:True,max_split_size_mb=128").unwrap();
    assert_eq!(read.text, "expandable_segments:True,max_split_size_mb:128");
    let told = "`max_split_size_mb=128` is written `max_split_size_mb:128` for torch";
    assert_eq!(read.corrections, [told]);
    let both = parse("expandable_segments=True,max_split_size_mb=128").unwrap();
    assert_eq!(both.text, read.text);
    assert_eq!(both.corrections.len(), 2);
}

/// What is refused, why, and what to write instead.
const REFUSED: [(&str, &str, Option<&str>); 23] = [
    (
        "max_split_size_mb:8",
        "max_split_size_mb: expected a whole number, 20 or more; found `8`",
        Some("write max_split_size_mb:20 or more"),
    ),
    (
        "large_segment_size_mb:64,max_split_size_mb:32",
        "max_split_size_mb: expected a whole number, 64 or more; found `32`",
        Some("write max_split_size_mb:64 or more"),
    ),
    (
        "max_split_size_mb=-1",
        "max_split_size_mb: expected a whole number, 20 or more; found `-1`",
        Some("write max_split_size_mb:20 or more"),
    ),
    (
        "max_split_size_mb:128MB",
        "max_split_size_mb: expected a whole number, 20 or more; found `128MB`",
        Some("write max_split_size_mb:20 or more"),
    ),
    (
        "expandable_segments:true",
        "expandable_segments: expected True or False; found `true`",
        Some("write expandable_segments:True"),
    ),
    (
        "expandable_segments:0",
        "expandable_segments: expected True or False; found `0`",
        Some("write expandable_segments:False"),
    ),
    (
        "expandable_segment:True",
        "torch's allocator has no option `expandable_segment`",
        Some("did you mean `expandable_segments`?"),
    ),
    (
        "garbage_collection_threshold:1",
        "garbage_collection_threshold: expected a number above 0 and below 1; found `1`",
        None,
    ),
    (
        "garbage_collection_threshold:nan",
        "garbage_collection_threshold: expected a number above 0 and below 1; found `nan`",
        None,
    ),
    (
        "roundup_power2_divisions:3",
        "roundup_power2_divisions: expected a power of two, or a list such as [256:1,512:2,>:4]; found `3`",
        None,
    ),
    (
        "roundup_power2_divisions:[256:1,512:2",
        "roundup_power2_divisions: expected `]` at the end of the list; found `[256:1,512:2`",
        None,
    ),
    (
        "roundup_power2_divisions:[100:1]",
        "roundup_power2_divisions: expected sizes that are powers of two, or `>`; found `[100:1]`",
        None,
    ),
    (
        "roundup_power2_divisions:[128:3]",
        "roundup_power2_divisions: expected divisions that are powers of two, or 0; found `[128:3]`",
        None,
    ),
    (
        "roundup_power2_divisions:[]",
        "roundup_power2_divisions: expected SIZE:DIVISIONS in each place of the list, as in [256:1,512:2,>:4]; found `[]`",
        None,
    ),
    (
        "backend:cuda",
        "backend: expected native or cudaMallocAsync; found `cuda`",
        None,
    ),
    (
        "pinned_num_register_threads:256",
        "pinned_num_register_threads: expected 1, 2, 4 or another power of two up to 128; found `256`",
        None,
    ),
    (
        "pinned_reserve_segment_size_mb:0",
        "pinned_reserve_segment_size_mb: expected a whole number above 0; found `0`",
        None,
    ),
    (
        "per_process_memory_fraction:1.5",
        "per_process_memory_fraction: expected a number, 0 to 1; found `1.5`",
        None,
    ),
    (
        "large_segment_size_mb:10",
        "large_segment_size_mb: expected a whole number above 10; found `10`",
        None,
    ),
    (
        "max_split_size_mb",
        "max_split_size_mb has no value",
        Some("write max_split_size_mb:VALUE"),
    ),
    (
        "backend:",
        "backend has no value",
        Some("write backend:VALUE"),
    ),
    (
        "backend:native,,expandable_segments:True",
        "nothing between two commas",
        Some("write one comma"),
    ),
    (",", "nothing between two commas", Some("write one comma")),
];

#[test]
fn what_torch_refuses_is_refused_with_its_key_a_reason_and_what_to_write() {
    for (written, message, hint) in REFUSED {
        let mistake = parse(written).expect_err(written);
        assert_eq!(mistake.message, message, "{written}");
        assert_eq!(mistake.hint.as_deref(), hint, "{written}");
    }
}

#[test]
fn an_option_that_is_near_none_is_told_all_there_are() {
    let mistake = parse("fragmentation:none").unwrap_err();
    let hint = mistake.hint.unwrap();
    assert!(hint.starts_with("its options are backend, expandable_segments, "));
    assert!(hint.ends_with("roundup_power2_divisions"));
}

#[test]
fn no_text_makes_it_panic() {
    for written in ["[", "]", ":", "=", "[[]]", "a:[b", "é=é", ",,,", "\u{0}"] {
        parse(written).unwrap_err();
    }
}
