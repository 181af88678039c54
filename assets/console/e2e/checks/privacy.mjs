/** Personal data: texts to agree to, copies, how long things stay, and erasing. */
import { readFileSync } from 'node:fs';
import { assert, open, until, USER } from './common.mjs';
import { bothThemes, small } from './looks.mjs';
import { joinAs, secretOf } from './organisation.mjs';

const PAULA = { name: 'Paula Person', email: 'paula@example.org', password: 'paper-valley-copper-95' };
const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => page.getByRole('button', { name, exact: true });

let paula;

async function publish(t, { title, body, required }) {
  await open(t, '/privacy');
  await button(t.page, 'New text').click();
  await t.page.locator('input[name=text-title]').fill(title);
  await t.page.locator('textarea[name=text-body]').fill(body);
  if (required) await t.page.locator('input[name=text-required]').check();
  await bothThemes(t, t.page, 'text-new');
  await button(t.page, 'Next').click();
  await t.page.locator('[data-text-step=preview]').waitFor();
}

async function takeAway(t, title) {
  await open(t, '/privacy');
  await button(t.page, `Take away “${title}”`).click();
  await dialog(t.page).getByRole('button', { name: 'Take away' }).click();
  await t.page.getByText(`“${title}” is taken away.`).waitFor();
}

