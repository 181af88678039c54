import { assert, open, USER } from './common.mjs';

const first = [
  ['set-up refuses a weak password and a wrong code', async (t) => {
    await open(t, '/');
    const submit = t.page.getByRole('button', { name: 'Set up and sign in' });
    await t.page.getByLabel('Set-up code').fill('XXXX-XXXX-XXXX');
    await t.page.getByLabel('Your name').fill(USER.name);
    await t.page.getByLabel('E-mail address').fill(USER.email);
    await t.page.getByLabel('Password', { exact: true }).fill('ada-test-1234');
    assert.equal(await submit.isDisabled(), true, 'a password with the name in it is refused');
    await t.page.getByLabel('Password', { exact: true }).fill(USER.password);
    await submit.click();
    await t.page.getByRole('alert').waitFor();
    await t.shot('setup');
  }],
  ['set-up makes the first administrator and goes straight in', async (t) => {
    await t.page.getByLabel('Set-up code').fill(t.code.toLowerCase());
    await t.page.getByRole('button', { name: 'Set up and sign in' }).click();
    await t.page.getByRole('heading', { name: 'Add your first documents' }).waitFor();
    assert.equal(new URL(t.page.url()).pathname, '/documents');
    await t.shot('documents-empty');
  }],
];

const last = [
  ['sign out, wrong password, sign in', async (t) => {
    await open(t, '/status');
    await t.page.getByRole('button', { name: 'Sign out' }).click();
    await t.page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await t.page.goto(`${t.url}/settings`);
    await t.page.getByLabel('E-mail address').fill(USER.email);
    await t.page.getByLabel('Password').fill('not the password');
    await t.page.getByRole('button', { name: 'Sign in' }).click();
    await t.page.getByRole('alert').waitFor();
    await t.shot('signin');
    await t.page.getByLabel('Password').fill(USER.password);
    await t.page.getByRole('button', { name: 'Sign in' }).click();
    await t.page.getByRole('heading', { name: 'Settings' }).waitFor();
  }],
  ['nothing broke the policy, no script failed, nothing went elsewhere', async (t) => {
    assert.deepEqual(t.wrong, []);
  }],
];

export const access = { first, last };
