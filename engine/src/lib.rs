//! FramePack inference on libtorch.
