//! Numbers as torch computes with them, one after the other.

use tch::{Device, Kind, Tensor};

/// Numbers that are brought to another type at once.
const PIECE: usize = 1 << 16;

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

/// Bytes of `from` as `to`, made piece by piece, so that they are in memory once.
pub(super) fn convert(bytes: &[u8], from: Kind, to: Kind) -> Vec<u8> {
    let (stored_size, size) = (from.elt_size_in_bytes(), to.elt_size_in_bytes());
    let mut converted = vec![0; bytes.len() / stored_size * size];
    let pieces = bytes.chunks(PIECE * stored_size);
    for (piece, place) in pieces.zip(converted.chunks_mut(PIECE * size)) {
        let numbers = piece.len() / stored_size;
        let piece = Tensor::from_data_size(piece, &[numbers as i64], from);
        piece.to_kind(to).copy_data_u8(place, numbers);
    }
    converted
}

pub(super) fn read(
    stored: Kind,
    bytes: &[u8],
    shape: &[i64],
    (kind, device): (Kind, Device),
) -> Tensor {
    let stored = Tensor::from_data_size(bytes, shape, stored);
    stored.to_device(device).to_kind(kind)
}

pub(super) fn view(kind: Kind, place: &Tensor, shape: &[i64]) -> Tensor {
    place.view_dtype(kind).view(shape)
}
