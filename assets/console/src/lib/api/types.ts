/** Short names for the shapes in `schema.ts`; the only file to touch when the generated names change. */
import type { components } from './schema';

type S = components['schemas'];

export type Problem = S['Problem'];
export type SetupView = S['SetupView'];
export type NewSetup = S['NewSetup'];
export type UserView = S['UserView'];
export type SessionView = Omit<S['SessionView'], 'tenant'> & { tenant: { id: string; name: string } };
export type SignIn = S['NewSession'];
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
export type FactorView = S['FactorView'];
export type FactorsView = S['FactorsView'];
export type TotpOffer = S['TotpOffer'];
export type PasskeyOptions = Omit<S['PasskeyOptions'], 'options'> & { options: unknown };
export type SignInOptions = S['SignInOptions'];
export type ProviderOption = S['ProviderOption'];
export type SignInPolicy = S['SignInPolicy'];
export type Demand = S['Demand'];
export type ProviderKind = S['ProviderKind'];
export type GroupMapping = S['GroupMapping'];
/** The settings of a provider as its kind has them. */
export type ProviderConfig = Record<string, unknown>;
export type ProviderView = Omit<S['ProviderView'], 'config'> & { config: ProviderConfig };
export type NewProvider = Omit<S['NewProvider'], 'config'> & { config: ProviderConfig };
export type PatchProvider = Omit<S['PatchProvider'], 'config'> & { config?: ProviderConfig };
export type ProviderTest = S['ProviderTest'];
export type ProviderStep = S['ProviderStep'];
export type KeyView = S['KeyView'];
export type NewKey = S['NewKey'];
export type NewKeyView = S['NewKeyView'];
export type PersonView = S['PersonView'];
export type PatchPerson = S['PatchPerson'];
export type UserState = S['UserState'];
export type GroupView = S['GroupView'];
export type NewGroup = S['NewGroup'];
export type PatchGroup = S['PatchGroup'];
export type RoleView = S['RoleView'];
export type PermissionView = S['PermissionView'];
export type InvitationView = S['InvitationView'];
export type NewInvitation = S['NewInvitation'];
export type NewInvitationView = S['NewInvitationView'];
export type InvitationOffer = S['InvitationOffer'];
export type PatchProfile = S['PatchProfile'];
export type OpenSessionView = S['OpenSessionView'];
export type AuditEntry = S['AuditEntry'];
export type TargetView = S['TargetStateView'];
export type TargetKind = S['TargetKind'];
export type TargetFormat = S['TargetFormat'];
export type NewTarget = S['NewTarget'];
export type PatchTarget = S['PatchTarget'];
export type TargetTest = S['TargetTest'];
export type OperatorView = S['OperatorView'];
export type UsageView = S['UsageView'];
export type UsageLine = S['UsageLine'];
export type UsageDay = S['UsageDay'];
export type Metered = S['Metered'];
export type TenantView = S['TenantView'];
export type TenantLimits = Partial<S['Limits']>;
export type NewTenant = Omit<S['NewTenant'], 'limits'> & { limits: TenantLimits };
export type NewTenantView = S['NewTenantView'];
export type PatchTenant = Omit<S['PatchTenant'], 'limits'> & { limits?: TenantLimits };
export type ErasureView = S['ErasureView'];
export type AccessEntry = S['AccessEntry'];
export type DocumentAccess = S['DocumentAccess'];
export type CollectionAccess = S['CollectionAccess'];
export type CollectionView = S['CollectionView'];

export type AppView = S['AppView'];
export type AppKind = S['AppKind'];
export type AppGrant = S['Flow'];
export type NewApp = S['NewApp'];
export type NewAppView = S['NewAppView'];
export type PatchApp = S['PatchApp'];
export type AllowedAppView = S['AllowedAppView'];
export type AuthorizationView = S['AuthorizationView'];
export type AskedConsent = S['ConsentView'];
export type OAuthServer = S['ServerView'];
export type Erased = S['Erased'];
export type ErasureOfPerson = S['ErasureOfPersonView'];
export type RetentionRules = S['RetentionRules'];
export type ConsentText = S['ConsentTextView'];
export type NewConsentText = S['NewConsentText'];
export type OwnConsent = S['OwnConsentView'];
export type SupportConsent = S['SupportConsentView'];
export type SupportConsents = S['SupportConsentsView'];
export type NewSupportConsent = S['NewSupportConsent'];

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
