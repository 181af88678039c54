/** A service as a form: what is typed, and what of it is sent. */
import type { GroupMapping, NewProvider, PatchProvider, ProviderConfig, ProviderKind, ProviderView } from '$lib/api';
import { fieldsOf, FLAVOURS, type FieldOf, type Flavour } from './fields';
import { splitList } from './policy';

export interface MappingRow {
  external: string;
  role: string;
  group: string;
}

export interface ProviderForm {
  kind: ProviderKind;
  flavour: Flavour;
  name: string;
  /** Typed now. Empty: what is kept stays. */
  secret: string;
  /** Takes away what is kept. */
  drop: boolean;
  texts: Record<string, string>;
  flags: Record<string, boolean>;
  addresses: string;
  default_role: string;
  create_people: boolean;
  link_people: boolean;
  groups: MappingRow[];
}

function at(config: ProviderConfig, path: string): unknown {
  return path.split('.').reduce<unknown>((inside, name) => (inside as Record<string, unknown> | null | undefined)?.[name], config);
}

function asText(field: FieldOf, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (!Array.isArray(value)) return String(value);
  return value.join(field.type === 'lines' ? '\n' : ' ');
}

function asValue(field: FieldOf, text: string): unknown {
  if (field.type === 'lines' || field.type === 'words') {
    const list = splitList(text);
    return list.length > 0 ? list : undefined;
  }
  const plain = text.trim();
  if (plain === '') return undefined;
  return field.type === 'number' ? Number(plain) : plain;
}

/** Makes the way to a value where there is none. An absent value is left out, so that the server's default counts. */
function put(config: ProviderConfig, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? path;
  let inside = config;
  for (const name of names) {
    if (value === undefined && !inside[name]) return;
    inside = (inside[name] ??= {}) as ProviderConfig;
  }
  if (value === undefined) Reflect.deleteProperty(inside, last);
  else inside[last] = value;
}

export function blank(kind: ProviderKind, flavour: Flavour = 'active_directory'): ProviderForm {
  const fields = fieldsOf(kind);
  return {
    kind,
    flavour,
    name: '',
    secret: '',
    drop: false,
    texts: Object.fromEntries(fields.filter((f) => f.type !== 'flag').map((f) => [f.path, ''])),
    flags: Object.fromEntries(fields.filter((f) => f.type === 'flag').map((f) => [f.path, f.on ?? false])),
    addresses: '',
    default_role: 'member',
    create_people: false,
    link_people: false,
    groups: [],
  };
}

export function fromView(view: ProviderView): ProviderForm {
  const flavour = FLAVOURS.find((one) => one === view.config['kind']) ?? 'active_directory';
  const form = blank(view.kind, flavour);
  for (const field of fieldsOf(view.kind)) {
    const value = at(view.config, field.path);
    if (field.type !== 'flag') form.texts[field.path] = asText(field, value);
    else if (typeof value === 'boolean') form.flags[field.path] = value;
  }
  return {
    ...form,
    name: view.name,
    addresses: view.addresses.join('\n'),
    default_role: view.default_role,
    create_people: view.create_people,
    link_people: view.link_people,
    groups: view.groups.map(({ external, role, group }) => ({ external, role: role ?? '', group: group ?? '' })),
  };
}

/** The settings; what the form does not know of those before stays as it was. */
export function configOf(form: ProviderForm, before: ProviderConfig = {}): ProviderConfig {
  const config = structuredClone(before);
  if (form.kind === 'ldap') config['kind'] = form.flavour;
  for (const field of fieldsOf(form.kind)) {
    const value = field.type === 'flag' ? (form.flags[field.path] ?? false) : asValue(field, form.texts[field.path] ?? '');
    put(config, field.path, value);
  }
  return config;
}

function mappings(rows: readonly MappingRow[]): GroupMapping[] {
  const named = rows.filter((row) => row.external.trim() !== '');
  return named.map((row) => ({
    external: row.external.trim(),
    ...(row.role ? { role: row.role } : {}),
    ...(row.group ? { group: row.group } : {}),
  }));
}

const common = (form: ProviderForm) => ({
  name: form.name.trim(),
  default_role: form.default_role,
  create_people: form.create_people,
  link_people: form.link_people,
  groups: mappings(form.groups),
  addresses: form.kind === 'oidc' ? splitList(form.addresses) : [],
});

/** A new one stays off until it was tried out. */
export function toNew(form: ProviderForm): NewProvider {
  return { ...common(form), kind: form.kind, enabled: false, config: configOf(form), ...(form.secret ? { secret: form.secret } : {}) };
}

export function toPatch(form: ProviderForm, before: ProviderConfig): PatchProvider {
  const secret = form.secret || (form.drop ? '' : null);
  return { ...common(form), config: configOf(form, before), ...(secret === null ? {} : { secret }) };
}

/** A row that names a group and gives nothing, or gives something and names none. */
export function isHalf(row: MappingRow): boolean {
  return (row.external.trim() !== '') !== (row.role !== '' || row.group !== '');
}

/** Whether all that has to be said of a part is said. */
export function isComplete(form: ProviderForm, part: 'connection' | 'people' | 'groups'): boolean {
  if (part === 'connection' && form.name.trim() === '') return false;
  if (part === 'groups' && form.groups.some(isHalf)) return false;
  return fieldsOf(form.kind).every((field) => !field.required || field.part !== part || (form.texts[field.path] ?? '').trim() !== '');
}
