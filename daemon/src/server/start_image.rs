//! The start image of a job, for support bundles: the daemon's copy of it.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use framepack_ipc::{
    ErrorBody,
    control::Response,
    start_image::{MAX_START_IMAGE_BYTES, StartImage, StartImageRequest},
};
use framepack_jobs::Code;
use tokio::task::spawn_blocking;

use super::{connection::Connection, service::Service, unanswered::Unanswered};

pub(super) async fn start_image(
    service: &Service,
    StartImageRequest { job }: StartImageRequest,
    connection: &mut Connection,
) -> Result<(), Unanswered> {
    let _long = connection.permit().long_message().await;
    let Some(record) = service.queue.record(job).await? else {
        let message = format!("no such job: {job}");
        return Err(ErrorBody::new(Code::NO_SUCH_JOB, message).into());
    };
    let read = spawn_blocking(move || read(&record.private.input)).await;
    match read.map_err(io::Error::other)? {
        Ok(bytes) => {
            let data = STANDARD.encode(bytes);
            Ok(connection
                .send(&Response::StartImage(StartImage { data }))
                .await?)
        }
        Err(error) => {
            let message = format!("reading the copy of the image of job {job}: {error}");
            Err(ErrorBody::new(Code::UNREADABLE_FILE, message).into())
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(MAX_START_IMAGE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_START_IMAGE_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}
