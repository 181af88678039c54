/** A server that entries are sent to, as a form and back. */
import type { NewTarget, PatchTarget, TargetFormat, TargetKind, TargetView } from '$lib/api';

export const KINDS: readonly TargetKind[] = ['tls', 'tcp', 'udp', 'https'];

/** What an address of a kind looks like. */
export const SAMPLES: Record<TargetKind, string> = {
  tls: 'siem.example.org:6514',
  tcp: 'siem.example.org:601',
  udp: 'siem.example.org:514',
  https: 'https://siem.example.org:8088/services/collector/raw',
};
export const HEADER = 'Authorization';

export interface TargetForm {
  name: string;
  kind: TargetKind;
  address: string;
  format: TargetFormat;
  ca: string;
  header: string;
  secret: string;
  /** Take the kept secret away. */
  drop: boolean;
  beginning: boolean;
}

export function formats(kind: TargetKind): TargetFormat[] {
  return kind === 'https' ? ['json', 'json_array'] : ['rfc5424', 'cef', 'json'];
}

export const hasAuthorities = (kind: TargetKind) => kind === 'tls' || kind === 'https';

export function blank(): TargetForm {
  return { name: '', kind: 'tls', address: '', format: 'rfc5424', ca: '', header: HEADER, secret: '', drop: false, beginning: false };
}

export function fromView(view: TargetView): TargetForm {
  const { name, kind, address, format, header } = view;
  return { ...blank(), name, kind, address, format, header, ca: view.ca_pem ?? '' };
}

/** Another kind keeps the format where it can. */
export function withKind(form: TargetForm, kind: TargetKind): TargetForm {
  const fitting = formats(kind);
  return { ...form, kind, format: fitting.includes(form.format) ? form.format : (fitting[0] ?? 'json') };
}

const common = (form: TargetForm) => ({ name: form.name.trim(), kind: form.kind, address: form.address.trim(), format: form.format });
const header = (form: TargetForm) => form.header.trim() || HEADER;

export function toNew(form: TargetForm): NewTarget {
  return {
    ...common(form),
    ...(hasAuthorities(form.kind) && form.ca.trim() ? { ca_pem: form.ca } : {}),
    ...(form.kind === 'https' ? { header: header(form) } : {}),
    ...(form.kind === 'https' && form.secret ? { secret: form.secret } : {}),
    from_beginning: form.beginning,
  };
}

/** What no longer has a place is taken away; a secret that is kept is not sent. */
export function toPatch(form: TargetForm, before: TargetView): PatchTarget {
  const ca_pem = hasAuthorities(form.kind) ? form.ca.trim() && form.ca : '';
  if (form.kind !== 'https') return { ...common(form), ca_pem, ...(before.has_secret ? { secret: '' } : {}) };
  const secret = form.secret || (form.drop ? '' : null);
  return { ...common(form), ca_pem, header: header(form), ...(secret === null ? {} : { secret }) };
}

/** The server does not carry a kept secret to another place, so it has to be typed again. */
export function wantsSecret(form: TargetForm, before: TargetView | null): boolean {
  if (!before?.has_secret || form.kind !== 'https' || form.drop || form.secret) return false;
  return form.kind !== before.kind || form.address.trim() !== before.address || header(form) !== before.header;
}

export function isComplete(form: TargetForm, before: TargetView | null): boolean {
  return form.name.trim() !== '' && form.address.trim() !== '' && !wantsSecret(form, before);
}

export type TargetState = 'off' | 'failing' | 'sending' | 'fresh' | 'good';

export function stateOf(target: Pick<TargetView, 'enabled' | 'last_error' | 'waiting' | 'last_sent_at'>): TargetState {
  if (!target.enabled) return 'off';
  if (target.last_error) return 'failing';
  if (target.waiting > 0) return 'sending';
  return target.last_sent_at ? 'good' : 'fresh';
}
