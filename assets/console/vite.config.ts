import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const here = import.meta.dirname;
const server = process.env['LECTERN_URL'] ?? 'https://127.0.0.1:8443';

/** Writes `.br` and `.gz` beside every text file, so that the server never compresses at run time. */
function precompress(): Plugin {
  let out = '';
  const walk = (dir: string): string[] =>
    readdirSync(dir).flatMap((name) => {
      const path = join(dir, name);
      return statSync(path).isDirectory() ? walk(path) : [path];
    });
  return {
    name: 'precompress',
    apply: 'build',
    configResolved: (config) => {
      out = resolve(config.root, config.build.outDir);
    },
    closeBundle: () => {
      for (const path of walk(out)) {
        if (!/\.(js|css|html|svg|json|txt)$/.test(path)) continue;
        const bytes = readFileSync(path);
        if (bytes.length < 512) continue;
        const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
        writeFileSync(`${path}.br`, br);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte(), precompress()],
  resolve: {
    alias: {
      $lib: resolve(here, 'src/lib'),
      $components: resolve(here, 'src/components'),
      $locales: resolve(here, '../locales'),
    },
    ...(process.env['VITEST'] ? { conditions: ['browser'] } : {}),
  },
  server: {
    fs: { allow: [here, resolve(here, '../locales')] },
    proxy: {
      '/api': { target: server, secure: false, changeOrigin: true },
      '/.well-known': { target: server, secure: false, changeOrigin: true },
    },
  },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'happy-dom',
  },
});
