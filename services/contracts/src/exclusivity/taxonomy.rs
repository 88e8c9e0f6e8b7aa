//! The product categories that exclusivity is agreed in: a tree, as data (`data/categories.toml`).
//!
//! Invariant: ids are unique and a parent stands before its children, so that there are no cycles.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use tandem_proto::FieldViolation;
use tandem_proto::validation::Path;

/// How alike two words have to be, from 0 to 1, for one to be named where the other was written.
const ALIKE: f64 = 0.6;
/// Categories named instead of an unknown one.
const MATCHES: usize = 3;

/// A category.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Category {
    /// As terms name it: `skin-care`.
    pub id: String,
    /// The category that it is part of; empty at the top.
    #[serde(default)]
    pub parent: String,
    /// For people: "Skin care".
    pub title: String,
}

/// All categories.
#[derive(Debug)]
pub struct Taxonomy {
    categories: Vec<Category>,
    index: HashMap<String, usize>,
}

/// Why a list of categories is no taxonomy.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaxonomyError {
    /// It can't be read at all.
    #[error("{0}")]
    Syntax(String),
    /// Two categories have one id.
    #[error("{0} stands there twice")]
    Twice(String),
    /// The parent is unknown, or stands below its child.
    #[error("{id} is part of {parent}, which does not stand before it")]
    NoParent {
        /// The category.
        id: String,
        /// Its parent.
        parent: String,
    },
}

/// The categories that come with this version.
#[must_use]
pub fn taxonomy() -> &'static Taxonomy {
    #[expect(clippy::expect_used, reason = "a constant; a test reads it")]
    static CATEGORIES: LazyLock<Taxonomy> =
        LazyLock::new(|| Taxonomy::parse(include_str!("../../data/categories.toml")).expect("data/categories.toml"));
    &CATEGORIES
}

impl Taxonomy {
    /// Reads a list of categories in TOML.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TaxonomyError> {
        #[derive(Deserialize)]
        struct File {
            categories: Vec<Category>,
        }
        let File { categories } = toml::from_str(text).map_err(|error| TaxonomyError::Syntax(error.to_string()))?;
        let mut index = HashMap::new();
        for (at, Category { id, parent, .. }) in categories.iter().enumerate() {
            if !parent.is_empty() && !index.contains_key(parent) {
                return Err(TaxonomyError::NoParent { id: id.clone(), parent: parent.clone() });
            }
            if index.insert(id.clone(), at).is_some() {
                return Err(TaxonomyError::Twice(id.clone()));
            }
        }
        Ok(Self { categories, index })
    }

    /// All categories, parents before their children.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// Whether the two exclude each other: they are the same, or one is part of the other. An unknown category excludes
    /// itself alone.
    #[must_use]
    pub fn excludes(&self, one: &str, other: &str) -> bool {
        one == other || self.is_part_of(one, other) || self.is_part_of(other, one)
    }

    /// Whether a category is somewhere below another.
    #[must_use]
    pub fn is_part_of(&self, category: &str, whole: &str) -> bool {
        let parent = |id: &str| {
            let category = &self.categories[*self.index.get(id)?];
            Some(category.parent.as_str()).filter(|parent| !parent.is_empty())
        };
        std::iter::successors(parent(category), |id| parent(id)).any(|above| above == whole)
    }

    /// Ids that resemble what is none, the most alike first.
    #[must_use]
    pub fn near(&self, unknown: &str) -> Vec<&str> {
        let unknown = unknown.to_lowercase();
        let likeness = |word: &str| {
            let within = unknown.len() > 2 && (word.contains(&unknown) || unknown.contains(word));
            let alike = strsim::normalized_damerau_levenshtein(&unknown, word);
            if within { alike.max(ALIKE) } else { alike }
        };
        let mut near: Vec<_> = (self.categories.iter())
            .map(|category| (likeness(&category.id).max(likeness(&category.title.to_lowercase())), category))
            .filter(|(alike, _)| *alike >= ALIKE)
            .collect();
        near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        near.into_iter().take(MATCHES).map(|(_, category)| category.id.as_str()).collect()
    }

    /// Categories of the field `categories` below `at` that there are not.
    pub fn check(&self, categories: &[String], at: &Path<'_>, wrong: &mut Vec<FieldViolation>) {
        for (index, id) in categories.iter().enumerate().filter(|(_, id)| !self.index.contains_key(*id)) {
            let remedy = match self.near(id).as_slice() {
                [] => "take one that ListCategories shows".to_owned(),
                near => format!("take {}, or another one that ListCategories shows", near.join(" or ")),
            };
            wrong.push(at.item("categories", index).violation(&format!("is {id:?}, which is no category: {remedy}")));
        }
    }
}
