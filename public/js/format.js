// Formats numbers, money and times for people.

const dash = '–'
const whole = new Intl.NumberFormat('en-US')
const compact = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })

/** 12,345; above a million 1.2M */
export function count(n) {
  if (n === null || n === undefined) return dash
  return Math.abs(n) >= 1e6 ? compact.format(n) : whole.format(n)
}

/** Dollars with two significant digits or more: $12.34, $0.0012, $0.0000045 */
export function money(usd) {
  if (usd === null || usd === undefined) return dash
  if (usd === 0) return '$0.00'
  const size = Math.abs(usd)
  const digits = size >= 1 ? 2 : Math.min(9, 1 - Math.floor(Math.log10(size)))
  return `${usd < 0 ? '−' : ''}$${size.toLocaleString('en-US', { minimumFractionDigits: Math.max(2, digits), maximumFractionDigits: Math.max(2, digits) })}`
}

/** 12,345,678 */
export function exactCount(n) {
  return n === null || n === undefined ? dash : whole.format(n)
}

/** Dollars with all the digits that the gateway stores. */
export function exactMoney(usd) {
  return usd === null || usd === undefined ? dash : `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 9 })}`
}

/** The marks of an axis of dollars, all with as many decimals: $0, $2,000; $0.00, $0.50; $10K */
export function moneyMarks(marks) {
  if (marks.at(-1) >= 1e4) return marks.map(v => `$${compact.format(v)}`)
  const decimals = Math.max(...marks.map(v => v.toFixed(9).replace(/0+$/, '').split('.')[1].length))
  const digits = decimals === 1 ? 2 : decimals
  return marks.map(v => `$${v.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`)
}

/** 240 ms, 1.25 s, 2 min 5 s */
export function duration(ms) {
  if (ms === null || ms === undefined) return dash
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round(ms % 60_000 / 1000)} s`
}

/** A share of a whole, in percent. */
export function percent(part, all) {
  if (!all) return dash
  const value = 100 * part / all
  return `${value > 0 && value < 0.1 ? '<0.1' : value.toFixed(value < 10 && value > 0 ? 1 : 0)}%`
}

/** A time in the user's zone. */
export function time(iso, zone) {
  if (!iso) return dash
  return new Date(iso).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: zone })
}

/** A time of today, or date and time of another day; in the user's zone. */
export function clock(iso, now = Date.now(), zone) {
  const day = at => new Date(at).toLocaleDateString('en-GB', { dateStyle: 'medium', timeZone: zone })
  const hour = new Date(iso).toLocaleTimeString('en-GB', { timeStyle: 'medium', timeZone: zone })
  return day(iso) === day(now) ? hour : `${day(iso)}, ${hour}`
}

/** 5 s ago, 3 min ago, 2 h ago, 4 d ago; of the future: in 3 min */
export function ago(iso, now = Date.now()) {
  if (!iso) return 'never'
  const seconds = Math.round((now - Date.parse(iso)) / 1000)
  const size = Math.abs(seconds)
  const text = size < 60 ? `${size} s` : size < 3600 ? `${Math.floor(size / 60)} min` : size < 86400 ? `${Math.floor(size / 3600)} h` : `${Math.floor(size / 86400)} d`
  return seconds < 0 ? `in ${text}` : `${text} ago`
}

/** A message of the gateway with its UTC times in the user's zone, and classes without underscores. */
export function localTimes(text, zone) {
  return text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, iso => time(iso, zone)).replace(/\([a-z]+(_[a-z]+)+\)/g, words)
}

/** The label of a column: a UTC day, or an hour in the user's zone. */
export function bucket(value, zone) {
  if (/^\d{4}-\d\d-\d\d$/.test(value)) {
    return new Date(`${value}T00:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
  }
  return new Date(value).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })
}

/** quota_spent → quota spent */
export function words(name) {
  return (name ?? '').replaceAll('_', ' ')
}
