//! `Validate` for every message, out of its `buf.validate` rules. The crates that do this need protoc to build. A rule
//! that is not understood here fails the build, so that none is silently skipped.

use std::fmt::Write as _;

use anyhow::{Context as _, bail};
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value,
};

use crate::names;

pub fn generate(pool: &DescriptorPool) -> anyhow::Result<String> {
    let generator = Generator {
        field_rules: pool.get_extension_by_name("buf.validate.field").context("validate.proto is not imported")?,
        oneof_rules: pool.get_extension_by_name("buf.validate.oneof").context("validate.proto is not imported")?,
    };
    let mut out = String::new();
    for message in names::own_messages(pool) {
        let body = generator.message(&message)?;
        writeln!(
            out,
            "impl crate::Validate for {} {{
    #[allow(unused_variables, clippy::all)]
    fn check(&self, at: &crate::validation::Path<'_>, out: &mut Vec<crate::FieldViolation>) {{
{body}    }}
}}",
            names::type_path(&message)
        )?;
    }
    Ok(out)
}

struct Generator {
    field_rules: ExtensionDescriptor,
    oneof_rules: ExtensionDescriptor,
}

impl Generator {
    fn message(&self, message: &MessageDescriptor) -> anyhow::Result<String> {
        let mut out = String::new();
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            let rules = oneof.options();
            if let Value::Message(rules) = rules.get_extension(&self.oneof_rules).as_ref()
                && rules.get_field_by_name("required").is_some_and(|value| value.as_bool() == Some(true))
            {
                let name = oneof.name();
                let options = oneof.fields().map(|f| f.name().to_owned()).collect::<Vec<_>>().join(", ");
                writeln!(
                    out,
                    "        if self.{name}.is_none() {{ out.push(at.field({name:?}).violation({:?})); }}",
                    format!("set one of {options}")
                )?;
            }
        }
        for field in message.fields() {
            self.field(message, &field, &mut out).with_context(|| format!("rules of {}", field.full_name()))?;
        }
        Ok(out)
    }

    fn field(&self, message: &MessageDescriptor, field: &FieldDescriptor, out: &mut String) -> anyhow::Result<()> {
        let (name, access) = (field.name(), format!("self.{}", names::field(field.name())));
        let options = field.options();
        let rules = options.get_extension(&self.field_rules);
        let rules = rules.as_message().context("not a message")?;
        let own_message = matches!(field.kind(), Kind::Message(m) if m.package_name().starts_with("tandem."));
        let is_message = matches!(field.kind(), Kind::Message(_));
        let enum_path = match field.kind() {
            Kind::Enum(of) => Some(names::enum_path(&of)),
            _ => None,
        };
        let enum_path = enum_path.as_deref();

        if let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) {
            let variant =
                format!("{}::{}::{}", names::nested_module(message), names::camel(oneof.name()), names::camel(name));
            let checks = if own_message { format!("value.check(&at.field({name:?}), out);") } else { String::new() };
            let checks = checks + &value_rules(rules, enum_path, "value", &format!("at.field({name:?})"))?;
            if !checks.is_empty() {
                writeln!(out, "        if let Some({variant}(value)) = &self.{} {{ {checks} }}", oneof.name())?;
            }
            return Ok(());
        }
        if flag(rules, "required") {
            let missing =
                if is_message { format!("{access}.is_none()") } else { format!("{access} == Default::default()") };
            writeln!(out, "        if {missing} {{ out.push(at.field({name:?}).violation(\"is required\")); }}")?;
        }
        if field.cardinality() == Cardinality::Repeated {
            if field.is_map() {
                bail!("rules on maps are not supported");
            }
            let mut each = if own_message { "value.check(&at.item, out);".to_owned() } else { String::new() };
            if let Some(list) = submessage(rules, "repeated") {
                for (rule, value) in list.fields() {
                    let n = || value.as_u64().context("not a count");
                    match rule.name() {
                        "min_items" => writeln!(
                            out,
                            "        if {access}.len() < {0} {{ out.push(at.field({name:?}).violation(\"needs at least {0} item(s)\")); }}",
                            n()?
                        )?,
                        "max_items" => writeln!(
                            out,
                            "        if {access}.len() > {0} {{ out.push(at.field({name:?}).violation(\"takes at most {0} item(s)\")); }}",
                            n()?
                        )?,
                        "items" => {
                            let items = value.as_message().context("not rules")?;
                            each += &value_rules(items, enum_path, "value", "at.item")?;
                        }
                        other => bail!("repeated.{other} is not supported"),
                    }
                }
            }
            if !each.is_empty() {
                let each = each.replace("at.item", &format!("at.item({name:?}, index)"));
                writeln!(out, "        for (index, value) in {access}.iter().enumerate() {{ {each} }}")?;
            }
            return Ok(());
        }
        if own_message {
            writeln!(out, "        if let Some(value) = &{access} {{ value.check(&at.field({name:?}), out); }}")?;
        }
        let checks = value_rules(rules, enum_path, "value", &format!("at.field({name:?})"))?;
        if !checks.is_empty() {
            writeln!(out, "        {{ let value = &{access}; {checks} }}")?;
        }
        Ok(())
    }
}

