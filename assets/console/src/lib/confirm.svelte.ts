/** Asks before something that cannot be undone. One question at a time, shown by the shell. */

export interface Question {
  title: string;
  text: string;
  action: string;
  danger: boolean;
}

const state = $state<{ question: Question | null }>({ question: null });
let answer: ((yes: boolean) => void) | null = null;

export function question(): Question | null {
  return state.question;
}

export function confirm(title: string, text: string, action: string, danger = true): Promise<boolean> {
  answer?.(false);
  state.question = { title, text, action, danger };
  return new Promise((resolve) => {
    answer = resolve;
  });
}

export function reply(yes: boolean): void {
  state.question = null;
  answer?.(yes);
  answer = null;
}
