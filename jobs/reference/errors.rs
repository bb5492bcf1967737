//! `docs/ERRORS.md`, made from the table of error codes.

use std::fmt::Write;

use framepack_jobs::Section;

const HEAD: &str = "\
<!-- Made by `make docs` from jobs/src/error/table; change it there. -->

# Error codes

Every error has a code, and a code never changes its meaning: scripts may rely on it. It is in the report beside a job's file (`failure.code`), in `framepackctl show --json` and, in brackets, on standard error. `framepackctl explain CODE` prints the row of a code; [Troubleshooting](TROUBLESHOOTING.md) goes by what you see.

The class says what kind of error it is. Retries go by it (`retry.on` in a job file), and so do the [exit codes](OPERATIONS.md#exit-codes) of commands. It is `failure.class` of a job and `error.class` of a command; a command says `validation` for `input`, `resource` for `oom`, and `internal` for `numerics`, `hang`, `gpu`, `io` and `cancelled`.

\"At fault\" says who can put it right; in JSON it is `fault`, beside the code:

- **job**: whoever asked. The job file, a file that it names, or the command has to change.
- **farm**: whoever runs framepackd. The machine, the installation or the configuration has to change.
- **program**: whoever develops framepackd. It is a bug; please report it.

| code | class | at fault | meaning | what to do |
|---|---|---|---|---|
";

/// The whole file.
pub(crate) fn page() -> String {
    let mut page = HEAD.to_owned();
    for (thousand, section) in (1..).zip(Section::ALL) {
        writeln!(page, "| **{thousand}xxx** | | | **{}** | |", section.title).expect(NEVER_FAILS);
        for code in section.codes {
            let (class, fault) = (code.class(), code.fault());
            let (meaning, hint) = (code.meaning(), code.hint());
            writeln!(page, "| {code} | {class} | {fault} | {meaning} | {hint} |")
                .expect(NEVER_FAILS);
        }
    }
    page
}

const NEVER_FAILS: &str = "writing to a string cannot fail";

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_docs_is_the_table() {
        let written = include_str!("../../docs/ERRORS.md");
        assert!(
            written == super::page(),
            "docs/ERRORS.md is not what the table says: run `make docs`"
        );
    }
}
