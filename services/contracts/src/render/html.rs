//! A document as one HTML page, for screen and print.
//!
//! Invariant: the page refers to nothing outside itself and runs nothing, and no text of a contract becomes markup.

use super::document::{Block, Document, Table, column};

/// Serif for reading, a measure of some 75 characters, figures of equal width in columns. On paper: A4, numbered pages,
/// and no break inside a clause, a row or right after a heading, as far as that can be kept.
const STYLE: &str = "\
:root{color-scheme:light}\
*{box-sizing:border-box}\
body{margin:0 auto;padding:3rem 1.5rem;max-width:46rem;background:#fff;color:#1a1a1a;\
font:16px/1.55 Georgia,'Times New Roman',serif;overflow-wrap:anywhere}\
h1{font-size:1.9rem;line-height:1.2;margin:0 0 2rem}\
h2{font-size:1.3rem;margin:2.5rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid #bbb}\
h3{font-size:1.05rem;margin:1.5rem 0 .4rem}\
h4,h5,h6{font-size:1rem;margin:1rem 0 .3rem}\
p{margin:.4rem 0}\
ul{margin:.4rem 0;padding-left:1.4rem}\
dl{display:grid;grid-template-columns:minmax(9rem,max-content) 1fr;gap:.25rem 1.5rem;margin:.5rem 0}\
dt{color:#555}dd{margin:0}\
table{width:100%;border-collapse:collapse;margin:.75rem 0;font-size:.9rem}\
th,td{padding:.35rem .75rem .35rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #ddd}\
th{border-bottom:1px solid #777;font-weight:600}\
.number{text-align:right;font-variant-numeric:tabular-nums}\
@page{size:A4;margin:22mm 20mm;@bottom-right{content:counter(page) ' / ' counter(pages);font:9pt Georgia,serif}}\
@media print{body{max-width:none;padding:0;font-size:10.5pt}\
h1,h2,h3,h4{break-after:avoid}section section,tr,li,dl{break-inside:avoid}thead{display:table-header-group}\
p,li{orphans:3;widows:3}}";

pub(super) fn write(document: &Document) -> String {
    let title = escape(&document.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    );
    for block in &document.blocks {
        write_block(&mut out, block, 2);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn write_block(out: &mut String, block: &Block, level: usize) {
    match block {
        Block::Text(text) => out.push_str(&format!("<p>{}</p>\n", escape(text))),
        Block::Facts(facts) => {
            out.push_str("<dl>\n");
            for (name, value) in facts {
                out.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value)));
            }
            out.push_str("</dl>\n");
        }
        Block::List(points) => {
            out.push_str("<ul>\n");
            for point in points {
                out.push_str(&format!("<li>{}</li>\n", escape(point)));
            }
            out.push_str("</ul>\n");
        }
        Block::Table(table) => write_table(out, table),
        Block::Section { title, blocks } => {
            let level = level.min(6);
            out.push_str(&format!("<section>\n<h{level}>{}</h{level}>\n", escape(title)));
            for block in blocks {
                write_block(out, block, level + 1);
            }
            out.push_str("</section>\n");
        }
    }
}

fn write_table(out: &mut String, table: &Table) {
    let columns: Vec<_> = table.headers.iter().map(|header| column(header)).collect();
    let class = |number: bool| if number { " class=\"number\"" } else { "" };
    out.push_str("<table>\n<thead><tr>");
    for (name, number) in &columns {
        out.push_str(&format!("<th scope=\"col\"{}>{}</th>", class(*number), escape(name)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (cell, (_, number)) in row.iter().zip(&columns) {
            out.push_str(&format!("<td{}>{}</td>", class(*number), escape(cell)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n");
}

/// Text as it may stand between tags and in attributes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(character),
        }
    }
    out
}
