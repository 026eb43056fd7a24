// One request: its facts and its trace.

import { get } from '../api.js'
import { h, svg } from '../dom.js'
import { count, duration, localTimes, time, words } from '../format.js'
import { costOf, requestState, unanswered } from '../requestview.js'
import { routeTo } from '../route.js'
import { meaningOf, place, scopeOf } from '../timeline.js'
import { loaded, section, state, table } from '../widget.js'

export const title = 'Request'

export function view({ id, signal }) {
  const load = async () => {
    const [one, { keys }, { tokens }] = await Promise.all([get(`/api/requests/${encodeURIComponent(id)}`, signal), get('/api/keys', signal), get('/api/tokens', signal)])
    return { one, names: new Map([...keys, ...tokens].map(o => [o.id, o.name])) }
  }
  return h('div', {}, h('p', { class: 'up' }, h('a', { href: routeTo('requests') }, '← All requests')),
    loaded(load, ({ one, names }) => h('div', {}, facts(one, names), traceOf(one, names))))
}

const atGateway = ms => ms === null ? duration(ms) : `${duration(ms)} at the gateway`

function facts(q, names) {
  const named = (id, otherwise) => id ? names.get(id) ?? 'deleted' : otherwise
  const none = unanswered(q)
  return h('dl', { class: 'facts' }, [
    ['Time', time(q.createdAt)], ['Status', [requestState(q), q.status === 200 ? ' (200)' : '']], ['Model', q.model || 'none'], ['Asked for', q.askedModel ?? 'the model'], ['Provider', q.provider ?? 'none'],
    ['Key', named(q.keyId, 'no key was called')], ['Token', named(q.tokenId, 'none: sent from the dashboard')],
    ['Streamed', q.stream ? 'yes' : 'no'], ['Providers called', count(q.attempts)],
    ['Latency', atGateway(q.latencyMs)], ['First byte', atGateway(q.firstByteMs)],
    ['Input tokens', none ? count(null) : `${count(q.inputTokens)} (${count(q.cachedTokens)} from the cache, ${count(q.cacheWriteTokens)} written to it)`],
    ['Output tokens', none ? count(null) : `${count(q.outputTokens)} (${count(q.reasoningTokens)} of reasoning)`],
    ['Usage', none ? count(null) : q.estimated ? 'estimated: the provider reported no usage, or its cost does not follow from it' : 'as the provider reported it'],
    ['Cost', costOf(q)], ['Id', h('code', {}, q.id)],
  ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))))
}

function traceOf({ trace, latencyMs }, names) {
  if (!trace) return h('p', { class: 'quiet after' }, 'No trace was kept, or it has expired.')
  const { attempts = [], passed: skipped = [] } = trace
  return [
    attempts.length > 0 && section('Attempts', h('ol', { class: 'timeline' }, attempts.map(a => attempt(a, latencyMs, names)))),
    skipped.length > 0 && section('Keys that were skipped', table('Keys that were skipped', [['Key'], ['Provider'], ['Reason']],
      skipped.map(k => [k.name, k.provider, localTimes(k.reason)]))),
  ].reduce((box, part) => (part && box.append(part), box), h('div', {}))
}

function attempt(a, latencyMs, names) {
  const good = !a.class && (a.outcome ?? 'answered') === 'answered'
  const at = place(a, latencyMs)
  const times = [a.startMs !== undefined && `began after ${duration(a.startMs)}`, a.firstByteMs !== undefined && `first byte ${duration(a.firstByteMs)} later`, `took ${duration(a.ms)}`].filter(Boolean).join(', ')
  return h('li', {},
    h('p', {}, h('strong', {}, names.get(a.keyId) ?? 'Deleted key'), ` ${a.model} of ${a.provider} `, state(good ? 'good' : a.outcome === 'caller_left' ? 'off' : 'bad', [words(a.class ?? a.outcome ?? 'answered'), a.status && `(${a.status})`].filter(Boolean).join(' '))),
    at && svg('svg', { class: `span ${good ? 'good' : 'bad'}`, 'aria-hidden': 'true' },
      svg('rect', { class: 'track', width: '100%', height: 8 }),
      svg('rect', { class: 'wait', x: `${at.start}%`, width: `${Math.max(0.5, at.wait)}%`, height: 8 }),
      svg('rect', { class: 'rest', x: `${at.start + at.wait}%`, width: `${at.rest}%`, height: 8 })),
    h('p', { class: 'quiet' }, `${times[0].toUpperCase()}${times.slice(1)}.`, a.class && ` The quota was ${a.givenBack ? 'released' : 'kept'}.`),
    a.message && h('blockquote', {}, a.message),
    a.class && h('p', {}, meaningOf(a.class), a.scope && h('span', { class: 'quiet' }, ` It is about ${scopeOf(a.scope)}.`)),
    a.providerRequestId && h('p', { class: 'quiet' }, 'The provider calls it ', h('code', {}, a.providerRequestId), '.'))
}
