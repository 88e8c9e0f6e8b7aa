//! What may be done with the content and the person, and for whom the creator may not work.
//!
//! Invariant: see [`super`].

use tandem_proto::contracts::v1 as pb;

use super::super::document::Block;
use super::super::words::{NONE, and, count, days_ahead, territories};
use super::say;

pub(super) fn usage_rights(clause: &pb::UsageRightsClause) -> Vec<Block> {
    let what = match clause.kind() {
        pb::UsageKind::Unspecified => NONE,
        pb::UsageKind::Organic => "use the content on its own channels, unpaid",
        pb::UsageKind::PaidAmplification => "use the content as an ad, through the creator's handle or its own",
        pb::UsageKind::FullCommercial => "use the content for any commercial purpose",
        pb::UsageKind::AiTraining => "train models with the content",
        pb::UsageKind::Likeness => "make synthetic versions of the creator: voice, face, name",
    };
    let lengths = [(clause.months, "month"), (clause.days, "day")];
    let length = and(lengths.iter().filter(|(number, _)| *number > 0).map(|(number, unit)| count(*number, unit)));
    let mut said = vec![
        format!("The brand may {what}."),
        format!("This holds on {}, {},", and(&clause.channels), territories(&clause.territories))
            + &format!(" for {length} from publication."),
    ];
    said.push(if clause.ends_with_contract {
        "It ends with the contract if that is terminated.".to_owned()
    } else {
        "It lasts as long as agreed also if the contract is terminated.".to_owned()
    });
    if !clause.warning_days.is_empty() {
        said.push(format!("Its end is announced {} ahead.", days_ahead(&clause.warning_days)));
    }
    say(said)
}

pub(super) fn exclusivity(clause: &pb::ExclusivityClause) -> Vec<Block> {
    let channels =
        if clause.channels.is_empty() { "on all channels".to_owned() } else { format!("on {}", and(&clause.channels)) };
    let until = match clause.days_after_end {
        0 => "until the contract ends".to_owned(),
        days => format!("until {} after the contract ends", count(days, "day")),
    };
    let (categories, territories) = (and(&clause.categories), territories(&clause.territories));
    say([format!("The creator does not work for other brands in {categories}, {territories}, {channels}, {until}.")])
}

pub(super) fn ai_likeness(clause: &pb::AiLikenessClause) -> Vec<Block> {
    let may = |allowed: bool| if allowed { "may" } else { "may not" };
    let label = if clause.ai_content_label_required {
        "The creator has to label content made by AI."
    } else {
        "Content made by AI does not have to be labelled."
    };
    say([
        format!("Content {} train models.", may(clause.training_allowed)),
        format!("Synthetic versions of the creator {} be made.", may(clause.synthetic_likeness_allowed)),
        label.to_owned(),
    ])
}
