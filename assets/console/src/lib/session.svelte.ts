/** Who is signed in, what they may do here, and whether the appliance is set up at all. */
import { api, ApiError, entranceApi, invitationApi, onForbidden, onSignedOut, onSuspended, setCsrf, supportApi, type SessionView, type SignIn } from './api';
import { connect, disconnect } from './api/events';
import { consents, forgetConsents, loadConsents } from './consents.svelte';
import { t } from './i18n.svelte';
import { dropParams, go, router } from './router.svelte';
import { remember } from './storage';
import { info } from './toasts.svelte';
import { isAsked, takeWanted } from './wanted';

/** `factor`: in, but only to set up the second factor that the organisation asks for. `consent`: only to agree to a text. */
type Phase = 'loading' | 'setup' | 'out' | 'suspended' | 'factor' | 'consent' | 'in' | 'unreachable';

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
  /** Who acts here in the person's place. */
  get support(): NonNullable<SessionView['support']> | null {
    return state.session?.support ?? null;
  },
  get expires(): string {
    return state.session?.expires_at ?? '';
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

async function enter(view: SessionView): Promise<void> {
  setCsrf(view.csrf_token);
  if (!view.support) remember('tenant', view.tenant.id);
  state.suspended = null;
  await settle(view);
  // What may be agreed to, and need not, is offered beside the page.
  if (state.phase === 'in' && !view.support) loadConsents(view.user.id).catch(() => undefined);
}

/** Takes what the server says of the session, and how far in that is. */
async function settle(view: SessionView): Promise<void> {
  state.session = view;
  const bare = !view.support && view.permissions.every((name) => name === 'session.use');
  if (view.second_factor_needed) state.phase = 'factor';
  else if (bare && (await mustAgree(view))) state.phase = 'consent';
  else state.phase = 'in';
  if (state.phase !== 'in') disconnect();
  else if (may('documents.read')) connect();
}

/** Whoever may nothing has perhaps to agree to a text first. */
async function mustAgree(view: SessionView): Promise<boolean> {
  try {
    await loadConsents(view.user.id);
  } catch {
    return false;
  }
  return consents.missing.length > 0;
}

let refreshed = 0;

/** Asks again what one may, at most every few seconds: a refusal shows that the page is behind. */
function refresh(): void {
  const now = Date.now();
  if (state.phase !== 'in' || now - refreshed < 5000) return;
  refreshed = now;
  api.session().then(
    (view) => {
      if (state.phase === 'in' && view.user.id === state.session?.user.id) void settle(view);
    },
    () => undefined,
  );
}

function end(phase: Phase): void {
  setCsrf('');
  disconnect();
  forgetConsents();
  state.session = null;
  state.phase = phase;
}

function leave(): void {
  if (state.phase === 'out' || state.phase === 'suspended') return;
  if (state.session?.support) info(t('support.over'));
  end('out');
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
    const view = await api.session();
    if (isAsked(router.path) && !router.search) resume();
    await enter(view);
  } catch (error) {
    // A role that may not even look at its own session is as good as signed out.
    if (error instanceof ApiError && (error.status === 401 || error.code === 'forbidden')) leave();
    else if (!(error instanceof ApiError && error.code === 'tenant_suspended')) state.phase = 'unreachable';
  }
}

/** Back to what an app asked before the browser went away to sign in. */
function resume(): boolean {
  const wanted = takeWanted();
  if (wanted) go(wanted, { replace: true });
  return wanted !== null;
}

/** Where one wanted to go before signing in. What an app wrote into the address stays as it is. */
function onward(): void {
  const asked = isAsked(router.path);
  if (asked && router.search) dropParams('sign_in_error');
  else if ((asked || router.path === '/') && resume()) return;
  else if (router.path === '/sign-in' || router.path === '/setup') go('/', { replace: true });
  else dropParams('sign_in_error', 'tenant');
}

/** The page reads its address when it comes up, so that is put right first. */
async function welcome(view: SessionView): Promise<void> {
  onward();
  await enter(view);
}

export async function signIn(body: SignIn): Promise<void> {
  await welcome(await api.signIn(body));
}

/** Signs in by what a passkey answered. */
export async function signInByPasskey(id: string, response: Record<string, unknown>): Promise<void> {
  await welcome(await entranceApi.answerPasskey(id, response));
}

/** Once a second factor is there, or a text agreed to: all that the person may. */
export async function proven(): Promise<void> {
  const view = await api.session();
  if (state.session) await settle(view);
}

/** Joins by a link, or sets a new password by one, and is signed in. */
export async function join(body: { token: string; name: string; password: string }): Promise<void> {
  const view = await invitationApi.accept(body);
  disconnect();
  await enter(view);
  go('/', { replace: true });
}

export async function finishSetup(body: { code: string; name: string; email: string; password: string }): Promise<void> {
  await enter(await api.finishSetup(body));
  go('/documents', { replace: true });
}

/** `stay`: somebody else is to come in on the same page. */
export async function signOut(stay = false): Promise<void> {
  if (state.session?.support) return endSupport();
  await api.signOut();
  leave();
  if (!stay) go('/sign-in', { replace: true });
}

/** Begins to work in the place of a person. Nothing of the own session is left in the page. */
export async function openSupport(tenant: string, email: string, reason: string): Promise<void> {
  await supportApi.open(tenant, email, reason);
  location.assign('/');
}

/** Back to the operator's own session. */
export async function endSupport(): Promise<void> {
  await api.signOut();
  location.assign('/tenants');
}
