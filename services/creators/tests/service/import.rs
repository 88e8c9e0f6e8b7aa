//! Importing, against a real server.

use std::collections::BTreeSet;

use anyhow::Result;
use futures::future::try_join_all;
use tandem_client::Client;
use tandem_proto::creators::v1::ImportOutcome::{self, Created, Rejected, Unchanged, Updated};
use tandem_proto::creators::v1::{ImportCreatorRow, Platform, Tier};
use tandem_proto::google::r#type::Date;
use tandem_service::testing::token;

use crate::support::*;

#[tokio::test]
async fn an_export_is_imported_and_importing_it_again_changes_nothing() -> Result<()> {
    let it = Fixture::new().await?;
    let ranking = instagram_ranking()?;
    assert_eq!(ranking.len(), 1050);
    let mut first = Vec::new();
    for batch in ranking.chunks(200) {
        first.extend(outcomes(&import(&it.client, batch.to_vec(), "").await?));
    }
    assert_eq!(first.iter().filter(|outcome| **outcome == Created).count(), 983);
    assert!(!first.contains(&Rejected));
    let creators = list(&it.client, "", "follower_count desc").await?;
    assert_eq!(creators.len(), 983);
    assert!(creators.is_sorted_by_key(|creator| std::cmp::Reverse(creator.follower_count)));
    let cristiano = lookup(&it.client, "cristiano").await?;
    assert_eq!((&cristiano.display_name[..], cristiano.tier()), ("Cristiano Ronaldo", Tier::Mega));
    assert_eq!(cristiano.follower_count, 477_900_000);
    assert!(creators.iter().all(|creator| !creator.channels[0].handle.is_empty()));

    let events = it.messages("tandem").await?.len();
    let backwards: Vec<_> = ranking.iter().rev().cloned().collect();
    for batch in backwards.chunks(300) {
        assert!(outcomes(&import(&it.client, batch.to_vec(), "").await?).iter().all(|it| *it == Unchanged));
    }
    assert_eq!(it.messages("tandem").await?.len(), events);
    assert_eq!(list(&it.client, "", "follower_count desc").await?, creators);
    Ok(())
}

