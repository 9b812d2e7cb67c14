import '../shared/old';
import './style.css';
import { createApp } from 'vue';
import { startLang } from '../shared/i18n';
import { recount } from '../shared/outbox';
import App from './App.vue';
import { begin } from './desk';
import { loadHeld } from './gatedata';
import { loadTally } from './record';

async function start(): Promise<void> {
  await Promise.all([startLang(), loadHeld()]);
  await Promise.all([begin(), recount(), loadTally()]);
  createApp(App).mount('#app');
}
/* Without storage nothing recorded would be safe: better to say so than to begin. */
start().catch((x) => {
  document.body.textContent = '此手机不让网页保存数据（无痕模式？），无法登记。This phone does not let pages keep data. ' + x;
});
if ('serviceWorker' in navigator && window.isSecureContext) {
  window.addEventListener('load', () => void navigator.serviceWorker.register('/sw.js').catch(() => undefined));
}
