//! What a dropped file is, by its name and its content, and whether it is a job: the words that all of the folder
//! shares.

mod answer;
mod name;
mod passed_over;
mod text;

pub(crate) use self::{
    answer::{Answer, NoJob, RETRY, Rejection, Wait},
    name::{Form, form, is_job_file, split_archived, split_suffix},
    passed_over::{conflict, is_leftover},
    text::{JobText, ReadError, is_open_for_writing, open, unfinished},
};
