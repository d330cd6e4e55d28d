//! The two sources of settings: the file, and the environment, which overrides it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::config::environment::{PREFIX, Variable, Variables};
use crate::diagnostic::report::{Report, Reported, Values};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Finding, PlainProblem};
use crate::private_file::exposed_in_open_folder;
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::settings::section_of;
use crate::toml_reader::table::Table;

/// The sources that all sections are read from, and the problems found in them.
pub(super) struct Layers<'t> {
    /// Problems of the file.
    pub report: &'t Report<'t>,
    pub variables: &'t Variables,
    /// The folder that paths in the file are relative to.
    pub folder: &'t Path,
    /// Problems of the variables.
    pub problems: Vec<PlainProblem>,
    /// Section and key of every setting that was read, which are all that exist.
    pub(super) asked: Vec<(&'static str, &'static str)>,
}

impl<'t> Layers<'t> {
    pub(super) fn new(report: &'t Report<'t>, variables: &'t Variables, folder: &'t Path) -> Self {
        Self {
            report,
            variables,
            folder,
            problems: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// Whether the environment names the database.
    pub(super) fn names_database(&self) -> bool {
        let is_set = |key: &str| {
            let place = ("database".to_owned(), key.to_owned());
            self.variables.contains_key(&place)
        };
        is_set("url") || is_set("url_file")
    }

    /// Reports every variable that looks like a setting but is none. Other programs may have variables with the same
    /// prefix, so the rest is ignored. Values may be secrets and are not shown.
    pub(super) fn refuse_other_variables(&mut self) {
        let asked = |(section, key): &(&str, &str)| match section.is_empty() {
            true => format!("{PREFIX}{}", key.to_uppercase()),
            false => format!("{PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase()),
        };
        let known: Vec<_> = self.asked.iter().map(asked).collect();
        let is_meant = |name: &str| {
            let words = name.trim_start_matches(PREFIX);
            let mut asked = self.asked.iter();
            words.contains("__")
                || asked.any(|(section, key)| match section.is_empty() {
                    true => closest(words, [&*key.to_uppercase()]).is_some(),
                    false => words.starts_with(&section.to_uppercase()),
                })
        };
        for variable in self
            .variables
            .values()
            .filter(|given| !known.contains(&given.name) && is_meant(&given.name))
        {
            let finding = Finding::whole("there is no such setting");
            let finding = match closest(&variable.name, known.iter().map(String::as_str)) {
                Some(meant) => finding.help(format!("did you mean {meant}?")),
                None => finding.help("settings are called CURATORD_SECTION__KEY"),
            };
            self.problems
                .push(PlainProblem::of_file(&variable.name, finding));
        }
    }
}

/// One section of the file, with its variables.
pub(super) struct Section<'t, 'l> {
    /// Empty for the top of the file.
    name: &'static str,
    /// `None` where the file has no such table.
    table: Option<Table<'t>>,
    layers: &'l mut Layers<'t>,
}

impl<'t, 'l> Section<'t, 'l> {
    pub(super) fn new(
        name: &'static str,
        table: Option<Table<'t>>,
        layers: &'l mut Layers<'t>,
    ) -> Self {
        Self {
            name,
            table,
            layers,
        }
    }

    /// The value of `key` as parsed by `read`: from the environment, else from the file.
    pub(super) fn find<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'_>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        self.find_in(key, |item, _| read(item))
    }

    /// As [`Self::find`], where `read` also gets the folder that a path in the value is relative to: for a variable,
    /// the working directory.
    pub(super) fn find_in<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'_>, &Path) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        self.layers.asked.push((self.name, key));
        let in_file = self.table.as_mut().and_then(|table| table.take(key));
        if let Some(variable) = self.variable(key) {
            let report = Report::with(&variable.text, Values::Hidden);
            let item = Item {
                key: &variable.name,
                key_span: 0..0,
                value: &variable.value,
                span: 0..variable.text.len(),
                as_text: true,
                report: &report,
            };
            let value = read(&item, Path::new(""));
            let problems = report.into_plain_problems(&variable.name);
            self.layers.problems.extend(problems);
            return value.map(Some);
        }
        in_file
            .map(|item| read(&item, self.layers.folder))
            .transpose()
    }

    /// The folder that paths in the file are relative to.
    pub(super) fn folder(&self) -> &Path {
        self.layers.folder
    }

    /// The secret in `key`, or in the file that `file_key` names. `check` turns the text and the folder that paths in
    /// it are relative to into the final value. Setting both in one source is an error.
    pub(super) fn secret(
        &mut self,
        [key, file_key]: [&'static str; 2],
        wanted: Wanted,
        check: impl Fn(&str, &Item<'_>, &Path) -> Result<String, Reported>,
    ) -> Result<Option<SecretString>, Reported> {
        // The environment beats the file whichever of the two it gives.
        let in_environment = [key, file_key]
            .into_iter()
            .any(|key| self.variable(key).is_some());
        let passed_over = match &mut self.table {
            Some(table) if in_environment => {
                table.take(key);
                table.take(file_key);
                self.table.take()
            }
            _ => None,
        };
        let value = self.find_in(key, |item, folder| {
            let secret = check(item.text(wanted)?, item, folder)?;
            Ok((secret, item.key.to_owned()))
        });
        let from_file = self.find_in(file_key, |item, folder| {
            if let Ok(Some((secret, other))) = &value
                && !secret.is_empty()
            {
                let message = format!("`{}` and `{other}` are both given", item.key);
                let help = "remove one of the two";
                return Err(item.refuse(message, help));
            }
            let secret = read_secret(item, folder)?;
            check(&secret, item, folder)
        });
        self.table = passed_over.or(self.table.take());
        let value = value?.map(|(secret, _)| secret);
        Ok(from_file?.or(value).map(SecretString::from))
    }

    fn variable(&self, key: &str) -> Option<&'t Variable> {
        self.layers
            .variables
            .get(&(self.name.to_owned(), key.to_owned()))
    }

    /// Reports every key of the file that was not read.
    pub(super) fn refuse_the_rest(self) {
        if let Some(table) = self.table {
            let here = self.name;
            table.refuse_the_rest_with(|key, _| match (section_of(key), here) {
                (None, "") => None,
                (None, _) if key == "rules" => Some(format!(
                    "`rules` stands below `[{here}]`: move this line up, above all headers"
                )),
                (None, _) => None,
                (Some(section), "") => Some(format!("move this line below the header `{section}`")),
                (Some(section), _) => Some(format!(
                    "`{key}` stands below `[{here}]`: move this line below the header `{section}`"
                )),
            });
        }
    }
}

/// The content of the file that `item` names, without the final line break.
fn read_secret(item: &Item<'_>, folder: &Path) -> Result<String, Reported> {
    const WANTED: Wanted = Wanted {
        what: "the path of a file",
        example: "\"/run/secrets/curatord\"",
    };
    let path = folder.join(item.text(WANTED)?);
    let opened = File::open(&path).and_then(|mut file| {
        let mut content = Zeroizing::new(String::new());
        file.read_to_string(&mut content)?;
        Ok((exposed_in_open_folder(&path, &file), content))
    });
    match opened {
        Ok((Some(exposed), _)) => {
            let message = format!("other users can read the file that `{}` names", item.key);
            let help = format!("type `{}`", exposed.command);
            Err(item.refuse(message, help))
        }
        Ok((None, content)) => {
            let secret = content.trim_end_matches(['\r', '\n']);
            if secret.contains('\n') {
                let message = format!(
                    "the file that `{}` names holds more than one line",
                    item.key
                );
                let help = "put the secret alone into it, on one line";
                return Err(item.refuse(message, help));
            }
            Ok(secret.to_owned())
        }
        Err(error) => {
            // The path is not quoted: it may be the secret itself, under the wrong key.
            let message = format!("cannot read the file that `{}` names: {error}", item.key);
            let help = match item.as_text {
                true => "name a file that holds the secret and that curatord may read",
                false => {
                    "name a file that holds the secret and that curatord may read; a relative path starts at \
                     the folder of the configuration"
                }
            };
            Err(item.refuse(message, help))
        }
    }
}
