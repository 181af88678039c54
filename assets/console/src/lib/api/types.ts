/** Short names for the shapes in `schema.ts`; the only file to touch when the generated names change. */
import type { components } from './schema';

type S = components['schemas'];

export type Problem = S['Problem'];
export type SetupView = S['SetupView'];
export type NewSetup = S['NewSetup'];
export type SessionView = S['SessionView'];
export type DocumentView = S['DocumentView'];
export type DocumentStatus = DocumentView['status'];
export type DocumentFacets = S['DocumentFacets'];
export type DocumentText = S['TextWindow'];
export type Block = S['TextBlock'];
export type BulkResult = S['BulkResponse'];
export type FacetValue = S['FacetCount'];
export type QueueView = S['QueueCounts'];
/** A passage found by a search, or one that came nearest to a question without an answer. */
export type Hit = Omit<S['SearchHit'], 'highlights'> & { highlights: number[][] };
export type SearchView = S['SearchResponse'];
export type Citation = S['CitationView'];
export type Trace = S['Trace'];
export type TurnView = S['TurnView'];
export type ConversationSummary = S['ConversationView'];
export type ConversationView = S['ConversationDetail'];
export type SettingsView = S['SettingsView'];
export type OllamaTest = S['OllamaTest'];
export type StatusView = S['StatusView'];
export type KeyView = S['KeyView'];
export type NewKeyView = S['NewKeyView'];

/** A page of a list. */
export interface Paged<T> {
  items: T[];
  next_cursor?: string | null;
  total?: number;
}

/** All fields optional, one level of groups deep: the body of `PATCH /settings`. */
export type SettingsPatch = { [G in keyof Omit<SettingsView, 'limits'>]?: Partial<SettingsView[G]> };

export interface AskFilter {
  collection?: string;
  tag?: string;
  type?: string;
  language?: string;
  document?: string;
}

export interface AskRequest {
  question: string;
  conversation?: string;
  filter?: AskFilter;
  speak?: boolean;
}

export interface Retrieval {
  turn: string;
  conversation: string;
  mode: string;
  model?: string | null;
  hits: Hit[];
  retrieve_ms: number;
}

export type AskEvent =
  | { event: 'retrieval'; data: Retrieval }
  | { event: 'token'; data: { text: string } }
  | { event: 'citation'; data: Citation }
  | { event: 'sentence'; data: { index: number; text: string; citations: number[] } }
  | { event: 'done'; data: TurnView }
  | { event: 'error'; data: Problem };
