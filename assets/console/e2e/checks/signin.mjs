/** Second factors, passkeys and the rules, on an appliance of its own at `localhost`, as browsers give passkeys to names only. `services.mjs` goes on there. */
import { startTarget } from '../target.mjs';
import { codeAt, stepAt } from '../totp.mjs';
import { assert, until } from './common.mjs';
import { audit } from './everywhere.mjs';
import { bothThemes, small } from './looks.mjs';

export const OLIVE = { name: 'Olive Owner', email: 'olive@example.org', password: 'copper-meadow-window-29' };
const MEMBER = { name: 'Max Member', email: 'max@example.org', password: 'wooden-bridge-planet-53' };

export let target;
export let url = '';
export let page;
/** The browser's own tool for a passkey that nobody has to touch. */
let tool;
let authenticator = '';
let secret = '';
/** The step whose code was used last: each counts once. */
let used = 0;
export let codes = [];
let member;

export const dialog = () => page.getByRole('dialog');
export const button = (name, on = page) => on.getByRole('button', { name, exact: true });
export const go = async (path, on = page) => {
  await on.goto(url + path);
  await on.locator('h1').first().waitFor();
};

export async function leave(on = page) {
  await button('Sign out', on).first().click();
  await on.getByRole('heading', { name: 'Sign in' }).waitFor();
}

export async function enter(who, on = page) {
  await on.getByLabel('E-mail address').fill(who.email);
  await on.getByLabel('Password', { exact: true }).fill(who.password);
  await button('Sign in', on).click();
}

/** A code that was not used yet; near the end of a step the next one is taken. */
async function freshCode() {
  await until(() => stepAt() > used, 'the next code comes', 400);
  used = stepAt();
  return codeAt(secret, used);
}

