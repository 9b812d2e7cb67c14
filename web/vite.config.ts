import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { Converter } from 'opencc-js/cn2t';
import Components from 'unplugin-vue-components/vite';
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers';
import { defineConfig, type Plugin } from 'vite';

const here = import.meta.dirname;

/* Traditional Chinese is made from the simplified text, so that the two never drift apart. */
function hant(): Plugin {
  const id = 'virtual:zh-hant';
  const source = resolve(here, 'src/lang/zh-Hans.json');
  return {
    name: 'zh-hant',
    resolveId: (name) => (name === id ? '\0' + id : null),
    load(name) {
      if (name !== '\0' + id) return null;
      this.addWatchFile(source);
      const convert = Converter({ from: 'cn', to: 'tw' });
      const out: Record<string, string> = {};
      for (const [k, v] of Object.entries(JSON.parse(readFileSync(source, 'utf8')))) out[k] = convert(v as string);
      return 'export default ' + JSON.stringify(out);
    },
  };
}

/* The site's policy allows nothing but files of its own: images inside style sheets would be refused and logged. */
function noDataImages(): Plugin {
  return {
    name: 'no-data-images',
    enforce: 'pre',
    transform(code, id) {
      if (!/\.css($|\?)/.test(id) || !code.includes('url("data:') && !code.includes('url(data:')) return null;
      return { code: code.replace(/url\((?:"data:[^"]*"|'data:[^']*'|data:[^)]*)\)/g, 'none'), map: null };
    },
  };
}

export default defineConfig({
  root: here,
  base: '/',
  plugins: [
    noDataImages(),
    hant(),
    vue(),
    Components({ dts: false, dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
  ],
  build: {
    outDir: 'dist',
    target: ['chrome70', 'safari13'],
    cssTarget: ['chrome70', 'safari13'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { input: { hq: resolve(here, 'hq.html') } },
  },
  server: { proxy: { '/api': process.env.LF_URL ?? 'http://127.0.0.1:8000' } },
});
