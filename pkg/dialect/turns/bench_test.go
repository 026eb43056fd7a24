package turns_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/alicetears/llm-gateway/pkg/chat"
	"github.com/alicetears/llm-gateway/pkg/dialect"
	"github.com/alicetears/llm-gateway/pkg/dialect/turns"
)

// The work for a conversation grows with its length, however often an id comes.
func BenchmarkFit(b *testing.B) {
	for _, calls := range []int{100, 1000, 10000} {
		for name, id := range map[string]string{"distinct": "call_%d", "one id": "call"} {
			b.Run(fmt.Sprintf("%s %d", name, calls), func(b *testing.B) {
				var list []string
				for i := range calls {
					this := strings.ReplaceAll(id, "%d", fmt.Sprint(i))
					list = append(list, "u:x", "a+"+this, "t-"+this+":r")
				}
				messages := conversation(strings.Join(list, " "))
				b.ReportAllocs()
				for b.Loop() {
					var got []chat.Message
					if got, _, _, _ = fit(messages, turns.Form{TextResults: true, JoinsCalls: true}, dialect.TurnRules{}); len(got) != len(messages) {
						b.Fatal(len(got))
					}
				}
			})
		}
	}
}
