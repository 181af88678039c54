/** Who is signed in, what they may do here, and whether the appliance is set up at all. */
import { api, ApiError, invitationApi, onForbidden, onSignedOut, onSuspended, setCsrf, type SessionView, type SignIn } from './api';
import { connect, disconnect } from './api/events';
import { go, router } from './router.svelte';
import { remember } from './storage';

type Phase = 'loading' | 'setup' | 'out' | 'suspended' | 'in' | 'unreachable';

const state = $state<{ phase: Phase; session: SessionView | null; version: string; suspended: ApiError | null }>({
  phase: 'loading',
  session: null,
  version: '',
  suspended: null,
});
const held = $derived(new Set(state.session?.permissions ?? []));

export const session = {
  get phase(): Phase {
    return state.phase;
  },
  get user(): SessionView['user'] | null {
    return state.session?.user ?? null;
  },
  get tenant(): SessionView['tenant'] | null {
    return state.session?.tenant ?? null;
  },
  get permissions(): readonly string[] {
    return state.session?.permissions ?? [];
  },
  get version(): string {
    return state.version;
  },
  /** Why nobody comes in. */
  get suspended(): ApiError | null {
    return state.suspended;
  },
};

/** Whether the person holds one of these permissions. What the server refuses it refuses anyway; this is for what is shown. */
export function may(...names: string[]): boolean {
  return names.some((name) => held.has(name));
}

export function updateUser(user: SessionView['user']): void {
  if (state.session) state.session = { ...state.session, user };
}

function enter(view: SessionView): void {
  setCsrf(view.csrf_token);
  state.session = view;
  state.suspended = null;
  state.phase = 'in';
  remember('tenant', view.tenant.id);
  if (may('documents.read')) connect();
}

let refreshed = 0;

/** Asks again what one may, at most every few seconds: a refusal shows that the page is behind. */
function refresh(): void {
  const now = Date.now();
  if (state.phase !== 'in' || now - refreshed < 5000) return;
  refreshed = now;
  api.session().then(
    (view) => {
      if (state.phase === 'in' && view.user.id === state.session?.user.id) state.session = view;
    },
    () => undefined,
  );
}

function end(phase: Phase): void {
  setCsrf('');
  disconnect();
  state.session = null;
  state.phase = phase;
}

function leave(): void {
  if (state.phase !== 'out' && state.phase !== 'suspended') end('out');
}

function suspend(problem: ApiError): void {
  state.suspended = problem;
  end('suspended');
}

/** From the page that tells of a suspension back to signing in. */
export function signInAgain(): void {
  state.suspended = null;
  end('out');
}

/** Finds out where we stand; called once at the start and again by "try again". */
export async function start(): Promise<void> {
  onSignedOut(leave);
  onSuspended(suspend);
  onForbidden(refresh);
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
    // A role that may not even look at its own session is as good as signed out.
    if (error instanceof ApiError && (error.status === 401 || error.code === 'forbidden')) leave();
    else if (!(error instanceof ApiError && error.code === 'tenant_suspended')) state.phase = 'unreachable';
  }
}

export async function signIn(body: SignIn): Promise<void> {
  enter(await api.signIn(body));
  if (router.path === '/sign-in' || router.path === '/setup') go('/', { replace: true });
}

/** Joins by a link, or sets a new password by one, and is signed in. */
export async function join(body: { token: string; name: string; password: string }): Promise<void> {
  const view = await invitationApi.accept(body);
  disconnect();
  enter(view);
  go('/', { replace: true });
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
