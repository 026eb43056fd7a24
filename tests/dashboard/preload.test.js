import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'

const site = new URL('../../public/', import.meta.url)
const text = url => readFile(url, 'utf8')

/** The modules that one imports, and those that they import. */
async function imported(url, all = new Set()) {
  for (const [, path] of (await text(url)).matchAll(/^import [^(]*?from '(\..*)'$/gm)) {
    const other = new URL(path, url)
    if (all.has(other.href)) continue
    all.add(other.href)
    await imported(other, all)
  }
  return all
}

test('the page fetches at once what its first module imports, and nothing else', async () => {
  const wanted = await imported(new URL('js/app.js', site))
  const listed = [...(await text(new URL('index.html', site))).matchAll(/<link rel="modulepreload" href="(.*)">/g)].map(([, path]) => new URL(path, site).href)
  assert.deepEqual(listed.toSorted(), [...wanted].toSorted())
})
