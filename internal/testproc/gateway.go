package testproc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// BuildGateway builds cmd/gateway into a folder whose name begins with the prefix, and returns its path. The folder is
// deleted at exit. It is for TestMain: without the program nothing can be tested, so that a failure ends the process.
func BuildGateway(prefix string) (program string) {
	dir, err := Dir(prefix, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	AtExit(func() { os.RemoveAll(dir) })
	program = filepath.Join(dir, "gateway")
	build := exec.Command("go", "build", "-o", program, "github.com/alicetears/llm-gateway/cmd/gateway")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.RemoveAll(dir)
		os.Exit(1)
	}
	return program
}
