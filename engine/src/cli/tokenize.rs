//! `tokenize`: the ids that both text encoders get for a prompt.

use std::{io::Write as _, path::PathBuf};

use framepack_engine::{
    Error,
    bundle::{Bundle, Component},
    text::TextTokenizers,
};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Bundle with both tokenizers
    #[arg(long, value_name = "BUNDLE")]
    model: PathBuf,
    /// The prompt
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    text: String,
}

impl Args {
    /// Prints `{"clip":[…],"llama":[…]}`: the template applied and BOS included, llama not padded.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        writeln!(std::io::stdout(), "{}", self.ids()?)?;
        Ok(())
    }

    fn ids(&self) -> Result<Value, Error> {
        let bundle = Bundle::open(&self.model)?;
        let tokenizers = TextTokenizers::open(
            &bundle.component(Component::Tokenizer)?,
            &bundle.component(Component::Tokenizer2)?,
        )?;
        Ok(json!({
            "llama": tokenizers.llama_ids(&self.text)?,
            "clip": tokenizers.clip_ids(&self.text)?,
        }))
    }
}
