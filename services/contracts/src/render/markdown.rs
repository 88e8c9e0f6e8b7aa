//! A document as CommonMark with tables.
//!
//! Invariant: whatever a text holds, it is shown and never means anything.

use std::fmt::Write as _;

use super::document::{Block, Document, Table, column};

pub(super) fn write(document: &Document) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    for block in &document.blocks {
        write_block(&mut out, block, 2);
    }
    out
}

fn write_block(out: &mut String, block: &Block, level: usize) {
    out.push('\n');
    match block {
        Block::Text(text) => line(out, &start(text)),
        Block::Facts(facts) => {
            for (name, value) in facts {
                line(out, &format!("- **{}:** {}", escape(name), escape(value)));
            }
        }
        Block::List(points) => {
            for point in points {
                line(out, &format!("- {}", start(point)));
            }
        }
        Block::Table(table) => write_table(out, table),
        Block::Section { title, blocks } => {
            line(out, &format!("{} {}", "#".repeat(level.min(6)), escape(title)));
            for block in blocks {
                write_block(out, block, level + 1);
            }
        }
    }
}

fn write_table(out: &mut String, table: &Table) {
    let columns: Vec<_> = table.headers.iter().map(|header| column(header)).collect();
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    line(out, &row(columns.iter().map(|(name, _)| escape(name)).collect()));
    line(out, &row(columns.iter().map(|(_, number)| if *number { "---:" } else { "---" }.to_owned()).collect()));
    for cells in &table.rows {
        line(out, &row(cells.iter().map(|cell| escape(cell)).collect()));
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a string never fails.
    let _ = writeln!(out, "{text}");
}

/// A text that begins a line, where more characters have a meaning than inside of one.
fn start(text: &str) -> String {
    let escaped = escape(text);
    let digits = escaped.bytes().take_while(u8::is_ascii_digit).count();
    match escaped.as_bytes().get(digits) {
        Some(b'.' | b')') if digits > 0 => format!("{}\\{}", &escaped[..digits], &escaped[digits..]),
        Some(b'-' | b'+' | b'=') if digits == 0 => format!("\\{escaped}"),
        _ => escaped,
    }
}

/// On one line, with a backslash before whatever could mean something to a reader of Markdown.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for part in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        for character in part.chars() {
            if "\\`*_[]<>&|~#!$".contains(character) {
                out.push('\\');
            }
            out.push(character);
        }
    }
    out
}
