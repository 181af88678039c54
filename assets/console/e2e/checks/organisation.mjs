/** People, what they may, and what is told of it. Each check goes on where the one before ended. */
import { assert, open, row, until, USER } from './common.mjs';

export const VIEWER = { name: 'Eve Viewer', email: 'eve@example.org', password: 'slow-river-lantern-84' };

const dialog = (page) => page.getByRole('dialog');
const places = (page) => page.locator('nav[aria-label="Main"] a span').allInnerTexts();

/** Makes a link on the page of people and gives its address. */
export async function secretOf(page) {
  const text = await page.locator('.secret code').innerText();
  await page.getByRole('button', { name: 'I have kept it' }).click();
  return text;
}

/** Joins by a link in a browser of its own; no address that is sent has the link's token. */
export async function joinAs(t, link, who) {
  const page = await (await t.newContext()).newPage();
  const token = link.slice(link.indexOf('#') + 1);
  page.on('request', (r) => (r.url().split('#')[0].includes(token) || r.headers().referer?.includes(token)) && t.wrong.push(`the token was sent: ${r.url()}`));
  await page.goto(link);
  await page.getByLabel('Your name').fill(who.name);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Join' }).click();
  await page.locator('nav a').first().waitFor();
  return page;
}

async function editPerson(t, email) {
  await open(t, '/people');
  await t.page.locator(`[data-person="${email}"]`).getByRole('button').click();
  await dialog(t.page).waitFor();
}

let link = '';
/** The viewer's own page. */
let eve;

