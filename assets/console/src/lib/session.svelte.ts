/** Who is signed in, and whether the appliance is set up at all. */
import { api, ApiError, onSignedOut, setCsrf, type SessionView } from './api';
import { connect, disconnect } from './api/events';
import { go, router } from './router.svelte';

type Phase = 'loading' | 'setup' | 'out' | 'in' | 'unreachable';

const state = $state<{ phase: Phase; session: SessionView | null; version: string }>({
  phase: 'loading',
  session: null,
  version: '',
});

export const session = {
  get phase(): Phase {
    return state.phase;
  },
  get user(): SessionView['user'] | null {
    return state.session?.user ?? null;
  },
  get version(): string {
    return state.version;
  },
};

function enter(view: SessionView): void {
  setCsrf(view.csrf_token);
  state.session = view;
  state.phase = 'in';
  connect();
}

function leave(): void {
  if (state.phase === 'out') return;
  setCsrf('');
  disconnect();
  state.session = null;
  state.phase = 'out';
}

/** Finds out where we stand; called once at the start and again by "try again". */
export async function start(): Promise<void> {
  onSignedOut(leave);
  state.phase = 'loading';
  try {
    const setup = await api.setup();
    state.version = setup.version;
    if (setup.needed) {
      state.phase = 'setup';
      return;
    }
    enter(await api.session());
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) leave();
    else state.phase = 'unreachable';
  }
}

export async function signIn(email: string, password: string): Promise<void> {
  enter(await api.signIn(email, password));
  if (router.path === '/sign-in' || router.path === '/setup') go('/', { replace: true });
}

export async function finishSetup(body: { code: string; name: string; email: string; password: string }): Promise<void> {
  enter(await api.finishSetup(body));
  go('/documents', { replace: true });
}

export async function signOut(): Promise<void> {
  await api.signOut();
  leave();
  go('/sign-in', { replace: true });
}
