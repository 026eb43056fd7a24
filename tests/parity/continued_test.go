package parity

import (
	"fmt"
	"testing"
)

// A conversation that ended with the assistant goes on after its answer, whatever of the reasoning the caller keeps:
// what was thought behind a message that the gateway put there is not sent back where the provider would miss it.
func TestContinuedTurns(t *testing.T) {
	everyReasoningModel(t, func(app *application, _ provided, model string, s *caller, streamed bool) error {
		for _, keeps := range []memory{all, bare} {
			a := request{model: model, turns: []turn{{text: "Hello"}}, tools: both(), choice: "auto", effort: "high", streamed: streamed}
			for round := range 3 {
				got, _, err := app.exchange(s, &a)
				if err != nil {
					return fmt.Errorf("keeps %s, round %d: %w", keeps, round, err)
				}
				a.turns = append(a.turns, turn{model: keeps.of(&got)})
				if round > 0 { // the second answer follows the first one at once
					a.turns = append(a.turns, turn{text: "And now?"})
				}
			}
		}
		return nil
	})
}