export const organisation = [
  ['organisation: an invitation is shown once, and its link lets a viewer in', async (t) => {
    await open(t, '/people');
    await t.page.locator(`[data-person="${USER.email}"]`).getByText('You').waitFor();
    await t.page.getByRole('button', { name: 'Invite' }).click();
    await t.page.locator('input[name=invite-email]').fill(VIEWER.email);
    await t.page.locator('select[name=invite-role]').selectOption('viewer');
    await t.shot('people-invite');
    await t.page.getByRole('button', { name: 'Make the link' }).click();
    await t.page.getByText('Whoever has this link can join').waitFor();
    await t.shot('people-link');
    link = await secretOf(t.page);
    assert.match(link, /\/join#\S+$/);
    await open(t, '/people/invitations');
    await t.page.locator('[data-invitations]').getByText(VIEWER.email).waitFor();
    await t.shot('invitations');
    eve = await joinAs(t, link, VIEWER);
    assert.deepEqual(await places(eve), ['Ask', 'Documents', 'Search', 'Transcribe', 'Settings']);
  }],
  ['organisation: a link that was used says what to do', async (t) => {
    const page = await (await t.newContext()).newPage();
    await page.goto(link);
    await page.getByText('Every link works once').waitFor();
    await t.shot('join-over', page);
    await page.getByRole('button', { name: 'To the sign-in page' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.context().close();
  }],
  ['organisation: a viewer sees only what they may', async (t) => {
    for (const path of ['/people', '/keys', '/audit', '/usage', '/tenants', '/status', '/settings/models']) {
      await eve.goto(t.url + path);
      await eve.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    }
    await eve.goto(`${t.url}/documents`);
    await row({ page: eve }, 'handbook.md').waitFor();
    assert.equal(await eve.getByText('Add files').count(), 0);
    assert.equal(await eve.locator('tbody input[type=checkbox]').count(), 0);
    assert.equal(await eve.locator('tbody button').count(), 0);
    await eve.goto(`${t.url}/settings`);
    await eve.getByRole('heading', { name: 'Settings' }).waitFor();
    assert.equal(await eve.locator('input[name=ollama-url]').count(), 0);
    await eve.goto(`${t.url}/settings/voices`);
    await eve.getByRole('link', { name: 'Export' }).waitFor();
    assert.equal(await eve.locator('[data-lexicon-file]').count(), 0);
    await t.shot('viewer-voices', eve);
  }],
  ['organisation: sharing hides a document from a viewer and shows it again', async (t) => {
    await open(t, '/documents');
    await row(t, 'handbook.md').getByRole('button', { name: /^Who can see/ }).click();
    await t.page.getByLabel('Only these people and groups').check();
    await t.page.getByText('Nobody but administrators').waitFor();
    await dialog(t.page).getByRole('button', { name: 'Save' }).click();
    await dialog(t.page).waitFor({ state: 'detached' });
    await until(async () => {
      await eve.goto(`${t.url}/documents`);
      await eve.locator('[role=status]', { hasText: 'document' }).first().waitFor();
      return (await row({ page: eve }, 'handbook.md').count()) === 0;
    }, 'the document is hidden', 20);
    const href = await row(t, 'handbook.md').getByRole('link').first().getAttribute('href');
    await open(t, href);
    await t.page.getByRole('button', { name: /^Who can see/ }).click();
    await t.page.getByRole('combobox', { name: 'Add a person or a group' }).fill('Eve');
    await t.page.getByRole('option', { name: /Eve Viewer/ }).waitFor();
    await t.page.keyboard.press('Enter');
    await t.page.locator('[data-access] li', { hasText: VIEWER.name }).waitFor();
    await t.shot('access');
    await dialog(t.page).getByRole('button', { name: 'Save' }).click();
    await dialog(t.page).waitFor({ state: 'detached' });
    await eve.goto(`${t.url}/documents`);
    await row({ page: eve }, 'handbook.md').waitFor();
    await t.page.getByRole('button', { name: /^Who can see/ }).click();
    await t.page.getByLabel('Everyone in the organisation').check();
    await dialog(t.page).getByRole('button', { name: 'Save' }).click();
    await dialog(t.page).waitFor({ state: 'detached' });
  }],
  ['organisation: a collection can be made for few', async (t) => {
    await open(t, '/documents');
    await t.page.getByRole('button', { name: 'Collections' }).click();
    await t.page.locator('input[name=collection-name]').fill('Board');
    await t.page.getByLabel('Only for people and groups that I choose').check();
    await t.page.getByRole('button', { name: 'Create collection' }).click();
    await t.page.locator('[data-collections] li', { hasText: 'Board' }).getByText('Only these people').waitFor();
    await t.shot('collections');
    await t.page.getByRole('button', { name: 'Who can see the collection “Board”' }).click();
    await t.page.locator('[data-access] li', { hasText: USER.name }).waitFor();
    await t.page.getByRole('button', { name: 'Cancel' }).click();
  }],
  ['organisation: a group is made and a person put into it', async (t) => {
    await open(t, '/people/groups');
    await t.page.getByRole('button', { name: 'Create group' }).click();
    await t.page.locator('input[name=group-name]').fill('Night shift');
    await t.page.getByRole('button', { name: 'Save' }).click();
    await t.page.locator('[data-groups] li', { hasText: 'Night shift' }).getByText('0 people').waitFor();
    await t.page.getByRole('button', { name: 'People in Night shift' }).click();
    await t.page.getByRole('combobox', { name: 'Add somebody' }).fill('eve');
    await t.page.getByRole('option', { name: /Eve Viewer/ }).click();
    await t.page.locator('[data-members] li', { hasText: VIEWER.email }).waitFor();
    await t.shot('members');
    await t.page.getByRole('button', { name: 'Close' }).click();
    await t.page.locator('[data-groups] li', { hasText: 'Night shift' }).getByText('One person').waitFor();
    await t.shot('groups');
    await eve.goto(`${t.url}/profile`);
    await eve.locator('[data-own-groups]').getByText('Night shift').waitFor();
  }],
  ['organisation: a role of one’s own is made, given, and cannot be deleted while it is held', async (t) => {
    await open(t, '/people/roles');
    await t.page.locator('[data-roles]').waitFor();
    await t.page.getByRole('button', { name: 'Create role' }).click();
    await t.page.locator('input[name=role-title]').fill('Reader of records');
    for (const name of ['audit.read', 'documents.read']) await dialog(t.page).locator(`input[value="${name}"]`).check();
    await t.shot('role-new');
    await t.page.getByRole('button', { name: 'Save' }).click();
    await t.page.locator('[data-roles] thead').getByText('Reader of records').waitFor();
    await t.shot('roles');
    await editPerson(t, VIEWER.email);
    await t.page.locator('select[name=person-role]').selectOption('reader-of-records');
    await t.page.getByRole('button', { name: 'Save' }).click();
    await t.page.locator(`[data-person="${VIEWER.email}"]`).getByText('Reader of records').waitFor();
    await until(async () => {
      await eve.goto(`${t.url}/audit`);
      await eve.locator('h1').first().waitFor();
      return (await eve.getByRole('heading', { name: 'Record' }).count()) > 0;
    }, 'the new role holds', 20);
    assert.deepEqual(await places(eve), ['Documents', 'Search', 'Record', 'Settings']);
    await open(t, '/people/roles');
    await t.page.getByRole('button', { name: 'Delete the role Reader of records' }).click();
    await dialog(t.page).getByRole('button', { name: 'Delete' }).click();
    await t.page.getByRole('alert').getByText(/in use/).waitFor();
    await t.page.getByRole('button', { name: 'Close' }).click();
  }],
  ['organisation: a key with few rights may only that, is replaced, and is over after the time', async (t) => {
    await open(t, '/keys');
    await t.page.getByRole('button', { name: 'Create key' }).first().click();
    await t.page.locator('input[name=key-name]').fill('Reading only');
    await t.page.getByLabel('Only what is chosen').check();
    await dialog(t.page).locator('input[value="documents.read"]').check();
    await t.page.locator('textarea[name=key-networks]').fill('127.0.0.0/8');
    await t.shot('key-new');
    await dialog(t.page).getByRole('button', { name: 'Create key' }).click();
    const secret = await secretOf(t.page);
    const call = (path, key) => t.page.request.fetch(`${t.url}/api/v1${path}`, { headers: { Authorization: `Bearer ${key}` } }).then((r) => r.status());
    assert.equal(await call('/documents', secret), 200);
    assert.equal(await call('/people', secret), 403);
    const line = t.page.locator('[data-key="Reading only"]');
    await line.getByText('from 127.0.0.0/8').waitFor();
    await line.getByText(`by ${USER.name}`).waitFor();
    await t.shot('keys-list');
    await line.getByRole('button', { name: 'Replace' }).click();
    await t.page.getByLabel('Hours that the old key still works').fill('0');
    await dialog(t.page).getByRole('button', { name: 'Replace' }).click();
    const next = await secretOf(t.page);
    assert.equal(await call('/documents', next), 200);
    assert.equal(await call('/documents', secret), 401);
  }],
  ['organisation: the record tells of all that, with what was changed', async (t) => {
    await open(t, '/audit');
    for (const action of ['invitation.created', 'group.created', 'role.created', 'key.created', 'key.rotated', 'user.changed']) {
      await t.page.locator(`[data-action="${action}"]`).first().waitFor();
    }
    const entry = t.page.locator('[data-action="user.changed"]').first();
    await entry.locator('summary').click();
    await entry.locator('tr', { hasText: 'role' }).getByText('reader-of-records').waitFor();
    await entry.getByText('127.0.0.1').waitFor();
    await t.shot('audit');
    await t.page.getByLabel('Action').selectOption('key.');
    await until(async () => (await t.page.locator('[data-record] details').count()) > 0 && (await t.page.locator('[data-action="user.changed"]').count()) === 0, 'only keys are shown');
    const [file] = await Promise.all([t.page.waitForEvent('download'), t.page.getByRole('link', { name: 'CSV' }).click()]);
    assert.match(file.suggestedFilename(), /\.csv$/);
    const [proof] = await Promise.all([t.page.waitForEvent('download'), t.page.getByRole('link', { name: 'With proof' }).click()]);
    assert.match(proof.suggestedFilename(), /\.jsonl$/);
    await t.page.getByRole('button', { name: 'Appliance', exact: true }).click();
    await t.page.getByText('Who did what to the appliance').waitFor();
  }],
  ['organisation: the usage page draws what was used', async (t) => {
    await open(t, '/usage');
    await t.page.locator('[data-usage=requests]').waitFor();
    assert.ok((await t.page.locator('[data-plot=requests] rect').count()) > 0);
    await t.page.locator('[data-plot=requests] summary').click();
    assert.ok((await t.page.locator('[data-plot=requests] tbody tr').count()) > 0);
    await t.shot('usage');
  }],
  ['organisation: the profile keeps a name, and ends sessions elsewhere', async (t) => {
    const page = await (await t.newContext()).newPage();
    await page.goto(t.url);
    await page.getByLabel('E-mail address').fill(VIEWER.email);
    await page.getByLabel('Password').fill(VIEWER.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('a.who').click();
    await page.locator('input[name=own-name]').fill('Eve Renamed');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('a.who').getByText('Eve Renamed').waitFor();
    assert.equal(await page.locator('[data-sessions] > li').count(), 2);
    await t.shot('profile', page);
    await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await dialog(page).getByRole('button', { name: 'Sign out everywhere else' }).click();
    await until(async () => (await page.locator('[data-sessions] > li').count()) === 1, 'one session is left');
    await eve.goto(`${t.url}/profile`);
    await eve.getByRole('heading', { name: 'Sign in' }).waitFor();
    await eve.context().close();
    eve = page;
  }],
  ['organisation: by keys alone through the page of people', async (t) => {
    await open(t, '/people');
    await t.page.locator(`[data-person="${VIEWER.email}"]`).waitFor();
    const { keyboard } = t.page;
    const name = () => t.page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim());
    const to = async (wanted) => {
      for (let i = 0; i < 60; i++) {
        await keyboard.press('Tab');
        if (wanted.test(await name())) return;
      }
      throw new Error(`Tab does not come to ${wanted}`);
    };
    await keyboard.press('/');
    assert.equal(await name(), 'Search by name or e-mail');
    await keyboard.type('eve');
    await until(async () => (await t.page.locator('[data-person]').count()) === 1, 'the search narrows');
    await to(/^Edit Eve/);
    await keyboard.press('Enter');
    await dialog(t.page).waitFor();
    await to(/^Cancel$/);
    await keyboard.press('Enter');
    await dialog(t.page).waitFor({ state: 'detached' });
    await until(async () => /^Edit Eve/.test(await name()), 'the focus is back');
    await keyboard.press('g');
    await keyboard.press('u');
    await t.page.getByRole('heading', { name: 'Usage', exact: true }).waitFor();
  }],
  ['organisation: the menu of a small phone leads everywhere', async (t) => {
    await t.page.setViewportSize({ width: 360, height: 740 });
    try {
      await open(t, '/people');
      await t.shot('narrow-people-list');
      await t.page.getByRole('button', { name: 'All pages' }).click();
      await t.shot('narrow-menu');
      await dialog(t.page).getByRole('link', { name: 'Organisations' }).click();
      await t.page.getByRole('heading', { name: 'Organisations', exact: true }).waitFor();
      await dialog(t.page).waitFor({ state: 'detached' });
    } finally {
      await t.page.setViewportSize({ width: 1280, height: 800 });
    }
  }],
  ['organisation: a password link sets a new password', async (t) => {
    await editPerson(t, VIEWER.email);
    await t.shot('person');
    await t.page.getByRole('button', { name: 'Link for a new password' }).click();
    const reset = await secretOf(t.page);
    const page = await (await t.newContext()).newPage();
    await page.goto(reset);
    await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
    assert.equal(await page.getByLabel('Your name').count(), 0);
    await page.getByLabel('New password').fill('green-kettle-orbit-52');
    await t.shot('join-reset', page);
    await page.getByRole('button', { name: 'Set the password and sign in' }).click();
    await page.locator('a.who').waitFor();
    await eve.context().close();
    eve = page;
  }],
  ['organisation: who is disabled is out at once', async (t) => {
    await editPerson(t, VIEWER.email);
    await t.page.locator('input[name=person-enabled]').uncheck();
    await t.page.getByRole('button', { name: 'Save' }).click();
    await t.page.locator(`[data-person="${VIEWER.email}"]`).getByText('Disabled').waitFor();
    await t.shot('people');
    await eve.getByRole('link', { name: 'Search' }).click();
    await eve.goto(`${t.url}/documents`);
    await eve.getByRole('heading', { name: 'Sign in' }).waitFor();
    await eve.context().close();
  }],
];
