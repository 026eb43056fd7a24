// Loads a module of public/ as the browser does: as an ES module, although no package.json says so.

import { readFile } from 'node:fs/promises'

const folder = new URL('../../public/js/', import.meta.url)

/** @param {string} name of a module that needs no document to be loaded, nor do those that it imports */
export async function load(name) {
  return import(await address(name))
}

async function address(name) {
  let text = await readFile(new URL(`${name}.js`, folder), 'utf8')
  for (const [statement, other] of text.matchAll(/from '\.\/(\w+)\.js'/g)) text = text.replace(statement, `from '${await address(other)}'`)
  return `data:text/javascript,${encodeURIComponent(text).replaceAll("'", '%27')}`
}
