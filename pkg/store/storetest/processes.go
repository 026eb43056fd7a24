package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	process "os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicetears/llm-gateway/pkg/store"
)

// processVariable tells a test binary that it is one of [AtOnce]'s processes; its value is where the database is.
const processVariable = "STORETEST_DATABASE"

// Process is what the TestMain of a package that uses [AtOnce] has to call first: in a process that
// AtOnce started, it plays its part and does not return. open opens the database at a place.
func Process(open func(place string) (store.DB, error)) {
	place, ok := os.LookupEnv(processVariable)
	if !ok {
		return
	}
	if err := play(place, open); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func play(place string, open func(string) (store.DB, error)) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	db, err := open(place)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	now := time.Now().UnixMilli()
	id := store.NewID(now)
	return store.AddUser(ctx, db, store.User{ID: id, Email: id.String(), Role: store.RoleUser, CreatedAt: now})
}

// AtOnce lets n real processes open the database at the place at the same moment, and each
// add a user to it. It returns when all have.
func AtOnce(t *testing.T, place string, n int) {
	t.Helper()
	gate := make(chan struct{})
	var ready, done sync.WaitGroup
	for range n {
		ready.Add(1)
		done.Go(func() {
			out, err := oneOf(t, place, ready.Done, gate)
			if err != nil {
				t.Errorf("a process that opened the database: %v: %s", err, out)
			}
		})
	}
	ready.Wait()
	close(gate)
	done.Wait()
}

func oneOf(t *testing.T, place string, ready func(), gate <-chan struct{}) (out string, err error) {
	ready = sync.OnceFunc(ready)
	defer ready()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := process.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), processVariable+"="+place)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewReader(stdout)
	if line, err := lines.ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		cmd.Wait()
		return line, fmt.Errorf("it is not ready: %v", err)
	}
	ready()
	<-gate
	io.WriteString(stdin, "\n")
	rest, _ := io.ReadAll(lines)
	return string(rest), cmd.Wait()
}