#[tokio::test]
async fn concurrent_imports_of_the_same_people_make_each_once() -> Result<()> {
    let it = Fixture::new().await?;
    let rows = |from: i64| (from..from + 10).map(|n| row(&format!("handle{}", n % 25), n)).collect::<Vec<_>>();
    let imports = (0..50).map(|from| {
        let client = it.client.fork();
        let rows = rows(from);
        async move { import(&client, rows, "").await }
    });
    let results: Vec<_> = try_join_all(imports).await?.into_iter().flat_map(|response| response.results).collect();
    assert_eq!(results.iter().filter(|result| result.outcome() == Created).count(), 25);
    let names: BTreeSet<_> = results.iter().map(|result| &result.creator).collect();
    assert_eq!(names.len(), 25);
    for n in 0..25 {
        // The largest that was said of them: rows go up to 58.
        let expected = if n <= 8 { n + 50 } else { n + 25 };
        assert_eq!(lookup(&it.client, &format!("handle{n}")).await?.follower_count, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_repeated_batch_answers_as_at_first() -> Result<()> {
    let it = Fixture::new().await?;
    let known = row("known", 100);
    import_one(&it.client, known.clone()).await?;
    let newer = |handle: &str| {
        let mut row = row(handle, 300);
        row.figures.as_mut().unwrap().observe_date = Some(Date { year: 2022, month: 10, day: 1 });
        row
    };
    // Created, a newer report, the same once more, an older report, and one that is bad.
    let batch = vec![row("new", 1), newer("new"), row("new", 1), newer("known"), known, row("", 1), row("other", 5)];
    let expected = [Created, Updated, Unchanged, Updated, Unchanged, Rejected, Created];
    // The process died after some rows, or its reply was lost.
    assert_eq!(outcomes(&import(&it.client, batch[..1].to_vec(), "batch-1").await?), expected[..1]);
    let first = import(&it.client, batch.clone(), "batch-1").await?;
    assert_eq!(outcomes(&first), expected);
    let events = it.messages("tandem").await?.len();
    import(&it.client, vec![row("new", 7), row("other", 9)], "batch-2").await?;
    let later = it.messages("tandem").await?.len();
    assert_eq!(import(&it.client, batch.clone(), "batch-1").await?, first);
    assert_eq!(it.messages("tandem").await?.len(), later);
    assert!(later > events, "the other batch brought something new");
    Ok(())
}

#[tokio::test]
async fn bad_rows_are_reported_and_stop_no_others() -> Result<()> {
    let it = Fixture::new().await?;
    let mut negative = row("negative", -5);
    negative.figures.as_mut().unwrap().average_likes = -1;
    let mut undated = row("undated", 1);
    undated.figures = None;
    let unknown = ImportCreatorRow { platform: 0, ..row("x", 1) };
    let response = import(&it.client, vec![row("a b", 1), negative, row("good", 1), undated, unknown], "").await?;
    assert_eq!(outcomes(&response), [Rejected, Rejected, Created, Rejected, Rejected]);
    let fields: Vec<_> = response.results.iter().map(|result| &result.field[..]).collect();
    assert_eq!(fields, ["handle", "figures.followers", "", "figures.observe_date", "platform"]);
    let message = &response.results[1].message;
    assert!(message.contains("figures.followers is -5; give 0 or more"), "{message}");
    assert!(message.contains("figures.average_likes is -1"), "{message}");
    assert!(response.results.iter().all(|result| (result.outcome() == Rejected) == result.creator.is_empty()));
    assert_eq!(list(&it.client, "", "").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn handles_are_one_however_written_and_apart_by_platform_and_tenant() -> Result<()> {
    let it = Fixture::new().await?;
    let name = import_one(&it.client, row("@Khaby.Lame", 1)).await?;
    assert_eq!(import_one(&it.client, row("khaby.lame ", 1)).await?, name);
    assert_eq!(lookup(&it.client, "KHABY.LAME").await?.name, name);
    let elsewhere = ImportCreatorRow { platform: Platform::Tiktok.into(), ..row("khaby.lame", 1) };
    assert_ne!(import_one(&it.client, elsewhere).await?, name);

    let umbrella = it.client_of(token("users/una", "umbrella", &["*"]))?;
    assert_eq!(reason(&lookup(&umbrella, "khaby.lame").await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert_eq!(reason(&get(&umbrella, &name).await.unwrap_err()), "RESOURCE_NOT_FOUND");
    assert!(list(&umbrella, "", "").await?.is_empty());
    assert_ne!(import_one(&umbrella, row("khaby.lame", 1)).await?, name);
    assert_eq!(list(&umbrella, "", "").await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn rows_of_a_merged_creator_go_to_the_one_that_remains() -> Result<()> {
    let it = Fixture::new().await?;
    let [a, b, c] = [
        import_one(&it.client, row("a", 1)).await?,
        import_one(&it.client, row("b", 2)).await?,
        import_one(&it.client, row("c", 3)).await?,
    ];
    merge(&it.client, &b, &a).await?;
    merge(&it.client, &c, &b).await?;
    let response = import(&it.client, vec![row("a", 2_000_000), row("b", 2)], "").await?;
    assert_eq!(outcomes(&response), [Updated, Unchanged]);
    assert!(response.results.iter().all(|result| result.creator == c));
    let merged = get(&it.client, &c).await?;
    let handles: BTreeSet<_> = merged.channels.iter().map(|channel| &channel.handle[..]).collect();
    assert_eq!(handles, BTreeSet::from(["a", "b", "c"]));
    assert_eq!((merged.tier(), &merged.display_name[..]), (Tier::Mega, "Name of c"));
    Ok(())
}

#[tokio::test]
async fn lists_are_filtered_by_what_any_channel_has() -> Result<()> {
    let it = Fixture::new().await?;
    let tiktok = ImportCreatorRow {
        platform: Platform::Tiktok.into(),
        audience_country: "Brazil".into(),
        categories: vec!["Food & Cooking".into()],
        ..row("small", 500)
    };
    let [big, small, other] = [
        import_one(&it.client, row("big", 5_000_000)).await?,
        import_one(&it.client, tiktok).await?,
        import_one(&it.client, row("middle", 20_000)).await?,
    ];
    merge(&it.client, &big, &small).await?;
    let names = async |filter: &str| {
        let found = list(&it.client, filter, "follower_count desc").await?;
        anyhow::Ok(found.into_iter().map(|creator| creator.name).collect::<Vec<_>>())
    };
    for (filter, expected) in [
        ("tier = MEGA", vec![&big]),
        ("tier = tier_mega", vec![&big]),
        ("tier = MEGA AND country:\"Brazil\"", vec![&big]),
        ("country:Spain", vec![&big, &other]),
        ("category:\"Food & Cooking\" AND state = ACTIVE", vec![&big]),
        ("platform:TIKTOK AND state = MERGED", vec![&small]),
        ("follower_count > 10000", vec![&big, &other]),
    ] {
        assert_eq!(names(filter).await?, expected.into_iter().cloned().collect::<Vec<_>>(), "{filter}");
    }
    assert_eq!(reason(&list(&it.client, "handle = \"big\"", "").await.unwrap_err()), "FILTER_INVALID");
    Ok(())
}

#[tokio::test]
async fn an_import_without_the_server_fails_whole_and_can_be_repeated() -> Result<()> {
    let mut it = Fixture::new().await?;
    let batch: Vec<_> = (0..20).map(|n| row(&format!("handle{n}"), n)).collect();
    import(&it.client, batch[..5].to_vec(), "batch").await?;
    it.server.kill().await?;
    let away = Client::builder()
        .creators(it.service.uri())
        .token(tandem_client::StaticToken::new(token("users/ada", "acme", &["*"])))
        .deadline(std::time::Duration::from_secs(2))
        .build()?;
    assert!(import(&away, batch.clone(), "batch").await.is_err());
    it.server.restart().await?;
    let response = import(&it.client, batch, "batch").await?;
    assert!(outcomes(&response).iter().all(|outcome| *outcome == ImportOutcome::Created));
    Ok(())
}
