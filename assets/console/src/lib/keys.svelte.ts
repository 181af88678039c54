/** Keys that work everywhere. They can be switched off, for people whose software types letters on its own. */
import { go } from './router.svelte';
import { recall, remember } from './storage';

const state = $state({ on: recall('shortcuts') !== 'off', help: false });

export const shortcuts = {
  get on(): boolean {
    return state.on;
  },
  set on(value: boolean) {
    state.on = value;
    remember('shortcuts', value ? null : 'off');
  },
  get help(): boolean {
    return state.help;
  },
  set help(value: boolean) {
    state.help = value;
  },
};

const PLACES: Record<string, string> = { a: '/ask', d: '/documents', s: '/search', r: '/transcribe', e: '/settings', v: '/settings/voices', m: '/settings/models', t: '/status', p: '/people', k: '/keys', l: '/audit', u: '/usage', o: '/tenants', i: '/profile' };
let pending = 0;

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type);
}

/** The page's own search box, marked with `data-search`; without one, the search page. */
function focusSearch(): void {
  const box = document.querySelector<HTMLInputElement>('[data-search]');
  if (box) {
    box.focus();
    box.select();
  } else go('/search');
}

export function onKey(event: KeyboardEvent): void {
  if (!state.on || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (typing(event.target) || document.querySelector('dialog[open]')) return;
  const second = event.timeStamp - pending < 1200 && pending > 0;
  pending = 0;
  const place = PLACES[event.key];
  if (second && place) go(place);
  else if (event.key === '/') focusSearch();
  else if (event.key === '?') state.help = true;
  else if (event.key === 'g') {
    pending = event.timeStamp;
    return;
  } else if (event.key === 'n') go('/ask');
  else return;
  event.preventDefault();
}
