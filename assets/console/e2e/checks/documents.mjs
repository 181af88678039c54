import { readFileSync } from 'node:fs';
import { assert, fixture, open, row, until } from './common.mjs';

const READY = 60_000;

export const documents = [
  ['upload files by the picker and see them become ready', async (t) => {
    await t.page.locator('input[data-upload=files]').setInputFiles(['handbook.md', 'machines.pdf', 'broken.docx'].map(fixture));
    for (const name of ['handbook.md', 'machines.pdf']) {
      await row(t, name).locator('.status.ready').waitFor({ timeout: READY });
    }
  }],
  ['upload of a damaged file tells what is wrong', async (t) => {
    const broken = row(t, 'broken.docx');
    await broken.locator('.status.failed').waitFor({ timeout: READY });
    assert.ok((await broken.locator('.state p').first().innerText()).length > 10, 'a reason is shown');
    await t.shot('documents');
  }],
  ['upload a folder with its paths', async (t) => {
    await t.page.locator('input[data-upload=folder]').setInputFiles(fixture('folder'));
    await row(t, 'folder/visitors.txt').locator('.status.ready').waitFor({ timeout: READY });
    await row(t, 'folder/deep/stock.csv').locator('.status.ready').waitFor({ timeout: READY });
  }],
  ['upload by dropping on another page; the same bytes are not taken twice', async (t) => {
    await open(t, '/status');
    const text = readFileSync(fixture('folder/visitors.txt'), 'utf8');
    const transfer = await t.page.evaluateHandle((content) => {
      const data = new DataTransfer();
      data.items.add(new File([content], 'again.txt', { type: 'text/plain' }));
      data.items.add(new File(['The roof was repaired in 2021 by the north crew.\n'], 'roof.txt', { type: 'text/plain' }));
      return data;
    }, text);
    await t.page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await t.page.getByText('Drop to add to your documents').waitFor();
    await t.page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    const panel = t.page.getByRole('region', { name: 'Uploads' });
    await panel.getByText('Was already there').waitFor();
    await t.shot('uploads');
    await panel.getByRole('button', { name: 'Clear' }).click();
    await panel.waitFor({ state: 'detached' });
    await open(t, '/documents');
    await row(t, 'roof.txt').locator('.status.ready').waitFor({ timeout: READY });
    assert.equal(await row(t, 'again.txt').count(), 0);
    assert.equal(await t.page.locator('tbody tr').count(), 6);
  }],
  ['filters are in the address and narrow the list', async (t) => {
    await t.page.getByRole('combobox', { name: 'Status' }).selectOption('failed');
    await until(async () => (await t.page.locator('tbody tr').count()) === 1, 'one failed document');
    assert.match(t.page.url(), /status=failed/);
    await t.page.reload();
    await until(async () => (await t.page.locator('tbody tr').count()) === 1, 'still one after a reload');
    await t.page.getByRole('button', { name: 'Clear filters' }).click();
    await until(async () => (await t.page.locator('tbody tr').count()) === 6, 'all again');
    await t.page.getByLabel('Filter by title or file name').fill('machines');
    await until(async () => (await t.page.locator('tbody tr').count()) === 1, 'one by its name');
    await t.page.getByRole('button', { name: 'Clear filters' }).click();
    await until(async () => (await t.page.locator('tbody tr').count()) === 6, 'all again');
  }],
  ['many at once: tags and a collection', async (t) => {
    await row(t, 'handbook.md').getByRole('checkbox').click();
    await row(t, 'machines.pdf').getByRole('checkbox').click();
    await t.page.getByText('2 documents selected').waitFor();
    await t.page.getByRole('button', { name: 'Add tags' }).click();
    await t.page.getByRole('dialog').getByLabel('Tags').fill('site, 2026');
    await t.page.keyboard.press('Enter');
    await row(t, 'handbook.md').getByText('2026').waitFor();
    // The row is told by an event, which may come before the answer that ends the selection.
    await t.page.getByText('2 documents selected').waitFor({ state: 'detached' });
    await row(t, 'machines.pdf').getByRole('checkbox').click();
    await t.page.getByRole('button', { name: 'Move to collection' }).click();
    await t.page.getByRole('dialog').getByLabel('Collection').fill('Machines');
    await t.page.keyboard.press('Enter');
    await row(t, 'machines.pdf').locator('.chip', { hasText: 'Machines' }).waitFor();
    await t.shot('documents-tagged');
  }],
  ['rename a document', async (t) => {
    await row(t, 'roof.txt').getByRole('button', { name: /^Edit/ }).click();
    await t.page.getByRole('dialog').getByLabel('Title').fill('Roof log');
    await t.page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await t.page.getByRole('link', { name: 'Roof log' }).waitFor();
  }],
  ['an encrypted file asks for its password until it is right', async (t) => {
    await t.page.locator('input[data-upload=files]').setInputFiles(fixture('locked.pdf'));
    const locked = row(t, 'locked.pdf');
    for (const password of ['not this', 'lectern']) {
      await locked.getByRole('button', { name: 'Enter password' }).click({ timeout: READY });
      await t.page.getByRole('dialog').getByLabel('Password of the file').fill(password);
      await t.page.keyboard.press('Enter');
      await t.page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await locked.locator('.status.ready').waitFor({ timeout: READY });
  }],
  ['many files: a queue, pages of the list, all of them chosen and deleted', async (t) => {
    const files = Array.from({ length: 60 }, (_, i) => ({ name: `leaf-${i}.txt`, mimeType: 'text/plain', buffer: Buffer.from(`Leaf number ${i} of the herbarium.\n`) }));
    await t.page.locator('input[data-upload=files]').setInputFiles(files);
    const panel = t.page.getByRole('region', { name: 'Uploads' });
    await panel.getByRole('button', { name: 'Clear' }).click({ timeout: READY });
    await t.page.getByLabel('Filter by title or file name').fill('leaf');
    await t.page.getByText('60 documents match').waitFor({ timeout: READY });
    assert.equal(await t.page.locator('tbody tr').count(), 50);
    await t.page.getByRole('button', { name: 'Next' }).click();
    await t.page.getByText('51–60 of 60').waitFor();
    await t.page.getByRole('button', { name: 'Previous' }).click();
    await t.page.getByText('1–50 of 60').waitFor();
    await t.page.getByLabel('Select all on this page').click();
    await t.page.getByRole('button', { name: 'Select all 60' }).click();
    await t.page.getByText('60 documents selected').waitFor();
    await t.page.getByRole('group', { name: 'Actions for the selected documents' }).getByRole('button', { name: 'Delete' }).click();
    await t.page.getByRole('dialog').getByText('Delete 60 documents?').waitFor();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await t.page.getByText('No document matches these filters.').waitFor({ timeout: READY });
    await t.page.getByRole('button', { name: 'Clear filters' }).click();
    await row(t, 'handbook.md').waitFor();
  }],
  ['deleting asks first and is final', async (t) => {
    const remove = row(t, 'broken.docx').getByRole('button', { name: /^Delete/ });
    await remove.click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await row(t, 'broken.docx').count(), 1);
    await remove.click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row(t, 'broken.docx').waitFor({ state: 'detached' });
  }],
];
