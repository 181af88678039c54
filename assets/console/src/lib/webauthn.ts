/**
 * Passkeys between the server, which speaks JSON, and the browser, which wants bytes (WebAuthn level 3, sections 5.1.8 to
 * 5.1.10). By hand, as not every browser in use brings the conversion along.
 */

/** Why this page cannot use passkeys. */
export type PasskeyTrouble = 'insecure' | 'missing' | 'address';
/** Why the browser gave no passkey. */
export type PasskeyFailure = 'cancelled' | 'known' | 'address' | 'unsupported' | 'other';

interface Descriptor {
  id: string;
  type: string;
  transports?: string[];
}
interface CreationJson extends Record<string, unknown> {
  challenge: string;
  user: { id: string; name: string; displayName: string };
  excludeCredentials?: Descriptor[];
}
interface RequestJson extends Record<string, unknown> {
  challenge: string;
  allowCredentials?: Descriptor[];
}

/** Of base64url, with or without its padding. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, ''));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** As base64url without padding. */
export function toText(bytes: ArrayBuffer | Uint8Array): string {
  const signs = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join('');
  return btoa(signs).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const descriptor = (from: Descriptor) => ({ ...from, id: toBytes(from.id) });

/** What `navigator.credentials.create` wants. */
export function creationOptions(json: unknown): PublicKeyCredentialCreationOptions {
  const { challenge, user, excludeCredentials = [], ...rest } = json as CreationJson;
  const options = {
    ...rest,
    challenge: toBytes(challenge),
    user: { ...user, id: toBytes(user.id) },
    excludeCredentials: excludeCredentials.map(descriptor),
  };
  return options as unknown as PublicKeyCredentialCreationOptions;
}

/** What `navigator.credentials.get` wants. */
export function requestOptions(json: unknown): PublicKeyCredentialRequestOptions {
  const { challenge, allowCredentials = [], ...rest } = json as RequestJson;
  const options = { ...rest, challenge: toBytes(challenge), allowCredentials: allowCredentials.map(descriptor) };
  return options as unknown as PublicKeyCredentialRequestOptions;
}

/** What the server wants of an answer, whichever of the two it is. */
export function answerJson(credential: PublicKeyCredential): Record<string, unknown> {
  const response = credential.response as AuthenticatorAttestationResponse & AuthenticatorAssertionResponse;
  const parts: Record<string, unknown> = { clientDataJSON: toText(response.clientDataJSON) };
  if (response.attestationObject) {
    parts['attestationObject'] = toText(response.attestationObject);
    parts['transports'] = response.getTransports?.() ?? [];
  } else {
    parts['authenticatorData'] = toText(response.authenticatorData);
    parts['signature'] = toText(response.signature);
    parts['userHandle'] = response.userHandle ? toText(response.userHandle) : null;
  }
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: parts,
  };
}

/** Browsers bind passkeys to a name, never to a number. */
export function isAddress(host: string): boolean {
  return /^\[.*\]$/.test(host) || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/** What stands in the way of passkeys here; nothing when they can be used. */
export function passkeyTrouble(from: { isSecureContext: boolean; host: string; known: boolean } = here()): PasskeyTrouble | null {
  if (isAddress(from.host)) return 'address';
  if (!from.isSecureContext) return 'insecure';
  return from.known ? null : 'missing';
}

const here = () => ({ isSecureContext: window.isSecureContext, host: location.hostname, known: 'PublicKeyCredential' in window });

/** What a refusal of the browser means; nothing when it is none. */
export function passkeyFailure(error: unknown): PasskeyFailure | null {
  if (!(error instanceof DOMException)) return null;
  const kinds: Record<string, PasskeyFailure> = {
    NotAllowedError: 'cancelled',
    AbortError: 'cancelled',
    InvalidStateError: 'known',
    SecurityError: 'address',
    NotSupportedError: 'unsupported',
    ConstraintError: 'unsupported',
  };
  return kinds[error.name] ?? 'other';
}

function answered(credential: Credential | null): Record<string, unknown> {
  if (!credential) throw new DOMException('nothing was chosen', 'NotAllowedError');
  return answerJson(credential as PublicKeyCredential);
}

/** Has the browser make a passkey. */
export async function makePasskey(json: unknown): Promise<Record<string, unknown>> {
  return answered(await navigator.credentials.create({ publicKey: creationOptions(json) }));
}

/** Has the browser prove one. */
export async function provePasskey(json: unknown): Promise<Record<string, unknown>> {
  return answered(await navigator.credentials.get({ publicKey: requestOptions(json) }));
}
