// Bundles the pages into OUT (first argument): hashed scripts and styles, the service worker, Swagger UI,
// icons, licence texts, and manifest.json, which says what each logical name is called.
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';

const web = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(web, '../src/towpath/web/static'));

const shared = {
  absWorkingDir: web,
  bundle: true,
  minify: true,
  target: ['es2022', 'safari16'],
  legalComments: 'none', // all of them are in licences.txt
  logLevel: 'warning',
  metafile: true,
};

await mkdir(out, { recursive: true });

const pages = await esbuild.build({
  ...shared,
  entryPoints: {
    app: 'src/app/main.tsx',
    tasks: 'src/tasks/main.tsx',
    operate: 'src/operate/main.tsx',
    towpath: 'src/styles/towpath.css',
  },
  outdir: out,
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.woff2': 'file', '.woff': 'empty', '.ttf': 'empty', '.eot': 'empty', '.svg': 'file' },
  define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
});

const files = {}; // logical name -> file name
const reach = {}; // entry -> every file that it needs
const outputs = Object.fromEntries(
  Object.entries(pages.metafile.outputs).map(([path, meta]) => [basename(path), meta]),
);
for (const [name, meta] of Object.entries(outputs)) {
  if (!meta.entryPoint) continue;
  const entry = basename(meta.entryPoint) === 'towpath.css' ? 'towpath' : basename(dirname(meta.entryPoint));
  files[`${entry}${name.endsWith('.css') ? '.css' : '.js'}`] = name;
  if (meta.cssBundle) files[`${entry}.css`] = basename(meta.cssBundle);
  reach[entry] = [...new Set([...(reach[entry] ?? []), ...closure(name)])];
}

function closure(name, seen = new Set()) {
  if (seen.has(name) || !outputs[name]) return seen;
  seen.add(name);
  if (outputs[name].cssBundle) seen.add(basename(outputs[name].cssBundle));
  for (const item of outputs[name].imports) if (!item.external) closure(basename(item.path), seen);
  return seen;
}

// One stable name too: pages of other services (a signed link, the API's page) use the same design.
await cp(join(out, files['towpath.css']), join(out, 'towpath.css'));
await cp(join(web, 'icons'), join(out, 'icons'), { recursive: true });
await mkdir(join(out, 'swagger-ui'), { recursive: true });
for (const name of ['swagger-ui-bundle.js', 'swagger-ui-standalone-preset.js', 'swagger-ui.css']) {
  await cp(join(web, 'node_modules/swagger-ui-dist', name), join(out, 'swagger-ui', name));
}

const shell = [...reach.app, files['towpath.css'], 'icons/icon.svg', 'icons/icon-192.png'].map((f) => `/assets/${f}`);
const version = createHash('sha256').update(shell.join()).digest('hex').slice(0, 12);
const worker = await esbuild.build({
  ...shared,
  entryPoints: { sw: 'src/app/sw.ts' },
  outdir: out,
  format: 'iife',
  define: { SHELL: JSON.stringify(shell), VERSION: JSON.stringify(version) },
});

await writeFile(join(out, 'licences.txt'), await licences([pages.metafile, worker.metafile]));
await writeFile(join(out, 'manifest.json'), JSON.stringify({ version, files, reach }, null, 1));
await compress(out);

for (const [name, meta] of Object.entries(outputs)) {
  if (meta.entryPoint) console.log(`  ${name}  ${Math.round(meta.bytes / 1024)} kB`);
}

// The texts of every package whose code is in a bundle, and of Swagger UI, which is copied whole.
async function licences(metafiles) {
  const packages = new Set(['swagger-ui-dist']);
  for (const meta of metafiles) {
    for (const input of Object.keys(meta.inputs)) {
      const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
      if (match) packages.add(match[1]);
    }
  }
  const parts = ['Towpath is licensed under Apache-2.0. Its pages contain the following packages.\n'];
  for (const name of [...packages].sort()) {
    const folder = join(web, 'node_modules', name);
    const about = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const names = (await readdir(folder)).filter((f) => /^(licen[cs]e|notice|copying)/i.test(f)).sort();
    const texts = await Promise.all(names.map((f) => readFile(join(folder, f), 'utf8')));
    const licence = typeof about.license === 'string' ? about.license : JSON.stringify(about.license ?? 'unknown');
    const author = about.author?.name ?? about.author ?? '';
    parts.push(
      `${'='.repeat(78)}\n${name} ${about.version} (${licence})\n${'='.repeat(78)}\n`,
      texts.length ? texts.join('\n') : `The package carries no licence text. Author: ${author || 'not named'}.\n`,
    );
  }
  return parts.join('\n');
}

async function compress(folder) {
  for (const entry of await readdir(folder, { recursive: true })) {
    const path = join(folder, entry);
    if (!/\.(js|css|svg|txt)$/.test(entry) || !(await stat(path)).isFile()) continue;
    const raw = await readFile(path);
    const packed = gzipSync(raw, { level: 9 });
    if (packed.length < raw.length * 0.9) await writeFile(`${path}.gz`, packed);
  }
  console.log(`  into ${relative(process.cwd(), folder) || folder}`);
}
