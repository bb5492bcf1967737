//! Numbers as torch computes with them, one after the other.

use tch::{Device, Kind, Tensor};

/// What the pieces take that are brought to another type one after the other.
pub(super) const CONVERSION_BYTES: usize = PIECE * 2 * size_of::<f64>();
/// Numbers of such a piece.
const PIECE: usize = 1 << 14;
/// Bytes that are copied to a device at once: less than any chunk that a job may ask for.
const READ_BYTES: usize = 16 << 20;

pub(super) fn bytes(kind: Kind, shape: &[i64]) -> usize {
    let elements: i64 = shape.iter().product();
    elements as usize * kind.elt_size_in_bytes()
}

pub(super) fn pack(values: &Tensor) -> Vec<u8> {
    let mut bytes = vec![0; values.numel() * values.kind().elt_size_in_bytes()];
    values.copy_data_u8(&mut bytes, values.numel());
    bytes
}

pub(super) fn pack_into(kind: Kind, values: &Tensor, place: &Tensor) {
    view(kind, place, &values.size()).copy_(values);
}

/// Writes bytes of `from` as `to`, piece by piece, so that beside `place` they take next to nothing.
pub(super) fn convert(bytes: &[u8], (from, to): (Kind, Kind), place: &mut [u8]) {
    let (stored_size, size) = (from.elt_size_in_bytes(), to.elt_size_in_bytes());
    let pieces = bytes.chunks(PIECE * stored_size);
    for (piece, place) in pieces.zip(place.chunks_mut(PIECE * size)) {
        let numbers = piece.len() / stored_size;
        let piece = Tensor::from_data_size(piece, &[numbers as i64], from);
        piece.to_kind(to).copy_data_u8(place, numbers);
    }
}

pub(super) fn read(
    stored: Kind,
    bytes: &[u8],
    shape: &[i64],
    (kind, device): (Kind, Device),
) -> Tensor {
    let (values, size) = (
        Tensor::empty(shape, (kind, device)),
        stored.elt_size_in_bytes(),
    );
    let (flat, piece_numbers) = (values.view([-1]), READ_BYTES / size);
    for (number, piece) in bytes.chunks(READ_BYTES).enumerate() {
        let (start, numbers) = ((number * piece_numbers) as i64, (piece.len() / size) as i64);
        let piece = Tensor::from_data_size(piece, &[numbers], stored);
        let piece = piece.to_device(device).to_kind(kind);
        flat.narrow(0, start, numbers).copy_(&piece);
    }
    values
}

pub(super) fn view(kind: Kind, place: &Tensor, shape: &[i64]) -> Tensor {
    place.view_dtype(kind).view(shape)
}
