import { assert, open } from './common.mjs';

export const settings = [
  ['an Ollama that is not there is reported with a hint', async (t) => {
    await open(t, '/settings');
    await t.page.locator('input[name=ollama-url]').fill('http://127.0.0.1:9');
    await t.page.getByRole('button', { name: 'Test' }).click();
    await t.page.locator('.note.bad').waitFor();
    await t.shot('settings');
  }],
  ['settings are kept', async (t) => {
    await t.page.getByLabel('Sentences in an answer without a model').fill('2');
    await t.page.getByRole('button', { name: 'Save' }).nth(1).click();
    await t.page.getByText('The settings are saved.').first().waitFor();
    await t.page.reload();
    await t.page.getByLabel('Sentences in an answer without a model').waitFor();
    assert.equal(await t.page.getByLabel('Sentences in an answer without a model').inputValue(), '2');
  }],
  ['a key is shown once and can be revoked', async (t) => {
    await open(t, '/keys');
    await t.page.getByRole('button', { name: 'Create key' }).first().click();
    await t.page.locator('input[name=key-name]').fill('Nightly import');
    await t.page.getByRole('dialog').getByRole('button', { name: 'Create key' }).click();
    assert.match(await t.page.locator('.secret').innerText(), /^lec_/);
    await t.page.getByRole('button', { name: 'I have kept it' }).click();
    await t.page.reload();
    await t.page.locator('[data-key="Nightly import"]').waitFor();
    assert.equal(await t.page.locator('.secret').count(), 0);
    await t.page.getByRole('button', { name: /^Revoke “Nightly import”/ }).click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await t.page.locator('[data-key="Nightly import"]').waitFor({ state: 'detached' });
  }],
  ['the page speaks German when asked to', async (t) => {
    await open(t, '/settings');
    await t.page.locator('select[name=locale]').selectOption('de');
    await t.page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    assert.equal(await t.page.evaluate(() => document.documentElement.lang), 'de');
    await t.page.reload();
    await t.page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    await t.page.locator('select[name=locale]').selectOption('en');
    await t.page.getByRole('heading', { name: 'Settings' }).waitFor();
  }],
  ['the status page tells what is in use', async (t) => {
    await open(t, '/status');
    for (const word of ['In use', 'Disk', 'Outbound connections', 'Recent errors']) await t.page.getByRole('heading', { name: word }).waitFor();
    await t.shot('status');
  }],
];
