import { ask, assert, open, until } from './common.mjs';

export const asking = [
  ['a question gets a streamed answer with its sources', async (t) => {
    await open(t, '/ask');
    const turn = await ask(t, 'Where is the assembly point?');
    assert.match(await turn.locator('.answer').innerText(), /car park/);
    assert.ok((await turn.locator('[data-citation]').count()) >= 1);
    assert.match(t.page.url(), /\/ask\/.+/);
    await t.shot('ask');
  }],
  ['a citation opens the document at the very words', async (t) => {
    const button = t.page.locator('[data-citation="1"]').first();
    const quote = (await button.getAttribute('title')).replace(/\s+/g, ' ').trim();
    await button.click();
    const panel = t.page.locator('[data-panel]');
    await panel.locator('mark.cited').first().waitFor();
    const marked = (await panel.locator('mark.cited').allTextContents()).join(' ').replace(/\s+/g, ' ').trim();
    assert.equal(marked, quote);
    assert.equal(await panel.locator('mark.cited').first().evaluate((m) => m === document.activeElement), true, 'the focus is on the place');
    await t.shot('ask-citation');
    await t.page.keyboard.press('Escape');
    await panel.waitFor({ state: 'detached' });
    assert.equal(await button.evaluate((b) => b === document.activeElement), true, 'the focus is back on the citation');
  }],
  ['what the documents do not tell is said, with the nearest passages', async (t) => {
    const turn = await ask(t, 'Which composer wrote the opera about the zeppelin?');
    await turn.getByText('The documents do not tell.').waitFor();
    await t.shot('ask-unanswered');
  }],
  ['a thumb, the trace and the copy', async (t) => {
    const turn = t.page.locator('[data-turn]').first();
    await turn.getByRole('button', { name: 'Good answer' }).click();
    await until(async () => (await turn.getByRole('button', { name: 'Good answer' }).getAttribute('aria-pressed')) === 'true', 'the thumb is kept');
    await turn.getByText('How long it took').click();
    await turn.getByText('Find passages').waitFor();
    await t.context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await turn.getByRole('button', { name: 'Copy answer and sources' }).click();
    assert.match(await t.page.evaluate(() => navigator.clipboard.readText()), /\[1\].*[“"]/s);
  }],
  ['a conversation is kept, found, renamed and deleted', async (t) => {
    await t.page.reload();
    await until(async () => (await t.page.locator('[data-turn]').count()) === 2, 'both turns are back');
    assert.equal(await t.page.locator('[data-turn]').first().getByRole('button', { name: 'Good answer' }).getAttribute('aria-pressed'), 'true');
    const history = t.page.getByRole('region', { name: 'Conversations' });
    await history.getByRole('button', { name: /^More for/ }).first().click();
    await history.getByRole('button', { name: 'Rename' }).click();
    await t.page.getByRole('dialog').getByLabel('Title').fill('Fire drill');
    await t.page.keyboard.press('Enter');
    await history.getByText('Fire drill').waitFor();
    const [download] = await Promise.all([t.page.waitForEvent('download'), history.getByRole('link', { name: 'Markdown' }).click()]);
    assert.match(download.suggestedFilename(), /\.(md|markdown)$/);
    await t.page.goto(`${t.url}/ask`);
    await ask(t, 'How long does the generator run?');
    await history.getByLabel('Search conversations').fill('fire');
    await until(async () => (await history.locator('li a').count()) === 1, 'found by its title');
    await history.getByLabel('Search conversations').fill('');
    await until(async () => (await history.locator('li').count()) === 2, 'both again');
    await history.getByRole('button', { name: /^More for.*Fire drill/ }).click();
    await history.getByRole('button', { name: 'Delete', exact: true }).click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await history.getByText('Fire drill').waitFor({ state: 'detached' });
  }],
];
