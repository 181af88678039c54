/** Entries of the record that are sent to other servers, and what the page tells of it. */
import { closedPort, startCollector, startSyslog } from '../collector.mjs';
import { assert, open, until } from './common.mjs';
import { bothThemes, small } from './looks.mjs';

const SECRET = 'Splunk 4711-a-secret-of-the-collector';
const dialog = (t) => t.page.getByRole('dialog');
const target = (t, name) => t.page.locator(`[data-target="${name}"]`);
const button = (t, name) => t.page.getByRole('button', { name, exact: true });

async function add(t, { name, kind, address, format }) {
  await button(t, 'Add a server').click();
  await t.page.locator('input[name=target-name]').fill(name);
  await t.page.locator('select[name=target-kind]').selectOption(kind);
  await t.page.locator('input[name=target-address]').fill(address);
  await t.page.locator('select[name=target-format]').selectOption(format);
}

/** Something that is recorded: a group. */
async function record(t, name) {
  const headers = { 'X-CSRF-Token': (await (await t.page.request.get(`${t.url}/api/v1/session`)).json()).csrf_token };
  const answer = await t.page.request.post(`${t.url}/api/v1/groups`, { headers, data: { name } });
  assert.equal(answer.status(), 201);
}

export const forwarding = [
  ['record: a server is added by keys, tried out step by step, and gets each entry', async (t) => {
    const server = await startSyslog();
    try {
      await open(t, '/audit');
      await t.page.getByRole('link', { name: 'Forwarding' }).click();
      await t.page.getByText('Entries are sent nowhere.').waitFor();
      await bothThemes(t, t.page, 'forwarding-none');
      await button(t, 'Add a server').focus();
      await t.page.keyboard.press('Enter');
      await dialog(t).waitFor();
      assert.equal(await t.page.evaluate(() => document.activeElement.getAttribute('name')), 'target-name');
      await bothThemes(t, t.page, 'forwarding-new');
      await small(t, t.page, 'forwarding-new');
      await t.page.keyboard.press('Escape');
      await dialog(t).waitFor({ state: 'detached' });
      await add(t, { name: 'Watchtower', kind: 'tcp', address: `127.0.0.1:${server.port}`, format: 'json' });
      await t.page.keyboard.press('Enter');
      await target(t, 'Watchtower').locator('[data-test=works] [data-step=sent]').waitFor();
      await until(() => server.lines.some((line) => line.action === 'audit.test'), 'the test message is there');
      await bothThemes(t, t.page, 'forwarding-works');
      await record(t, 'Forwarded group');
      await until(() => server.lines.some((line) => line.action === 'group.created' && line.after?.name === 'Forwarded group'), 'the entry is there', 200);
      assert.ok(server.lines.every((line) => line.log === 'lectern.audit/main'));
      await t.page.locator('[data-target=Watchtower][data-state=good]').getByText('nothing waits').waitFor();
      await button(t, 'Switch off Watchtower').click();
      await dialog(t).getByRole('button', { name: 'Switch off' }).click();
      await t.page.locator('[data-target=Watchtower][data-state=off]').waitFor();
    } finally {
      server.stop();
    }
  }],
  ['record: a server that does not answer shows the step, what to do, and what waits', async (t) => {
    await open(t, '/audit/forwarding');
    await add(t, { name: 'Nobody', kind: 'tcp', address: `127.0.0.1:${await closedPort()}`, format: 'rfc5424' });
    await button(t, 'Save and test').click();
    await target(t, 'Nobody').locator('[data-test=fails] [data-step=connected]').getByText('What to do:').waitFor();
    await t.page.locator('[data-target=Nobody][data-state=failing] [data-last-error]').getByText('Next try').waitFor();
    await target(t, 'Nobody').getByText(/entr(y|ies) waits?$/).first().waitFor();
    await bothThemes(t, t.page, 'forwarding-fails');
    await small(t, t.page, 'forwarding-fails');
    await t.page.evaluate(() => localStorage.setItem('locale', 'de'));
    await open(t, '/audit/forwarding');
    await t.page.getByText('Kommt nicht an').waitFor();
    await bothThemes(t, t.page, 'forwarding-de');
    await small(t, t.page, 'forwarding-de');
    await t.page.getByRole('button', { name: 'Nobody bearbeiten' }).click();
    await dialog(t).waitFor();
    await small(t, t.page, 'forwarding-edit-de');
    await t.page.evaluate(() => localStorage.setItem('locale', 'en'));
    await open(t, '/audit/forwarding');
    await button(t, 'Edit Nobody').click();
    await t.page.locator('input[name=target-address]').fill('169.254.1.1:601');
    await button(t, 'Save').click();
    await t.page.locator('input[name=target-address][aria-invalid=true]').waitFor();
    await t.shot('forwarding-refused');
    await button(t, 'Cancel').click();
  }],
  ['record: a collector’s secret is kept, never shown, and typed again for another place', async (t) => {
    const collector = await startCollector();
    try {
      await open(t, '/audit/forwarding');
      await add(t, { name: 'Collector', kind: 'https', address: collector.url, format: 'json' });
      await t.page.locator('input[name=target-secret]').fill(SECRET);
      await bothThemes(t, t.page, 'forwarding-https');
      await small(t, t.page, 'forwarding-https');
      await button(t, 'Save and test').click();
      await target(t, 'Collector').locator('[data-test=works]').waitFor();
      assert.equal(collector.came[0].authorization, SECRET);
      await button(t, 'Edit Collector').click();
      assert.equal(await t.page.locator('input[name=target-secret]').inputValue(), '');
      assert.equal((await t.page.content()).includes(SECRET), false);
      await t.page.locator('input[name=target-name]').fill('Harbour collector');
      await button(t, 'Save').click();
      await t.page.getByText('Harbour collector is saved.').waitFor();
      const before = collector.came.length;
      await button(t, 'Test Harbour collector').click();
      await target(t, 'Harbour collector').locator('[data-test=works]').waitFor();
      assert.ok(collector.came.length > before && collector.came.every((one) => one.authorization === SECRET), 'the secret stayed');
      await button(t, 'Edit Harbour collector').click();
      await t.page.locator('input[name=target-address]').fill(`${collector.url}/other`);
      await dialog(t).getByText('Type it again.').waitFor();
      assert.equal(await button(t, 'Save').isDisabled(), true);
      await t.page.locator('input[name=target-drop]').check();
      await button(t, 'Save').click();
      await dialog(t).waitFor({ state: 'detached' });
      await until(async () => {
        await button(t, 'Test Harbour collector').click();
        await target(t, 'Harbour collector').locator('[data-test=works]').waitFor();
        return collector.came.at(-1).authorization === null;
      }, 'the secret is gone', 5);
      await button(t, 'Delete Harbour collector').click();
      await dialog(t).getByRole('button', { name: 'Delete' }).click();
      await target(t, 'Harbour collector').waitFor({ state: 'detached' });
    } finally {
      collector.stop();
    }
  }],
  ['record: the appliance’s own record has servers of its own', async (t) => {
    await open(t, '/audit/forwarding');
    await button(t, 'Appliance').click();
    await t.page.getByText('Entries are sent nowhere.').waitFor();
    await add(t, { name: 'Operators only', kind: 'udp', address: '127.0.0.1:9', format: 'cef' });
    await button(t, 'Save and test').click();
    await target(t, 'Operators only').locator('[data-test]').waitFor();
    await t.shot('forwarding-appliance');
    await button(t, 'This organisation').click();
    await target(t, 'Nobody').waitFor();
    assert.equal(await target(t, 'Operators only').count(), 0);
    await t.page.getByRole('link', { name: 'Entries' }).click();
    await t.page.locator('[data-action="forward.created"]').first().waitFor();
    await open(t, '/audit/forwarding?of=appliance');
    await button(t, 'Delete Operators only').click();
    await dialog(t).getByRole('button', { name: 'Delete' }).click();
    await target(t, 'Operators only').waitFor({ state: 'detached' });
  }],
];
