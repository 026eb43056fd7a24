// A table that loads the next page when its end comes into view, or when its button is pressed.

import { announce, h } from './dom.js'
import { button, failure, table } from './widget.js'

/**
 * @param {string} caption what the rows are, in the plural
 * @param {{rows: object[], nextCursor: string?}} first page, to which further rows are added
 * @param {{columns: any[], row: (o: object) => Node, next: (cursor: string) => Promise<{rows: object[], nextCursor: string?}>, signal: AbortSignal}} parts
 */
export function longTable(caption, first, { columns, row, next, signal }) {
  const box = table(caption, columns, first.rows.map(row))
  const body = box.querySelector('tbody')
  const end = h('div', { class: 'more' })
  let busy = false
  const more = async () => {
    if (busy || !first.nextCursor) return
    busy = true
    try {
      const page = await next(first.nextCursor)
      body.append(...page.rows.map(row))
      first.rows.push(...page.rows)
      first.nextCursor = page.nextCursor
      announce(`${body.rows.length} ${caption.toLowerCase()} are shown`)
      show()
    } catch (error) {
      if (error.name !== 'AbortError') end.replaceChildren(failure(error, more))
    }
    busy = false
  }
  const show = () => end.replaceChildren(first.nextCursor ? button('Show more', more) : h('p', { class: 'quiet' }, 'End of the list.'))
  show()
  const watch = new IntersectionObserver(seen => { if (seen.some(s => s.isIntersecting)) more() }, { rootMargin: '200px' })
  watch.observe(end)
  signal.addEventListener('abort', () => watch.disconnect())
  return h('div', {}, box, end)
}
