/** How near the organisation is to its limits, for the whole page to know. */
import { usageApi, type UsageLine } from './api';

const EVERY = 5 * 60_000;
const state = $state<{ tight: UsageLine[] }>({ tight: [] });

export const usage = {
  /** Lines from which little or nothing is left. */
  get tight(): readonly UsageLine[] {
    return state.tight;
  },
};

export function isTight(line: Pick<UsageLine, 'level'>): boolean {
  return line.level === 'close' || line.level === 'reached';
}

export function noteUsage(lines: readonly UsageLine[]): void {
  state.tight = lines.filter(isTight);
}

/** Looks now and then until the returned function is called. */
export function watchUsage(): () => void {
  const abort = new AbortController();
  const look = () => {
    if (document.hidden) return;
    usageApi.own(abort.signal).then((view) => noteUsage(view.lines), () => undefined);
  };
  look();
  const timer = setInterval(look, EVERY);
  return () => {
    clearInterval(timer);
    abort.abort();
    state.tight = [];
  };
}
