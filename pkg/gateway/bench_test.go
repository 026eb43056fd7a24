package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// BenchmarkStart measures a request's whole way through this package, provider
// call included, against the bare call of the same provider ("call").
func BenchmarkStart(b *testing.B) {
	b.Run("call", func(b *testing.B) {
		w := newWorld(b)
		w.add(key{})
		b.ReportAllocs()
		b.SetParallelism(32)
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				req, _ := http.NewRequest("POST", w.origin+"/chat/completions", strings.NewReader(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Say hello."}]}`))
				req.Header.Set("Authorization", "Bearer sk-test-0001-abcdefghijklmnop")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	})
	for name, open := range map[string]func(testing.TB) store.DB{"sqlite": openSQLite, "postgres": openPostgres} {
		b.Run(name, func(b *testing.B) {
			w := newWorldOn(b, open(b))
			w.add(key{})
			b.ReportAllocs()
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					request := w.request(model)
					c, err := w.g.Start(b.Context(), request)
					if err != nil {
						b.Error(err)
						return
					}
					c.Close()
				}
			})
		})
	}
}
