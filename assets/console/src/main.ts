import { mount } from 'svelte';
import App from './App.svelte';
import { startLocale } from '$lib/i18n.svelte';
import { startRouter } from '$lib/router.svelte';
import { start } from '$lib/session.svelte';
import './styles/tokens.css';
import './styles/base.css';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no place for the application');

startRouter();
void startLocale();
void start();
mount(App, { target });
