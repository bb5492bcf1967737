//! From a picture to what the transformer reads of it: SigLIP's pixels, then its hidden states.

pub mod preprocess;
pub mod siglip;

pub use preprocess::Preprocessor;
pub use siglip::Siglip;
