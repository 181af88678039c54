import { assert, open, row, until } from './common.mjs';

/** About a megabyte of text, told apart by its numbers. */
const LONG = Array.from({ length: 9000 }, (_, i) => `Ledger entry ${i}: ${'lorem ipsum dolor sit amet '.repeat(4)}🧾\n\n`).join('');

export const reading = [
  ['search finds, marks, narrows and opens the place', async (t) => {
    await open(t, '/search');
    await t.page.getByRole('searchbox', { name: 'Search in all documents' }).fill('pump');
    await t.page.keyboard.press('Enter');
    await t.page.locator('article mark').first().waitFor();
    assert.match((await t.page.locator('article mark').first().innerText()).toLowerCase(), /pump/);
    await t.shot('search');
    await t.page.locator('.facet', { hasText: 'PDF' }).click();
    await until(async () => (await t.page.locator('article').count()) >= 1 && /type=pdf/.test(t.page.url()), 'only PDF');
    await t.page.getByRole('button', { name: 'Clear filters' }).click();
    await t.page.getByRole('searchbox', { name: 'Search in all documents' }).fill('assembly');
    await t.page.keyboard.press('Enter');
    await t.page.locator('article mark', { hasText: /assembly/i }).waitFor();
    await t.page.locator('article a').first().click();
    const cited = t.page.locator('mark.cited');
    await cited.first().waitFor();
    assert.match((await cited.allInnerTexts()).join(''), /assembly point/);
    await until(() => cited.first().evaluate((m) => {
      const box = m.getBoundingClientRect();
      return box.top > 0 && box.bottom < innerHeight;
    }), 'the place is in view');
    await t.shot('viewer-text');
  }],
  ['a query that cannot be read is explained', async (t) => {
    await open(t, '/search?q=%22open');
    await until(async () => (await t.page.getByRole('alert').count()) > 0 || (await t.page.getByText('Nothing found').count()) > 0, 'an explanation');
  }],
  ['the viewer keeps headings, lists and tables', async (t) => {
    await open(t, '/documents');
    await row(t, 'handbook.md').getByRole('link').first().click();
    await t.page.getByRole('heading', { name: 'Water pumps' }).waitFor();
    await t.page.locator('article li', { hasText: 'lifts' }).waitFor();
    await t.page.locator('article td', { hasText: '4.2 bar' }).waitFor();
  }],
  ['find in the text walks from place to place', async (t) => {
    const box = t.page.getByRole('searchbox', { name: 'Find in this document' });
    await box.fill('filter');
    await t.page.getByText(/^1 of \d+$/).waitFor();
    const total = Number((await t.page.getByText(/^1 of \d+$/).innerText()).split(' ')[2]);
    assert.ok(total >= 3, `${total} places`);
    await box.press('Enter');
    await t.page.getByText(`2 of ${total}`).waitFor();
    assert.match(await t.page.locator('mark.current').innerText(), /filter/i);
  }],
  ['a long text opens deep inside and grows at both ends', async (t) => {
    await open(t, '/documents');
    await t.page.locator('input[data-upload=files]').setInputFiles({ name: 'ledger.txt', mimeType: 'text/plain', buffer: Buffer.from(LONG) });
    await row(t, 'ledger.txt').locator('.status.ready').waitFor({ timeout: 60_000 });
    await row(t, 'ledger.txt').getByRole('link').first().click();
    await t.page.locator('article', { hasText: 'Ledger entry 0:' }).waitFor();
    const first = await t.page.locator('article p').count();
    assert.ok(first < 2000, `${first} paragraphs are drawn at first`);
    await t.page.getByRole('searchbox', { name: 'Find in this document' }).fill('ledger entry 4321:');
    const mark = t.page.locator('mark.current');
    await mark.waitFor();
    assert.equal(await mark.innerText(), 'Ledger entry 4321:');
    assert.equal(await t.page.locator('article', { hasText: 'Ledger entry 0:' }).count(), 0, 'the beginning is not loaded');
    const pane = t.page.locator('.pane');
    const place = () => mark.evaluate((m) => m.getBoundingClientRect().top);
    const before = await place();
    await pane.evaluate((p) => p.dispatchEvent(new Event('scroll')));
    await t.page.waitForTimeout(500);
    assert.ok(Math.abs((await place()) - before) < 3, 'what is read does not move when more is loaded');
    for (let i = 0; i < 60 && (await t.page.getByText('Ledger entry 4100:').count()) === 0; i++) {
      await pane.evaluate((p) => (p.scrollTop = Math.max(0, p.scrollTop - 3000)));
      await t.page.waitForTimeout(60);
    }
    assert.equal(await t.page.getByText('Ledger entry 4100:').count(), 1, 'earlier text is loaded, once');
    for (let i = 0; i < 60 && (await t.page.getByText('Ledger entry 4700:').count()) === 0; i++) {
      await pane.evaluate((p) => (p.scrollTop += 30_000));
      await t.page.waitForTimeout(60);
    }
    assert.equal(await t.page.getByText('Ledger entry 4700:').count(), 1, 'later text is loaded, once');
    const numbers = await t.page.locator('article p').evaluateAll((all) => all.map((p) => Number(/entry (\d+)/.exec(p.textContent)?.[1] ?? -1)).filter((n) => n >= 0));
    assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => numbers[0] + i), 'no gap and nothing twice');
  }],
  ['a PDF stands beside its text, at its page', async (t) => {
    await open(t, '/documents');
    await row(t, 'machines.pdf').getByRole('link').first().click();
    const frame = t.page.locator('section.original iframe');
    await frame.waitFor();
    assert.match(await frame.getAttribute('src'), /inline=true#page=1$/);
    await t.page.locator('article', { hasText: 'bearings' }).waitFor();
    await t.page.waitForTimeout(800);
    await t.shot('viewer-pdf');
    await t.page.goto(`${t.page.url()}?page=2`);
    await t.page.locator('[data-page="2"]').waitFor();
    assert.match(await frame.getAttribute('src'), /#page=2$/);
  }],
];
