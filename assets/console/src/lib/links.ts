/** Links by which somebody joins or sets a new password. The token is behind the `#`: no address with it is ever sent. */

export function joinLink(token: string, origin = location.origin): string {
  return `${origin}/join#${token}`;
}

export function tokenOf(hash: string): string {
  try {
    return decodeURIComponent(hash.replace(/^#/, '')).trim();
  } catch {
    return '';
  }
}

/** Where a service for signing in sends browsers back to. */
export function callbackAddress(origin = location.origin): string {
  return `${origin}/api/v1/session/oidc/callback`;
}

/** Where a service makes, changes and removes people and groups. */
export function scimAddress(origin = location.origin): string {
  return `${origin}/api/v1/scim/v2`;
}
