import assert from 'node:assert/strict';
import { join } from 'node:path';
import { HERE } from '../target.mjs';

export { assert };
export const USER = { name: 'Ada Test', email: 'ada@example.org', password: 'quiet-harbour-maple-71' };
export const fixture = (name) => join(HERE, 'fixtures', name);

export async function open(t, path) {
  await t.page.goto(t.url + path);
  await t.page.locator('h1').first().waitFor();
}

/** The row of a document in the list, by its title. */
export const row = (t, title) => t.page.locator('tbody tr', { hasText: title });

export async function ask(t, question) {
  const before = await t.page.locator('[data-turn]').count();
  await t.page.getByLabel('Ask your documents').fill(question);
  await t.page.keyboard.press('Enter');
  await t.page.locator('[data-turn]').nth(before).waitFor();
  return t.page.locator('[data-turn]').nth(before);
}

/** Signs in on the page of signing in. */
export async function enterAs(page, who) {
  await page.getByLabel('E-mail address').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Waits until the function gives something true. */
export async function until(check, what, tries = 100) {
  for (let i = 0; i < tries; i++) {
    if (await check()) return;
    await new Promise((r) => setTimeout(r, 100));
  }
  throw new Error(`did not happen: ${what}`);
}