async function addAuthenticator() {
  tool = await page.context().newCDPSession(page);
  await tool.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  authenticator = (await tool.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId;
}

const passkeys = async () => (await tool.send('WebAuthn.getCredentials', { authenticatorId: authenticator })).credentials;

export const inBothThemes = (t, name) => bothThemes(t, page, name);
export const narrow = (t, name) => small(t, page, name);

export const signin = [
  ['sign-in: an authenticator app is set up by picture, key and first code, and gives recovery codes', async (t) => {
    target = await startTarget(false, t.dist, true);
    url = target.url.replace('127.0.0.1', 'localhost');
    page = await (await t.newContext(url)).newPage();
    await go('/');
    await page.getByLabel('Set-up code').fill(target.code);
    await page.getByLabel('Your name').fill(OLIVE.name);
    await page.getByLabel('E-mail address').fill(OLIVE.email);
    await page.getByLabel('Password', { exact: true }).fill(OLIVE.password);
    await page.getByRole('button', { name: 'Set up and sign in' }).click();
    await page.getByRole('heading', { name: 'Add your first documents' }).waitFor();
    await addAuthenticator();
    await go('/profile');
    await page.getByText('Your password alone opens your account.').waitFor();
    await button('Add an authenticator app').click();
    await page.locator('input[name=factor-password]').fill('not the password');
    await button('Next').click();
    await dialog().getByText('This is not your password.').waitFor();
    await page.locator('input[name=factor-password]').fill(OLIVE.password);
    await page.keyboard.press('Enter');
    await page.locator('[data-qr]').waitFor();
    await until(() => page.locator('[data-qr]').evaluate((img) => img.complete && img.naturalWidth > 0), 'the picture is drawn');
    secret = await page.locator('[data-secret]').innerText();
    await inBothThemes(t, 'factor-app');
    await narrow(t, 'factor-app');
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('name')), 'first-code');
    await page.locator('input[name=first-code]').fill('000000');
    await button('Confirm').click();
    await dialog().getByText(/The code is wrong/).waitFor();
    await page.locator('input[name=first-code]').fill(await freshCode());
    await page.keyboard.press('Enter');
    await page.locator('[data-codes] li').nth(9).waitFor();
    codes = await page.locator('[data-codes] li').allInnerTexts();
    assert.equal(new Set(codes).size, 10);
    await inBothThemes(t, 'recovery-codes');
    await narrow(t, 'recovery-codes');
    const [file] = await Promise.all([page.waitForEvent('download'), button('Save as a file').click()]);
    assert.equal(file.suggestedFilename(), 'recovery-codes.txt');
    await button('I have kept them').click();
    await page.locator('[data-factor="Phone"]').waitFor();
    await page.locator('[data-codes-left="10"]').waitFor();
    await inBothThemes(t, 'profile-factors');
  }],
  ['sign-in: signing in asks for the code, and takes a recovery code once', async (t) => {
    await leave();
    await enter(OLIVE);
    await page.locator('[data-second-step=totp]').waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('name')), 'code');
    await inBothThemes(t, 'signin-second');
    await narrow(t, 'signin-second');
    await page.getByLabel('Code', { exact: true }).fill('000000');
    await button('Sign in').click();
    await page.getByRole('alert').getByText(/code is wrong/i).waitFor();
    await page.getByLabel('Code', { exact: true }).fill(await freshCode());
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
    await leave();
    await enter(OLIVE);
    await button('Use a recovery code').click();
    await page.getByLabel('Recovery code', { exact: true }).fill(codes[0].toLowerCase());
    await page.keyboard.press('Enter');
    await page.locator('a.who').waitFor();
    await go('/profile');
    await page.locator('[data-codes-left="9"]').waitFor();
    await leave();
    await enter(OLIVE);
    await button('Use a recovery code').click();
    await page.getByLabel('Recovery code', { exact: true }).fill(codes[0]);
    await button('Sign in').click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Recovery code', { exact: true }).fill(codes[1]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: new recovery codes take the place of those before', async () => {
    await go('/profile');
    await button('New recovery codes').click();
    await page.locator('input[name=proof-password]').fill(OLIVE.password);
    await button('Make recovery codes').click();
    await page.locator('[data-codes] li').nth(9).waitFor();
    const fresh = await page.locator('[data-codes] li').allInnerTexts();
    assert.equal(fresh.some((code) => codes.includes(code)), false);
    codes = fresh;
    await button('I have kept them').click();
    await page.locator('[data-codes-left="10"]').waitFor();
  }],
  ['sign-in: a passkey is registered, signs in alone, and as the second factor', async (t) => {
    await button('Add a passkey').click();
    await page.locator('input[name=factor-name]').fill('Laptop');
    await page.locator('input[name=factor-password]').fill(OLIVE.password);
    await inBothThemes(t, 'factor-passkey');
    await button('Next').click();
    await page.locator('[data-factor="Laptop"]').getByText('not used yet').waitFor();
    assert.equal((await passkeys()).length, 1);
    await button('Add a passkey').click();
    await page.locator('input[name=factor-password]').fill(OLIVE.password);
    await button('Next').click();
    await dialog().getByText('This device holds a passkey for your account already.').waitFor();
    await button('Cancel').click();
    await leave();
    await inBothThemes(t, 'signin-ways');
    await narrow(t, 'signin-ways');
    await page.goto(`${url}/profile`);
    await button('Sign in with a passkey').click();
    await page.locator('[data-factor="Laptop"]').getByText(/last used/).waitFor();
    await leave();
    await enter(OLIVE);
    await button('Use a passkey instead').click();
    await t.shot('signin-second-passkey', page);
    await button('Use the passkey').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: a passkey that is refused says what to do, and the other ways stay', async () => {
    await leave();
    await tool.send('WebAuthn.setUserVerified', { authenticatorId: authenticator, isUserVerified: false });
    await button('Sign in with a passkey').click();
    await page.getByRole('alert').getByText('No passkey was used.').waitFor();
    await tool.send('WebAuthn.setUserVerified', { authenticatorId: authenticator, isUserVerified: true });
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(await freshCode());
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: a passkey is removed with the password, and does not sign in any more', async () => {
    await go('/profile');
    await button('Remove Laptop').click();
    await page.locator('input[name=proof-password]').fill('wrong');
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await dialog().getByText('This is not your password.').waitFor();
    await page.locator('input[name=proof-password]').fill(OLIVE.password);
    await dialog().getByRole('button', { name: 'Remove' }).click();
    await page.locator('[data-factor="Laptop"]').waitFor({ state: 'detached' });
    await leave();
    await button('Sign in with a passkey').click();
    await page.getByRole('alert').waitFor();
    await enter(OLIVE);
    await page.getByLabel('Code', { exact: true }).fill(codes[0]);
    await button('Sign in').click();
    await page.locator('a.who').waitFor();
  }],
  ['sign-in: the rules warn, are saved, and are read back', async (t) => {
    await go('/signing-in');
    await page.locator('[data-policy]').waitFor();
    await inBothThemes(t, 'signin-rules');
    await page.locator('input[name=password-sign-in]').uncheck();
    await page.locator('[data-warning=no_service]').waitFor();
    await page.locator('input[name=password-sign-in]').check();
    await page.locator('input[name=idle]').fill('10');
    await page.locator('[data-warning=short_idle]').waitFor();
    await page.locator('input[name=idle]').fill('120');
    await page.locator('input[name=password-length]').fill('14');
    await page.locator('textarea[name=domains]').fill('example.org\nexample.com');
    await page.locator('input[name=second-factor][value=everybody]').check();
    await page.locator('[data-warning=factors]').waitFor();
    await t.shot('signin-rules-warned', page);
    await button('Save').click();
    await button('Save the rules').click();
    await page.getByText('The rules are saved.').waitFor();
    await page.reload();
    await page.locator('[data-policy]').waitFor();
    assert.equal(await page.locator('input[name=second-factor]:checked').inputValue(), 'everybody');
    assert.equal(await page.locator('input[name=idle]').inputValue(), '120');
    assert.equal(await page.locator('input[name=password-length]').inputValue(), '14');
    assert.equal(await page.locator('textarea[name=domains]').inputValue(), 'example.com\nexample.org');
  }],
  ['sign-in: who has no second factor is led to set one up before anything else', async (t) => {
    await go('/people');
    await page.getByRole('button', { name: 'Invite' }).click();
    await page.locator('input[name=invite-email]').fill(MEMBER.email);
    await page.getByRole('button', { name: 'Make the link' }).click();
    const link = await page.locator('.secret code').innerText();
    await button('I have kept it').click();
    member = await (await t.newContext(url)).newPage();
    await member.goto(link);
    await member.getByLabel('Your name').fill(MEMBER.name);
    await member.getByLabel('Password', { exact: true }).fill(MEMBER.password);
    await member.getByRole('button', { name: 'Join' }).click();
    await member.getByRole('heading', { name: 'One more step' }).waitFor();
    await audit({ page: member }, 'required');
    await t.shot('required', member);
    await member.goto(`${url}/documents`);
    await member.getByRole('heading', { name: 'One more step' }).waitFor();
    await button('Add an authenticator app', member).click();
    await member.locator('input[name=factor-password]').fill(MEMBER.password);
    await member.keyboard.press('Enter');
    const own = await member.locator('[data-secret]').innerText();
    await member.locator('input[name=first-code]').fill(codeAt(own));
    await member.keyboard.press('Enter');
    await button('I have kept them', member).click();
    await member.getByRole('heading', { name: 'Documents', level: 1 }).waitFor();
  }],
  ['sign-in: the second factors of somebody else are reset, and their sessions end', async (t) => {
    await go('/people');
    const row = page.locator(`[data-person="${MEMBER.email}"]`);
    await row.getByText('Second factor').waitFor();
    await inBothThemes(t, 'people-factors');
    await narrow(t, 'people-factors');
    await row.getByRole('button').click();
    await button('Reset second factors').click();
    await t.shot('people-reset', page);
    await page.getByRole('dialog', { name: `Reset the second factors of ${MEMBER.name}?` }).getByRole('button', { name: 'Reset second factors' }).click();
    await page.getByText(`${MEMBER.name} now signs in without a second factor.`).waitFor();
    await row.getByText('password only').waitFor();
    await row.getByRole('button').click();
    await dialog().waitFor();
    assert.equal(await button('Reset second factors').count(), 0, 'there is nothing left to reset');
    await page.keyboard.press('Escape');
    await member.goto(url);
    await member.getByRole('heading', { name: 'Sign in' }).waitFor();
    await enter(MEMBER, member);
    await member.getByRole('heading', { name: 'One more step' }).waitFor();
    await member.context().close();
  }],
];
