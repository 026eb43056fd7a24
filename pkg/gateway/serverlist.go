package gateway

import (
	"context"
	"sync"
	"time"

	"github.com/alicetears/llm-gateway/pkg/contain"
	"github.com/alicetears/llm-gateway/pkg/provider"
	"github.com/alicetears/llm-gateway/pkg/store"
)

// The times of the lists of models that custom endpoints have.
const (
	listTime  = 2 * time.Second        // for an answer
	listWait  = 250 * time.Millisecond // for the first list, of all endpoints together; the next call has it
	listFresh = time.Minute            // until it is asked for again
	maxLists  = 1000
)

// serverLists keeps the lists of models of custom endpoints.
type serverLists struct {
	mu    sync.Mutex
	lists map[listKey]*serverList
}

type listKey struct{ key, host store.ID }

type serverList struct {
	models []string
	at     int64         // when it was asked for, in Unix milliseconds; also if that failed
	asking chan struct{} // not nil: closed when the answer is there
}

// listsOf returns the lists of the custom endpoints among the keys, as they were told last. It asks for those that are old
// without waiting, but for a moment where there is none yet.
func (g *Gateway) listsOf(ctx context.Context, keys []*key) map[store.ID][]string {
	var waits []chan struct{}
	for _, k := range keys {
		if k.custom && k.usable() {
			if asking, first := g.refreshList(k); first && asking != nil {
				waits = append(waits, asking)
			}
		}
	}
	if len(waits) > 0 {
		timer := time.NewTimer(listWait)
		defer timer.Stop()
	wait:
		for _, asking := range waits {
			select {
			case <-asking:
			case <-timer.C:
				break wait
			case <-ctx.Done():
				break wait
			}
		}
	}
	g.serverLists.mu.Lock()
	defer g.serverLists.mu.Unlock()
	models := map[store.ID][]string{}
	for _, k := range keys {
		if l := g.serverLists.lists[listKey{k.id, k.host}]; k.custom && l != nil {
			models[k.id] = l.models
		}
	}
	return models
}

// refreshList asks for the list of the key's endpoint if it is old. First says that there is none yet.
func (g *Gateway) refreshList(k *key) (asking chan struct{}, first bool) {
	s, id, now := &g.serverLists, listKey{k.id, k.host}, g.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lists[id]
	switch {
	case l == nil:
		if s.lists == nil {
			s.lists = map[listKey]*serverList{}
		}
		if len(s.lists) >= maxLists {
			for old := range s.lists { // any: it is asked for again
				delete(s.lists, old)
				break
			}
		}
		l = &serverList{}
		s.lists[id] = l
		first = true
	case l.asking != nil, now-l.at < listFresh.Milliseconds():
		return l.asking, false
	}
	asking = make(chan struct{})
	l.asking, l.at = asking, now
	contain.Go(g.Log, "listing the models of an endpoint", func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			l.asking = nil
			close(asking)
		}()
		ctx, cancel := context.WithTimeout(context.Background(), listTime)
		defer cancel()
		if models, err := g.Upstream.ListModels(ctx, k.provider, k.secret); err == nil {
			s.mu.Lock()
			defer s.mu.Unlock()
			l.models = models
		}
	})
	return asking, first
}

// KeepList keeps a custom endpoint's list that was asked for otherwise, if requests have asked for it before. Lists of other
// providers are not kept.
func (g *Gateway) KeepList(keyID, user store.ID, p *provider.Provider, models []string) {
	s, now := &g.serverLists, g.Now().UnixMilli()
	s.mu.Lock()
	defer s.mu.Unlock()
	id := listKey{keyID, store.HostKey(user, p.ID, p.BaseURL)}
	if l := s.lists[id]; l != nil {
		l.models, l.at = models, now
	}
}
