/** Where one can go, and what one needs to see it. */
import type { IconName } from '$components/icons';
import type { RawKey } from './i18n.svelte';

export interface Place {
  href: string;
  icon: IconName;
  key: RawKey;
  /** One of these is enough; none: for everybody. */
  needs: string[];
  /** Stands in the bar at the bottom of a narrow page; the others are in its menu. */
  bar?: true;
  part: 'work' | 'organisation' | 'appliance';
}

export const PLACES: Place[] = [
  { href: '/ask', icon: 'ask', key: 'nav.ask', needs: ['ask.write'], bar: true, part: 'work' },
  { href: '/documents', icon: 'documents', key: 'nav.documents', needs: ['documents.read'], bar: true, part: 'work' },
  { href: '/search', icon: 'search', key: 'nav.search', needs: ['documents.read'], bar: true, part: 'work' },
  { href: '/transcribe', icon: 'transcript', key: 'nav.transcribe', needs: ['voice.read'], part: 'work' },
  { href: '/people', icon: 'people', key: 'nav.people', needs: ['people.read'], part: 'organisation' },
  { href: '/signing-in', icon: 'shield', key: 'nav.signing_in', needs: ['signin.manage'], part: 'organisation' },
  { href: '/keys', icon: 'key', key: 'nav.keys', needs: ['keys.read'], part: 'organisation' },
  { href: '/apps', icon: 'apps', key: 'apps.title', needs: ['apps.manage'], part: 'organisation' },
  { href: '/privacy', icon: 'privacy', key: 'privacy.title', needs: ['privacy.manage'], part: 'organisation' },
  { href: '/support-access', icon: 'support', key: 'support.title', needs: ['support.consent'], part: 'organisation' },
  { href: '/audit', icon: 'record', key: 'nav.audit', needs: ['audit.read', 'audit.forward', 'appliance.audit'], part: 'organisation' },
  { href: '/usage', icon: 'usage', key: 'nav.usage', needs: ['usage.read'], part: 'organisation' },
  { href: '/tenants', icon: 'tenants', key: 'nav.tenants', needs: ['appliance.tenants'], part: 'appliance' },
  { href: '/settings', icon: 'settings', key: 'nav.settings', needs: [], bar: true, part: 'appliance' },
  { href: '/status', icon: 'status', key: 'nav.status', needs: ['status.read'], bar: true, part: 'appliance' },
];

/** Pages below a place that need more, or something else. */
const BELOW: Record<string, string[]> = {
  '/audit/forwarding': ['audit.forward', 'appliance.audit'],
  '/settings/voices': ['voice.read'],
  '/settings/models': ['models.read'],
};

export function needs(path: string): string[] {
  if (path === '/') return [];
  return BELOW[path] ?? PLACES.find((place) => path === place.href || path.startsWith(`${place.href}/`))?.needs ?? [];
}

/** Whether somebody who holds these permissions sees the page at a path. */
export function visible(path: string, holds: (...names: string[]) => boolean): boolean {
  const wanted = needs(path);
  return wanted.length === 0 || holds(...wanted);
}

/** The page to begin with. */
export function firstPlace(holds: (...names: string[]) => boolean): string {
  return PLACES.find((place) => place.part !== 'appliance' && visible(place.href, holds))?.href ?? '/profile';
}
