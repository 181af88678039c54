/** The server's functions by name. Pages import from here and from `types`, nothing else of this folder. */
import { del, get, patch, post, send, url } from './client';
import { readEvents } from './sse';
import type {
  AskEvent,
  AskRequest,
  BulkResult,
  ConversationSummary,
  ConversationView,
  DocumentFacets,
  DocumentText,
  DocumentView,
  NewSetup,
  OllamaTest,
  Paged,
  SearchView,
  SessionView,
  SettingsPatch,
  SignIn,
  SettingsView,
  SetupView,
  StatusView,
  TurnView,
} from './types';

export { onForbidden, onSignedOut, onSuspended, setCsrf } from './client';
export { auditApi, forwardApi, type AuditQuery, type Ledger } from './audit';
export { keyApi } from './keys';
export { appApi, oauthApi } from './apps';
export { newKey } from './once';
export { consentApi, personApi, retentionApi } from './privacy';
export { ApiError } from './problem';
export { groupApi, invitationApi, operatorApi, peopleApi, profileApi, roleApi, type PeopleQuery } from './people';
export { sharingApi } from './sharing';
export { entranceApi, factorApi, signInApi } from './signin';
export { supportApi } from './support';
export { importTenant, tenantApi } from './tenants';
export { usageApi } from './usage';
export { importModel, modelApi, watchModels } from './models';
export { transcribe } from './transcribe';
export { upload } from './upload';
export { speech, voiceApi } from './voice';
export { openSocket, type OpenSocket, type Socket } from './voice-socket';
export type * from './models';
export type * from './types';
export type * from './voice-types';

const seg = encodeURIComponent;

export interface DocumentQuery {
  q?: string;
  collection?: string;
  tag?: string;
  type?: string;
  status?: string;
  language?: string;
  sort?: string;
  limit?: number;
  cursor?: string;
}

export interface SearchQuery {
  /** Count the values of all hits too. */
  facets?: boolean;
  q: string;
  limit?: number;
  cursor?: string;
  collection?: string;
  tag?: string;
  type?: string;
  language?: string;
  from?: string;
  to?: string;
  document?: string;
}

export type BulkAction = 'delete' | 'retry' | 'set_collection' | 'add_tags' | 'remove_tags';

export const api = {
  setup: () => get<SetupView>('/setup'),
  finishSetup: (body: NewSetup) => post<SessionView>('/setup', body),
  session: () => get<SessionView>('/session'),
  signIn: (body: SignIn) => post<SessionView>('/session', body),
  signOut: () => del('/session'),
  changePassword: (current: string, next: string) => post<undefined>('/session/password', { current, new: next }),

  documents: (query: DocumentQuery, signal?: AbortSignal) => get<Paged<DocumentView>>('/documents', { ...query }, signal),
  document: (id: string, signal?: AbortSignal) => get<DocumentView>(`/documents/${seg(id)}`, undefined, signal),
  patchDocument: (id: string, body: { title?: string; collection?: string | null; tags?: string[] }) =>
    patch<DocumentView>(`/documents/${seg(id)}`, body),
  deleteDocument: (id: string) => del(`/documents/${seg(id)}`),
  retryDocument: (id: string, password?: string) =>
    post<DocumentView>(`/documents/${seg(id)}/retry`, password ? { password } : {}),
  bulk: (action: BulkAction, ids: string[], more: { collection?: string; tags?: string[] } = {}) =>
    post<BulkResult>('/documents/bulk', { action, ids, ...more }),
  documentFacets: () => get<DocumentFacets>('/documents/facets'),
  documentText: (id: string, from: number, to: number, signal?: AbortSignal) =>
    get<DocumentText>(`/documents/${seg(id)}/text`, { from, to }, signal),
  originalUrl: (id: string, inline = false) => url(`/documents/${seg(id)}/original`, inline ? { inline: true } : {}),

  search: (query: SearchQuery, signal?: AbortSignal) => get<SearchView>('/search', { ...query }, signal),

  rateTurn: (turn: string, rating: 'up' | 'down' | null, comment?: string) =>
    post<undefined>(`/ask/${seg(turn)}/feedback`, { rating, ...(comment ? { comment } : {}) }),
  turn: (turn: string) => get<TurnView>(`/ask/${seg(turn)}`),
  conversations: (query: { q?: string; limit?: number; cursor?: string }, signal?: AbortSignal) =>
    get<Paged<ConversationSummary>>('/conversations', query, signal),
  conversation: (id: string, signal?: AbortSignal) =>
    get<ConversationView>(`/conversations/${seg(id)}`, undefined, signal),
  renameConversation: (id: string, title: string) => patch<unknown>(`/conversations/${seg(id)}`, { title }),
  deleteConversation: (id: string) => del(`/conversations/${seg(id)}`),
  deleteConversations: () => del('/conversations'),
  exportUrl: (id: string, format: 'json' | 'markdown') => url(`/conversations/${seg(id)}/export`, { format }),

  settings: () => get<SettingsView>('/settings'),
  patchSettings: (body: SettingsPatch) => patch<SettingsView>('/settings', body),
  testOllama: (address: string, model?: string) =>
    post<OllamaTest>('/settings/ollama/test', { url: address, ...(model ? { model } : {}) }),
  status: (signal?: AbortSignal) => get<StatusView>('/status', undefined, signal),
};

/** Asks and gives the answer's events as they come; ends after `done` or `error`, or when the signal aborts. */
export async function* ask(request: AskRequest, signal: AbortSignal): AsyncGenerator<AskEvent> {
  const response = await send('POST', '/ask', { body: request, accept: 'text/event-stream', signal });
  // A proxy may hold back the stream and a server may answer at once: then the whole turn comes as JSON.
  if (response.headers.get('content-type')?.includes('application/json')) {
    yield { event: 'done', data: (await response.json()) as TurnView };
    return;
  }
  if (!response.body) return;
  for await (const { event, data } of readEvents(response.body)) {
    yield { event, data: JSON.parse(data) } as AskEvent;
    if (event === 'done' || event === 'error') return;
  }
}
