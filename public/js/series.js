// The data of a chart: columns of time, and the parts of each.

const dayMs = 86_400_000
const hourMs = 3_600_000

/** Returns the bounds of a time range and its unit. Days begin at midnight UTC, as quotas do. */
export function span(range, now = Date.now()) {
  const today = Math.floor(now / dayMs) * dayMs
  const days = { today: 1, week: 7, month: 30 }[range] ?? 1
  return { by: days === 1 ? 'hour' : 'day', from: new Date(today - (days - 1) * dayMs).toISOString(), to: new Date(today + dayMs).toISOString() }
}

/** Every hour or day of a span, as the API names them. */
export function buckets({ by, from, to }) {
  const step = by === 'hour' ? hourMs : dayMs
  const all = []
  for (let at = Date.parse(from); at < Date.parse(to); at += step) {
    all.push(by === 'hour' ? new Date(at).toISOString() : new Date(at).toISOString().slice(0, 10))
  }
  return all
}

/** Measures that charts can show. */
export const measures = {
  requests: row => row.requests,
  tokens: row => row.inputTokens + row.outputTokens,
  cost: row => row.costUsd,
  errors: row => row.errors,
}

/**
 * Returns the largest parts as series over the columns, and the sum of the others as one more.
 * @param {{bucket: string, part: string|null}[]} parts
 * @returns {{part: string|null, other: boolean, values: number[], total: number}[]}
 */
export function stack(parts, columns, measure, most = 5) {
  const place = new Map(columns.map((name, i) => [name, i]))
  const series = new Map()
  for (const row of parts) {
    const i = place.get(row.bucket)
    const value = measures[measure](row)
    if (i === undefined || !value) continue
    if (!series.has(row.part)) series.set(row.part, { part: row.part, other: false, values: columns.map(() => 0), total: 0 })
    const one = series.get(row.part)
    one.values[i] += value
    one.total += value
  }
  const sorted = [...series.values()].sort((a, b) => b.total - a.total)
  if (sorted.length <= most + 1) return sorted
  const other = { part: null, other: true, values: columns.map(() => 0), total: 0 }
  for (const one of sorted.slice(most)) {
    one.values.forEach((v, i) => { other.values[i] += v })
    other.total += one.total
  }
  return [...sorted.slice(0, most), other]
}

/** Sums up rows. */
export function total(rows) {
  const sum = { requests: 0, errors: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, reasoningTokens: 0, costUsd: 0, unpriced: 0 }
  for (const row of rows) for (const name in sum) sum[name] += row[name]
  return sum
}

/** Returns the number of columns that have begun: later ones are empty, not zero. */
export function begunBy(columns, now = Date.now()) {
  const at = columns.findIndex(name => Date.parse(name) > now)
  return at < 0 ? columns.length : at
}

/** Returns round numbers from 0 to at least max in at most five steps. With whole there are no fractions. */
export function ticks(max, whole = false) {
  if (!(max > 0)) return [0, 1]
  const raw = max / 4
  const power = 10 ** Math.floor(Math.log10(raw))
  const step = [1, 2, 2.5, 5, 10].map(f => f * power).find(s => s >= raw * 0.999 && (!whole || Number.isInteger(s))) ?? 1
  const all = []
  for (let i = 0; i * step < max + step * 0.999; i++) all.push(Number((i * step).toPrecision(6)))
  return all
}
