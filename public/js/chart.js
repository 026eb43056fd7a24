// Charts in SVG. Parts differ by hatching as well as by shade, lines by dashes, and behind each
// chart is a table with the same numbers.

import { h, newId, svg } from './dom.js'
import { bucket } from './format.js'
import { ticks } from './series.js'

const width = 440
const height = 208
const left = 48
const bottom = 24
const top = 8
const plotWidth = width - left
const plotHeight = height - bottom - top

// The hatchings, the largest part first: what is drawn on the shade of the part.
const hatchings = [
  '', 'M0 8L8 0M-2 2L2 -2M6 10L10 6', 'M0 4H8', 'M4 0V8', 'M0 0L8 8M-2 6L2 10M6 -2L10 2', 'M0 4H8M4 0V8',
]
const dashes = ['', '6 4', '2 3']

function pattern(id, i) {
  return svg('pattern', { id, width: 8, height: 8, patternUnits: 'userSpaceOnUse' },
    svg('rect', { width: 8, height: 8, class: `shade shade-${i}` }), hatchings[i] && svg('path', { d: hatchings[i], class: 'hatch' }))
}

function axes(columns, marks, show, y) {
  const every = Math.max(1, Math.ceil(columns.length / 6))
  const step = plotWidth / columns.length
  return [
    marks.map(v => [
      svg('line', { x1: left, x2: width, y1: y(v), y2: y(v), class: v ? 'grid' : 'axis' }),
      svg('text', { x: left - 8, y: y(v) + 4, 'text-anchor': 'end' }, show(v)),
    ]),
    columns.map((name, i) => i % every === 0 && svg('text', { x: left + (i + 0.5) * step, y: height - 6, 'text-anchor': 'middle' }, bucket(name))),
  ]
}

function frame(label, ...content) {
  return svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label, class: 'chart' }, content)
}

function table(caption, columns, series, show) {
  const rows = columns.map((name, i) => ({ name, i })).filter(({ i }) => series.some(s => s.values[i]))
  return h('details', { class: 'behind' }, h('summary', {}, 'Numbers'),
    h('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': caption },
      h('table', {}, h('caption', { class: 'hidden' }, caption),
        h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, 'Time'), series.map(s => h('th', { scope: 'col', class: 'number' }, s.label)))),
        h('tbody', {}, rows.map(({ name, i }) => h('tr', {}, h('th', { scope: 'row' }, bucket(name)),
          series.map(s => h('td', { class: 'number' }, show(s.values[i])))))))))
}

function legend(series, sample) {
  return h('ul', { class: 'legend' }, series.map((s, i) => h('li', {}, svg('svg', { width: 24, height: 12, 'aria-hidden': 'true' }, sample(i)), s.label)))
}

/**
 * Stacked bars.
 * @param {{label: string, values: number[]}[]} series at most six, the largest first
 * @param {(n: number) => string} show a number as the axis and the table have it
 */
export function stackedBars(label, columns, series, show) {
  const sums = columns.map((_, i) => series.reduce((sum, s) => sum + s.values[i], 0))
  const marks = ticks(Math.max(...sums))
  const y = v => top + plotHeight * (1 - v / marks.at(-1))
  const step = plotWidth / columns.length
  const bar = Math.max(2, Math.min(40, step * 0.72))
  const ids = series.map(() => newId('hatch'))
  const stacks = columns.map((name, i) => {
    let below = 0
    return svg('g', {}, svg('title', {}, `${bucket(name)}: ${show(sums[i])}`), series.map((s, k) => {
      if (!s.values[i]) return null
      const from = below
      below += s.values[i]
      return svg('rect', { x: left + (i + 0.5) * step - bar / 2, width: bar, y: y(below), height: Math.max(1, y(from) - y(below)), fill: `url(#${ids[k]})`, class: 'part' })
    }))
  })
  return h('figure', {}, frame(label, svg('defs', {}, ids.map(pattern)), axes(columns, marks, show, y), stacks),
    legend(series, i => svg('rect', { width: 24, height: 12, fill: `url(#${ids[i]})` })), table(label, columns, series, show))
}

/** Lines, at most three. */
export function lines(label, columns, series, show) {
  const marks = ticks(Math.max(...series.flatMap(s => s.values)))
  const y = v => top + plotHeight * (1 - v / marks.at(-1))
  const step = plotWidth / columns.length
  const points = s => s.values.map((v, i) => `${(left + (i + 0.5) * step).toFixed(1)},${y(v).toFixed(1)}`).join(' ')
  const style = i => ({ class: `line line-${i}`, 'stroke-dasharray': dashes[i] || null })
  return h('figure', {}, frame(label, axes(columns, marks, show, y), series.map((s, i) => svg('polyline', { points: points(s), ...style(i) }))),
    legend(series, i => svg('line', { x1: 0, x2: 24, y1: 6, y2: 6, ...style(i) })), table(label, columns, series, show))
}
