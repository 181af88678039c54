/** An operator in the place of a person: refused, let in to look, let in to change, and put out. */
import { assert, enterAs, open, until, USER } from './common.mjs';
import { bothThemes, small } from './looks.mjs';
import { joinAs, secretOf } from './organisation.mjs';

const QUINN = { name: 'Quinn Owner', email: 'quinn@example.org', password: 'silver-orchard-lamp-47' };
const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => page.getByRole('button', { name, exact: true });

let quinn;
/** The operator, in a browser of their own. */
let operator;

async function ask() {
  await operator.goto(new URL('/tenants', operator.url()).href);
  await button(operator, 'Open a session in Quay Side').click();
  await operator.locator('input[name=support-email]').fill(QUINN.email);
  await operator.locator('input[name=support-reason]').fill('Request 4711');
}

async function consent(t, hours, change) {
  await quinn.goto(`${t.url}/support-access`);
  await quinn.locator('input[name=support-hours]').fill(String(hours));
  await quinn.locator('input[name=support-note]').fill('Request 4711');
  if (change) await quinn.locator('input[name=support-change]').check();
  await quinn.locator('form').getByRole('button', { name: 'Let operators help' }).click();
  if (change) await dialog(quinn).getByRole('button', { name: 'Let operators help' }).click();
  await quinn.locator('[data-support-current]').waitFor();
}

export const support = [
  ['support: without the consent of an organisation nobody opens a session there', async (t) => {
    await open(t, '/tenants');
    await button(t.page, 'New organisation').click();
    await t.page.locator('input[name=tenant-name]').fill('Quay Side');
    await t.page.keyboard.press('Enter');
    await dialog(t.page).getByRole('button', { name: 'Next' }).click();
    await t.page.locator('input[name=tenant-owner]').fill(QUINN.email);
    await button(t.page, 'Create organisation').click();
    quinn = await joinAs(t, await secretOf(t.page), QUINN);
    operator = await (await t.newContext()).newPage();
    await operator.goto(t.url);
    await enterAs(operator, USER);
    await operator.locator('a.who').waitFor();
    await ask();
    await bothThemes(t, operator, 'support-open');
    await small(t, operator, 'support-open');
    await button(operator, 'Open the session').click();
    await dialog(operator).getByRole('alert').getByText(/has not consented/).waitFor();
    await quinn.goto(`${t.url}/support-access`);
    await quinn.getByText('There was none.').waitFor();
    await bothThemes(t, quinn, 'support-none');
  }],
  ['support: with consent an operator looks, under a banner that stays, and ends it', async (t) => {
    await consent(t, 2, false);
    await quinn.locator('[data-support-current]').getByText('They may only look.').waitFor();
    await bothThemes(t, quinn, 'support-current');
    await small(t, quinn, 'support-current');
    await ask();
    await button(operator, 'Open the session').click();
    const banner = operator.locator('[data-support-banner]');
    await banner.getByText(`${USER.email} (main) acts here in the place of ${QUINN.name} (Quay Side)`).waitFor();
    await banner.getByText('Only looking is possible.').waitFor();
    for (const name of ['Sign-in', 'Apps', 'Privacy', 'Support access', 'Organisations']) assert.equal(await operator.getByRole('link', { name }).count(), 0, name);
    for (const path of ['/documents', '/ask', '/profile', '/oauth/device']) {
      await operator.goto(t.url + path);
      await banner.waitFor();
    }
    await operator.goto(`${t.url}/documents`);
    await operator.locator('h1').waitFor();
    await bothThemes(t, operator, 'support-banner');
    await small(t, operator, 'support-banner');
    await operator.goto(`${t.url}/profile`);
    await operator.getByText('What is personal only the person changes.').waitFor();
    assert.equal(await operator.locator('input[name=own-name]').count(), 0);
    await quinn.goto(`${t.url}/profile`);
    await quinn.locator('[data-operator]').getByText(USER.email).waitFor();
    await quinn.locator('[data-sessions]').scrollIntoViewIfNeeded();
    await bothThemes(t, quinn, 'support-sessions');
    await small(t, quinn, 'support-sessions');
    await banner.getByRole('button', { name: 'End' }).click();
    await operator.getByRole('heading', { name: 'Organisations', exact: true }).waitFor();
    await operator.locator('a.who').getByText('Main').waitFor();
    assert.equal(await banner.count(), 0);
  }],
  ['support: who may change is said, and the organisation puts the operator out at once', async (t) => {
    await consent(t, 4, true);
    await quinn.locator('[data-support-current]').getByText('They may look and change.').waitFor();
    await quinn.locator('[data-support-earlier] li').getByText(/only looked/).waitFor();
    await ask();
    await button(operator, 'Open the session').click();
    await operator.locator('[data-support-banner]').getByText('Changes are made in this name.').waitFor();
    await button(quinn, 'End now').click();
    await dialog(quinn).getByRole('button', { name: 'End now' }).click();
    await quinn.locator('[data-support-current]').waitFor({ state: 'detached' });
    await quinn.locator('[data-support-earlier] li').nth(1).waitFor();
    await bothThemes(t, quinn, 'support-earlier');
    // The places go with the session, and the notice stays for some seconds only.
    const go = (name) => operator.getByRole('link', { name }).first().click({ timeout: 1000 }).catch(() => undefined);
    await until(async () => {
      await go('Search');
      await go('Documents');
      return (await operator.getByRole('heading', { name: 'Sign in' }).count()) > 0;
    }, 'the operator is out', 20);
    await operator.getByText('The session in a person’s place is over.').waitFor();
    await t.shot('support-over', operator);
    await enterAs(operator, USER);
    await operator.locator('a.who').getByText('Main').waitFor();
  }],
  ['support: consent and sessions are in both records', async (t) => {
    await quinn.goto(`${t.url}/audit`);
    for (const action of ['support.consented', 'support.session_opened', 'support.ended']) await quinn.locator(`[data-action="${action}"]`).first().waitFor();
    await open(t, '/audit?of=appliance');
    await t.page.locator('[data-action="support.session_opened"]').first().waitFor();
    await quinn.context().close();
    await operator.context().close();
  }],
];
