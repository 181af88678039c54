/** What an identity service needs to make, change and remove people here. */

/** All that its key may. It makes members and viewers, and reads no documents. */
export const SCOPES: readonly string[] = ['people.read', 'people.manage', 'people.provision'];
