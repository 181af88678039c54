//! How attributes are described (RFC 7643, section 7), and the description as clients read it.

use serde_json::{Map, Value, json};

/// The type of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Boolean,
    Time,
    Reference,
    Complex,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Boolean => "boolean",
            Self::Time => "dateTime",
            Self::Reference => "reference",
            Self::Complex => "complex",
        }
    }
}

/// Who may write an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutability {
    ReadWrite,
    ReadOnly,
    /// Written with the value it belongs to, and not changed after.
    Immutable,
}

/// When an attribute stands in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    Always,
    Default,
    /// Only when it is asked for.
    Request,
}

/// An attribute or a sub-attribute.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "the RFC describes attributes by yes and no")]
pub(crate) struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub many: bool,
    pub required: bool,
    /// Whether case counts when values are compared.
    pub exact: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub unique: bool,
    pub subs: &'static [Attribute],
    canonical: &'static [&'static str],
    references: &'static [&'static str],
    description: &'static str,
}

/// A sub-attribute or attribute of one text value.
pub(crate) const fn text(name: &'static str, description: &'static str) -> Attribute {
    Attribute {
        name,
        kind: Kind::Text,
        many: false,
        required: false,
        exact: false,
        mutability: Mutability::ReadWrite,
        returned: Returned::Default,
        unique: false,
        subs: &[],
        canonical: &[],
        references: &[],
        description,
    }
}

/// One that is true or false.
pub(crate) const fn boolean(name: &'static str, description: &'static str) -> Attribute {
    Attribute { kind: Kind::Boolean, ..text(name, description) }
}

/// A point in time.
pub(crate) const fn time(name: &'static str, description: &'static str) -> Attribute {
    Attribute { kind: Kind::Time, ..text(name, description) }
}

/// One that has sub-attributes.
pub(crate) const fn complex(
    name: &'static str,
    description: &'static str,
    subs: &'static [Attribute],
) -> Attribute {
    Attribute { kind: Kind::Complex, subs, ..text(name, description) }
}

/// The address of something; of one of the named resource types, or `external`.
pub(crate) const fn reference(
    name: &'static str,
    description: &'static str,
    references: &'static [&'static str],
) -> Attribute {
    Attribute { kind: Kind::Reference, exact: true, references, ..text(name, description) }
}

impl Attribute {
    pub const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub const fn exact(self) -> Self {
        Self { exact: true, ..self }
    }

    pub const fn unique(self) -> Self {
        Self { unique: true, ..self }
    }

    pub const fn read_only(self) -> Self {
        Self { mutability: Mutability::ReadOnly, ..self }
    }

    pub const fn immutable(self) -> Self {
        Self { mutability: Mutability::Immutable, ..self }
    }

    pub const fn always(self) -> Self {
        Self { returned: Returned::Always, ..self }
    }

    pub const fn on_request(self) -> Self {
        Self { returned: Returned::Request, ..self }
    }

    pub const fn canonical(self, canonical: &'static [&'static str]) -> Self {
        Self { canonical, ..self }
    }

    /// The sub-attribute of that name.
    pub fn sub(&self, name: &str) -> Option<&'static Attribute> {
        named(self.subs, name)
    }

    fn described(&self) -> Value {
        let mut out = json!({
            "name": self.name,
            "type": self.kind.name(),
            "multiValued": self.many,
            "description": self.description,
            "required": self.required,
            "mutability": match self.mutability {
                Mutability::ReadWrite => "readWrite",
                Mutability::ReadOnly => "readOnly",
                Mutability::Immutable => "immutable",
            },
            "returned": match self.returned {
                Returned::Always => "always",
                Returned::Default => "default",
                Returned::Request => "request",
            },
            "uniqueness": if self.unique { "server" } else { "none" },
        });
        if matches!(self.kind, Kind::Text | Kind::Reference) {
            out["caseExact"] = json!(self.exact);
        }
        if !self.canonical.is_empty() {
            out["canonicalValues"] = json!(self.canonical);
        }
        if !self.references.is_empty() {
            out["referenceTypes"] = json!(self.references);
        }
        if !self.subs.is_empty() {
            out["subAttributes"] = self.subs.iter().map(Attribute::described).collect();
        }
        out
    }
}

/// The one of these with a name, whatever its case.
pub(crate) fn named(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A set of attributes with its URN.
#[derive(Debug)]
pub(crate) struct Schema {
    pub id: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// As `/Schemas` shows it.
    pub fn view(&self) -> Map<String, Value> {
        let attributes: Vec<Value> = self.attributes.iter().map(Attribute::described).collect();
        let view = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "attributes": attributes,
            "meta": { "resourceType": "Schema", "location": format!("/Schemas/{}", self.id) },
        });
        object(view)
    }
}

/// A kind of thing that clients work with.
#[derive(Debug)]
pub(crate) struct ResourceType {
    pub name: &'static str,
    pub endpoint: &'static str,
    pub description: &'static str,
    pub schema: &'static Schema,
    pub extensions: &'static [&'static Schema],
    /// Attributes that lead to other resources: they are looked up only when they are needed.
    pub links: &'static [&'static str],
}

impl ResourceType {
    /// As `/ResourceTypes` shows it.
    pub fn view(&self) -> Map<String, Value> {
        let mut view = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
            "id": self.name,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": self.schema.id,
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("/ResourceTypes/{}", self.name),
            },
        });
        if !self.extensions.is_empty() {
            let extensions = self.extensions.iter();
            view["schemaExtensions"] =
                extensions.map(|schema| json!({ "schema": schema.id, "required": false })).collect();
        }
        object(view)
    }
}

/// The fields of a value that was written as an object.
pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Attributes that every resource has (RFC 7643, section 3.1).
pub(crate) static COMMON: &[Attribute] = &[
    text("schemas", "URNs of the schemas.").many().exact().read_only().always(),
    text("id", "The id that Lectern gave.").exact().read_only().always(),
    text("externalId", "The id that the client gave.").exact(),
    complex(
        "meta",
        "When and where.",
        &[
            text("resourceType", "The type.").exact().read_only(),
            time("created", "When it was made.").read_only(),
            time("lastModified", "When it was changed last.").read_only(),
            reference("location", "Its address.", &["uri"]).read_only(),
            text("version", "Changes with every change.").exact().read_only(),
        ],
    )
    .read_only(),
];
