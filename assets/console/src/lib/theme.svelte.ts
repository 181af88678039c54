/** Light, dark, or as the system says. `public/theme.js` sets the same attribute before the first paint. */
import { recall, remember } from './storage';

export type Theme = 'system' | 'light' | 'dark';

const saved = recall('theme');
const state = $state<{ theme: Theme }>({ theme: saved === 'light' || saved === 'dark' ? saved : 'system' });

export function theme(): Theme {
  return state.theme;
}

export function setTheme(next: Theme): void {
  state.theme = next;
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
  remember('theme', next === 'system' ? null : next);
}

/** Whether the page is dark now, whoever decided it. */
export function isDark(): boolean {
  if (state.theme !== 'system') return state.theme === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}
