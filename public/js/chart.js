// Charts in SVG, drawn as wide as they are shown. Parts differ by hatching as well as by shade, lines by
// dashes, and behind each chart is a table with the same numbers.

import { h, newId, svg } from './dom.js'
import { bucket } from './format.js'
import { begunBy, ticks } from './series.js'

const height = 208
const bottom = 24
const top = 8
const plotHeight = height - bottom - top
const labelDistance = 72 // between labels of the time axis

// The hatchings of the parts, the largest part first.
const hatchings = [
  '', 'M0 8L8 0M-2 2L2 -2M6 10L10 6', 'M0 4H8', 'M4 0V8', 'M0 0L8 8M-2 6L2 10M6 -2L10 2', 'M0 4H8M4 0V8',
]
const dashes = ['', '6 4', '2 3']

function pattern(id, i) {
  return svg('pattern', { id, width: 8, height: 8, patternUnits: 'userSpaceOnUse' },
    svg('rect', { width: 8, height: 8, class: `shade shade-${i}` }), hatchings[i] && svg('path', { d: hatchings[i], class: 'hatch' }))
}

const pen = document.createElement('canvas').getContext('2d')

/** Returns the width of a label in pixels. */
function widthOf(text) {
  pen.font = `12px ${getComputedStyle(document.body).fontFamily}`
  return pen.measureText(text).width
}

/** Returns the scales and the axis labels of a chart of that width. */
function layout(width, columns, most, unit) {
  const marks = ticks(most, unit.whole)
  const labels = unit.marks(marks)
  const left = Math.ceil(Math.max(...labels.map(widthOf))) + 10
  const step = (width - left) / columns.length
  return { width, marks, labels, left, step, x: i => left + (i + 0.5) * step, y: v => top + plotHeight * (1 - v / marks.at(-1)) }
}

function axes({ width, marks, labels, left, x, y }, columns) {
  const every = Math.max(1, Math.ceil(columns.length * labelDistance / (width - left)))
  return [
    marks.map((v, i) => [
      svg('line', { x1: left, x2: width, y1: y(v), y2: y(v), class: v ? 'grid' : 'axis' }),
      svg('text', { x: left - 8, y: y(v) + 4, 'text-anchor': 'end' }, labels[i]),
    ]),
    columns.map((name, i) => {
      if (i % every) return null
      const text = bucket(name)
      return svg('text', { x: Math.min(x(i), width - widthOf(text) / 2), y: height - 6, 'text-anchor': 'middle' }, text)
    }),
  ]
}

/** A picture that is drawn again when its width changes, so that letters keep their size. */
function frame(label, draw) {
  const box = h('div', { class: 'chart' })
  let drawn = 0
  new ResizeObserver(([{ contentRect: { width } }]) => {
    if (!width || Math.round(width) === drawn) return
    drawn = Math.round(width)
    box.replaceChildren(svg('svg', { viewBox: `0 0 ${drawn} ${height}`, width: drawn, height, role: 'img', 'aria-label': label }, draw(drawn)))
  }).observe(box)
  return box
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
  return h('ul', { class: 'legend' }, series.map((s, i) => h('li', {}, svg('svg', { width: 24, height: 12, 'aria-hidden': 'true' }, sample(i)), h('span', {}, s.label))))
}

/**
 * Stacked bars.
 * @param {{label: string, values: number[]}[]} series at most six, the largest first
 * @param {{show: (n: number) => string, marks: (all: number[]) => string[], whole: boolean}} unit how to write a number
 *   and the marks of the axis, and whether all numbers are whole
 */
export function stackedBars(label, columns, series, unit) {
  const sums = columns.map((_, i) => series.reduce((sum, s) => sum + s.values[i], 0))
  const ids = series.map(() => newId('hatch'))
  const stack = ({ step, x, y }, name, i) => {
    const bar = Math.max(2, Math.min(40, step * 0.72))
    let below = 0
    return svg('g', {}, svg('title', {}, `${bucket(name)}: ${unit.show(sums[i])}`), series.map((s, k) => {
      if (!s.values[i]) return null
      const from = below
      below += s.values[i]
      return svg('rect', { x: x(i) - bar / 2, width: bar, y: y(below), height: Math.max(1, y(from) - y(below)), fill: `url(#${ids[k]})`, class: 'part' })
    }))
  }
  const draw = width => {
    const at = layout(width, columns, Math.max(...sums), unit)
    return [svg('defs', {}, ids.map(pattern)), axes(at, columns), columns.map((name, i) => stack(at, name, i))]
  }
  return h('figure', {}, frame(label, draw), legend(series, i => svg('rect', { width: 24, height: 12, fill: `url(#${ids[i]})` })), table(label, columns, series, unit.show))
}

/** At most three lines, up to the present time. */
export function lines(label, columns, series, unit, now = Date.now()) {
  const end = begunBy(columns, now)
  const style = i => ({ class: `line line-${i}`, 'stroke-dasharray': dashes[i] || null })
  const draw = width => {
    const at = layout(width, columns, Math.max(...series.flatMap(s => s.values)), unit)
    const points = s => s.values.slice(0, end).map((v, i) => `${at.x(i).toFixed(1)},${at.y(v).toFixed(1)}`)
    // A path of one point is invisible: it gets a short length.
    const path = all => all.length === 1 ? `M${all[0]}h4` : `M${all.join('L')}`
    return [axes(at, columns), series.map((s, i) => svg('path', { d: path(points(s)), ...style(i) }))]
  }
  return h('figure', {}, frame(label, draw), legend(series, i => svg('line', { x1: 0, x2: 24, y1: 6, y2: 6, ...style(i) })), table(label, columns, series, unit.show))
}
