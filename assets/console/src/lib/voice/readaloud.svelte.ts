/** When answers are read aloud by themselves; kept in this browser. */
import { recall, remember } from '$lib/storage';

export const READ_ALOUD = ['always', 'spoken', 'never'] as const;
export type ReadAloud = (typeof READ_ALOUD)[number];

const saved = recall('read_aloud');
const state = $state<{ when: ReadAloud; atOnce: boolean }>({
  when: READ_ALOUD.find((w) => w === saved) ?? 'spoken',
  atOnce: recall('ask_at_once') === 'on',
});

export const readAloud = {
  get when(): ReadAloud {
    return state.when;
  },
  set when(value: ReadAloud) {
    state.when = value;
    remember('read_aloud', value === 'spoken' ? null : value);
  },
  /** A spoken question is asked without a look at its words. */
  get atOnce(): boolean {
    return state.atOnce;
  },
  set atOnce(value: boolean) {
    state.atOnce = value;
    remember('ask_at_once', value ? 'on' : null);
  },
};
