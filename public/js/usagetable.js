// The numbers of the usage page: times, rows, sums, the period before, the forecast, CSV.

const dayMs = 86_400_000
const hourMs = 3_600_000

export const ranges = [['hour', 'Last hour'], ['day', '24 hours'], ['today', 'Today'], ['week', '7 days'], ['month', '30 days'], ['quarter', '90 days'], ['mtd', 'This month'], ['own', 'Own']]

/** The local midnight of a day. */
function midnight(at, days = 0) {
  const d = new Date(at)
  return new Date(d.getFullYear(), d.getMonth(), d.getDate() + days).getTime()
}

/**
 * The times of a range, in Unix milliseconds: sums are kept for whole hours, and days begin at the viewer's midnight.
 * @param {string} range @param {{from?: string, to?: string}} own days such as 2026-12-01, both included
 * @returns {{from: number, to: number} | null} null: the own range is not filled in
 */
export function times(range, own, now = Date.now()) {
  const hour = Math.floor(now / hourMs) * hourMs
  const end = hour + hourMs
  switch (range) {
    case 'hour': return { from: hour - hourMs, to: end }
    case 'day': return { from: end - dayMs, to: end }
    case 'today': return { from: midnight(now), to: end }
    case 'month': return { from: midnight(now, -29), to: end }
    case 'quarter': return { from: midnight(now, -89), to: end }
    case 'mtd': return { from: new Date(new Date(now).getFullYear(), new Date(now).getMonth(), 1).getTime(), to: end }
    case 'own': {
      const from = Date.parse(`${own.from}T00:00`)
      const to = Date.parse(`${own.to}T00:00`)
      return Number.isNaN(from) || Number.isNaN(to) || to < from ? null : { from, to: midnight(to, 1) }
    }
    default: return { from: midnight(now, -6), to: end }
  }
}

/** The period of the same length before. */
export const before = ({ from, to }) => ({ from: from - (to - from), to: from })

/** The times as the API takes them. */
export const asQuery = ({ from, to }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() })

const tokensOf = row => row.inputTokens + row.outputTokens

/** What tables can be sorted by. */
export const columns = {
  name: row => row.name.toLowerCase(), requests: row => row.requests, errors: row => row.errors, inputTokens: row => row.inputTokens, outputTokens: row => row.outputTokens,
  costUsd: row => row.costUsd, change: row => row.change ?? -Infinity,
}

/**
 * The rows of a table: of now, with the cost (or without any, the requests) of the period before.
 * @param {object[]} usage @param {object[]} earlier of GET /api/usage @param {(row: object) => string} nameOf
 */
export function rows(usage, earlier, nameOf) {
  const key = row => `${row.tokenId ?? ''} ${row.bucket}`
  const past = new Map(earlier.map(row => [key(row), row]))
  const cost = usage.reduce((sum, row) => sum + row.costUsd, 0)
  const requests = usage.reduce((sum, row) => sum + row.requests, 0)
  return usage.map(row => ({
    ...row, name: nameOf(row), tokens: tokensOf(row), share: cost ? row.costUsd / cost : requests ? row.requests / requests : 0, change: changeOf(row, past.get(key(row))),
  }))
}

/** How much more was spent than before: 0.25 is 25 % more; null: there was nothing before. */
export function changeOf(now, past) {
  const [a, b] = now.costUsd || past?.costUsd ? [now.costUsd, past?.costUsd ?? 0] : [now.requests, past?.requests ?? 0]
  return b ? a / b - 1 : null
}

/** Sorts rows; names rise, numbers fall, unless turned. */
export function sorted(all, by, turned) {
  const value = columns[by] ?? columns.costUsd
  const sign = (by === 'name') === Boolean(turned) ? -1 : 1
  return all.toSorted((a, b) => {
    const x = value(a)
    const y = value(b)
    return sign * (x < y ? -1 : x > y ? 1 : 0) || b.requests - a.requests
  })
}

/**
 * The cost at the end of the month, at the pace of the last seven days.
 * @param {{bucket: string, costUsd: number}[]} days of this month and the week before, in UTC
 * @returns {number|null} null: there are less than two days to tell by
 */
export function forecast(days, now = Date.now()) {
  const today = new Date(now)
  const month = days.filter(d => d.bucket >= today.toISOString().slice(0, 8)).reduce((sum, d) => sum + d.costUsd, 0)
  const since = new Date(now - 7 * dayMs).toISOString().slice(0, 10)
  const until = today.toISOString().slice(0, 10)
  const week = days.filter(d => d.bucket >= since && d.bucket < until)
  if (week.length < 2) return null
  const first = Math.min(...week.map(d => Date.parse(d.bucket)))
  const pace = week.reduce((sum, d) => sum + d.costUsd, 0) / Math.round((Date.parse(until) - first) / dayMs)
  const end = Date.UTC(today.getUTCFullYear(), today.getUTCMonth() + 1, 1)
  return month + pace * (end - now) / dayMs
}

// A spreadsheet would run a cell that begins so.
const formula = /^[=+\-@;|\t\r＝＋－＠]/u

const cell = value => {
  const text = typeof value === 'number' ? String(value) : formula.test(value) ? `'${value}` : value
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A text in the format CSV (RFC 4180). */
export function csv(head, lines) {
  return [head, ...lines].map(line => line.map(cell).join(',')).join('\r\n') + '\r\n'
}
