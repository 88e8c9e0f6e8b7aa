//! Which categories there are, and which exclude each other.

use tandem_proto::validation::Path;

use super::words;
use crate::exclusivity::taxonomy::{Taxonomy, TaxonomyError, taxonomy};

fn parsed(categories: &str) -> Result<Taxonomy, TaxonomyError> {
    Taxonomy::parse(&format!("categories = [{categories}]"))
}

#[test]
fn the_categories_that_come_with_it_are_a_tree_of_plain_ids() {
    let categories = taxonomy().categories();
    assert!((40..=80).contains(&categories.len()), "{}", categories.len());
    for category in categories {
        assert!(!category.title.is_empty(), "{category:?}");
        assert!(category.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{category:?}");
        // No cycle: above each there is an end.
        assert!(!taxonomy().is_part_of(&category.id, &category.id), "{category:?}");
    }
    for id in ["skin-care", "make-up", "hair-care", "fragrance"] {
        assert!(taxonomy().is_part_of(id, "beauty"), "{id}");
    }
}

#[test]
fn a_parent_stands_before_its_children_so_there_is_no_cycle() {
    let missing = parsed(r#"{ id = "a", parent = "b", title = "A" }"#);
    assert_eq!(missing.unwrap_err(), TaxonomyError::NoParent { id: "a".into(), parent: "b".into() });
    let cycle = parsed(r#"{ id = "a", parent = "b", title = "A" }, { id = "b", parent = "a", title = "B" }"#);
    assert_eq!(cycle.unwrap_err(), TaxonomyError::NoParent { id: "a".into(), parent: "b".into() });
    let own = parsed(r#"{ id = "a", parent = "a", title = "A" }"#);
    assert_eq!(own.unwrap_err(), TaxonomyError::NoParent { id: "a".into(), parent: "a".into() });
}

#[test]
fn an_id_stands_there_once() {
    let twice = parsed(r#"{ id = "a", title = "A" }, { id = "a", title = "B" }"#);
    assert_eq!(twice.unwrap_err(), TaxonomyError::Twice("a".into()));
    assert!(matches!(parsed("{ id = 1 }"), Err(TaxonomyError::Syntax(_))));
}

#[test]
fn a_category_excludes_itself_those_below_and_those_above() {
    for (one, other) in [
        ("skin-care", "skin-care"),
        ("skin-care", "beauty"),
        ("sun-care", "skin-care"),
        // Over two levels.
        ("sun-care", "beauty"),
    ] {
        assert!(taxonomy().excludes(one, other) && taxonomy().excludes(other, one), "{one} {other}");
    }
    for (one, other) in
        [("skin-care", "make-up"), ("beauty", "fashion"), ("sun-care", "make-up"), ("sun-care", "fashion")]
    {
        assert!(!taxonomy().excludes(one, other) && !taxonomy().excludes(other, one), "{one} {other}");
    }
}

#[test]
fn a_category_that_is_none_excludes_itself_alone() {
    assert!(taxonomy().excludes("tea-towels", "tea-towels"));
    assert!(!taxonomy().excludes("tea-towels", "beauty"));
    // Nor does the top of the tree stand for a category.
    assert!(!taxonomy().excludes("", "beauty"));
}

#[test]
fn what_resembles_a_category_leads_to_it() {
    for (written, meant) in [
        ("skincare", "skin-care"),
        ("Skin Care", "skin-care"),
        ("makeup", "make-up"),
        ("cosmetics-beauty", "beauty"),
        ("phones", "mobile-phones"),
        ("Banking and cards", "banking"),
    ] {
        assert!(taxonomy().near(written).contains(&meant), "{written}: {:?}", taxonomy().near(written));
    }
    assert_eq!(taxonomy().near("skincare")[0], "skin-care");
    assert_eq!(taxonomy().near("xyzzy"), [""; 0]);
    assert_eq!(taxonomy().near(""), [""; 0]);
}

#[test]
fn an_unknown_category_is_told_with_its_place_and_what_resembles_it() {
    let mut wrong = Vec::new();
    taxonomy().check(&words(["beauty", "skincare", "xyzzy"]), &Path::Root.field("exclusivity"), &mut wrong);
    let [skincare, xyzzy] = &wrong[..] else { panic!("{wrong:?}") };
    assert_eq!(skincare.field, "exclusivity.categories[1]");
    assert!(skincare.description.starts_with("is \"skincare\", which is no category: take skin-care"), "{skincare:?}");
    assert_eq!(xyzzy.field, "exclusivity.categories[2]");
    assert!(xyzzy.description.ends_with("take one that ListCategories shows"), "{xyzzy:?}");
}
