//! Refusing what cannot be meant, by the option's name.

use std::collections::BTreeSet;

use super::plan::Plan;
use super::rows::Format;
use super::{Column, Header, Kind, PrepareOptions};
use crate::{DataError, Result, Tokenizer};

/// Tokens of a sample where neither the user nor the encoder says fewer, nor a model's fine-tuning how many.
const DEFAULT_LENGTH: usize = 512;

fn bad<T>(option: &'static str, reason: &str, remedy: &str) -> Result<T> {
    Err(DataError::argument(option, reason, remedy))
}

impl PrepareOptions {
    /// What is asked for apart from the files.
    pub(super) fn validate(&self) -> Result<()> {
        if self.output.as_os_str().is_empty() {
            return bad("output", "it is missing", "name a folder to prepare in");
        }
        if self.tokenizer.as_os_str().is_empty() {
            return bad("tokenizer", "it is missing", "name the folder of the pretrained encoder");
        }
        if self.threads == Some(0) {
            return bad("threads", "it is 0", "give at least 1");
        }
        if self.limit == Some(0) {
            return bad("limit", "it is 0", "give at least 1");
        }
        if self.limit_seed.is_some() && self.limit.is_none() {
            return bad("limitSeed", "it has no effect without limit", "leave it out");
        }
        if self.recipe.is_some() { self.validate_recipe() } else { self.validate_files() }
    }

    fn validate_recipe(&self) -> Result<()> {
        let given = [
            ("train", self.train.is_some()),
            ("valid", self.valid.is_some()),
            ("test", self.test.is_some()),
            ("columns", self.columns.is_some()),
            ("header", self.header != Header::Auto),
            ("kind", self.kind.is_some()),
            ("labels", self.labels.is_some()),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => bad(option, "it has no effect with a recipe", "leave one of them out"),
            // Training rows would be handed in to the test server.
            None if self.held_out.test.is_some() => bad(
                "heldOut.test",
                "the test part of a recipe is the published one",
                "leave it out, or give the recipe's test file",
            ),
            None if self.data.is_none() => {
                bad("data", "it is missing", "name the folder with the recipe's published files")
            }
            None => Ok(()),
        }
    }

    fn validate_files(&self) -> Result<()> {
        if self.data.is_some() {
            return bad("data", "it has no effect without a recipe", "name a recipe");
        }
        if self.train.is_none() {
            return bad("train", "no files are given", "give train and columns, or recipe and data");
        }
        for (option, files) in [("train", &self.train), ("valid", &self.valid), ("test", &self.test)] {
            if files.as_ref().is_some_and(|files| files.paths().is_empty()) {
                return bad(option, "there is no file in the list", "name at least one");
            }
        }
        self.validate_columns()?;
        self.validate_labels()
    }

    fn validate_columns(&self) -> Result<()> {
        let Some(columns) = &self.columns else {
            return bad(
                "columns",
                "it is missing",
                "give { text, label }, and pair where there are two texts",
            );
        };
        let named = columns.each().any(|column| matches!(column, Column::Name(_)));
        if named && self.header == Header::No {
            return bad("header", "it is false and a column is named", "number the columns from 0");
        }
        let all: Vec<_> = columns.each().collect();
        if (1..all.len()).any(|index| all[..index].contains(&all[index])) {
            return bad("columns", "two of them are the same", "name another one");
        }
        Ok(())
    }

    fn validate_labels(&self) -> Result<()> {
        let Some(labels) = &self.labels else { return Ok(()) };
        if self.kind == Some(Kind::Regression) {
            return bad("labels", "it has no effect with kind `regression`", "leave one of them out");
        }
        if labels.len() < 2 || labels.iter().collect::<BTreeSet<_>>().len() < labels.len() {
            return bad("labels", "there are not two or more different ones", "name each class once");
        }
        Ok(())
    }

    /// What is asked for beside the files that there are.
    pub(super) fn validate_plan(&self, plan: &Plan) -> Result<()> {
        self.held_out.validate(plan.validates(), plan.tests())?;
        if plan.parts.iter().any(|part| part.files.iter().any(|file| file.format != Format::Json)) {
            return Ok(());
        }
        if self.header != Header::Auto {
            return bad("header", "it has no effect on JSON lines", "leave it out");
        }
        Ok(())
    }

    /// Tokens of a sample, at most.
    pub(super) fn length(&self, tokenizer: &Tokenizer, pair: bool) -> Result<usize> {
        let usual = || DEFAULT_LENGTH.min(tokenizer.longest().unwrap_or(usize::MAX));
        let length = self.max_length.or(tokenizer.trained()).unwrap_or_else(usual);
        let most = tokenizer.most().unwrap_or(usize::MAX);
        let least = tokenizer.special_tokens(pair) + if pair { 2 } else { 1 };
        let refused = |reason: String, remedy: String| Err(DataError::argument("maxLength", reason, remedy));
        if length < least {
            let reason = format!("{length} tokens do not hold a token a text with the special ones");
            return refused(reason, format!("give at least {least}"));
        }
        if length > most {
            let folder = self.tokenizer.display();
            let reason = format!("{length} are more than the {most} tokens that the model of {folder} takes");
            return refused(reason, format!("give at most {most}"));
        }
        Ok(length)
    }
}