async function zipOf(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  assert.match(file.suggestedFilename(), /^lectern-usr_.*\.zip$/);
  const bytes = readFileSync(await file.path());
  assert.equal(bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  return bytes.toString('latin1');
}

export const privacy = [
  ['privacy: a text that is needed is published with a preview, and stands before everything, for its author too', async (t) => {
    await open(t, '/people');
    await button(t.page, 'Invite').click();
    await t.page.locator('input[name=invite-email]').fill(PAULA.email);
    await button(t.page, 'Make the link').click();
    paula = await joinAs(t, await secretOf(t.page), PAULA);
    await publish(t, { title: 'Speech is recognised', body: 'On this machine alone.\n\nNothing leaves the house. '.repeat(40), required: true });
    await t.page.getByText('Everybody, you too, has to agree').waitFor();
    await bothThemes(t, t.page, 'text-preview');
    await small(t, t.page, 'text-preview');
    await button(t.page, 'Publish').click();
    await t.page.getByRole('heading', { name: 'Please read this first' }).waitFor();
    await t.page.goto(`${t.url}/documents`);
    await t.page.getByRole('heading', { name: 'Speech is recognised' }).waitFor();
    await bothThemes(t, t.page, 'consent-gate');
    await small(t, t.page, 'consent-gate');
    await button(t.page, 'I agree').click();
    await t.page.getByRole('heading', { name: 'Documents', level: 1 }).waitFor();
    await open(t, '/privacy');
    await t.page.locator('[data-text="speech-is-recognised"]').getByText('one person agreed').waitFor();
    await bothThemes(t, t.page, 'privacy-texts');
    await small(t, t.page, 'privacy-texts');
  }],
  ['privacy: somebody who is in already is stopped by it, agrees, and takes it back', async (t) => {
    await paula.getByRole('link', { name: 'Documents' }).first().click();
    await paula.goto(`${t.url}/profile`);
    await paula.getByRole('heading', { name: 'Please read this first' }).waitFor();
    await button(paula, 'I agree').click();
    const line = paula.locator('[data-own-text="speech-is-recognised"]');
    await line.getByText(/^agreed /).waitFor();
    await line.scrollIntoViewIfNeeded();
    await bothThemes(t, paula, 'own-data');
    await small(t, paula, 'own-data');
    await line.getByRole('button', { name: /^Take back/ }).click();
    await dialog(paula).getByText('you cannot go on until you agree again').waitFor();
    await dialog(paula).getByRole('button', { name: 'Take back' }).click();
    await paula.getByRole('heading', { name: 'Please read this first' }).waitFor();
    await button(paula, 'I agree').click();
    await line.waitFor();
    await takeAway(t, 'Speech is recognised');
    await t.page.locator('[data-text="speech-is-recognised"]').getByText('Over').waitFor();
  }],
  ['privacy: a text that is not needed is offered once, and can be agreed to later', async (t) => {
    await publish(t, { title: 'News by e-mail', body: 'Once a month.', required: false });
    await button(t.page, 'Publish').click();
    await t.page.locator('[data-text="news-by-e-mail"]').getByText('0 people agreed').waitFor();
    await paula.goto(`${t.url}/ask`);
    const notice = paula.locator('[data-consent-notice]');
    await notice.waitFor();
    await bothThemes(t, paula, 'consent-notice');
    await small(t, paula, 'consent-notice');
    await notice.getByRole('button', { name: 'Not now' }).click();
    await notice.waitFor({ state: 'detached' });
    await paula.goto(`${t.url}/profile`);
    await paula.locator('[data-own-text="news-by-e-mail"]').getByText('not agreed').waitFor();
    assert.equal(await notice.count(), 0);
    await button(paula, 'Read “News by e-mail”').click();
    await t.shot('own-text', paula);
    await button(paula, 'I agree').click();
    await paula.locator('[data-own-text="news-by-e-mail"]').getByText(/^agreed /).waitFor();
    await takeAway(t, 'News by e-mail');
  }],
  ['privacy: everybody gets a copy of what is held about them', async (t) => {
    await paula.goto(`${t.url}/ask`);
    await paula.getByLabel('Ask your documents').fill('Where is the assembly point?');
    await paula.keyboard.press('Enter');
    await paula.locator('[data-turn] [data-citation="1"]').first().waitFor();
    await paula.goto(`${t.url}/profile`);
    const names = await zipOf(paula, () => button(paula, 'Get a copy').click());
    for (const name of ['README.txt', 'account/account.json', 'consents/', 'conversations/']) assert.ok(names.includes(name), name);
  }],
  ['privacy: the rules of how long things stay show what would go, are saved and read back', async (t) => {
    await open(t, '/documents');
    await button(t.page, 'Collections').click();
    await t.page.locator('input[name=collection-name]').fill('News of the week');
    await button(t.page, 'Create collection').click();
    await t.page.locator('[data-collections] li', { hasText: 'News of the week' }).waitFor();
    await open(t, '/privacy');
    await t.page.locator('[data-retention]').waitFor();
    await t.page.locator('input[name=keep-conversations]').fill('0');
    await t.page.getByText('Days are whole numbers').waitFor();
    assert.equal(await button(t.page, 'Save').isDisabled(), true);
    await t.page.locator('input[name=keep-conversations]').fill('90');
    const kept = t.page.locator('[data-keep="News of the week"]');
    await kept.fill('30');
    await t.page.locator('[data-overdue="0"]').waitFor();
    await bothThemes(t, t.page, 'retention');
    await small(t, t.page, 'retention');
    await button(t.page, 'Save').click();
    await t.page.getByText('The rules are saved.').waitFor();
    await open(t, '/privacy');
    assert.equal(await t.page.locator('input[name=keep-conversations]').inputValue(), '90');
    assert.equal(await kept.inputValue(), '30');
    await t.page.locator('input[name=keep-conversations]').fill('');
    await kept.fill('');
    await button(t.page, 'Save').click();
    await t.page.getByText('The rules are saved.').waitFor();
  }],
  ['privacy: a person is exported and erased, with the e-mail typed again', async (t) => {
    await open(t, '/people');
    await t.page.locator(`[data-person="${PAULA.email}"]`).getByRole('button').click();
    await bothThemes(t, t.page, 'person-data');
    const names = await zipOf(t.page, () => button(t.page, 'Export').click());
    assert.ok(names.includes('account/account.json'));
    await button(t.page, 'Erase').click();
    const erase = dialog(t.page).getByRole('button', { name: 'Erase' });
    assert.equal(await erase.isDisabled(), true);
    await t.page.locator('input[name=confirm-email]').fill('somebody@example.org');
    assert.equal(await erase.isDisabled(), true);
    await t.page.locator('input[name=confirm-email]').fill(PAULA.email.toUpperCase());
    await bothThemes(t, t.page, 'erase');
    await small(t, t.page, 'erase');
    await erase.click();
    await t.page.locator('[data-erased]').waitFor();
    const count = (what) => t.page.locator(`[data-count="${what}"] + dd`).innerText();
    assert.equal(await count('accounts'), '1');
    assert.equal(await count('conversations'), '1');
    assert.equal(await count('consents'), '2');
    await bothThemes(t, t.page, 'erased');
    await small(t, t.page, 'erased');
    await button(t.page, 'Close').last().click();
    await t.page.locator(`[data-person="${PAULA.email}"]`).waitFor({ state: 'detached' });
    await t.page.locator(`[data-person="${USER.email}"]`).waitFor();
    await until(async () => {
      await paula.goto(t.url);
      return (await paula.getByRole('heading', { name: 'Sign in' }).count()) > 0;
    }, 'she is out', 10);
    await paula.context().close();
    await open(t, '/audit');
    for (const action of ['person.erased', 'retention.changed', 'consent_text.added']) await t.page.locator(`[data-action="${action}"]`).first().waitFor();
  }],
];

/** What cannot be so old within a test. */
export const privacyMock = [
  ['privacy: rules that would let things go ask once more', async (t) => {
    await open(t, '/privacy');
    await t.page.locator('input[name=keep-conversations]').fill('1');
    await t.page.locator('[data-overdue="3"]').waitFor();
    await bothThemes(t, t.page, 'retention-goes');
    await small(t, t.page, 'retention-goes');
    await button(t.page, 'Save').click();
    await dialog(t.page).getByText('Conversations: 3').waitFor();
    await t.shot('retention-confirm');
    await dialog(t.page).getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await t.page.getByText('The rules are saved.').count(), 0);
    await button(t.page, 'Save').click();
    await dialog(t.page).getByRole('button', { name: 'Save the rules' }).click();
    await t.page.getByText('The rules are saved.').waitFor();
  }],
];
