//! The resource types: people with the enterprise extension, and groups (RFC 7643, section 4).

use crate::schema::{Attribute, ResourceType, Schema, boolean, complex, reference, text};

/// URN of the attributes that organisations keep about their people.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

const PRIMARY: Attribute = boolean("primary", "Whether it is the one that is used first.");
const DISPLAY: Attribute = text("display", "What people see.");

/// `value`, `display`, `type` and `primary`.
const PHONE: &[Attribute] = &[
    text("value", "The number."),
    DISPLAY,
    text("type", "What it is for.").canonical(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const EMAIL: &[Attribute] = &[
    text("value", "The address.").required(),
    DISPLAY,
    text("type", "What it is for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const ROLE: &[Attribute] = &[
    text("value", "The name of a role of Lectern: a built-in one, or one that the tenant made.")
        .exact()
        .canonical(&["owner", "admin", "editor", "member", "viewer", "auditor"]),
    DISPLAY,
    text("type", "What it is for."),
    PRIMARY,
];

const ADDRESS: &[Attribute] = &[
    text("formatted", "The whole address."),
    text("streetAddress", "Street and number."),
    text("locality", "The town."),
    text("region", "The state or region."),
    text("postalCode", "The postal code."),
    text("country", "The country, ISO 3166-1 alpha 2."),
    text("type", "What it is for.").canonical(&["work", "home", "other"]),
    PRIMARY,
];

const NAME: &[Attribute] = &[
    text("formatted", "The whole name."),
    text("familyName", "The family name."),
    text("givenName", "The given name."),
    text("middleName", "The middle names."),
    text("honorificPrefix", "Titles before the name."),
    text("honorificSuffix", "What stands after the name."),
];

const GROUP_OF: &[Attribute] = &[
    text("value", "The id of the group.").exact().read_only(),
    reference("$ref", "Its address.", &["Group"]).read_only(),
    text("display", "Its name.").read_only(),
    text("type", "Always direct.").canonical(&["direct"]).read_only(),
];

static USER_SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:User",
    name: "User",
    description: "A person of the tenant.",
    attributes: &[
        text("userName", "What the person signs in with at the identity service.").required().unique(),
        complex("name", "The parts of the name.", NAME),
        text("displayName", "The name that people see."),
        text("nickName", "What the person is called."),
        reference("profileUrl", "A page about the person.", &["external"]),
        text("title", "The person's title."),
        text("userType", "How the person belongs to the organisation."),
        text("preferredLanguage", "As in the header Accept-Language; becomes the person's language."),
        text("locale", "For dates and numbers."),
        text("timezone", "As in the database of IANA."),
        boolean("active", "Whether the person may come in."),
        complex("emails", "The primary one, or else the first, is the person's e-mail in Lectern.", EMAIL)
            .many()
            .required(),
        complex("phoneNumbers", "Telephone numbers.", PHONE).many(),
        complex("addresses", "Postal addresses.", ADDRESS).many(),
        complex("groups", "The groups that the person is in.", GROUP_OF).many().read_only(),
        complex("roles", "The primary one, or else the first, is the person's role in Lectern.", ROLE).many(),
    ],
};

static ENTERPRISE_SCHEMA: Schema = Schema {
    id: ENTERPRISE,
    name: "EnterpriseUser",
    description: "What organisations keep about their people.",
    attributes: &[
        text("employeeNumber", "The number of the person."),
        text("costCenter", "The cost centre."),
        text("organization", "The organisation."),
        text("division", "The division."),
        text("department", "The department."),
        complex(
            "manager",
            "Whom the person reports to.",
            &[
                text("value", "The id of the person.").exact(),
                reference("$ref", "Their address.", &["User"]),
                text("displayName", "Their name.").read_only().on_request(),
            ],
        ),
    ],
};

static GROUP_SCHEMA: Schema = Schema {
    id: "urn:ietf:params:scim:schemas:core:2.0:Group",
    name: "Group",
    description: "A group of people, for access lists.",
    attributes: &[
        text("displayName", "The name; no two groups have the same.").required().unique(),
        complex(
            "members",
            "The people in it.",
            &[
                text("value", "The id of the person.").exact().immutable(),
                reference("$ref", "Their address.", &["User"]).immutable(),
                text("type", "Always User.").canonical(&["User"]).immutable(),
                text("display", "Their name.").read_only().on_request(),
            ],
        )
        .many(),
    ],
};

/// People.
pub(crate) static USER: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "People",
    schema: &USER_SCHEMA,
    extensions: &[&ENTERPRISE_SCHEMA],
    links: &["groups", "manager"],
};

/// Groups.
pub(crate) static GROUP: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "Groups",
    schema: &GROUP_SCHEMA,
    extensions: &[],
    links: &["members"],
};

/// All that `/ResourceTypes` lists.
pub(crate) static TYPES: [&ResourceType; 2] = [&USER, &GROUP];

/// All that `/Schemas` lists.
pub(crate) static SCHEMAS: [&Schema; 3] = [&USER_SCHEMA, &ENTERPRISE_SCHEMA, &GROUP_SCHEMA];