/// Checks of one scalar `value` (a reference) that stands at `at`.
fn value_rules(rules: &DynamicMessage, enum_path: Option<&str>, value: &str, at: &str) -> anyhow::Result<String> {
    let mut out = String::new();
    let mut check = |wrong: String, remedy: String| {
        out += &format!("if {wrong} {{ out.push({at}.violation({remedy:?})); }} ");
    };
    for (kind, set) in rules.fields() {
        let set = match kind.name() {
            "required" | "repeated" => continue,
            "string" | "int32" | "int64" | "uint32" | "enum" => set.as_message().context("not rules")?,
            other => bail!("rules of kind {other} are not supported"),
        };
        for (rule, bound) in set.fields() {
            match (kind.name(), rule.name()) {
                ("string", "min_len") => {
                    let n = bound.as_u64().context("not a length")?;
                    let remedy =
                        if n == 1 { "is required".to_owned() } else { format!("needs at least {n} characters") };
                    check(format!("{value}.chars().count() < {n}"), remedy);
                }
                ("string", "max_len") => {
                    let n = bound.as_u64().context("not a length")?;
                    check(format!("{value}.chars().count() > {n}"), format!("takes at most {n} characters"));
                }
                ("string", "pattern") => {
                    let pattern = bound.as_str().context("not a pattern")?;
                    check(
                        format!(
                            "{{ static R: std::sync::LazyLock<Option<regex::Regex>> = std::sync::LazyLock::new(|| regex::Regex::new({pattern:?}).ok()); !R.as_ref().is_some_and(|r| r.is_match({value})) }}"
                        ),
                        pattern_remedy(pattern),
                    );
                }
                ("int32" | "int64" | "uint32", operator @ ("gt" | "gte" | "lt" | "lte")) => {
                    let n = bound.as_i64().or(bound.as_i32().map(i64::from)).or(bound.as_u32().map(i64::from));
                    let n = n.context("not a number")?;
                    let (wrong, words) = match operator {
                        "gt" => ("<=", "greater than"),
                        "gte" => ("<", "at least"),
                        "lt" => (">=", "less than"),
                        _ => (">", "at most"),
                    };
                    check(format!("i64::from(*{value}) {wrong} {n}"), format!("must be {words} {n}"));
                }
                ("enum", "defined_only") if bound.as_bool() == Some(true) => {
                    let path = enum_path.context("defined_only stands on what is no enum")?;
                    check(format!("{path}::try_from(*{value}).is_err()"), "is not a known value".to_owned());
                }
                ("enum", "not_in") => {
                    let values = bound.as_list().context("not a list")?;
                    for number in values.iter().filter_map(Value::as_i32) {
                        let remedy =
                            if number == 0 { "is required".to_owned() } else { format!("must not be {number}") };
                        check(format!("*{value} == {number}"), remedy);
                    }
                }
                (kind, other) => bail!("{kind}.{other} is not supported"),
            }
        }
    }
    Ok(out)
}

/// What keeps a pattern; in words, if it is that of a resource name.
fn pattern_remedy(pattern: &str) -> String {
    match resource_name(pattern) {
        Some((collection, characters, most)) => {
            format!("must be {collection}/{{id}}, the id 1 to {most} of [{characters}]")
        }
        None => format!("must match {pattern}"),
    }
}

/// Collection, characters and greatest length of the id out of `^contracts/[a-z0-9-]{1,63}$`.
fn resource_name(pattern: &str) -> Option<(&str, &str, u32)> {
    let (collection, id) = pattern.strip_prefix('^')?.strip_suffix("}$")?.split_once("/[")?;
    let (characters, most) = id.split_once("]{1,")?;
    let literal = !collection.is_empty() && collection.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Some((collection, characters, most.parse().ok()?)).filter(|_| literal)
}

fn flag(rules: &DynamicMessage, name: &str) -> bool {
    rules.get_field_by_name(name).is_some_and(|value| value.as_bool() == Some(true))
}

fn submessage(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    rules.has_field_by_name(name).then(|| rules.get_field_by_name(name)?.as_message().cloned())?
}
