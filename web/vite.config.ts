import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import vue from '@vitejs/plugin-vue';
import { Converter } from 'opencc-js/cn2t';
import Components from 'unplugin-vue-components/vite';
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers';
import { defineConfig, type Plugin, type UserConfig } from 'vite';

const here = import.meta.dirname;

/* Traditional Chinese is made from the simplified text, so that the two never drift apart. */
function hant(file: string): Plugin {
  const id = 'virtual:zh-hant';
  const source = resolve(here, 'src/lang', file);
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

/* The field page works without a line: its service worker keeps every file of this build. */
function serviceWorker(): Plugin {
  const source = resolve(here, 'src/field/sw.js');
  return {
    name: 'service-worker',
    generateBundle(_, bundle) {
      const files = ['/field.html', ...Object.keys(bundle).filter((f) => !f.endsWith('.html')).sort().map((f) => '/' + f)];
      const page = readFileSync(resolve(here, 'field.html'), 'utf8'), work = readFileSync(source, 'utf8');
      const name = 'lf-field-' + createHash('sha256').update(files.join() + page + work).digest('hex').slice(0, 12);
      this.emitFile({ type: 'asset', fileName: 'sw.js', source: `const NAME = '${name}', FILES = ${JSON.stringify(files)};\n${work}` });
    },
  };
}

/* Each entry is a build of its own, so that the small page carries nothing that only the large one needs. */
function common(entry: string): UserConfig {
  return {
    root: here,
    base: '/',
    build: {
      outDir: 'dist',
      emptyOutDir: entry === 'hq',
      /* Numbers beyond 2^53 in the check of signatures: where they are missing (Safari 13) that part is not loaded. */
      target: ['chrome70', entry === 'field' ? 'safari14' : 'safari13'],
      cssTarget: ['chrome70', 'safari13'],
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: { input: { [entry]: resolve(here, entry + '.html') } },
    },
    server: { proxy: { '/api': process.env.LF_URL ?? 'http://127.0.0.1:8000' } },
  };
}
const desk = (): UserConfig => ({
  ...common('hq'),
  plugins: [noDataImages(), hant('zh-Hans.json'), vue(), Components({ dts: false, dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })] })],
});
const field = (): UserConfig => ({
  ...common('field'),
  plugins: [hant('field.zh-Hans.json'), vue(), serviceWorker()],
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false },
  /* The shared modules ask for the texts of the page they are part of. */
  resolve: { alias: [{ find: /^\.\.\/lang\/(zh-Hans|en)\.json$/, replacement: resolve(here, 'src/lang/field.$1.json') }] },
});

export default defineConfig(({ mode }) => (mode === 'field' ? field() : desk()));
