import '../shared/old';
import './style.css';
import { createApp } from 'vue';
import { startLang } from '../shared/i18n';
import { resume } from '../shared/session';
import App from './App.vue';
import { router } from './router';

async function start(): Promise<void> {
  await Promise.all([startLang(), resume().catch(() => undefined)]);
  createApp(App).use(router).mount('#app');
}
void start();
