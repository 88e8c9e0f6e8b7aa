//! Filter, order and pages, asked kindly and with malice.
#![allow(clippy::unwrap_used, reason = "a test that can't go on shall say where")]

mod support;

use support::{Account, Accounts, Changed, World, append, changed, soon};
use tandem_views::testing::StoreKind;
use tandem_views::{ListQuery, Page, QueryError, ViewHandle, on_every_store};

type Handle = ViewHandle<Accounts<1>>;

/// a0 to a9: amounts -20 to 70, every third HELD, labels by number, due from the fourth on.
async fn ten(world: &World) -> Handle {
    let view = world.start(Accounts::<1>).await;
    for n in 0..10_i64 {
        let mut labels = vec![format!("n{}", n % 3)];
        labels.extend((n > 7).then(|| "big one".to_owned()));
        let state = if n % 3 == 0 { "HELD" } else { "OPEN" };
        let due = if n > 3 { n * 86_400 } else { 0 };
        let event = Changed { labels, due, ..changed(state, n * 10 - 20) };
        append(&world.log, "acme", &format!("a{n}"), &event).await;
        append(&world.log, "zeta", &format!("a{n}"), &event).await;
    }
    append(&world.log, "acme", "quote", &changed(r#"it's "so" \ % _ 'x"#, 1000)).await;
    world.caught_up(&view).await;
    view
}

fn ids(page: &Page<Account>) -> String {
    page.rows.iter().map(|(id, _)| id.strip_prefix('a').unwrap_or(id)).collect::<Vec<_>>().join(" ")
}

async fn filtered(view: &Handle, filter: &str) -> String {
    let page = view.list("acme", &ListQuery { filter, ..ListQuery::default() }).await;
    let page = page.unwrap_or_else(|error| panic!("{filter}: {error}"));
    assert_eq!(page.total_size as usize, page.rows.len(), "{filter}");
    ids(&page)
}

async fn filters_find_what_they_say(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    for (filter, found) in [
        ("", "0 1 2 3 4 5 6 7 8 9 quote"),
        ("state = HELD", "0 3 6 9"),
        ("state=\"HELD\" AND amount>20", "6 9"),
        ("state != 'HELD' AND state != OPEN", "quote"),
        ("amount <= -10", "0 1"),
        ("amount = -20", "0"),
        ("label:n2", "2 5 8"),
        (r#"label:"big one""#, "8 9"),
        ("label:n2 AND label:'big one'", "8"),
        ("NOT label:* ", "quote"),
        ("-label:n2 AND -label:n1", "0 3 6 9 quote"),
        ("NOT (label:n2 OR label:n1)", "0 3 6 9 quote"),
        // OR binds tighter than AND.
        ("amount < 30 AND state = HELD OR state = OPEN", "0 1 2 3 4"),
        ("(amount < 0 AND state = HELD) OR label:'big one'", "0 8 9"),
        ("due_time:*", "4 5 6 7 8 9"),
        ("NOT due_time:*", "0 1 2 3 quote"),
        ("due_time < 1970-01-07T00:00:00Z", "4 5"),
        (r#"due_time >= "1970-01-07T01:00:00+01:00" AND due_time <= 1970-01-08T00:00:00Z"#, "6 7"),
        ("id = a3 OR id = \"a4\"", "3 4"),
        ("amount:* AND amount < 10", "0 1"),
        ("overdrawn = true", "0 1"),
        ("overdrawn = FALSE AND state = HELD", "3 6 9"),
        ("overdrawn != true AND amount < 20", "2 3"),
        ("overdrawn:*", "0 1"),
        (r#"state = "it's \"so\" \\ % _ 'x""#, "quote"),
    ] {
        assert_eq!(filtered(&view, filter).await, found, "{filter}");
    }
}

async fn wrong_filters_say_what_is_wrong_which_fields_exist_and_an_example(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let deep = format!("{}state = HELD{}", "(".repeat(5000 / 2 - 100), ")".repeat(100));
    let nested = format!("{}state = HELD{}", "(".repeat(200), ")".repeat(200));
    let many = vec!["state = HELD"; 200].join(" OR ");
    for (filter, reason) in [
        ("colour = red", "there is no field \"colour\""),
        ("state", "one of = != < <= > >= : after state is expected at its end"),
        ("state = ", "a value after state = is expected at its end"),
        ("state = HELD amount = 1", "AND, OR or the end is expected at character 14, not amount"),
        ("state = HELD AND", "a field is expected at its end"),
        ("(state = HELD", "\")\", AND or OR is expected at its end"),
        ("state = HELD)", "is expected at character 13, not )"),
        ("\"state\" = HELD", "a field is expected at character 1"),
        ("state = \"HELD", "the quote at character 9 is not closed"),
        ("amount > many", "amount is a whole number, which \"many\" is not"),
        ("amount = 99999999999999999999", "amount is a whole number"),
        ("due_time > yesterday", "due_time is a time, which \"yesterday\" is not"),
        ("overdrawn = yes", "overdrawn is true or false, and not \"yes\""),
        ("overdrawn > false", "overdrawn is true or false, which have no order"),
        ("label = n1", "label is a set: ask for a member, label:\"n1\""),
        ("state:HELD", "state is no set: compare it, state = \"HELD\""),
        ("state = HELD; DROP TABLE accounts_v1_g1", "';' is not expected"),
        ("state = 'a\0b'", "NUL"),
        ("body = x", "there is no field \"body\""),
        ("tenant = zeta", "there is no field \"tenant\""),
        ("state == HELD", "a value after state = is expected"),
        (&deep, "nested deeper"),
        (&nested, "nested deeper"),
        (&many, "more than 64 comparisons"),
        (&"x".repeat(5000), "longer than 4096"),
    ] {
        let answer = view.list("acme", &ListQuery { filter, ..ListQuery::default() }).await;
        let error = answer.err().unwrap_or_else(|| panic!("{filter} was taken"));
        assert_eq!(error.field(), Some("filter"), "{filter}");
        let message = error.to_string();
        assert!(message.contains(reason), "{filter}: {message}");
        if filter.len() < 4096 {
            assert!(message.contains("state (text), amount (integer), label (set), due_time (time)"), "{message}");
            assert!(message.ends_with("for example: amount >= 10"), "{message}");
        }
    }
}

async fn values_are_never_sql(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    for value in ["' OR '1'='1", "x'); DROP TABLE accounts_v1_g1; --", "$1", "?", "%", "_", "HELD'--"] {
        for filter in [format!("state = {value:?}"), format!("label:{value:?}"), format!("id = {value:?}")] {
            assert_eq!(filtered(&view, &filter).await, "", "{filter}");
        }
    }
    let fixed = vec![("state", "' OR '1'='1".to_owned())];
    let page = view.list("acme", &ListQuery { fixed, ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.total_size, 0);
    assert_eq!(filtered(&view, "").await.split(' ').count(), 11);
}

async fn fixed_fields_hold_whatever_the_filter(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let fixed = vec![("state", "HELD".to_owned()), ("label", "n0".to_owned())];
    let filter = "amount > 0 OR amount < 1000";
    let page = view.list("acme", &ListQuery { filter, fixed, ..ListQuery::default() }).await.unwrap();
    assert_eq!((ids(&page).as_str(), page.total_size), ("0 3 6 9", 4));
}

async fn orders_are_total_and_pages_follow_each_other(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    for (order_by, order) in [
        ("", "0 1 2 3 4 5 6 7 8 9 quote"),
        ("id desc", "quote 9 8 7 6 5 4 3 2 1 0"),
        ("amount desc", "quote 9 8 7 6 5 4 3 2 1 0"),
        ("state", "0 3 6 9 1 2 4 5 7 8 quote"),
        ("state desc, amount desc", "quote 8 7 5 4 2 1 9 6 3 0"),
        (" state  asc , id desc", "9 6 3 0 8 7 5 4 2 1 quote"),
        ("due_time desc, amount", "9 8 7 6 5 4 0 1 2 3 quote"),
    ] {
        for page_size in [1, 2, 3, 11, 5000] {
            let (mut found, mut page_token) = (Vec::new(), String::new());
            loop {
                let query = ListQuery { order_by, page_size, page_token: &page_token, ..ListQuery::default() };
                let page = view.list("acme", &query).await.unwrap();
                assert_eq!(page.total_size, 11);
                assert!(page.rows.len() <= page_size as usize);
                found.push(ids(&page));
                if page.next_page_token.is_empty() {
                    break;
                }
                page_token = page.next_page_token;
            }
            assert_eq!(found.len(), 11_usize.div_ceil(page_size as usize), "{order_by} by {page_size}");
            assert_eq!(found.join(" "), order, "{order_by} by {page_size}");
        }
    }
}

async fn a_page_is_not_disturbed_by_what_is_written_before_it(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let query = ListQuery { page_size: 3, ..ListQuery::default() };
    let first = view.list("acme", &query).await.unwrap();
    append(&world.log, "acme", "a00", &changed("OPEN", 1)).await;
    let last = append(&world.log, "acme", "a1", &changed("CLOSED", 1)).await;
    view.wait_for_position(last, soon()).await.unwrap();
    let second = view.list("acme", &ListQuery { page_token: &first.next_page_token, ..query }).await.unwrap();
    assert_eq!((ids(&first).as_str(), ids(&second).as_str()), ("0 1 2", "3 4 5"));
}

async fn a_page_whose_rows_have_gone_still_tells_how_many_there_are(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let query = ListQuery { page_size: 4, filter: "state = HELD OR amount > 50", ..ListQuery::default() };
    // a0, a3, a6 and a8 of them, a9 and the quote.
    let first = view.list("acme", &query).await.unwrap();
    assert_eq!((ids(&first).as_str(), first.total_size), ("0 3 6 8", 6));
    for id in ["a9", "quote"] {
        append(&world.log, "acme", id, &changed("CLOSED", 0)).await;
    }
    world.caught_up(&view).await;
    let second = view.list("acme", &ListQuery { page_token: &first.next_page_token, ..query.clone() }).await.unwrap();
    assert_eq!((ids(&second).as_str(), second.total_size, second.next_page_token.as_str()), ("", 4, ""));
    let none = view.list("acme", &ListQuery { filter: "amount > 5000", ..ListQuery::default() }).await.unwrap();
    assert_eq!((none.rows.len(), none.total_size), (0, 0));
}

async fn wrong_orders_are_refused(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    for (order_by, reason) in [
        ("colour", "there is no field \"colour\""),
        ("state up", "\"state up\" is not <field>"),
        ("state,,id", "a field is missing"),
        ("label", "label is a set"),
        ("state, state desc", "state is named twice"),
        ("state; DROP TABLE x", "is not <field>"),
        ("body", "there is no field"),
        ("id,id,id,id,id,id,id,id,id,id", "more than 8"),
    ] {
        let error = view.list("acme", &ListQuery { order_by, ..ListQuery::default() }).await.unwrap_err();
        assert_eq!(error.field(), Some("order_by"));
        assert!(error.to_string().contains(reason), "{order_by}: {error}");
    }
}

async fn an_alien_page_token_is_refused(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let query = ListQuery { page_size: 2, order_by: "amount", filter: "state = OPEN", ..ListQuery::default() };
    let token = view.list("acme", &query).await.unwrap().next_page_token;
    view.list("acme", &ListQuery { page_token: &token, page_size: 5, ..query.clone() }).await.unwrap();
    let mut cut = token.clone();
    cut.pop();
    let fixed = vec![("state", "OPEN".to_owned())];
    for (tenant, query) in [
        ("zeta", ListQuery { page_token: &token, ..query.clone() }),
        ("acme", ListQuery { page_token: &token, filter: "state = HELD", ..query.clone() }),
        ("acme", ListQuery { page_token: &token, order_by: "amount desc", ..query.clone() }),
        ("acme", ListQuery { page_token: &token, fixed, ..query.clone() }),
        ("acme", ListQuery { page_token: &cut, ..query.clone() }),
        ("acme", ListQuery { page_token: "%%%", ..query.clone() }),
        ("acme", ListQuery { page_token: "AAAA", ..query.clone() }),
    ] {
        let answer = view.list(tenant, &query).await;
        assert!(matches!(answer, Err(QueryError::PageToken)), "{query:?}: {answer:?}");
    }
    let negative = view.list("acme", &ListQuery { page_size: -1, ..ListQuery::default() }).await.unwrap_err();
    assert_eq!(negative.field(), Some("page_size"));
}

async fn no_sequence_of_tokens_reaches_the_database_malformed(kind: StoreKind) {
    let world = World::new(kind);
    let view = ten(&world).await;
    let words = [
        "state",
        "amount",
        "label",
        "due_time",
        "id",
        "=",
        "!=",
        "<",
        ">=",
        ":",
        "*",
        "AND",
        "OR",
        "NOT",
        "-",
        "(",
        ")",
        "HELD",
        "7",
        "\"x\"",
        "'",
        "\\",
        "1970-01-07T00:00:00Z",
        "é",
        ",",
        "$1",
    ];
    let (mut random, mut taken) = (7_u64, 0);
    for _ in 0..3000 {
        let mut filter = String::new();
        for _ in 0..(random >> 60) + 1 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            filter.push_str(words[(random >> 33) as usize % words.len()]);
            filter.push_str(if random & (1 << 20) == 0 { " " } else { "" });
        }
        match view.list("acme", &ListQuery { filter: &filter, ..ListQuery::default() }).await {
            Ok(_) => taken += 1,
            Err(error) => assert_eq!(error.field(), Some("filter"), "{filter}: {error}"),
        }
    }
    assert!(taken > 0);
}

on_every_store!(
    filters_find_what_they_say,
    wrong_filters_say_what_is_wrong_which_fields_exist_and_an_example,
    values_are_never_sql,
    fixed_fields_hold_whatever_the_filter,
    orders_are_total_and_pages_follow_each_other,
    a_page_is_not_disturbed_by_what_is_written_before_it,
    a_page_whose_rows_have_gone_still_tells_how_many_there_are,
    wrong_orders_are_refused,
    an_alien_page_token_is_refused,
    no_sequence_of_tokens_reaches_the_database_malformed,
);
