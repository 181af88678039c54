/** Every setting of a service, as the form shows it; the words are in the locales under `oidc.` and `ldap.`. */
import type { ProviderKind } from '$lib/api';

/** `lines` and `words` are lists; `choice` takes one of a few. */
export type FieldType = 'text' | 'lines' | 'words' | 'number' | 'flag' | 'choice' | 'pem';
export type Part = 'connection' | 'people' | 'groups' | 'advanced';

export interface FieldOf {
  /** In dots, as the server names it too. */
  path: string;
  type: FieldType;
  part: Part;
  /** Shown where nothing is typed: an example, or what counts then. */
  sample?: string;
  required?: true;
  /** What a switch is when nothing was said. */
  on?: true;
  choices?: readonly string[];
  range?: readonly [number, number];
}

const OIDC: FieldOf[] = [
  { path: 'issuer', type: 'text', part: 'connection', sample: 'https://login.example.org', required: true },
  { path: 'client_id', type: 'text', part: 'connection', required: true },
  { path: 'ca_pem', type: 'pem', part: 'connection' },
  { path: 'email_claim', type: 'text', part: 'people', sample: 'email' },
  { path: 'name_claim', type: 'text', part: 'people', sample: 'name' },
  { path: 'user_name_claim', type: 'text', part: 'people', sample: 'preferred_username' },
  { path: 'require_verified_email', type: 'flag', part: 'people', on: true },
  { path: 'allowed_domains', type: 'lines', part: 'people', sample: 'example.org' },
  { path: 'group_claim', type: 'text', part: 'groups', sample: 'groups' },
  { path: 'scopes', type: 'words', part: 'advanced', sample: 'openid profile email' },
  { path: 'prompt', type: 'choice', part: 'advanced', choices: ['login', 'consent', 'select_account'] },
  { path: 'acr_values', type: 'words', part: 'advanced' },
  { path: 'clock_skew_seconds', type: 'number', part: 'advanced', sample: '60', range: [0, 600] },
  { path: 'allow_http', type: 'flag', part: 'advanced' },
];

const LDAP: FieldOf[] = [
  { path: 'urls', type: 'lines', part: 'connection', sample: 'ldaps://dc1.example.org', required: true },
  { path: 'starttls', type: 'flag', part: 'connection' },
  { path: 'authorities', type: 'pem', part: 'connection' },
  { path: 'bind_dn', type: 'text', part: 'connection', sample: 'cn=lectern,ou=services,dc=example,dc=org' },
  { path: 'user_base', type: 'text', part: 'people', sample: 'ou=people,dc=example,dc=org', required: true },
  { path: 'user_filter', type: 'text', part: 'people' },
  { path: 'attributes.email', type: 'text', part: 'people', sample: 'mail' },
  { path: 'attributes.name', type: 'text', part: 'people' },
  { path: 'attributes.user_name', type: 'text', part: 'people' },
  { path: 'attributes.id', type: 'text', part: 'people' },
  { path: 'groups.base', type: 'text', part: 'groups', sample: 'ou=groups,dc=example,dc=org' },
  { path: 'groups.filter', type: 'text', part: 'groups' },
  { path: 'groups.member', type: 'text', part: 'groups', sample: 'member' },
  { path: 'groups.name', type: 'text', part: 'groups', sample: 'cn' },
  { path: 'groups.nested', type: 'flag', part: 'groups' },
  { path: 'attributes.groups', type: 'text', part: 'groups', sample: 'memberOf' },
  { path: 'groups.max_depth', type: 'number', part: 'advanced', sample: '5', range: [1, 20] },
  { path: 'groups.max_groups', type: 'number', part: 'advanced', sample: '1000', range: [1, 10_000] },
  { path: 'limits.connect_seconds', type: 'number', part: 'advanced', sample: '5', range: [1, 60] },
  { path: 'limits.operation_seconds', type: 'number', part: 'advanced', sample: '10', range: [1, 120] },
  { path: 'limits.count_users', type: 'number', part: 'advanced', sample: '1000', range: [1, 100_000] },
  { path: 'allow_plain', type: 'flag', part: 'advanced' },
];

export type Flavour = 'active_directory' | 'open_ldap';
export const FLAVOURS: readonly Flavour[] = ['active_directory', 'open_ldap'];

/** What counts in a directory when nothing is said, where that is not the same in all of them. */
const DEFAULTS: Record<Flavour, Record<string, string>> = {
  active_directory: {
    user_filter: '(&(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={user})(mail={user})))',
    'attributes.id': 'objectGUID',
    'attributes.user_name': 'sAMAccountName',
    'attributes.name': 'displayName',
    'groups.filter': '(objectClass=group)',
  },
  open_ldap: {
    user_filter: '(&(objectClass=inetOrgPerson)(|(uid={user})(mail={user})))',
    'attributes.id': 'entryUUID',
    'attributes.user_name': 'uid',
    'attributes.name': 'cn',
    'groups.filter': '(objectClass=groupOfNames)',
  },
};

export function fieldsOf(kind: ProviderKind): FieldOf[] {
  return kind === 'oidc' ? OIDC : LDAP;
}

export function sampleOf(field: FieldOf, flavour: Flavour): string {
  return field.sample ?? DEFAULTS[flavour][field.path] ?? '';
}

/** The part in which a setting stands that the server refuses or a test points at. */
export function partOf(kind: ProviderKind, name: string): Part | null {
  if (name === 'name' || name === 'secret' || name === 'addresses') return name === 'addresses' ? 'advanced' : 'connection';
  if (name === 'groups') return 'groups';
  if (name === 'default_role') return 'people';
  return fieldsOf(kind).find((field) => `config.${field.path}` === name)?.part ?? null;
}
