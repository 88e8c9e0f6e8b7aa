//! The disclosure check: whether a caption tells its readers that the partnership is paid.
//!
//! The rules are those of the US Federal Trade Commission, "Disclosures 101 for Social Media Influencers" (2019) and
//! its letters to influencers (2017), for the tags, label and brand tag that a contract's disclosure clause asks for.
//!
//! Invariant: pure, and the same caption under the same clause always has the same findings.

mod caption;
mod placement;
#[cfg(test)]
mod tests;

use tandem_proto::campaigns::v1::{DisclosureFinding, DisclosureRule as Rule};
use tandem_proto::contracts::v1::DisclosureClause;

use crate::fields::short;
use caption::Caption;
use placement::Flaw;

/// Terms that say too little, whatever a contract accepts: what the FTC calls vague, as tags or, of several words, in
/// the text.
const UNCLEAR: [&str; 10] = [
    "#sp",
    "#spon",
    "#partner",
    "#partners",
    "#collab",
    "#ambassador",
    "#thanks",
    "#thankyou",
    "thanks to",
    "thank you to",
];
/// The same where who is mentioned next is thanked.
const THANKS: [&str; 2] = ["thanks", "thank you"];

const CONTRACT: &str = "The disclosure clause of the contract.";
const CLEAR: &str = "FTC, \"Disclosures 101 for Social Media Influencers\": use simple and clear language; terms like \
                     \"advertisement\", \"ad\" and \"sponsored\".";
const VAGUE: &str = "FTC, \"Disclosures 101 for Social Media Influencers\": don't use vague or confusing terms like \
                     \"sp\", \"spon\" or \"collab\", or stand-alone terms like \"thanks\" or \"ambassador\"; FTC letters of \
                     April 2017: \"#sp\", \"Thanks [Brand]\" and \"#partner\" are not sufficiently clear.";
const LABEL: &str = "FTC, \"Disclosures 101 for Social Media Influencers\": don't assume that a platform's disclosure \
                     tool is good enough; use it in addition to your own disclosure.";
const MISSED: &str = "FTC, \"Disclosures 101 for Social Media Influencers\": disclosures are likely to be missed if they \
                      appear at the end of posts or anywhere that requires a person to click MORE.";
const MIXED: &str = "FTC, \"Disclosures 101 for Social Media Influencers\": don't mix your disclosure into a group of \
                     hashtags or links.";

/// What is wrong with a caption's disclosure under a clause; nothing if it suffices. `platform_label` says whether the
/// platform's paid-partnership label is on.
#[must_use]
pub fn check(caption: &str, platform_label: bool, clause: &DisclosureClause) -> Vec<DisclosureFinding> {
    let caption = Caption::read(caption);
    let mut findings = tag(&caption, platform_label, clause);
    if clause.platform_label_required && !platform_label {
        let message = "The contract asks for the platform's paid-partnership label. Turn it on, beside the tag.";
        findings.push(finding(Rule::LabelMissing, message, CONTRACT));
    }
    if !clause.brand_tag.is_empty() && caption.find(&clause.brand_tag).is_empty() {
        let message = format!("The brand is not tagged. Add {}.", clause.brand_tag);
        findings.push(finding(Rule::BrandTagMissing, message, CONTRACT));
    }
    findings
}

/// Names of the rules that findings are of, for messages: `TAG_MISSING, LABEL_MISSING`.
pub(crate) fn rule_names(findings: &[DisclosureFinding]) -> String {
    let names = findings.iter().map(|finding| short(finding.rule().as_str_name(), "DISCLOSURE_RULE_"));
    names.collect::<Vec<_>>().join(", ")
}

/// Whether an accepted tag is there, clear, and where readers see it.
fn tag(caption: &Caption, platform_label: bool, clause: &DisclosureClause) -> Vec<DisclosureFinding> {
    let unclear = |tag: &str| UNCLEAR.iter().any(|term| caption::same(term, tag));
    let accepted: Vec<&str> = clause.accepted_tags.iter().map(String::as_str).filter(|tag| !unclear(tag)).collect();
    let found = accepted.iter().flat_map(|tag| caption.find(tag));
    // One tag that is easily seen is enough; of none, the one that is nearest to it is told about.
    if let Some(flaws) = found.map(|at| placement::flaws(caption, at)).min_by_key(Vec::len) {
        return flaws.into_iter().map(misplaced).collect();
    }
    let remedy = match &accepted[..] {
        [] => "Let the contract accept a clear tag, such as #ad or #sponsored".to_owned(),
        tags => format!("Begin the caption with {}", tags.join(" or ")),
    };
    let vague = UNCLEAR.iter().find(|term| !caption.find(term).is_empty());
    let thanks = || THANKS.iter().find(|term| caption.find(term).iter().any(|at| caption.mentions_after(*at)));
    if let Some(term) = vague.or_else(thanks) {
        let message = format!("{term:?} doesn't tell readers that the post is paid for. {remedy}.");
        return vec![finding(Rule::TagUnclear, message, VAGUE)];
    }
    if platform_label {
        let message = format!("The platform's label alone is not enough. {remedy}.");
        return vec![finding(Rule::TagMissing, message, LABEL)];
    }
    vec![finding(Rule::TagMissing, format!("Nothing tells readers that the post is paid for. {remedy}."), CLEAR)]
}

fn misplaced(flaw: Flaw) -> DisclosureFinding {
    match flaw {
        Flaw::BehindMore => finding(
            Rule::BehindMore,
            format!(
                "The tag is seen only by who opens \"more\": it ends after {} characters. Begin the caption with it.",
                placement::SHOWN
            ),
            MISSED,
        ),
        Flaw::InHashtagPile => finding(
            Rule::InHashtagPile,
            "The tag gets lost among other hashtags and links. Begin the caption with it, or put it before all of them.",
            MIXED,
        ),
        Flaw::AtEnd => finding(
            Rule::AtEnd,
            "The tag stands at the end of a long caption. Put it where the endorsement begins.",
            MISSED,
        ),
    }
}

fn finding(rule: Rule, message: impl Into<String>, source: &str) -> DisclosureFinding {
    DisclosureFinding { rule: rule.into(), message: message.into(), source: source.to_owned() }
}
