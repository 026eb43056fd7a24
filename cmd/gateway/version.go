package main

import (
	"context"

	"github.com/alicetears/llm-gateway/internal/version"
)

func printVersion(_ context.Context, t *terminal, args []string) error {
	if _, err := parse(noFlags("version"), args); err != nil {
		return err
	}
	t.printf("llm-gateway %s\n", version.String())
	return nil
}
