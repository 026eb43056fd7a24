// The name of a browser, from its User-Agent.

// A browser's User-Agent also has the names of those after it.
const browsers = [['Edg', 'Edge'], ['OPR', 'Opera'], ['SamsungBrowser', 'Samsung Internet'], ['Firefox', 'Firefox'], ['FxiOS', 'Firefox'], ['CriOS', 'Chrome'], ['HeadlessChrome', 'Chrome'], ['Chrome', 'Chrome'], ['Safari', 'Safari']]
const systems = [['iPhone', 'iPhone'], ['iPad', 'iPad'], ['Android', 'Android'], ['CrOS', 'ChromeOS'], ['Windows', 'Windows'], ['Mac OS X', 'macOS'], ['Linux', 'Linux']]

/** @param {string} userAgent @returns {string} such as "Chrome on Linux"; the first word if it is no browser */
export function agentName(userAgent) {
  const of = list => list.find(([mark]) => userAgent.includes(mark))?.[1]
  const browser = userAgent.startsWith('Mozilla/') && of(browsers)
  if (!browser) return userAgent.split(/[\s(]/)[0] || 'unknown'
  const system = of(systems)
  return system ? `${browser} on ${system}` : browser
}
