//! Settings of framepackd.
