// Command catalog writes the gateway's catalogue of models, pkg/catalog/models.json:
//
//	go -C tools run ./catalog [-in FILE] -out ../pkg/catalog/models.json
//
// The input is a JSON file that merges public price lists: "generated" (a date), "sources" (keys to where the data
// came from) and "models" (type entry), with prices in USD per million tokens. Its models replace those of the same
// providers; the lines of all other providers stay, so that they can be kept by hand. Without an input the command
// checks the existing lines, sorts them and writes them in normal form.
//
// The command repairs what is known to be wrong in such lists, and says so on standard error; the rules are in
// repair.go. The same input always gives the same bytes.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
)

func main() {
	in := flag.String("in", "", "the merged price lists, JSON; if empty, the catalogue is only checked and sorted")
	out := flag.String("out", "", "the catalogue to write")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*in, *out, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(in, out string, log io.Writer) error {
	old, err := os.ReadFile(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var lists []byte
	if in != "" {
		if lists, err = os.ReadFile(in); err != nil {
			return err
		}
	}
	text, err := generate(old, lists, log)
	if err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}

// generate returns the catalogue that follows from the old one and the price lists; either may be empty.
func generate(old, lists []byte, log io.Writer) ([]byte, error) {
	c := new(catalogue)
	if len(old) > 0 {
		if err := strictly(old, c); err != nil {
			return nil, fmt.Errorf("the catalogue: %w", err)
		}
	}
	if len(lists) > 0 {
		var src input
		if err := json.Unmarshal(lists, &src); err != nil {
			return nil, fmt.Errorf("the price lists: %w", err)
		}
		if err := c.replace(&src, log); err != nil {
			return nil, err
		}
	}
	return c.text()
}
