// Makes elements. Strings become text nodes: no string is ever parsed as markup.

const svgNamespace = 'http://www.w3.org/2000/svg'

/**
 * @param {Element} element
 * @param {Record<string, any>} attributes on… are listeners; false, null and undefined are left out
 * @param {any[]} children nodes, texts, arrays of them; false, null and undefined are left out
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat(Infinity)) {
    if (child === false || child === null || child === undefined) continue
    element.append(child instanceof Node ? child : String(child))
  }
  return element
}

/** An HTML element. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children)
}

/** An SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), attributes, children)
}

/** Announces a text to screen readers. */
export function announce(text) {
  const live = document.getElementById('live')
  if (live) live.textContent = text
}

let serial = 0

/** Returns an id that no other element has. */
export function newId(prefix = 'e') {
  return `${prefix}-${++serial}`
}
